/** Buttons that change something: disabled with the reason, confirmed where it cannot be undone, shown as commands. */
import { button, code, dialog, div, form, h, h2, h3, p, pre } from "./html.js";
import { signal } from "../vendor/signals.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { carryOut } from "../api/operations.js";
import { cmdletLine, curlLine } from "../api/command.js";
import { may } from "../api/session.js";
import { lamp, later, refreshNow } from "../api/live.js";
import { Icon } from "./icons.js";
import { Failed } from "./state.js";
import { serverWord, t } from "./words.js";

/** @typedef {import("../api/operations.js").Change} Change */

/** Sentence of the last change that went well. */
export const toast = signal("");
/** Change whose commands are shown. @type {import("@preact/signals").Signal<Change | null>} */
export const commandOf = signal(null);
/** Change that waits for a confirmation. @type {import("@preact/signals").Signal<{ title: string, text: string, label: string, run: () => void } | null>} */
export const question = signal(null);
/** Refusal of the last change. @type {import("@preact/signals").Signal<import("../api/client.js").ServiceError | null>} */
export const refusal = signal(null);

/** Reason why a change is not possible now; nothing if it is. @param {Change["role"]} role @param {string} [reason] */
export const obstacle = (role, reason) =>
  !may(role) ? t("needsRole", { role: serverWord("role", role) }) : lamp.value.state === "away" ? t("away") : reason;

/** Carries a change out, and tells of its end. @param {Change} change @param {string} done @returns {Promise<boolean>} */
export const perform = async (change, done) => {
  refusal.value = null;
  try {
    await carryOut(change);
    refreshNow();
    toast.value = done;
    return true;
  } catch (error) {
    refusal.value = /** @type {any} */ (error);
    return false;
  }
};

/** @param {{ change: Change, label: string, done: string, reason?: string, first?: boolean, ask?: { title: string, text: string } }} props */
export const Action = ({ change, label, done, reason, first, ask }) => {
  const [isRunning, setRunning] = useState(false);
  const why = obstacle(change.role, reason);
  const run = async () => {
    setRunning(true);
    await perform(change, done);
    setRunning(false);
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

/** A dialog that is open as long as it exists. @param {{ title: string, close: () => void, children?: import("preact").ComponentChildren }} props */
const Dialog = ({ title, close, children }) => {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => box.current?.showModal(), []);
  return dialog({ ref: box, "aria-labelledby": "dialog-title", onClose: close, onCancel: close }, h2({ id: "dialog-title" }, title), children);
};

/** @param {{ label: string, text: string }} props */
const Line = ({ label, text }) => {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return div({ class: "stack" }, div({ class: "head" }, h3(label), div({ class: "actions" }, button({ class: "button quiet", type: "button", onClick: copy }, t(isCopied ? "copied" : "copy")))),
    pre({ class: "quote", tabIndex: 0, role: "region", "aria-label": label }, code(text)));
};

/** Dialogs and messages of all pages. */
export const Dialogs = () => {
  const change = commandOf.value, asked = question.value;
  useEffect(() => (toast.value ? later(() => (toast.value = ""), 6_000) : undefined), [toast.value]);
  const closeCommand = () => (commandOf.value = null), closeQuestion = () => (question.value = null);
  const confirm = (/** @type {Event} */ event) => {
    event.preventDefault();
    closeQuestion();
    asked?.run();
  };
  return div(
    div({ class: "toast", role: "status" }, toast.value && p(toast.value)),
    change && h(Dialog, { key: "command", title: t("command.title"), close: closeCommand },
      h(Line, { label: t("command.cmdlet"), text: cmdletLine(change) }), h(Line, { label: t("command.curl"), text: curlLine(change, location.origin) }),
      p({ class: "muted small" }, t("command.secrets")), div({ class: "below" }, button({ class: "button", type: "button", onClick: closeCommand }, t("close")))),
    asked && h(Dialog, { key: "question", title: asked.title, close: closeQuestion },
      p(asked.text), form({ class: "below", onSubmit: confirm }, button({ class: "button", type: "button", onClick: closeQuestion }, t("cancel")), button({ class: "button first", type: "submit" }, asked.label))));
};

/** The last refusal, above what was refused. */
export const Refusal = () => (refusal.value ? h(Failed, { error: refusal.value }) : null);
