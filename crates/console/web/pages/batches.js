/** List of batches. */
import { a, div, h, h1, main, section } from "../parts/html.js";
import { batches } from "../api/operations.js";
import { rates, useLive } from "../api/live.js";
import { Refusal } from "../parts/action.js";
import { Name } from "../parts/said.js";
import { rows } from "../parts/rows.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { Bar, Status, toneOf } from "../parts/status.js";
import { to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { bytes, count, percentage, t, time } from "../parts/words.js";
import { BatchMenu } from "./batch-actions.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

const columns = () => /** @type {import("../parts/rows.js").Column<MigrationBatch>[]} */ ([
  { key: "name", name: t("name"), width: "18%", class: "who", cell: (it) => a({ href: to(["batches", it.Identity]) }, h(Name, { text: it.Identity })) },
  { key: "status", name: t("status"), width: "180px", class: "state", cell: (it) => h(Status, { status: it.Status }) },
  { key: "progress", name: t("progress"), width: "110px", class: "far-bar", cell: (it) => h(Bar, { percent: it.PercentageComplete, tone: toneOf(it.Status) }) },
  { key: "percent", name: "%", width: "64px", number: true, class: "what", cell: (it) => percentage(it.PercentageComplete) },
  { key: "users", name: t("users"), width: "90px", number: true, cell: (it) => count(it.TotalCount) },
  { key: "synced", name: t("synced"), width: "90px", number: true, cell: (it) => count(it.SyncedCount + it.FinalizedCount) },
  { key: "failed", name: t("failed"), width: "120px", number: true, cell: (it) => (it.FailedCount ? count(it.FailedCount) : "") },
  { key: "rate", name: t("rate"), width: "100px", number: true, cell: (it) => (rates.value[it.BatchGuid] ? t("perSecond", { size: bytes(rates.value[it.BatchGuid] ?? 0) }) : "") },
  { key: "last", name: t("lastSynced"), width: "150px", cell: (it) => (it.LastSyncedDateTimeUTC ? time(it.LastSyncedDateTimeUTC) : t("never")) },
  { key: "route", name: t("route"), cell: (it) => [h(Name, { text: it.SourceEndpoint }), " → ", h(Name, { text: it.TargetEndpoint })] },
  { key: "actions", name: t("actions"), width: "76px", class: "acts", cell: (it) => h(BatchMenu, { of: it }) },
]);

export const Batches = () => {
  usePage(t("batches"));
  const { data, error, at, again } = useLive("batches", batches, undefined, true);
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("batches")), div({ class: "actions" }, a({ class: "button first", href: to(["batches", "new"]) }, t("new.title"))));
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return main({ id: "main" }, head, h(Refusal, null), h(Stale, { at }), data.length === 0
    ? h(Empty, { text: t("batches.empty"), step: t("batches.emptyStep"), commands: ["mailhaul batch new --name Staff --source-endpoint Old --target-endpoint New --csv-data users.csv"] })
    : section({ class: `panel${error ? " old" : ""}` }, rows({ label: t("batches"), columns: columns(), total: data.length, at: (index) => data[index], id: (it) => it.BatchGuid })));
};
