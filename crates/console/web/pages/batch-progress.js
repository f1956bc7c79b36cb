/** Progress of a batch: throughput over an hour, a day or a month, and what limits it now. */
import { a, div, dl, dt, dd, h, h2, p, section, span, Fragment } from "../parts/html.js";
import { endpoint, throughput } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Chart } from "../parts/chart.js";
import { Name } from "../parts/said.js";
import { inPeriods } from "../parts/series.js";
import { Failed, Loading } from "../parts/state.js";
import { route, to, withQuery } from "../parts/router.js";
import { bytes, count, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

/** Spans: name, seconds, seconds of a period, and the period as the service takes it. @type {[key: "hour" | "day" | "month", span: number, step: number, text: string][]} */
const spans = [["hour", 3600, 60, "00:01:00"], ["day", 86_400, 900, "00:15:00"], ["month", 30 * 86_400, 21_600, "06:00:00"]];

/** An endpoint with its pause and its limits. @param {{ name: string, side: string }} props */
const Limit = ({ name, side }) => {
  const { data } = useLive(`endpoint ${name}`, () => endpoint(name), (it) => it.Noun === "MigrationEndpoint");
  return h(Fragment, null, dt(side), dd(a({ href: to(["endpoints", name]) }, h(Name, { text: name })), data && [
    ` · ${t("ofLimit", { active: count(data.ActiveMigrationCount), limit: typeof data.MaxConcurrentMigrations === "number" ? count(data.MaxConcurrentMigrations) : "∞" })} ${t("progress.mailboxes")}`,
    data.BytesPerSecond ? ` · ${t("perSecond", { size: bytes(data.BytesPerSecond) })}` : "", data.BytesPerDay ? ` · ${t("perDay", { size: bytes(data.BytesPerDay) })}` : "",
    data.ParkedUntil && span({ key: "p", class: "why", title: utc(data.ParkedUntil) }, ` · ${t("pausedUntil")} ${time(data.ParkedUntil)}`)]));
};

/** @param {{ of: MigrationBatch }} props */
export const BatchProgress = ({ of }) => {
  const wanted = route.value.query.get("span"), [key, span, step, text] = spans.find(([it]) => it === wanted) ?? spans[0] ?? ["hour", 3600, 60, "00:01:00"];
  const load = async () => {
    const to = Date.now(), from = to - span * 1000;
    return { from, to, list: await throughput(of.BatchGuid, new Date(from), new Date(to), text) };
  };
  const { data, error, again } = useLive(`throughput ${of.BatchGuid} ${key}`, load, (it) => it.Noun === "MigrationUser" || it.Noun === "MigrationBatch", true);
  const periods = data ? inPeriods(data.list, data.from, data.to, step) : [];
  const points = (/** @type {(it: typeof periods[number]) => number} */ value) => periods.map((it) => ({ at: time(it.at), value: value(it) }));
  return h(Fragment, null,
    section({ class: "panel", "aria-labelledby": "throughput" }, div({ class: "in stack" },
      div({ class: "head" }, h2({ id: "throughput" }, t("progress.throughput")), div({ class: "actions chips", role: "group", "aria-label": t("progress.span") },
        spans.map(([it]) => a({ key: it, class: "chip", href: withQuery({ span: it === "hour" ? undefined : it }), "aria-current": it === key ? "true" : undefined }, t(`progress.${it}`))))),
      !data && (error ? h(Failed, { error, again }) : h(Loading, null)),
      data && h(Chart, { key: `b${key}`, label: t("progress.bytes"), points: points((it) => it.bytes / step), unit: (value) => t("perSecond", { size: bytes(value) }) }),
      data && h(Chart, { key: `m${key}`, label: t("progress.messages"), points: points((it) => (it.messages * 60) / step), unit: (value) => t("progress.perMinute", { number: count(Math.round(value)) }) }),
      data && h(Chart, { key: `u${key}`, label: t("progress.active"), points: points((it) => it.active), unit: (value) => count(Math.round(value)) }))),
    section({ class: "panel" }, div({ class: "in stack" }, h2(t("progress.limits")), p({ class: "muted" }, t("progress.limitsText")),
      dl({ class: "pairs" }, h(Limit, { name: of.SourceEndpoint, side: t("user.source") }), of.TargetEndpoint && of.TargetEndpoint !== "Archive" && h(Limit, { name: of.TargetEndpoint, side: t("user.target") })))));
};
