/** A list of users: searched, sorted, selected, and acted upon by filter or by name. */
import { a, button, div, h, h2, input, li, p, section, span, ul, Fragment } from "../parts/html.js";
import { useCallback, useEffect, useMemo, useState } from "../vendor/hooks.js";
import { follow, later } from "../api/live.js";
import { changeUsers } from "../api/operations.js";
import { exportUsers } from "../api/export.js";
import { UserWindow } from "../api/users.js";
import { commandOf, obstacle, perform, question } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { visible } from "../parts/visible.js";
import { rows } from "../parts/rows.js";
import { Failed } from "../parts/state.js";
import { Bar, Status, toneOf } from "../parts/status.js";
import { replace, route, to, withQuery } from "../parts/router.js";
import { bytes, count, duration, plural, serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("@preact/signals").Signal<import("../api/users.js").LiveUser>} Row */
/** @typedef {import("../api/operations.js").ManyAnswer} ManyAnswer */
/** @typedef {Record<string, string | undefined>} Filter */
/** Users that are selected: some, or all that match the filter. @typedef {{ has: (guid: string) => boolean, toggle: (guid: string) => void }} Selection */

/** Refused users that are named. */
const NAMED = 10;

/** @typedef {(it: import("../api/users.js").LiveUser) => import("preact").ComponentChild} Show */

/** A cell that follows its user. @param {{ row: Row, show: Show }} props */
const Cell = ({ row, show }) => h(Fragment, null, show(row.value));

/** @param {Show} show */
const live = (show) => (/** @type {Row} */ row) => h(Cell, { row, show });

const isMoving = (/** @type {string} */ status) => toneOf(status) === "active";
const percent = (/** @type {import("../api/users.js").LiveUser} */ it) => (it.TotalItemsInSourceMailboxCount ? Math.min(100, (100 * (it.SyncedItemCount + it.SkippedItemCount)) / it.TotalItemsInSourceMailboxCount) : 0);
const reason = (/** @type {import("../api/users.js").LiveUser} */ it) => it.ErrorSummary ?? it.CheckError ?? it.StatusMessage ?? "";

/** @param {string} chosen @param {boolean} withBatch @param {Selection} selection */
const columns = (chosen, withBatch, selection) => /** @type {import("../parts/rows.js").Column<Row>[]} */ ([
  { key: "pick", name: t("select"), isUnnamed: true, width: "40px", class: "pick", cell: live((it) => input({ type: "checkbox", checked: selection.has(it.Guid), "aria-label": t("selectUser", { name: it.Identity }), onChange: () => selection.toggle(it.Guid) })) },
  { key: "email", name: t("email"), width: "17%", class: "who", sort: "EmailAddress", cell: live((it) => a({ href: withQuery({ user: it.Guid }), "aria-current": it.Guid === chosen ? "true" : undefined }, h(Name, { text: it.Identity }))) },
  ...(withBatch ? [{ key: "batch", name: t("batch"), width: "12%", cell: live((it) => a({ href: to(["batches", it.BatchId]) }, h(Name, { text: it.BatchId }))) }] : []),
  { key: "status", name: t("status"), width: "128px", class: "state", sort: "Status", cell: live((it) => h(Status, { status: it.Status })) },
  { key: "progress", name: t("progress"), width: "88px", class: "far-bar", sort: "PercentageComplete", cell: live((it) => it.TotalItemsInSourceMailboxCount && isMoving(it.Status) ? h(Bar, { percent: percent(it), tone: toneOf(it.Status) }) : null) },
  { key: "items", name: t("items"), width: "104px", number: true, class: "what", sort: "SyncedItemCount", cell: live((it) => it.TotalItemsInSourceMailboxCount && isMoving(it.Status) ? `${count(it.SyncedItemCount)} / ${count(it.TotalItemsInSourceMailboxCount)}` : it.SyncedItemCount ? count(it.SyncedItemCount) : "") },
  { key: "skipped", name: t("skipped"), width: "84px", number: true, sort: "SkippedItemCount", cell: live((it) => it.SkippedItemCount || "") },
  { key: "bytes", name: t("transferred"), width: "112px", number: true, sort: "BytesTransferred", cell: live((it) => (it.BytesTransferred ? bytes(it.BytesTransferred) : "")) },
  { key: "rate", name: t("rate.short"), width: "84px", number: true, cell: live((it) => (it.Rate && isMoving(it.Status) ? t("perSecond", { size: bytes(it.Rate) }) : "")) },
  { key: "left", name: t("left"), width: "92px", number: true, cell: live((it) => (it.Left && isMoving(it.Status) ? duration(it.Left) : "")) },
  { key: "details", name: t("details"), sort: "ErrorClass", cell: live((it) => !reason(it) ? it.LastSuccessfulSyncTime && span({ class: "muted small", title: utc(it.LastSuccessfulSyncTime) }, t("syncedAt", { time: time(it.LastSuccessfulSyncTime) })) : span({ class: toneOf(it.Status) === "bad" || it.CheckError ? "why" : "muted small", title: visible(reason(it)).slice(0, 500) }, it.ErrorClass ? serverWord("cause", it.ErrorClass) : h(Said, { text: reason(it) }))) },
]);

