/** One batch: its standing, its numbers, its users, and one of them beside. */
import { a, b, dd, div, dl, dt, h, h1, h2, input, main, nav, p, section, span, Fragment } from "../parts/html.js";
import { useCallback, useEffect, useMemo, useState } from "../vendor/hooks.js";
import { batch, changeBatch } from "../api/operations.js";
import { follow, later, rates, useLive } from "../api/live.js";
import { UserWindow } from "../api/users.js";
import { Action, Refusal, ShowCommand } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { visible } from "../parts/visible.js";
import { rows } from "../parts/rows.js";
import { Failed, Loading, Stale } from "../parts/state.js";
import { Bar, Standing, Status, toneOf } from "../parts/status.js";
import { replace, route, to, withQuery } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { bytes, count, duration, percentage, plural, serverWord, t, time, utc } from "../parts/words.js";
import { UserDrawer } from "./user.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("@preact/signals").Signal<import("../api/users.js").LiveUser>} Row */

/** Groups of statuses, as the service sums them. @type {[string, import("../parts/status.js").Tone, (it: MigrationBatch) => number][]} */
const groups = [
  ["Synced", "good", (it) => it.SyncedCount], ["Completed", "good", (it) => it.FinalizedCount], ["Active", "active", (it) => it.ActiveCount + it.PendingCount],
  ["Stopped", "idle", (it) => it.StoppedCount], ["Failed", "bad", (it) => it.FailedCount],
];

/** @param {(it: import("../api/users.js").LiveUser) => import("preact").ComponentChild} show */
const live = (show) => {
  /** @param {{ row: Row }} props */
  const Cell = ({ row }) => h(Fragment, null, show(row.value));
  return (/** @type {Row} */ row) => h(Cell, { row });
};

const isMoving = (/** @type {string} */ status) => toneOf(status) === "active";
const percent = (/** @type {import("../api/users.js").LiveUser} */ it) => (it.TotalItemsInSourceMailboxCount ? Math.min(100, (100 * (it.SyncedItemCount + it.SkippedItemCount)) / it.TotalItemsInSourceMailboxCount) : 0);
const reason = (/** @type {import("../api/users.js").LiveUser} */ it) => it.ErrorSummary ?? it.CheckError ?? it.StatusMessage ?? "";

/** @param {string} batchName @param {string} chosen */
const columns = (batchName, chosen) => /** @type {import("../parts/rows.js").Column<Row>[]} */ ([
  { key: "email", name: t("email"), width: "19%", class: "who", sort: "EmailAddress", cell: live((it) => a({ href: withQuery({ user: it.Guid }), "aria-current": it.Guid === chosen ? "true" : undefined }, h(Name, { text: it.Identity }))) },
  { key: "status", name: t("status"), width: "136px", class: "state", sort: "Status", cell: live((it) => h(Status, { status: it.Status })) },
  { key: "progress", name: t("progress"), width: "84px", class: "far-bar", sort: "PercentageComplete", cell: live((it) => it.TotalItemsInSourceMailboxCount && isMoving(it.Status) ? h(Bar, { percent: percent(it), tone: toneOf(it.Status) }) : null) },
  { key: "items", name: t("items"), width: "116px", number: true, class: "what", sort: "SyncedItemCount", cell: live((it) => it.TotalItemsInSourceMailboxCount && isMoving(it.Status) ? `${count(it.SyncedItemCount)} / ${count(it.TotalItemsInSourceMailboxCount)}` : it.SyncedItemCount ? count(it.SyncedItemCount) : "") },
  { key: "skipped", name: t("skipped"), width: "84px", number: true, sort: "SkippedItemCount", cell: live((it) => it.SkippedItemCount || "") },
  { key: "bytes", name: t("transferred"), width: "104px", number: true, sort: "BytesTransferred", cell: live((it) => (it.BytesTransferred ? bytes(it.BytesTransferred) : "")) },
  { key: "rate", name: t("rate.short"), width: "92px", number: true, cell: live((it) => (it.Rate && isMoving(it.Status) ? t("perSecond", { size: bytes(it.Rate) }) : "")) },
  { key: "left", name: t("left"), width: "88px", number: true, cell: live((it) => (it.Left && isMoving(it.Status) ? duration(it.Left) : "")) },
  { key: "details", name: t("details"), sort: "ErrorClass", cell: live((it) => !reason(it) ? it.LastSuccessfulSyncTime && span({ class: "muted small", title: utc(it.LastSuccessfulSyncTime) }, t("syncedAt", { time: time(it.LastSuccessfulSyncTime) })) : span({ class: toneOf(it.Status) === "bad" || it.CheckError ? "why" : "muted small", title: visible(reason(it)).slice(0, 500) }, it.ErrorClass ? serverWord("cause", it.ErrorClass) : h(Said, { text: reason(it) }))) },
]);

