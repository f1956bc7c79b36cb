/** List of endpoints: servers, active mailboxes, limits, pauses with their reason. */
import { a, div, h, h1, main, section, span } from "../parts/html.js";
import { endpoints } from "../api/operations.js";
import { now, useLive } from "../api/live.js";
import { Name, Said } from "../parts/said.js";
import { visible } from "../parts/visible.js";
import { rows } from "../parts/rows.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { bytes, count, duration, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */

/** @param {MigrationEndpoint} it */
export const limitsOf = (it) => [
  it.MessagesPerSecond && t("perSecondMessages", { number: count(it.MessagesPerSecond) }), it.BytesPerSecond && t("perSecond", { size: bytes(it.BytesPerSecond) }),
  it.BytesPerDay && t("perDay", { size: bytes(it.BytesPerDay) }),
].filter(Boolean).join(", ") || t("none");

/** Time of the end of a pause, and how long that is. @param {{ until: string }} props */
const Pause = ({ until }) => {
  const seconds = (Date.parse(until) - now.value) / 1000;
  return span({ title: utc(until) }, time(until), seconds > 0 && ` (${duration(seconds)})`);
};

const columns = () => /** @type {import("../parts/rows.js").Column<MigrationEndpoint>[]} */ ([
  { key: "name", name: t("name"), width: "16%", class: "who", cell: (it) => a({ href: to(["endpoints", it.Identity === "new" ? it.Guid : it.Identity]) }, h(Name, { text: it.Identity })) },
  { key: "server", name: t("server"), width: "28%", class: "far-bar", cell: (it) => [h(Name, { text: `${it.EndpointType} ${it.RemoteServer}:${it.Port}` }), it.Security === "None" && span({ class: "why" }, ` ${t("clearTextServer")}`)] },
  { key: "active", name: t("active"), width: "100px", number: true, class: "state", cell: (it) => t("ofLimit", { active: count(it.ActiveMigrationCount), limit: typeof it.MaxConcurrentMigrations === "number" ? count(it.MaxConcurrentMigrations) : "∞" }) },
  { key: "limits", name: t("limits"), width: "18%", cell: limitsOf },
  { key: "paused", name: t("pausedUntil"), width: "160px", class: "what", cell: (it) => it.ParkedUntil && h(Pause, { until: it.ParkedUntil }) },
  { key: "reason", name: t("reason"), cell: (it) => it.ParkedReason && span({ class: "muted small", title: visible(it.ParkedReason) }, h(Said, { text: it.ParkedReason })) },
]);

export const Endpoints = () => {
  usePage(t("endpoints"));
  const { data, error, at, again } = useLive("endpoints", endpoints);
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("endpoints")), div({ class: "actions" }, a({ class: "button first", href: to(["endpoints", "new"]) }, t("endpoint.new"))));
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return main({ id: "main" }, head, h(Stale, { at }), data.length === 0
    ? h(Empty, { text: t("endpoints.empty"), step: t("endpoints.emptyStep") })
    : section({ class: `panel${error ? " old" : ""}` }, rows({ label: t("endpoints"), columns: columns(), total: data.length, at: (index) => data[index], id: (it) => it.Guid })));
};
