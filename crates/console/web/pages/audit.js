/** Audit log: the newest changes, with caller and outcome. */
import { div, h, h1, main, section, span } from "../parts/html.js";
import { auditLog } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Name, Said } from "../parts/said.js";
import { visible } from "../parts/visible.js";
import { rows } from "../parts/rows.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { usePage } from "../parts/page.js";
import { plural, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationAuditLog} MigrationAuditLog */

const columns = () => /** @type {import("../parts/rows.js").Column<MigrationAuditLog>[]} */ ([
  { key: "time", name: t("audit.time"), width: "150px", class: "what", cell: (it) => span({ title: utc(it.RunDate) }, time(it.RunDate)) },
  { key: "caller", name: t("audit.caller"), width: "18%", class: "state", cell: (it) => h(Name, { text: it.Caller }) },
  { key: "operation", name: t("audit.operation"), width: "22%", class: "who", cell: (it) => it.CmdletName },
  { key: "object", name: t("audit.object"), width: "20%", cell: (it) => h(Name, { text: it.ObjectModified }) },
  { key: "outcome", name: t("audit.outcome"), cell: (it) => span({ title: visible(it.Outcome) }, h(Said, { text: it.Outcome })) },
]);

export const Audit = () => {
  usePage(t("audit"));
  const { data, error, at, again } = useLive("audit", auditLog);
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("audit")));
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return main({ id: "main" }, head, h(Stale, { at }), data.length === 0
    ? h(Empty, { text: t("audit.empty") })
    : section({ class: `panel${error ? " old" : ""}` },
      rows({ label: t("audit"), columns: columns(), total: data.length, at: (index) => data[index], id: (it) => `${it.RunDate} ${it.Caller} ${it.CmdletName} ${it.ObjectModified}` }),
      div({ class: "foot" }, plural("audit.newest", data.length))));
};
