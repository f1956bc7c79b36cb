/** Settings of a batch: each with the time from which a change applies; a change of someone else is shown beside one's own. */
import { b, button, datalist, div, fieldset, form, h, h2, input, label, legend, option, p, section, span, table, tbody, td, th, thead, tr, Fragment } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { batch, changeBatch } from "../api/operations.js";
import { fileData } from "../api/files.js";
import { Action, commandOf, obstacle, perform, question, refusal } from "../parts/action.js";
import { CheckField, ChoiceField, AreaField, Labelled, TextField } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { Name } from "../parts/said.js";
import { conflicts, parametersOf, textOf } from "../parts/settings.js";
import { momentOf, zones } from "../parts/zone.js";
import { plural, serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("../parts/settings.js").Setting} Setting */
/** @typedef {import("../parts/settings.js").Texts} Texts */

/** Settings by their part of the page. @type {[string, Setting[]][]} */
const groups = [
  ["schedule", [
    { name: "StartAfter", from: "StartAfter", kind: "time", when: "now" }, { name: "CompleteAfter", from: "CompleteAfter", kind: "time", when: "now" },
    { name: "TimeZone", from: "TimeZone", kind: "zone", when: "now" },
    { name: "AllowIncrementalSyncs", from: "AllowIncrementalSyncs", kind: "yes", when: "now" }, { name: "SyncInterval", from: "SyncInterval", kind: "span", when: "now", isFixed: true },
  ]],
  ["content", [
    { name: "ExcludeFolders", from: "ExcludedFolders", kind: "lines", when: "next" }, { name: "IncludeFolders", from: "IncludedFolders", kind: "lines", when: "next" },
    { name: "ContentFilter", from: "ContentFilter", kind: "text", when: "next" }, { name: "MaxItems", from: "MaxItems", kind: "number", when: "next" },
    { name: "MaxMessageSize", from: "MaxMessageSize", kind: "number", when: "next" }, { name: "NewestFirst", from: "NewestFirst", kind: "yes", when: "next" },
    { name: "GmailLabels", from: "GmailLabels", kind: "choice", when: "next", choices: ["Automatic", "PrimaryFolder", "EveryFolder"], isFixed: true },
    { name: "Repair", from: "Repair", kind: "set", when: "next", choices: ["NulBytes", "BareNewlines", "LongLines", "InvalidHeaders", "MissingFinalNewline"] },
  ]],
  ["deletions", [
    { name: "Deletions", from: "Deletions", kind: "choice", when: "next", choices: ["Keep", "Mirror"], isFixed: true },
    { name: "MaxDeletionPercent", from: "MaxDeletionPercent", kind: "number", when: "next", isFixed: true }, { name: "MaxDeletionCount", from: "MaxDeletionCount", kind: "number", when: "next", isFixed: true },
  ]],
];
const settings = groups.flatMap(([, list]) => list);

/** A value in words. @param {Setting} setting @param {string} text */
const shown = (setting, text) => (text === "" ? t("none") : setting.kind === "yes" ? t(text === "true" ? "yes" : "no") : setting.kind === "choice" ? serverWord(`setting.${setting.name}`, text) : text.replaceAll("\n", ", "));

/** The moment of a time of the batch's zone, here and in UTC. @param {{ wall: string, zone: string }} props */
const Elsewhere = ({ wall, zone }) => {
  const moment = wall ? momentOf(wall, zone || "UTC") : undefined;
  return h(Fragment, null, wall ? t("setting.inZone", { zone: zone || "UTC" }) : t("setting.noTime"), moment && ` ${t("setting.here", { time: time(moment), utc: utc(moment.toISOString()) })}`);
};

