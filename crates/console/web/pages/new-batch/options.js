/** Third step: name, times, folders and messages, with the names and defaults of the service. */
import { code, details, div, fieldset, h, h2, header, legend, section, summary } from "../../parts/html.js";
import { AreaField, CheckField, ChoiceField, isAt, TextField } from "../../parts/field.js";
import { t } from "../../parts/words.js";

/** @typedef {import("../../parts/words.js").WordKey} WordKey */

/** Groups of options, folded; each with its kind. @type {[WordKey, [string, "text" | "time" | "area" | "check" | "repair" | string[]][]][]} */
const groups = [
  ["options.times", [["StartAfter", "time"], ["CompleteAfter", "time"], ["TimeZone", "text"], ["SyncInterval", "text"], ["AllowIncrementalSyncs", ["", "yes", "no"]]]],
  ["options.folders", [["ExcludeFolders", "area"], ["IncludeFolders", "area"], ["FolderMap", "area"], ["GmailLabels", ["", "Automatic", "PrimaryFolder", "EveryFolder"]]]],
  ["options.messages", [["ContentFilter", "text"], ["MaxItems", "text"], ["MaxMessageSize", "text"], ["NewestFirst", "check"], ["Repair", "repair"]]],
  ["options.deletions", [["Deletions", ["", "Keep", "Mirror"]], ["MaxDeletionPercent", "text"], ["MaxDeletionCount", "text"]]],
];
/** Parameters of this step. */
export const OPTIONS = ["Name", ...groups.flatMap(([, all]) => all.map(([name]) => name))];

const REPAIRS = ["NulBytes", "BareNewlines", "LongLines", "InvalidHeaders", "MissingFinalNewline"];

/** @param {{ draft: import("./draft.js").Draft }} props */
export const OptionsStep = ({ draft }) => {
  const values = draft.options.value, refused = draft.refused.value;
  const set = (/** @type {string} */ name, /** @type {any} */ value) => {
    draft.options.value = { ...draft.options.peek(), [name]: value };
    draft.refused.value = null;
  };
  const word = (/** @type {string} */ name) => (name === "Name" ? t("o.Name") : [t(/** @type {any} */ (`o.${name}`)), " ", code({ class: "muted", key: "c" }, name)]);
  const field = (/** @type {string} */ name, /** @type {"text" | "time" | "area" | "check" | "repair" | string[]} */ kind) => {
    const common = { key: name, label: word(name), name, refused, help: t(/** @type {any} */ (`o.${name}.help`)), value: values[name] ?? "", onInput: (/** @type {string} */ it) => set(name, it) };
    if (kind === "check") return h(CheckField, { key: name, label: t(/** @type {any} */ (`o.${name}`)), name, checked: Boolean(values[name]), help: common.help, onInput: (it) => set(name, it) });
    if (kind === "repair") return fieldset({ key: name, class: "field" }, legend(word(name)), REPAIRS.map((it) => h(CheckField, {
      key: it, name: it, label: t(/** @type {any} */ (`repair.${it}`)), checked: values.Repair?.includes(it) ?? false,
      onInput: (isSet) => set("Repair", REPAIRS.filter((one) => (one === it ? isSet : values.Repair?.includes(one)))),
    })));
    if (kind === "area") return h(AreaField, { ...common, rows: 3 });
    if (Array.isArray(kind)) return h(ChoiceField, { ...common, options: kind.map((it) => /** @type {const} */ ([it, it ? t(/** @type {any} */ (`choice.${it}`)) : t("o.default")])) });
    return h(TextField, { ...common, type: kind === "time" ? "datetime-local" : "text" });
  };
  return div({ class: "stack" },
    section({ class: "panel", "aria-labelledby": "named" }, header(h2({ id: "named" }, t("new.name"))), div({ class: "in stack" }, h(TextField, { label: word("Name"), name: "Name", refused, value: values.Name ?? "", required: true, help: t("o.Name.help"), onInput: (it) => set("Name", it) }))),
    groups.map(([title, all]) => section({ key: title, class: "panel" }, div({ class: "in" }, details({ open: all.some(([name]) => isAt(refused, name) || (values[name] && name !== "TimeZone")) || undefined },
      summary(t(title)), div({ class: "two" }, all.map(([name, kind]) => field(name, kind))))))));
};
