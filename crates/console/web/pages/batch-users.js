/** Users of a batch: its standing, its numbers, and a list by status, search and order. */
import { a, b, dd, div, dl, dt, h, p, Fragment } from "../parts/html.js";
import { rates } from "../api/live.js";
import { Icon } from "../parts/icons.js";
import { Said } from "../parts/said.js";
import { Standing } from "../parts/status.js";
import { route, to, withQuery } from "../parts/router.js";
import { bytes, count, percentage, plural, serverWord, t, time } from "../parts/words.js";
import { UsersTable } from "./users-table.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

/** Groups of statuses, as the service sums them. @type {[string, import("../parts/status.js").Tone, (it: MigrationBatch) => number][]} */
const groups = [
  ["Synced", "good", (it) => it.SyncedCount], ["Completed", "good", (it) => it.FinalizedCount], ["Active", "active", (it) => it.ActiveCount + it.PendingCount],
  ["Stopped", "idle", (it) => it.StoppedCount], ["Failed", "bad", (it) => it.FailedCount],
];

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

/** @param {{ of: MigrationBatch, isOld: boolean }} props */
export const BatchUsers = ({ of, isOld }) => {
  const query = route.value.query, status = query.get("status") ?? "", chosen = query.get("user") ?? "";
  return h(Fragment, null,
    h(Standing, { shares: groups.map(([, tone, number]) => /** @type {const} */ ([tone, number(of)])) }),
    div({ class: "chips", role: "group", "aria-label": t("standing") },
      a({ class: "chip", href: withQuery({ status: undefined }), "aria-current": status ? undefined : "true" }, b(count(of.TotalCount)), t("filter.all")),
      groups.filter(([group, , number]) => number(of) || group === status).map(([group, tone, number]) =>
        a({ key: group, class: `chip ${tone}`, href: withQuery({ status: group === status ? undefined : group }), "aria-current": group === status ? "true" : undefined }, h(Icon, { name: tone }), b(count(number(of))), serverWord("filter", group)))),
    div({ class: "head" }, p({ class: "muted" }, h(Said, { text: of.Message })),
      of.FailedCount > 0 && div({ class: "actions" }, a({ class: "button", href: to(["batches", of.Identity, "fix"]) }, t("fix.open")))),
    h(Facts, { of, isOld }),
    h(UsersTable, {
      title: t("users"), label: t("usersOf", { batch: of.Identity }), name: of.Identity, chosen, filter: { BatchId: of.Identity, StatusSummary: status || undefined },
      sums: [of.PendingCount, of.ActiveCount, of.SyncedCount, of.FailedCount, of.StoppedCount, of.FinalizedCount].join(" "),
    }));
};