/** @param {{ of: MigrationBatch, isOld: boolean }} props */
const Facts = ({ of, isOld }) => {
  const rate = rates.value[of.BatchGuid] ?? 0;
  return dl({ class: `facts${isOld ? " old" : ""}` },
    div(dt(t("messages")), dd(percentage(of.PercentageComplete)), dd(t("messagesOf", { done: count(of.SyncedItemCount), all: count(of.TotalItemCount) }))),
    div(dt(t("transferred")), dd(bytes(of.BytesTransferred)), dd(plural("skippedMessages", of.SkippedItemCount))),
    div(dt(t("rate")), dd(rate ? t("perSecond", { size: bytes(rate) }) : "–"), dd(rate ? "" : t("nothingMoves"))),
    div(dt(t("consistency")), dd(of.DataConsistencyScore ? serverWord("consistency", of.DataConsistencyScore) : "–"), dd(of.DataConsistencyScore ? "" : t("unknown"))),
    div(dt(t("lastSynced")), dd(of.LastSyncedDateTimeUTC ? time(of.LastSyncedDateTimeUTC) : "–"), dd(of.LastSyncedDateTimeUTC ? "" : t("never"))));
};

/** @param {{ of: MigrationBatch }} props */
const Actions = ({ of }) => {
  const name = of.Identity, status = serverWord("status", of.Status);
  const reason = (/** @type {string} */ action) => (of.SupportedActions.includes(action) ? undefined : t("unsupported", { status }));
  const ask = { title: t("complete.title", { name }), text: plural("complete.text", of.TotalCount) };
  return div({ class: "actions" },
    h(Action, { change: changeBatch("Start", name), label: t("start"), done: t("done.start", { name }), reason: reason("Start"), first: of.SupportedActions.includes("Start") && !of.SupportedActions.includes("Stop") }),
    h(Action, { change: changeBatch("Stop", name), label: t("stop"), done: t("done.stop", { name }), reason: reason("Stop") }),
    h(Action, { change: changeBatch("Set", name, { SyncNow: true }), label: t("syncNow"), done: t("done.sync", { name }), reason: of.SyncedCount ? undefined : t("unsupported", { status }) }),
    h(Action, { change: changeBatch("Complete", name), label: t("complete"), done: t("done.complete", { name }), reason: reason("Complete"), ask }),
    h(ShowCommand, { change: changeBatch(of.SupportedActions.includes("Stop") ? "Stop" : "Start", name) }));
};

/** Finds users by address, login or failure; the address of the page keeps the text. @param {{ search: string }} props */
const Search = ({ search }) => {
  const [text, setText] = useState(search);
  useEffect(() => (text === search ? undefined : later(() => replace(withQuery({ search: text || undefined })), 300)), [text]);
  return input({ type: "search", class: "search", value: text, "aria-label": t("search"), placeholder: t("search"), onInput: (event) => setText(event.currentTarget.value) });
};

