/** One endpoint: its pause, use and limits, the batches that use it, its form. */
import { a, b, dd, div, dl, dt, h, h1, h2, header, li, main, nav, p, section, span, ul } from "../parts/html.js";
import { batches, changeEndpoint, endpoint, removeEndpoint } from "../api/operations.js";
import { now, useLive } from "../api/live.js";
import { Action, Refusal, ShowCommand } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { Failed, Loading, Stale } from "../parts/state.js";
import { Status } from "../parts/status.js";
import { go, route, to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { count, duration, t, time, utc } from "../parts/words.js";
import { limitsOf } from "./endpoints.js";
import { EndpointForm } from "./endpoint-form.js";

/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

/** Minutes and seconds; longer spans as everywhere. @param {number} seconds */
const countdown = (seconds) => (seconds >= 3600 ? duration(seconds) : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);

/** The pause that the server asked for, with its end and reason. @param {{ of: MigrationEndpoint }} props */
const Pause = ({ of }) => {
  const until = of.ParkedUntil ?? "", seconds = (Date.parse(until) - now.value) / 1000;
  if (!until) return null;
  return section({ class: "panel needs wait", "aria-labelledby": "pause" }, div({ class: "in head" }, h(Icon, { name: "wait" }),
    div({ class: "grow" }, b({ id: "pause" }, t("endpoint.paused"), " ", span({ title: utc(until) }, time(until)), seconds > 0 && ` (${t("endpoint.left", { time: countdown(seconds) })})`),
      of.ParkedReason && p(h(Said, { text: of.ParkedReason }))),
    div({ class: "actions" }, h(Action, { change: changeEndpoint("Set", of.Identity, { EndPause: true }), label: t("endpoint.endPause"), done: t("endpoint.pauseEnded", { name: of.Identity }) }))));
};

/** @param {{ of: MigrationEndpoint }} props */
const Facts = ({ of }) => dl({ class: "facts" },
  div(dt(t("server")), dd({ class: "text" }, h(Name, { text: `${of.RemoteServer}:${of.Port}` })), dd(of.Security === "None" ? t("clearTextServer") : of.Security)),
  div(dt(t("active")), dd(count(of.ActiveMigrationCount)), dd(t("ofMost", { limit: typeof of.MaxConcurrentMigrations === "number" ? count(of.MaxConcurrentMigrations) : "∞" }))),
  div(dt(t("limits")), dd({ class: "text" }, limitsOf(of)), dd()),
  div(dt(t("endpoint.method")), dd({ class: "text" }, of.UserName || of.SignedInAs || of.ServiceAccount ? h(Name, { text: of.UserName ?? of.SignedInAs ?? of.ServiceAccount ?? "" }) : of.TokenSource ?? t("method.Users.short")), dd()));

/** @param {{ name: string, all: MigrationBatch[] }} props */
const UsedBy = ({ name, all }) => {
  const used = all.filter((it) => it.SourceEndpoint === name || it.TargetEndpoint === name);
  return section({ class: "panel", "aria-labelledby": "used" }, header(h2({ id: "used" }, t("endpoint.usedBy"))),
    used.length === 0 ? p({ class: "in muted" }, t("endpoint.unused")) : ul({ class: "used" }, used.map((it) =>
      li({ key: it.BatchGuid }, a({ href: to(["batches", it.Identity]) }, h(Name, { text: it.Identity })), span({ class: "muted" }, t(it.SourceEndpoint === name ? "endpoint.asSource" : "endpoint.asTarget")), h(Status, { status: it.Status })))));
};

export const Endpoint = () => {
  const name = route.value.parts[1] ?? "";
  usePage(name);
  const { data, error, at, again } = useLive(`endpoint ${name}`, () => Promise.all([endpoint(name), batches()]));
  const crumbs = nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["endpoints"]) }, t("endpoints")), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, h(Name, { text: name })));
  if (!data) return main({ id: "main" }, crumbs, h1({ tabIndex: -1 }, h(Name, { text: name })), error ? h(Failed, { error, again }) : h(Loading, null));
  const [it, all] = data, isUsed = all.some((one) => one.SourceEndpoint === it.Identity || one.TargetEndpoint === it.Identity);
  const ask = { title: t("endpoint.remove.title", { name: it.Identity }), text: t("endpoint.remove.text"), name: it.Identity };
  return main({ id: "main", class: "narrow" }, crumbs,
    div({ class: "head" }, h1({ tabIndex: -1 }, h(Name, { text: it.Identity })), span({ class: "muted" }, t(`type.${it.EndpointType}`)),
      div({ class: "actions" },
        h(Action, { change: removeEndpoint(it.Identity), label: t("endpoint.remove"), done: t("endpoint.removed", { name: it.Identity }), reason: isUsed ? t("endpoint.isUsed") : undefined, ask, after: () => go(to(["endpoints"])) }),
        h(ShowCommand, { change: removeEndpoint(it.Identity) }))),
    h(Refusal, null), h(Stale, { at }), h(Pause, { of: it }), h(Facts, { of: it }), h(UsedBy, { name: it.Identity, all }),
    h(EndpointForm, { key: it.Guid, before: it, saved: () => undefined }));
};