/** Finds users by address, login or failure; the address of the page keeps the text. @param {{ search: string }} props */
const Search = ({ search }) => {
  const [text, setText] = useState(search);
  useEffect(() => (text === search ? undefined : later(() => replace(withQuery({ search: text || undefined })), 300)), [text]);
  return input({ type: "search", class: "search", value: text, "aria-label": t("search"), placeholder: t("search"), onInput: (event) => setText(event.currentTarget.value) });
};

/** Orders to many users: cmdlet, parameters, words. @type {[key: "start" | "stop" | "syncNow" | "checkNow" | "approve" | "remove", verb: "Start" | "Stop" | "Set" | "Remove", parameters: Record<string, boolean>][]} */
const orders = [
  ["start", "Start", {}], ["stop", "Stop", {}], ["syncNow", "Set", { SyncNow: true }], ["checkNow", "Set", { CheckNow: true }], ["approve", "Set", { ApproveSkippedItems: true }], ["remove", "Remove", {}],
];

/** What can be done with the selected users. @param {{ number: number, total: number, isAll: boolean, target: Record<string, any>, all: () => void, none: () => void }} props */
const Selected = ({ number, total, isAll, target, all, none }) => {
  const [refused, setRefused] = useState(/** @type {ManyAnswer | null} */ (null));
  const why = obstacle("Operator");
  /** @param {typeof orders[number]} order */
  const act = ([key, verb, parameters]) => {
    if (why) return;
    const change = changeUsers(verb, target, parameters);
    const run = async () => {
      const isDone = await perform(change, (answer) => {
        setRefused(answer.RefusedCount ? answer : null);
        return plural(`many.${key}`, answer.ChangedCount);
      });
      if (isDone && key === "remove") none();
    };
    if (key === "start" || key === "checkNow") return void run();
    const name = key === "remove" ? String(number) : undefined;
    question.value = { title: plural(`manyAsk.${key}`, number), text: t(`manyText.${key}`), label: t(key), name, run: () => void run() };
  };
  return h(Fragment, null,
    div({ class: "selected", role: "group", "aria-label": t("selectedUsers") }, span({ role: "status" }, plural(isAll ? "selectedAll" : "selected", number)),
      !isAll && number < total && button({ class: "button quiet", type: "button", onClick: all }, plural("selectAll", total)), button({ class: "button quiet", type: "button", onClick: none }, t("selectNone")),
      span({ class: "far" }), orders.map((it) => button({ key: it[0], class: `button${it[0] === "remove" ? " danger" : ""}`, type: "button", "aria-disabled": why ? "true" : undefined, title: why, onClick: () => act(it) }, t(it[0]))),
      button({ class: "button quiet", type: "button", onClick: () => (commandOf.value = changeUsers("Start", target)) }, h(Icon, { name: "copy" }), t("showCommand"))),
    refused && div({ class: "in why", role: "alert" }, p(plural("many.refused", refused.RefusedCount)), ul(refused.Refusals.slice(0, NAMED).map((it) => li({ key: it.Identity }, h(Name, { text: it.Identity }), ": ", h(Said, { text: it.Message }))))));
};