/** @param {{ of: MigrationBatch, status: string, chosen: string }} props */
const Users = ({ of, status, chosen }) => {
  const query = route.value.query, search = query.get("search") ?? "", by = query.get("sort") ?? "", isDescending = query.has("descending");
  const filter = { BatchId: of.BatchGuid, StatusSummary: status || undefined, Search: search || undefined, SortBy: by || undefined, Descending: isDescending || undefined };
  const users = useMemo(() => new UserWindow(filter), [of.BatchGuid, status, search, by, isDescending]);
  const onWindow = useCallback((/** @type {number} */ from, /** @type {number} */ to) => users.need(from, to), [users]);
  useEffect(() => follow((event) => {
    if (event.name === "progress") users.progress(event.rows);
    else if (event.name === "gap" || event.data.Noun === "MigrationUser" || event.data.Noun === "MigrationBatch") users.refresh();
  }), [users]);
  // The sums of the batch changed, so users have other statuses.
  useEffect(() => void (users.version.peek() && users.refresh()), [users, of.PendingCount, of.ActiveCount, of.SyncedCount, of.FailedCount, of.StoppedCount, of.FinalizedCount]);
  const isRead = users.version.value > 0, shown = users.total.value ?? 0;
  // The first click sorts upwards, the second downwards.
  const link = (/** @type {string} */ it) => withQuery({ sort: it, descending: it === by && !isDescending ? "1" : undefined });
  return section({ class: "panel", "aria-labelledby": "users" }, div({ class: "tools" }, h2({ id: "users" }, t("users")), h(Search, { search })),
    users.error && h(Failed, { error: users.error, again: () => users.refresh() }),
    isRead && shown === 0 ? p({ class: "in muted" }, t("noUsers"))
      : rows({ label: t("usersOf", { batch: of.Identity }), columns: columns(of.Identity, chosen), total: shown, at: (index) => users.at(index), id: (row) => row.peek().Guid, selected: chosen, sort: { by, isDescending, link }, onWindow }),
    div({ class: "foot" }, plural("users", shown)));
};

export const Batch = () => {
  const name = route.value.parts[1] ?? "", query = route.value.query;
  const status = query.get("status") ?? "", chosen = query.get("user") ?? "";
  usePage(name);
  const { data, error, at, again } = useLive(`batch ${name}`, () => batch(name), undefined, true);
  const crumbs = nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["batches"]) }, t("batches")), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, h(Name, { text: name })));
  if (!data) return main({ id: "main" }, crumbs, h1({ tabIndex: -1 }, h(Name, { text: name })), error ? h(Failed, { error, again }) : h(Loading, null));
  return h(Fragment, null, main({ id: "main" }, crumbs,
    div({ class: "head" }, h1({ tabIndex: -1 }, h(Name, { text: data.Identity })), h(Status, { status: data.Status }),
      span({ class: "muted" }, h(Name, { text: data.SourceEndpoint }), " → ", h(Name, { text: data.TargetEndpoint }), " · ", t("startedBy", { time: time(data.CreationDateTimeUTC), name: data.SubmittedByUser })),
      h(Actions, { of: data })),
    !chosen && h(Refusal, null), h(Stale, { at }),
    h(Standing, { shares: groups.map(([, tone, number]) => /** @type {const} */ ([tone, number(data)])) }),
    div({ class: "chips", role: "group", "aria-label": t("standing") },
      a({ class: "chip", href: withQuery({ status: undefined }), "aria-current": status ? undefined : "true" }, b(count(data.TotalCount)), t("filter.all")),
      groups.filter(([group, , number]) => number(data) || group === status).map(([group, tone, number]) =>
        a({ key: group, class: `chip ${tone}`, href: withQuery({ status: group === status ? undefined : group }), "aria-current": group === status ? "true" : undefined }, h(Icon, { name: tone }), b(count(number(data))), serverWord("filter", group)))),
    div({ class: "head" }, p({ class: "muted" }, h(Said, { text: data.Message })),
      data.FailedCount > 0 && div({ class: "actions" }, a({ class: "button", href: to(["batches", data.Identity, "fix"]) }, t("fix.open")))),
    h(Facts, { of: data, isOld: Boolean(error) }),
    h(Users, { of: data, status, chosen })),
    chosen && h(UserDrawer, { key: chosen, guid: chosen, batchName: data.Identity }));
};
