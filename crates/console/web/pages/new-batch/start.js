/** Last step: what will happen, in one sentence. */
import { div, fieldset, h, h2, header, input, label, legend, p, section, span } from "../../parts/html.js";
import { Name } from "../../parts/said.js";
import { plural, t } from "../../parts/words.js";

/** @param {{ draft: import("./draft.js").Draft }} props */
export const StartStep = ({ draft }) => {
  const values = draft.options.value, users = draft.judged.value?.UserCount ?? 0;
  const set = (/** @type {boolean} */ it) => (draft.options.value = { ...draft.options.peek(), Start: it });
  const way = (/** @type {boolean} */ isStart, /** @type {string} */ text, /** @type {string} */ help) => label({ class: "choice" },
    input({ type: "radio", name: "AutoStart", checked: values.Start === isStart, onChange: () => set(isStart) }), span(text, " ", span({ class: "muted small" }, help)));
  const when = values.StartAfter ? t("start.after", { time: `${values.StartAfter.replace("T", " ")} ${values.TimeZone}` }) : t("start.now");
  const later = values.CompleteAfter ? t("start.complete", { time: `${values.CompleteAfter.replace("T", " ")} ${values.TimeZone}` }) : t("start.keep", { interval: values.SyncInterval || t("start.day") });
  return section({ class: "panel", "aria-labelledby": "start" }, header(h2({ id: "start" }, t("start.title"))), div({ class: "in stack" },
    p({ class: "sentence" }, plural("start.copies", users), " ", h(Name, { text: draft.source.value }), " → ", h(Name, { text: draft.target.value || "–" }), ". ", values.Start ? `${when} ${later}` : t("start.waits")),
    p({ class: "muted" }, t("start.source")),
    fieldset({ class: "stack" }, legend({ class: "unseen" }, t("start.title")), div({ class: "stack tight" }, way(true, t("start.auto"), "AutoStart"), way(false, t("start.byHand"), "")))));
};
