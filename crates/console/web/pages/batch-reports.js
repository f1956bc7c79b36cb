/** Reports of a batch: sums of its users, files, and what is kept of its log. */
import { button, dd, div, dl, dt, h, h2, p, section, span, Fragment } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { downloadReport, reports } from "../api/reports.js";
import { batchReport } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { toast } from "../parts/action.js";
import { Said } from "../parts/said.js";
import { Failed, Loading } from "../parts/state.js";
import { bytes, count, percentage, serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

/** Lines of the report that are shown at most. */
const LINES = 200;

/** A report that the browser saves on the reader's disk. @param {{ of: MigrationBatch, kind: string }} props */
const Download = ({ of, kind }) => {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState(/** @type {import("../api/client.js").ServiceError | null} */ (null));
  const run = async () => {
    if (isRunning) return;
    setError(null);
    setRunning(true);
    await downloadReport(of.Identity, kind).then(() => (toast.value = t("report.begun")), setError);
    setRunning(false);
  };
  return h(Fragment, null, div({ class: "order" }, div(p(serverWord("report", kind)), p({ class: "muted small" }, serverWord("reportHelp", kind))),
    button({ class: "button", type: "button", "aria-disabled": isRunning ? "true" : undefined, "aria-label": `${t("report.download")}: ${serverWord("report", kind)}`, onClick: () => void run() }, t("report.download"))),
  error && h(Failed, { error }));
};

/** @param {{ of: MigrationBatch }} props */
const Sums = ({ of }) => section({ class: "panel" }, div({ class: "in stack" }, h2(t("report.sums")), dl({ class: "pairs" },
  dt(t("users")), dd(count(of.TotalCount)), dt(t("synced")), dd(count(of.SyncedCount)), dt(t("filter.Completed")), dd(count(of.FinalizedCount)), dt(t("failed")), dd(count(of.FailedCount)), dt(t("filter.Stopped")), dd(count(of.StoppedCount)),
  dt(t("messages")), dd(t("messagesOf", { done: count(of.SyncedItemCount), all: count(of.TotalItemCount) }), ` (${percentage(of.PercentageComplete)})`), dt(t("skipped")), dd(count(of.SkippedItemCount)), dt(t("transferred")), dd(bytes(of.BytesTransferred)),
  dt(t("consistency")), dd(of.DataConsistencyScore ? serverWord("consistency", of.DataConsistencyScore) : t("unknown")),
  [["report.created", of.CreationDateTimeUTC], ["report.started", of.StartDateTimeUTC], ["report.initial", of.InitialSyncDateTimeUTC], ["lastSynced", of.LastSyncedDateTimeUTC]].map(([name, at]) => [dt({ key: `${name}-n` }, t(/** @type {any} */ (name))), dd({ key: name }, at ? span({ title: utc(at) }, time(at)) : t("never"))]))));

/** @param {{ of: MigrationBatch }} props */
export const BatchReports = ({ of }) => {
  const { data, error, again } = useLive(`report ${of.BatchGuid}`, () => batchReport(of.Identity), (it) => it.Noun === "MigrationBatch");
  const lines = (data?.Entries ?? []).slice(-LINES).reverse();
  return h(Fragment, null, h(Sums, { of }),
    section({ class: "panel" }, div({ class: "in stack" }, h2(t("report.files")), reports.map((kind) => h(Download, { key: kind, of, kind })))),
    section({ class: "panel" }, div({ class: "in stack" }, h2(t("user.report")), error && h(Failed, { error, again }), !data && !error && h(Loading, null),
      data && (lines.length === 0 ? p({ class: "muted" }, t("user.noReport")) : div({ class: "quote report", tabIndex: 0, role: "region", "aria-label": t("user.report") }, lines.map((it, at) =>
        p({ key: lines.length - at }, span({ class: "muted", title: utc(it.CreationTime) }, time(it.CreationTime)), " ", h(Said, { text: it.Message }))))))));
};