/** @param {{ setting: Setting, text: string, zone: string, disabled?: string, refused: any, edit: (text: string) => void }} props */
const Field = ({ setting, text, zone, disabled, refused, edit }) => {
  const { name, kind } = setting, help = serverWord("settingHelp", name);
  const common = { label: serverWord("setting", name), name, disabled, refused, onInput: edit };
  if (kind === "yes") return h(CheckField, { label: common.label, name, checked: text === "true", disabled, help, onInput: (it) => edit(String(it)) });
  if (kind === "choice") return h(ChoiceField, { ...common, value: text, help, options: (setting.choices ?? []).map((it) => /** @type {const} */ ([it, serverWord(`setting.${name}`, it)])) });
  if (kind === "lines") return h(AreaField, { ...common, value: text, rows: 3, help });
  if (kind === "time") return h(TextField, { ...common, type: "datetime-local", value: text, help: h(Elsewhere, { wall: text, zone }) });
  if (kind === "zone") return h(Fragment, null, h(TextField, { ...common, value: text, list: "zones", help }), datalist({ id: "zones" }, zones().map((it) => option({ key: it, value: it }))));
  if (kind === "set") {
    const chosen = text.split("\n").filter(Boolean);
    return fieldset({ class: "field" }, legend({ class: "small" }, b(common.label)), help && p({ class: "muted small" }, help), setting.choices?.map((it) =>
      h(CheckField, { key: it, name: `${name}-${it}`, label: serverWord(`setting.${name}`, it), checked: chosen.includes(it), disabled, onInput: (on) => edit((setting.choices ?? []).filter((one) => (one === it ? on : chosen.includes(one))).join("\n")) })));
  }
  return h(TextField, { ...common, value: text, help });
};

/** Both values of settings that two people changed. @param {{ list: ReturnType<typeof conflicts>, message: string, mine: () => void, theirs: () => void }} props */
const Conflict = ({ list, message, mine, theirs }) => section({ class: "panel needs wait", role: "alert", "aria-labelledby": "conflict" }, div({ class: "in stack" },
  h2({ id: "conflict" }, t("conflict.title")), p(h(Name, { text: message })),
  div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": t("conflict.title") }, table({ class: "small-table" },
    thead(tr(th({ scope: "col" }, t("setting")), th({ scope: "col" }, t("conflict.yours")), th({ scope: "col" }, t("conflict.theirs")))),
    tbody(list.map(({ setting, yours, theirs: other, isEdited }) => tr({ key: setting.name }, th({ scope: "row" }, serverWord("setting", setting.name)),
      td(isEdited ? h(Name, { text: shown(setting, yours) }) : span({ class: "muted" }, t("conflict.notEdited"))), td(h(Name, { text: shown(setting, other) }))))))),
  div({ class: "below" }, button({ class: "button", type: "button", onClick: theirs }, t("conflict.takeTheirs")), button({ class: "button first", type: "button", onClick: mine }, t("conflict.keepMine")))));

/** More users of the batch, or new logins of those that it has. @param {{ of: MigrationBatch }} props */
const AddUsers = ({ of }) => {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [areColumnsLeftOut, leaveOut] = useState(false);
  const why = obstacle("Operator", of.SupportedActions.includes("Set") ? undefined : t("unsupported", { status: serverWord("status", of.Status) }));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (why || !file) return;
    const change = changeBatch("Set", of.Identity, { AddUsers: true, CSVData: await fileData(file.name, file), ...(areColumnsLeftOut && { AllowUnknownColumnsInCsv: true }) });
    if (await perform(change, t("done.addUsers", { name: of.Identity }))) setFile(null);
  };
  return form({ class: "panel", onSubmit: submit }, div({ class: "in stack" }, h2(t("addUsers")),
    h(Labelled, { label: t("addUsers.file"), name: "CSVData", help: t("addUsers.help"), disabled: why, control: (about) => input({ ...about, type: "file", accept: ".csv,text/csv", key: file ? "chosen" : "none", onChange: (event) => setFile(event.currentTarget.files?.[0] ?? null) }) }),
    h(CheckField, { label: t("addUsers.columns"), name: "AllowUnknownColumnsInCsv", checked: areColumnsLeftOut, disabled: why, onInput: leaveOut }),
    div({ class: "below" }, button({ class: "button", type: "submit", "aria-disabled": why || !file ? "true" : undefined, title: why ?? (file ? undefined : t("addUsers.first")) }, t("addUsers")))));
};