/** Saves the list in sight as CSV. @param {{ filter: Filter, name: string }} props */
const Export = ({ filter, name }) => {
  const [done, setDone] = useState(/** @type {number | null} */ (null));
  const [error, setError] = useState(/** @type {import("../api/client.js").ServiceError | null} */ (null));
  const run = async () => {
    if (done !== null) return;
    setError(null);
    setDone(0);
    await exportUsers(filter, name, setDone).catch((refused) => setError(refused));
    setDone(null);
  };
  return h(Fragment, null, button({ class: "button", type: "button", "aria-disabled": done === null ? undefined : "true", onClick: () => void run() }, done ? plural("users", done) : t("exportCsv")), error && h(Failed, { error }));
};

/** @param {{ title: string, label: string, name: string, filter: Filter, chosen: string, withBatch?: boolean, sums?: string }} props `sums` changes when users have other statuses */
export const UsersTable = ({ title, label, name, filter, chosen, withBatch = false, sums = "" }) => {
  const query = route.value.query, search = query.get("search") ?? "", by = query.get("sort") ?? "", isDescending = query.has("descending");
  /** @type {Filter} */
  const matching = { ...filter, Search: search || undefined };
  const matchKey = JSON.stringify(matching);
  const users = useMemo(() => new UserWindow({ ...matching, SortBy: by || undefined, Descending: isDescending || undefined }), [matchKey, by, isDescending]);
  const onWindow = useCallback((/** @type {number} */ from, /** @type {number} */ to) => users.need(from, to), [users]);
  useEffect(() => follow((event) => {
    if (event.name === "progress") users.progress(event.rows);
    else if (event.name === "gap" || event.data.Noun === "MigrationUser" || event.data.Noun === "MigrationBatch") users.refresh();
  }), [users]);
  // The sums changed, so users have other statuses.
  useEffect(() => void (users.version.peek() && users.refresh()), [users, sums]);
  const [picked, pick] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const [isAll, setAll] = useState(false);
  const none = () => {
    pick(new Set());
    setAll(false);
  };
  useEffect(none, [matchKey]);
  const isRead = users.version.value > 0, shown = users.total.value ?? 0;
  const selection = {
    has: (/** @type {string} */ guid) => isAll || picked.has(guid),
    toggle: (/** @type {string} */ guid) => {
      // Without one of them, all that match are no longer selected: those in sight stay.
      const next = new Set(isAll ? users.inHand() : picked);
      if (!next.delete(guid)) next.add(guid);
      setAll(false);
      pick(next);
    },
  };
  const target = isAll ? { ...(matching.BatchId ? {} : { AllBatches: true }), ...Object.fromEntries(Object.entries(matching).filter(([, value]) => value)) } : { Identities: [...picked] };
  // The first click sorts upwards, the second downwards.
  const link = (/** @type {string} */ it) => withQuery({ sort: it, descending: it === by && !isDescending ? "1" : undefined });
  return section({ class: "panel", "aria-labelledby": "users" }, div({ class: "tools" }, h2({ id: "users" }, title), h(Search, { search }), h(Export, { filter: matching, name })),
    (isAll || picked.size > 0) && h(Selected, { number: isAll ? shown : picked.size, total: shown, isAll, target, all: () => setAll(true), none }),
    users.error && h(Failed, { error: users.error, again: () => users.refresh() }),
    isRead && shown === 0 ? p({ class: "in muted" }, t("noUsers"))
      : rows({ label, columns: columns(chosen, withBatch, selection), total: shown, at: (index) => users.at(index), id: (row) => row.peek().Guid, selected: chosen, sort: { by, isDescending, link }, onWindow }),
    div({ class: "foot" }, plural("users", shown)));
};
