/** Overview: what needs the reader, and how far everything is. */
import { a, b, dd, div, dl, dt, h, h1, h2, header, li, main, section, span, ul } from "../parts/html.js";
import { batches, endpoints, statistics } from "../api/operations.js";
import { rates, useLive } from "../api/live.js";
import { Icon } from "../parts/icons.js";
import { Said } from "../parts/said.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { Bar, Status, toneOf } from "../parts/status.js";
import { to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { bytes, count, percentage, plural, t, time } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {{ key: string, tone: "bad" | "wait", text: string, words?: string | null, href: string, label: string }} Need */

/** What needs the reader, worst first. @param {MigrationBatch[]} all @param {MigrationEndpoint[]} servers @returns {Need[]} */
const needs = (all, servers) => {
  const of = (/** @type {MigrationBatch} */ it, /** @type {Record<string, string>} */ query) => to(["batches", it.Identity], query);
  const values = (/** @type {MigrationBatch} */ it) => ({ batch: it.Identity });
  return [
    ...all.filter((it) => it.FailedCount).map((it) => /** @type {Need} */ ({ key: `failed ${it.BatchGuid}`, tone: "bad", text: plural("overview.failed", it.FailedCount, values(it)), href: of(it, { status: "Failed" }), label: t("overview.fix") })),
    ...all.filter((it) => it.CheckFailedCount && !it.FailedCount).map((it) => /** @type {Need} */ ({ key: `check ${it.BatchGuid}`, tone: "bad", text: plural("overview.checks", it.CheckFailedCount, values(it)), href: of(it, {}), label: t("overview.look") })),
    ...servers.filter((it) => it.ParkedUntil).map((it) => /** @type {Need} */ ({ key: `paused ${it.Guid}`, tone: "wait", text: t("overview.paused", { endpoint: it.Identity, time: time(it.ParkedUntil ?? 0) }), words: it.ParkedReason, href: to(["endpoints"]), label: t("overview.look") })),
    ...all.filter((it) => it.UnapprovedUserCount).map((it) => /** @type {Need} */ ({ key: `skipped ${it.BatchGuid}`, tone: "wait", text: plural("overview.skipped", it.UnapprovedUserCount, values(it)), href: of(it, {}), label: t("overview.look") })),
  ];
};

/** @param {{ list: Need[] }} props */
const Needs = ({ list }) => list.length === 0
  ? section({ class: "panel" }, div({ class: "in head" }, span({ class: "tone good" }, h(Icon, { name: "good" })), t("overview.nothing")))
  : ul({ class: `panel needs ${list[0]?.tone}` }, list.map((it) => li({ key: it.key, class: it.tone }, h(Icon, { name: it.tone }),
    div(b(it.text), it.words && span({ class: "muted" }, " ", h(Said, { text: it.words }))), a({ class: "button", href: it.href }, it.label))));

export const Overview = () => {
  usePage(t("overview"));
  const { data, error, at, again } = useLive("overview", () => Promise.all([batches(), statistics(), endpoints()]), undefined, true);
  if (!data) return main({ id: "main" }, h1({ tabIndex: -1 }, t("overview")), error ? h(Failed, { error, again }) : h(Loading, null));
  const [all, sums, servers] = data;
  const rate = Object.values(rates.value).reduce((sum, it) => sum + it, 0);
  return main({ id: "main" }, h1({ tabIndex: -1 }, t("overview")), h(Stale, { at }),
    all.length === 0
      ? h(Empty, { text: t("overview.empty"), commands: [
        "mailhaul endpoint new --name Old --imap --remote-server imap.contoso.edu", "mailhaul endpoint new --name New --imap --remote-server mail.example.org",
        "mailhaul batch new --name Staff --source-endpoint Old --target-endpoint New --csv-data users.csv"] })
      : section({ class: "stack", "aria-labelledby": "needs" }, h2({ id: "needs" }, t("overview.needs")), h(Needs, { list: needs(all, servers) })),
    all.length > 0 && section({ class: "stack", "aria-labelledby": "all" }, h2({ id: "all" }, t("overview.allBatches")), dl({ class: `facts${error ? " old" : ""}` },
      div(dt(t("users")), dd(count(sums.TotalCount)), dd(`${count(sums.SyncedCount + sums.FinalizedCount)} ${t("synced")}, ${count(sums.FailedCount)} ${t("failed")}`)),
      div(dt(t("messages")), dd(percentage(sums.TotalItemCount ? Math.floor(100 * (sums.SyncedItemCount + sums.SkippedItemCount) / sums.TotalItemCount) : 0)), dd(t("messagesOf", { done: count(sums.SyncedItemCount), all: count(sums.TotalItemCount) }))),
      div(dt(t("transferred")), dd(bytes(sums.BytesTransferred)), dd(plural("skippedMessages", sums.SkippedItemCount))),
      div(dt(t("rate")), dd(rate ? t("perSecond", { size: bytes(rate) }) : "–"), dd(rate ? "" : t("nothingMoves"))))),
    all.length > 0 && section({ class: "panel", "aria-labelledby": "running" }, header(h2({ id: "running" }, t("overview.running"))), ul({ class: "lines" }, all.map((it) =>
      li({ key: it.BatchGuid }, a({ href: to(["batches", it.Identity]) }, h(Said, { text: it.Identity })), h(Status, { status: it.Status }),
        div({ class: "wide-bar" }, h(Bar, { percent: it.PercentageComplete, tone: toneOf(it.Status) })), span({ class: "number" }, percentage(it.PercentageComplete)))))));
};
