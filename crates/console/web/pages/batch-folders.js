/** Folders of a batch: where each goes and why, for chosen users; a target that is typed becomes a line of the folder map. */
import { button, datalist, div, form, h, h2, input, option, p, section, span, table, tbody, td, th, thead, tr, Fragment } from "../parts/html.js";
import { useEffect, useState } from "../vendor/hooks.js";
import { changeBatch, folderPlan, usersPage } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { commandOf, obstacle, perform } from "../parts/action.js";
import { TextField } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { editedMap, plannedFolders } from "../parts/plan.js";
import { Name, Said } from "../parts/said.js";
import { Failed, Loading } from "../parts/state.js";
import { count, plural, serverWord, t } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("../parts/plan.js").Plan} Plan */
/** @typedef {import("../parts/plan.js").PlannedFolder} PlannedFolder */

/** Users whose names are proposed, and those whose plans are shown at once: each opens a mailbox. */
const PROPOSED = 1_000, MOST = 5;

/** Users whose plans are shown. @param {{ batch: string, chosen: string[], choose: (chosen: string[]) => void }} props */
const Chosen = ({ batch, chosen, choose }) => {
  const { data } = useLive(`plan users ${batch}`, () => usersPage({ BatchId: batch, SortBy: "SyncedItemCount", Descending: true, ResultSize: PROPOSED }), () => false);
  const [text, setText] = useState("");
  // The largest mailbox has the most folders.
  useEffect(() => {
    const first = data?.users[0];
    if (first && chosen.length === 0) choose([first.Identity]);
  }, [data]);
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = text.trim();
    if (!name || chosen.includes(name) || chosen.length >= MOST) return;
    choose([...chosen, name]);
    setText("");
  };
  return form({ class: "chips", onSubmit: add }, chosen.map((it) => span({ key: it, class: "chip" }, h(Name, { text: it }),
    button({ class: "button quiet", type: "button", "aria-label": t("plan.without", { name: it }), onClick: () => choose(chosen.filter((one) => one !== it)) }, h(Icon, { name: "close" })))),
    chosen.length < MOST && h(TextField, { label: t("plan.user"), name: "user", value: text, list: "plan-users", onInput: setText }), datalist({ id: "plan-users" }, data?.users.map((it) => option({ key: it.Guid, value: it.Identity }))),
    chosen.length < MOST && button({ class: "button", type: "submit", "aria-disabled": text.trim() ? undefined : "true" }, t("plan.add")));
};

/** @param {{ folder: PlannedFolder, value: string, isEdited: boolean, why?: string, edit: (text: string) => void }} props */
const Folder = ({ folder, value, isEdited, why, edit }) => tr(
  td(h(Name, { text: folder.source })),
  td(input({ value, name: "target", disabled: Boolean(why), title: why, autoComplete: "off", spellcheck: false, "aria-label": t("plan.targetOf", { folder: folder.source }), onInput: (event) => edit(event.currentTarget.value) }),
    folder.clashes.length > 0 && p({ class: "why" }, t("plan.clash"), " ", folder.clashes.map((it, at) => [at ? ", " : "", h(Name, { key: it, text: it })])),
    folder.isRenamed && folder.clashes.length === 0 && p({ class: "muted small" }, t("plan.renamed"))),
  td(isEdited ? span({ class: "muted" }, t("plan.edited")) : folder.reasons.map((it) => p({ key: it }, h(Said, { text: it })))),
  td({ class: "number" }, count(folder.users)), td({ class: "number" }, count(folder.messages)));

