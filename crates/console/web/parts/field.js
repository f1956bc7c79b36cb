/** Fields of forms: a label, the control, help below, and the service's refusal at the field that it names. */
import { div, h, input, label, option, p, select, span, textarea } from "./html.js";
import { useEffect, useId, useRef } from "../vendor/hooks.js";
import { Said } from "./said.js";

/** @typedef {{ message: string, advice: string, parameter?: string | null } | null | undefined} Refused */

/**
 * @typedef {{ label: import("preact").ComponentChildren, name: string, help?: import("preact").ComponentChildren, refused?: Refused, disabled?: string,
 *   class?: string }} Common
 */

/** True if the refusal names this field. @param {Refused} refused @param {string} name */
export const isAt = (refused, name) => Boolean(refused?.parameter) && refused?.parameter === name;

/** What all fields have around their control; the focus goes to a field that was refused.
 * @param {Common & { control: (about: { id: string, name: string, "aria-invalid"?: "true", "aria-describedby"?: string, disabled: boolean, title?: string }) => import("preact").VNode<any> }} props */
export const Labelled = ({ label: text, name, help, refused, disabled, class: kind, control }) => {
  const id = useId(), box = useRef(/** @type {HTMLElement | null} */ (null)), wrong = isAt(refused, name);
  useEffect(() => {
    if (wrong) /** @type {HTMLElement | null} */ (box.current?.querySelector("[aria-invalid]"))?.focus();
  }, [refused]);
  const about = [wrong && `${id}-wrong`, help && `${id}-help`].filter(Boolean).join(" ");
  return div({ class: `field ${kind ?? ""}`, ref: /** @type {any} */ (box) }, label({ for: id }, text),
    control({ id, name, "aria-invalid": wrong ? "true" : undefined, "aria-describedby": about || undefined, disabled: Boolean(disabled), title: disabled }),
    help && p({ class: "muted small", id: `${id}-help` }, help),
    wrong && p({ class: "why small", id: `${id}-wrong` }, h(Said, { text: [refused?.message, refused?.advice].filter(Boolean).join(" ") })));
};

/** One line. A password is held by the control alone: `onInput` may keep it, nothing else does.
 * @param {Common & { value?: string, type?: "text" | "password" | "number" | "search" | "datetime-local", placeholder?: string, list?: string, min?: number, max?: number, required?: boolean, onInput?: (text: string) => void }} props */
export const TextField = ({ value, type = "text", placeholder, list, min, max, required, onInput, ...common }) => h(Labelled, {
  ...common,
  control: (about) => input({ ...about, type: /** @type {any} */ (type), value, placeholder, list, min, max, required, autoComplete: "off", spellcheck: false, onInput: (event) => onInput?.(event.currentTarget.value) }),
});

/** Several lines. @param {Common & { value: string, rows?: number, placeholder?: string, onInput: (text: string) => void }} props */
export const AreaField = ({ value, rows = 4, placeholder, onInput, ...common }) => h(Labelled, {
  ...common,
  control: (about) => textarea({ ...about, value, rows, placeholder, autoComplete: "off", spellcheck: false, onInput: (event) => onInput(event.currentTarget.value) }),
});

/** One of several words: value and text. @param {Common & { value: string, options: (readonly [string, string])[], onInput: (value: string) => void }} props */
export const ChoiceField = ({ value, options, onInput, ...common }) => h(Labelled, {
  ...common,
  control: (about) => select({ ...about, value, onChange: (event) => onInput(event.currentTarget.value) }, options.map(([it, text]) => option({ key: it, value: it }, text))),
});

/** Yes or no. @param {{ label: string, name: string, checked: boolean, disabled?: string, help?: import("preact").ComponentChildren, onInput: (checked: boolean) => void }} props */
export const CheckField = ({ label: text, name, checked, disabled, help, onInput }) =>
  div({ class: "field check" },
    label({ title: disabled }, input({ type: "checkbox", name, checked, disabled: Boolean(disabled), onChange: (event) => onInput(event.currentTarget.checked) }), span(text)),
    help && p({ class: "muted small" }, help));