/** Orders to all users that no button of the head gives. @param {{ of: MigrationBatch }} props */
const Orders = ({ of }) => {
  const name = of.Identity;
  return section({ class: "panel" }, div({ class: "in stack" }, h2(t("orders")),
    div({ class: "order" }, p(t("checkNow.text")), h(Action, { change: changeBatch("Set", name, { CheckNow: true }), label: t("checkNow"), done: t("done.check", { name }) })),
    of.WaitingDeletionCount > 0 && div({ class: "order" }, p(plural("confirmDeletions.text", of.WaitingDeletionCount)), h(Action, {
      change: changeBatch("Set", name, { ConfirmDeletions: true }), label: t("confirmDeletions"), done: t("done.confirmDeletions", { name }),
      ask: { title: t("confirmDeletions.title", { name }), text: plural("confirmDeletions.text", of.WaitingDeletionCount) } }))));
};

/** @param {{ of: MigrationBatch }} props */
export const BatchSettings = ({ of }) => {
  const [edits, setEdits] = useState(/** @type {Texts} */ ({}));
  // What was in sight when the first field was changed: the service refuses the changes if another caller was faster.
  const [base, setBase] = useState(of);
  const [isUpdate, setUpdate] = useState(false);
  const [clash, setClash] = useState(/** @type {{ list: ReturnType<typeof conflicts>, message: string, now: MigrationBatch } | null} */ (null));
  const isEdited = Object.keys(edits).length > 0, from = isEdited ? base : of;
  const text = (/** @type {Setting} */ it) => edits[it.name] ?? textOf(it, from);
  const zone = text(/** @type {Setting} */ (settings.find((it) => it.kind === "zone")));
  const why = obstacle("Operator", of.SupportedActions.includes("Set") ? undefined : t("unsupported", { status: serverWord("status", of.Status) }));
  const edit = (/** @type {Setting} */ it, /** @type {string} */ value) => {
    if (!isEdited) setBase(of);
    const next = { ...edits, [it.name]: value };
    if (value === textOf(it, isEdited ? base : of)) delete next[it.name];
    setEdits(next);
  };
  const change = (/** @type {MigrationBatch} */ expected) => ({ ...changeBatch("Set", of.Identity, { ...parametersOf(settings, edits, expected), ...(isUpdate && { Update: true }) }), revision: /** @type {{ Revision?: string }} */ (expected).Revision });
  const forget = () => {
    setEdits({});
    setClash(null);
    setUpdate(false);
    refusal.value = null;
  };
  const send = async (/** @type {MigrationBatch} */ expected) => {
    setClash(null);
    if (await perform(change(expected), t("done.settings", { name: of.Identity }))) return forget();
    if (refusal.peek()?.status !== 412) return;
    const message = refusal.peek()?.message ?? "", now = await batch(of.Identity);
    refusal.value = null;
    setClash({ list: conflicts(settings, edits, expected, now), message, now });
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (why || !isEdited) return;
    if (edits.Deletions === "Mirror") question.value = { title: t("mirror.title", { name: of.Identity }), text: plural("mirror.text", of.TotalCount), label: t("save"), run: () => void send(base) };
    else void send(base);
  };
  return h(Fragment, null,
    clash && h(Conflict, { list: clash.list, message: clash.message, theirs: forget, mine: () => {
      setBase(clash.now);
      void send(clash.now);
    } }),
    form({ class: "panel settings", onSubmit: submit },
      groups.map(([group, list]) => section({ key: group, class: "in stack", "aria-labelledby": `group-${group}` },
        div({ class: "head" }, h2({ id: `group-${group}` }, serverWord("settings", group)), span({ class: "muted small" }, t(list[0]?.when === "now" ? "setting.now" : "setting.next"))),
        div({ class: "fields" }, list.map((it) => h(Field, { key: it.name, setting: it, text: text(it), zone, disabled: why, refused: refusal.value, edit: (value) => edit(it, value) }))))),
      div({ class: "foot below" },
        div({ class: "far" }, h(CheckField, { label: t("setting.update"), name: "Update", checked: isUpdate, disabled: why, onInput: setUpdate })),
        button({ class: "button quiet", type: "button", onClick: () => (commandOf.value = change(base)) }, h(Icon, { name: "copy" }), t("showCommand")),
        isEdited && button({ class: "button", type: "button", onClick: forget }, t("discard")),
        button({ class: "button first", type: "submit", "aria-disabled": why || !isEdited ? "true" : undefined, title: why ?? (isEdited ? undefined : t("setting.unchanged")) }, t("save")))),
    h(Orders, { of }), h(AddUsers, { of }));
};
