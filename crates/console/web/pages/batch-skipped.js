/** Skipped messages of a batch by kind: each with its reason; they are approved, or tried again with repair. */
import { a, b, button, div, h, h2, p, section, table, tbody, td, th, thead, tr, Fragment } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { changeBatch, changeUser, skippedItems, usersPage } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { downloadMessage } from "../api/reports.js";
import { Action, obstacle, toast } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { Empty, Failed, Loading } from "../parts/state.js";
import { route, to, withQuery } from "../parts/router.js";
import { bytes, count, plural, serverWord, t, time } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("../api/operations.js").MigrationSkippedItem} MigrationSkippedItem */

/** Messages and users that are shown at most. */
const MOST = 1_000;

/** Saves a message on the reader's disk. @param {{ of: MigrationSkippedItem }} props */
const Save = ({ of }) => {
  const [error, setError] = useState(/** @type {import("../api/client.js").ServiceError | null} */ (null));
  const why = obstacle("Admin");
  const run = () => {
    setError(null);
    if (!why) void downloadMessage(of).then(() => (toast.value = t("report.begun")), setError);
  };
  return h(Fragment, null, button({ class: "button", type: "button", "aria-disabled": why ? "true" : undefined, title: why, "aria-label": t("skipped.saveOf", { folder: of.FolderName, uid: String(of.UID) }), onClick: run }, t("skipped.save")),
    error && p({ class: "why", role: "alert" }, h(Said, { text: error.message })));
};

/** @param {{ list: MigrationSkippedItem[], batch: string, waiting: Set<string> }} props `waiting`: users whose messages are not approved */
const Messages = ({ list, batch, waiting }) => div({ class: "wide-table skipped", tabIndex: 0, role: "region", "aria-label": t("messages") }, table({ class: "small-table" },
  thead(tr(["user", "folder", "subject", "received", "size", "reason", "actions"].map((key) => th({ key, scope: "col" }, t(/** @type {any} */ (key)))))),
  tbody(list.map((it) => tr({ key: `${it.Identity} ${it.FolderName} ${it.UID}` },
    td(a({ href: to(["batches", batch], { user: it.Identity }) }, h(Name, { text: it.Identity }))), td(h(Name, { text: it.FolderName })), td(h(Name, { text: it.Subject ?? "–" })),
    td(it.DateReceived ? time(it.DateReceived) : "–"), td(bytes(it.MessageSize)), td(h(Said, { text: it.Reason }), p({ class: "muted small" }, `UID ${it.UID}`)),
    td(h(Save, { of: it }), " ", waiting.has(it.Identity) ? h(Action, { change: changeUser("Set", it.Identity, { ApproveSkippedItems: true }), label: t("approve"), done: t("done.approve", { name: it.Identity }) }) : t("approvedShort")))))));

/** @param {{ of: MigrationBatch }} props */
export const BatchSkipped = ({ of }) => {
  const load = () => Promise.all([skippedItems(of.Identity, MOST), usersPage({ BatchId: of.Identity, HasSkippedItems: true, ResultSize: MOST })]);
  const { data, error, again } = useLive(`skipped ${of.BatchGuid}`, load, (it) => it.Noun === "MigrationUser" || it.Noun === "MigrationBatch");
  if (!data) return error ? h(Failed, { error, again }) : h(Loading, null);
  const [items, { users }] = data, waiting = new Set(users.filter((it) => it.HasUnapprovedSkippedItems).map((it) => it.Identity));
  if (items.length === 0) return h(Empty, { text: t("skipped.none") });
  /** @type {Map<string, MigrationSkippedItem[]>} */
  const kinds = new Map();
  for (const it of items) kinds.set(it.Kind, [...(kinds.get(it.Kind) ?? []), it]);
  const wanted = route.value.query.get("kind") ?? "", kind = kinds.has(wanted) ? wanted : "";
  const shown = kind ? kinds.get(kind) ?? [] : items;
  return h(Fragment, null,
    div({ class: "chips", role: "group", "aria-label": t("skipped.kinds") },
      a({ class: "chip", href: withQuery({ kind: undefined }), "aria-current": kind ? undefined : "true" }, b(count(of.SkippedItemCount)), t("filter.all")),
      [...kinds].map(([it, list]) => a({ key: it, class: "chip wait", href: withQuery({ kind: it === kind ? undefined : it }), "aria-current": it === kind ? "true" : undefined }, h(Icon, { name: "wait" }), b(count(list.length)), serverWord("kind", it)))),
    section({ class: "panel", "aria-labelledby": "skipped" },
      div({ class: "in stack" }, div({ class: "head" }, h2({ id: "skipped" }, t("user.skipped")), div({ class: "actions" },
        h(Action, { change: changeBatch("Set", of.Identity, { Repair: ["All"] }), label: t("skipped.repair"), done: t("done.repair", { name: of.Identity }), ask: { title: t("skipped.repairTitle", { name: of.Identity }), text: t("skipped.repairText") } }),
        h(Action, { change: changeBatch("Set", of.Identity, { ApproveSkippedItems: true }), label: t("skipped.approveAll"), done: t("done.approve", { name: of.Identity }), reason: waiting.size ? undefined : t("approved"),
          ask: { title: t("skipped.approveTitle", { name: of.Identity }), text: `${plural("skipped.approveText", waiting.size)} ${t("manyText.approve")}` } }))),
      p({ class: "muted small" }, waiting.size ? plural("skipped.waiting", waiting.size) : t("approved"))),
      h(Messages, { list: shown, batch: of.Identity, waiting }),
      of.SkippedItemCount > items.length && div({ class: "foot" }, t("firstOf", { shown: count(items.length), all: count(of.SkippedItemCount) }))));
};