/** @param {{ of: MigrationBatch }} props */
export const BatchFolders = ({ of }) => {
  const [chosen, choose] = useState(/** @type {string[]} */ ([]));
  const [edits, setEdits] = useState(/** @type {Record<string, string>} */ ({}));
  const [shown, setShown] = useState(/** @type {{ plan: Plan, map: string } | null} */ (null));
  const [error, setError] = useState(/** @type {import("../api/client.js").ServiceError | null} */ (null));
  const [isReading, setReading] = useState(false);
  const why = obstacle("Operator", of.SupportedActions.includes("Set") ? undefined : t("unsupported", { status: serverWord("status", of.Status) }));
  const saved = /** @type {Record<string, string>} */ (of.FolderMap), map = editedMap(saved, edits), isEdited = JSON.stringify(map) !== JSON.stringify(editedMap(saved, {}));
  const read = async (/** @type {Record<string, string> | undefined} */ draft) => {
    if (chosen.length === 0 || obstacle("Operator")) return;
    setReading(true);
    setError(null);
    try {
      setShown({ plan: await folderPlan(of.Identity, chosen, draft), map: JSON.stringify(draft ?? editedMap(saved, {})) });
    } catch (refused) {
      setError(/** @type {any} */ (refused));
    }
    setReading(false);
  };
  useEffect(() => void read(isEdited ? map : undefined), [chosen.join(" "), JSON.stringify(saved)]);
  const change = { ...changeBatch("Set", of.Identity, { FolderMap: Object.keys(map).length ? map : null }), revision: /** @type {{ Revision?: string }} */ (of).Revision };
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!why && isEdited) void perform(change, t("done.map", { name: of.Identity })).then((isDone) => isDone && setEdits({}));
  };
  const folders = shown ? plannedFolders(shown.plan) : [], inSight = new Set(folders.map((it) => it.source)), others = Object.entries(map).filter(([source]) => !inSight.has(source));
  const clashes = folders.filter((it) => it.clashes.length > 0).length, isShown = shown?.map === JSON.stringify(map);
  return h(Fragment, null,
    section({ class: "panel", "aria-labelledby": "plan" }, div({ class: "in stack" }, h2({ id: "plan" }, t("plan.title")), p({ class: "muted" }, t("plan.text")),
      of.SyncedItemCount > 0 && p({ class: "notice wait" }, t("plan.stays")),
      why ? p({ class: "why" }, why) : h(Chosen, { batch: of.Identity, chosen, choose })),
    error && h(Failed, { error, again: () => void read(isEdited ? map : undefined) }), isReading && h(Loading, null),
    shown?.plan.Failures.map((it) => p({ key: it.Identity, class: "in why" }, h(Name, { text: it.Identity }), ": ", h(Said, { text: it.Message }))),
    folders.length > 0 && form({ onSubmit: save },
      div({ class: "wide-table plan", tabIndex: 0, role: "region", "aria-label": t("plan.rows") }, table({ class: "small-table" },
        thead(tr(th({ scope: "col" }, t("plan.source")), th({ scope: "col" }, t("plan.target")), th({ scope: "col" }, t("reason")), th({ scope: "col", class: "number" }, t("users")), th({ scope: "col", class: "number" }, t("messages")))),
        tbody(folders.map((it) => h(Folder, {
          key: it.source, folder: it, why, value: edits[it.source] ?? it.targets.join(" | "), isEdited: (map[it.source] ?? "") !== (saved[it.source] ?? "") && !isShown,
          edit: (text) => setEdits({ ...edits, [it.source]: text }),
        }))))),
      others.length > 0 && div({ class: "in stack" }, p({ class: "muted small" }, t("plan.others")), others.map(([source, target]) => div({ key: source, class: "order" }, span(h(Name, { text: source }), " → ", h(Name, { text: target })),
        button({ class: "button", type: "button", "aria-label": `${t("remove")}: ${source}`, "aria-disabled": why ? "true" : undefined, onClick: () => !why && setEdits({ ...edits, [source]: "" }) }, t("remove"))))),
      div({ class: "foot below" }, span({ class: "far", role: "status" }, clashes ? span({ class: "why" }, plural("plan.clashes", clashes)) : plural("plan.folders", folders.length)),
        button({ class: "button quiet", type: "button", onClick: () => (commandOf.value = change) }, h(Icon, { name: "copy" }), t("showCommand")),
        isEdited && button({ class: "button", type: "button", onClick: () => setEdits({}) }, t("discard")),
        button({ class: "button", type: "button", "aria-disabled": why || !isEdited ? "true" : undefined, onClick: () => !why && isEdited && void read(map) }, t("plan.preview")),
        button({ class: "button first", type: "submit", "aria-disabled": why || !isEdited ? "true" : undefined, title: why ?? (isEdited ? undefined : t("setting.unchanged")) }, t("save"))))));
};
