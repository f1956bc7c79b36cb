/** All users of the service. */
import { a, b, div, h, h1, main, Fragment } from "../parts/html.js";
import { statistics } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Refusal } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Failed, Loading, Stale } from "../parts/state.js";
import { route, withQuery } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { count, serverWord, t } from "../parts/words.js";
import { UserDrawer } from "./user.js";
import { UsersTable } from "./users-table.js";

/** @typedef {import("../api/operations.js").MigrationStatistics} MigrationStatistics */

/** Groups of statuses, as the service sums them. @type {[string, import("../parts/status.js").Tone, (it: MigrationStatistics) => number][]} */
const groups = [
  ["Synced", "good", (it) => it.SyncedCount], ["Completed", "good", (it) => it.FinalizedCount], ["Active", "active", (it) => it.ActiveCount + it.PendingCount],
  ["Stopped", "idle", (it) => it.StoppedCount], ["Failed", "bad", (it) => it.FailedCount],
];

export const Users = () => {
  usePage(t("users"));
  const query = route.value.query, status = query.get("status") ?? "", chosen = query.get("user") ?? "";
  const { data, error, at, again } = useLive("statistics", statistics, undefined, true);
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("users")));
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return h(Fragment, null, main({ id: "main" }, head, !chosen && h(Refusal, null), h(Stale, { at }),
    div({ class: "chips", role: "group", "aria-label": t("standing") },
      a({ class: "chip", href: withQuery({ status: undefined }), "aria-current": status ? undefined : "true" }, b(count(data.TotalCount)), t("filter.all")),
      groups.filter(([group, , number]) => number(data) || group === status).map(([group, tone, number]) =>
        a({ key: group, class: `chip ${tone}`, href: withQuery({ status: group === status ? undefined : group }), "aria-current": group === status ? "true" : undefined }, h(Icon, { name: tone }), b(count(number(data))), serverWord("filter", group)))),
    h(UsersTable, { title: t("users.list"), label: t("users"), name: "mailhaul", chosen, withBatch: true, filter: { StatusSummary: status || undefined }, sums: groups.map(([, , number]) => number(data)).join(" ") })),
    chosen && h(UserDrawer, { key: chosen, guid: chosen, batchName: "" }));
};
