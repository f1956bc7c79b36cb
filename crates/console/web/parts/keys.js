/** Keys: single ones for lists, Ctrl K for everything by its name. They never act in fields, and can be switched off. */
import { dd, div, dl, dt, h, input, kbd, li, p, span, ul } from "./html.js";
import { signal } from "../vendor/signals.js";
import { useEffect, useState } from "../vendor/hooks.js";
import { later } from "../api/live.js";
import { choice, choose } from "../api/session.js";
import { found } from "./match.js";
import { Dialog } from "./dialog.js";
import { Name } from "./said.js";
import { go, to } from "./router.js";
import { t } from "./words.js";

/** An entry of the list that Ctrl K opens: a place, with the words by which it is found. @typedef {{ key: string, text: string, kind: string, words: string, href: string }} Place */

/** Time for the second key of `g b`. */
const PAIR = 1_500;

/** False if single keys are switched off. */
export const areKeysOn = signal(choice("keys") !== "off");
/** @param {boolean} on */
export const switchKeys = (on) => {
  choose("keys", on ? "on" : "off");
  areKeysOn.value = on;
};

/** The dialog that is open: all keys, or the search for a place. @type {import("@preact/signals").Signal<"" | "help" | "search">} */
const open = signal("");
let isAfterG = false, forget = () => {};

/** True in whatever takes text. @param {EventTarget | null} target */
const isField = (target) => target instanceof Element && Boolean(target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));

/** Links of the rows in sight. @returns {HTMLElement[]} */
const links = () => [...document.querySelectorAll(/** @type {any} */ (".rows tbody td.who a"))];

/** Moves the focus to the link of another row. @param {1 | -1} step */
const move = (step) => {
  const all = links(), row = document.activeElement?.closest("tr"), at = all.findIndex((it) => it.closest("tr") === row);
  (all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step] ?? all[at])?.focus();
};

/** What a single key does. @type {Record<string, () => void>} */
const singles = {
  j: () => move(1), k: () => move(-1),
  x: () => /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]"))?.click(),
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector("input[type=search]"))?.focus(),
  "?": () => (open.value = "help"),
};
/** What a key after `g` does. @type {Record<string, () => void>} */
const pairs = { b: () => go(to(["batches"])), u: () => go(to(["users"])), e: () => go(to(["endpoints"])), o: () => go(to([])) };

/** @param {KeyboardEvent} event */
const onKey = (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog")) open.value = "search";
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isField(event.target) || document.querySelector("dialog") || !areKeysOn.peek()) return;
  const act = isAfterG ? pairs[event.key] : singles[event.key];
  isAfterG = !isAfterG && event.key === "g";
  forget();
  if (isAfterG) forget = later(() => (isAfterG = false), PAIR);
  if (!act) return;
  event.preventDefault();
  act();
};

/** All keys. */
const help = () => /** @type {[string[], string][]} */ ([
  [["Ctrl K"], t("keys.search")], [["/"], t("keys.find")], [["j", "k"], t("keys.rows")], [["Enter"], t("keys.open")], [["x"], t("keys.select")], [["Esc"], t("keys.back")],
  [["g b"], t("batches")], [["g u"], t("users")], [["g e"], t("endpoints")], [["g o"], t("overview")], [["?"], t("keys.help")],
]);

/** @param {{ close: () => void }} props */
const Help = ({ close }) => h(Dialog, { title: t("keys.title"), close },
  dl({ class: "pairs keys" }, help().map(([keys, text]) => [dt({ key: `${text}-k` }, keys.map((it) => kbd({ key: it }, it))), dd({ key: text }, text)])),
  p({ class: "muted small" }, areKeysOn.value ? t("keys.off") : t("keys.areOff")));

/** A list that narrows while one types. @param {{ places: () => Promise<Place[]>, close: () => void }} props */
const Search = ({ places, close }) => {
  const [all, setAll] = useState(/** @type {Place[]} */ ([])), [text, setText] = useState(""), [at, setAt] = useState(0);
  useEffect(() => void places().then(setAll, () => {}), []);
  const list = found(all, text), chosen = list[Math.min(at, list.length - 1)];
  const visit = (/** @type {Place} */ it) => {
    close();
    go(it.href);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt(Math.max(0, Math.min(list.length - 1, at + step)));
    else if (event.key === "Enter" && chosen) visit(chosen);
    else return;
    event.preventDefault();
  };
  return h(Dialog, { title: t("keys.search"), close, class: "finder" },
    input({ type: "text", autoComplete: "off", spellcheck: false, role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-activedescendant": chosen ? `found-${list.indexOf(chosen)}` : undefined, "aria-label": t("keys.searchLabel"), placeholder: t("keys.searchLabel"),
      autoFocus: true, value: text, onKeyDown, onInput: (event) => {
        setText(event.currentTarget.value);
        setAt(0);
      } }),
    ul({ id: "found", role: "listbox", "aria-label": t("keys.searchLabel") }, list.map((it, index) =>
      li({ key: it.key, id: `found-${index}`, role: "option", "aria-selected": it === chosen, onClick: () => visit(it) }, span({ class: "muted small" }, it.kind), h(Name, { text: it.text })))),
    list.length === 0 && p({ class: "muted" }, t("keys.nothing")));
};

/** Keys of all pages. @param {{ places: () => Promise<Place[]> }} props */
export const Keys = ({ places }) => {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const close = () => (open.value = "");
  return div(open.value === "help" && h(Help, { close }), open.value === "search" && h(Search, { places, close }));
};
