/** Buttons that change something: disabled with the reason, confirmed where it cannot be undone, shown as commands. */
import { b, button, code, dd, div, dl, dt, form, h, h3, p, pre } from "./html.js";
import { signal } from "../vendor/signals.js";
import { useEffect, useState } from "../vendor/hooks.js";
import { carryOut } from "../api/operations.js";
import { cmdletLine, curlLine } from "../api/command.js";
import { may } from "../api/session.js";
import { lamp, later, refreshNow } from "../api/live.js";
import { Dialog } from "./dialog.js";
import { TextField } from "./field.js";
import { Icon } from "./icons.js";
import { Name } from "./said.js";
import { Failed } from "./state.js";
import { serverWord, t } from "./words.js";

/** @typedef {import("../api/operations.js").Change} Change */

/** Sentence of the last change that went well. */
export const toast = signal("");
/** Change whose commands are shown. @type {import("@preact/signals").Signal<Change | null>} */
export const commandOf = signal(null);
/**
 * A confirmation: what will happen, to how many. `points` are what stays and what goes; with `name`, it must be typed.
 * `before` is a way out, such as a download.
 * @typedef {{ title: string, text: string, points?: [string, string][], name?: string, before?: import("preact").VNode }} Ask
 */
/** Change that waits for a confirmation. @type {import("@preact/signals").Signal<Ask & { label: string, run: () => void } | null>} */
export const question = signal(null);
/** Refusal of the last change. @type {import("@preact/signals").Signal<import("../api/client.js").ServiceError | null>} */
export const refusal = signal(null);

/** Reason why a change is not possible now; nothing if it is. @param {Change["role"]} role @param {string} [reason] */
export const obstacle = (role, reason) =>
  !may(role) ? t("needsRole", { role: serverWord("role", role) }) : lamp.value.state === "away" ? t("away") : reason;

/** Carries a change out, and tells of its end. @param {Change} change @param {string | ((answer: any) => string)} done @returns {Promise<boolean>} */
export const perform = async (change, done) => {
  refusal.value = null;
  try {
    const answer = await carryOut(change);
    refreshNow();
    toast.value = typeof done === "string" ? done : done(answer);
    return true;
  } catch (error) {
    refusal.value = /** @type {any} */ (error);
    return false;
  }
};

/** @param {{ change: Change, label: string, done: string, reason?: string, first?: boolean, ask?: Ask, after?: () => void }} props */
export const Action = ({ change, label, done, reason, first, ask, after }) => {
  const [isRunning, setRunning] = useState(false);
  const why = obstacle(change.role, reason);
  const run = async () => {
    setRunning(true);
    const isDone = await perform(change, done);
    setRunning(false);
    if (isDone) after?.();
  };
  const onClick = () => {
    if (why || isRunning) return;
    if (ask) question.value = { ...ask, label, run };
    else void run();
  };
  return button({ class: `button${first ? " first" : ""}`, type: "button", "aria-disabled": why || isRunning ? "true" : undefined, title: why, onClick }, label);
};

/** @param {{ change: Change }} props */
export const ShowCommand = ({ change }) =>
  button({ class: "button quiet", type: "button", onClick: () => (commandOf.value = change) }, h(Icon, { name: "copy" }), t("showCommand"));

/** @param {{ label: string, text: string }} props */
export const CopyLine = ({ label, text }) => {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return div({ class: "stack" }, div({ class: "head" }, h3(label), div({ class: "actions" }, button({ class: "button quiet", type: "button", onClick: copy }, t(isCopied ? "copied" : "copy")))),
    pre({ class: "quote", tabIndex: 0, role: "region", "aria-label": label }, code(text)));
};

/** The question before a change. Its button acts only after the name was typed, if one is asked for. @param {{ asked: NonNullable<typeof question.value> }} props */
const Question = ({ asked }) => {
  const [typed, setTyped] = useState("");
  const isRight = !asked.name || typed === asked.name;
  const close = () => (question.value = null);
  const confirm = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!isRight) return;
    close();
    asked.run();
  };
  return h(Dialog, { title: asked.title, close }, p(asked.text),
    asked.points && dl({ class: "pairs" }, asked.points.map(([name, text]) => [dt({ key: `${name}-n` }, name), dd({ key: name }, text)])),
    asked.before,
    form({ class: "stack", onSubmit: confirm },
      asked.name && p(t("ask.name"), " ", b(h(Name, { text: asked.name }))),
      asked.name && h(TextField, { label: t("name"), name: "confirmation", value: typed, onInput: setTyped }),
      div({ class: "below" }, button({ class: "button", type: "button", onClick: close }, t("cancel")),
        button({ class: `button ${asked.name ? "danger" : "first"}`, type: "submit", "aria-disabled": isRight ? undefined : "true", title: isRight ? undefined : t("ask.nameFirst") }, asked.label))));
};

/** Dialogs and messages of all pages. */
export const Dialogs = () => {
  const change = commandOf.value, asked = question.value;
  useEffect(() => (toast.value ? later(() => (toast.value = ""), 6_000) : undefined), [toast.value]);
  const closeCommand = () => (commandOf.value = null);
  return div(
    div({ class: "toast", role: "status" }, toast.value && p(toast.value)),
    change && h(Dialog, { key: "command", title: t("command.title"), close: closeCommand },
      h(CopyLine, { label: t("command.cmdlet"), text: cmdletLine(change) }), h(CopyLine, { label: t("command.curl"), text: curlLine(change, location.origin) }),
      p({ class: "muted small" }, t("command.secrets")), div({ class: "below" }, button({ class: "button", type: "button", onClick: closeCommand }, t("close")))),
    asked && h(Question, { key: "question", asked }));
};

/** The last refusal, above what was refused. */
export const Refusal = () => (refusal.value ? h(Failed, { error: refusal.value }) : null);
