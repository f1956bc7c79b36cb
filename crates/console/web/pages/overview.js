/** Overview: what needs the reader, and how far everything is. */
import { a, b, dd, div, dl, dt, h, h1, h2, header, li, main, p, section, span, ul } from "../parts/html.js";
import { batches, issues, statistics } from "../api/operations.js";
import { rates, useLive } from "../api/live.js";
import { Icon } from "../parts/icons.js";
import { Said } from "../parts/said.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { Bar, Status, toneOf } from "../parts/status.js";
import { to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { bytes, count, percentage, plural, t } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationIssue} MigrationIssue */

/** @type {Record<string, "bad" | "wait">} */
const tones = { Error: "bad" };

/** What a batch page shows for an issue. @type {Record<string, Record<string, string>>} */
const views = { SkippedItems: { sort: "SkippedItemCount", descending: "1" } };

/** Page on which the cause can be removed; nothing for other objects. @param {MigrationIssue} it */
const place = (it) => (it.Code === "UsersFailed" ? to(["batches", it.Object, "fix"]) : it.ObjectType === "Batch" ? to(["batches", it.Object], views[it.Code]) : it.ObjectType === "Endpoint" ? to(["endpoints"]) : "");

/** @param {{ of: MigrationIssue }} props */
const Issue = ({ of }) => {
  const tone = tones[of.Severity] ?? "wait";
  return li({ class: tone }, h(Icon, { name: tone }), div(b(h(Said, { text: of.Message })), of.Advice && p({ class: "muted small" }, h(Said, { text: of.Advice }))),
    place(of) && a({ class: "button", href: place(of) }, t(of.Code === "UsersFailed" ? "overview.fix" : "overview.look")));
};

/** @param {{ list: MigrationIssue[] }} props */
const Needs = ({ list }) => list.length === 0
  ? section({ class: "panel" }, div({ class: "in head" }, span({ class: "tone good" }, h(Icon, { name: "good" })), t("overview.nothing")))
  : ul({ class: `panel needs ${tones[list[0]?.Severity ?? ""] ?? "wait"}` }, list.map((it) => h(Issue, { key: `${it.Code} ${it.Object}`, of: it })));

export const Overview = () => {
  usePage(t("overview"));
  const { data, error, at, again } = useLive("overview", () => Promise.all([batches(), statistics(), issues()]), undefined, true);
  if (!data) return main({ id: "main" }, h1({ tabIndex: -1 }, t("overview")), error ? h(Failed, { error, again }) : h(Loading, null));
  const [all, sums, list] = data;
  const rate = Object.values(rates.value).reduce((sum, it) => sum + it, 0);
  return main({ id: "main" }, h1({ tabIndex: -1 }, t("overview")), h(Stale, { at }),
    all.length === 0
      ? h(Empty, { text: t("overview.empty"), commands: [
        "mailhaul endpoint new --name Old --imap --remote-server imap.contoso.edu", "mailhaul endpoint new --name New --imap --remote-server mail.example.org",
        "mailhaul batch new --name Staff --source-endpoint Old --target-endpoint New --csv-data users.csv"] })
      : section({ class: "stack", "aria-labelledby": "needs" }, h2({ id: "needs" }, t("overview.needs")), h(Needs, { list })),
    all.length > 0 && section({ class: "stack", "aria-labelledby": "all" }, h2({ id: "all" }, t("overview.allBatches")), dl({ class: `facts${error ? " old" : ""}` },
      div(dt(t("users")), dd(count(sums.TotalCount)), dd(`${count(sums.SyncedCount + sums.FinalizedCount)} ${t("synced")}, ${count(sums.FailedCount)} ${t("failed")}`)),
      div(dt(t("messages")), dd(percentage(sums.TotalItemCount ? Math.floor(100 * (sums.SyncedItemCount + sums.SkippedItemCount) / sums.TotalItemCount) : 0)), dd(t("messagesOf", { done: count(sums.SyncedItemCount), all: count(sums.TotalItemCount) }))),
      div(dt(t("transferred")), dd(bytes(sums.BytesTransferred)), dd(plural("skippedMessages", sums.SkippedItemCount))),
      div(dt(t("rate")), dd(rate ? t("perSecond", { size: bytes(rate) }) : "–"), dd(rate ? "" : t("nothingMoves"))))),
    all.length > 0 && section({ class: "panel", "aria-labelledby": "running" }, header(h2({ id: "running" }, t("overview.running"))), ul({ class: "lines" }, all.map((it) =>
      li({ key: it.BatchGuid }, a({ href: to(["batches", it.Identity]) }, h(Said, { text: it.Identity })), h(Status, { status: it.Status }),
        div({ class: "wide-bar" }, h(Bar, { percent: it.PercentageComplete, tone: toneOf(it.Status) })), span({ class: "number" }, percentage(it.PercentageComplete)))))));
};
