/** Fourth step: opens the mailboxes of some users at both ends, before anything is made. */
import { b, button, div, h, h2, header, p, section, span, table, tbody, td, th, thead, tr } from "../../parts/html.js";
import { signal } from "../../vendor/signals.js";
import { useEffect, useMemo } from "../../vendor/hooks.js";
import { answerOf, changeEndpoint } from "../../api/operations.js";
import { Icon } from "../../parts/icons.js";
import { Name, Said } from "../../parts/said.js";
import { count, t } from "../../parts/words.js";
import { opensEveryMailbox } from "../endpoint-fields.js";
import { ARCHIVE } from "./endpoints.js";

/** @typedef {import("../../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("../../api/operations.js").MigrationServerAvailability} Result */
/** Result at one end: `null` while it runs, nothing if there is nothing to open. @typedef {{ isOpen: boolean, words: string } | null | undefined} End */
/** @typedef {{ row: number, name: string, source: End, target: End }} Checked */

/** Users that are checked at once. */
const USERS = 3;

/** Rows from all parts of the file; another round has others. @param {number} rows @param {number} round @param {Set<number>} left */
const chosen = (rows, round, left) => {
  const there = [...Array(rows).keys()].filter((it) => !left.has(it)), step = Math.max(1, Math.floor(there.length / USERS));
  return there.filter((_, at) => at % step === round % step).slice(0, USERS);
};

/** @param {MigrationEndpoint | undefined} endpoint @param {string} userName @param {string} password @returns {Promise<End>} */
const opened = async (endpoint, userName, password) => {
  if (!endpoint) return undefined;
  const login = opensEveryMailbox(endpoint) ? { TestMailbox: userName } : { Credential: { UserName: userName, Password: password } };
  try {
    const result = /** @type {Result} */ (await answerOf(changeEndpoint("Test", endpoint.Identity, login)));
    const isOpen = result.Result === "Success";
    return { isOpen, words: isOpen ? t("check.found", { folders: count(result.FolderCount ?? 0) }) : (result.ErrorDetail ?? result.Message) };
  } catch (error) {
    return { isOpen: false, words: error instanceof Error ? error.message : String(error) };
  }
};

/** @param {{ end: End }} props */
const EndCell = ({ end }) => {
  if (end === undefined) return span({ class: "muted" }, t("new.archive"));
  if (end === null) return span({ class: "muted", role: "status" }, t("check.runs"));
  return span({ class: end.isOpen ? "good" : "bad" }, span({ class: "tone" }, h(Icon, { name: end.isOpen ? "good" : "bad" })), " ", b(t(end.isOpen ? "check.Opened" : "check.Failed")), " ", end.isOpen ? end.words : h(Said, { text: end.words }));
};

/** @param {{ draft: import("./draft.js").Draft, endpoints: MigrationEndpoint[] }} props */
export const CheckStep = ({ draft, endpoints }) => {
  const of = useMemo(() => ({ checked: signal(/** @type {Checked[]} */ ([])), round: 0, isOver: false }), []);
  const sheet = draft.sheet.value, source = endpoints.find((it) => it.Identity === draft.source.value), target = endpoints.find((it) => it.Identity === draft.target.value);
  const run = async () => {
    if (!sheet) return;
    const rows = chosen(sheet.rows.length, of.round++, sheet.left);
    const isArchive = draft.target.peek() === ARCHIVE;
    of.checked.value = rows.map((row) => ({ row, name: sheet.user(row).EmailAddress ?? "", source: null, target: isArchive || !target ? undefined : null }));
    for (const row of rows) {
      const user = sheet.user(row), address = user.EmailAddress ?? "";
      for (const side of /** @type {const} */ (["source", "target"])) {
        const end = side === "source" ? await opened(source, user.UserName || address, user.Password ?? "") : await opened(target, user.TargetUserName || address, user.TargetPassword ?? "");
        if (of.isOver) return;
        of.checked.value = of.checked.peek().map((it) => (it.row === row ? { ...it, [side]: end } : it));
      }
    }
  };
  useEffect(() => {
    void run();
    return () => void (of.isOver = true);
  }, []);
  const checked = of.checked.value, isRunning = checked.some((it) => it.source === null || it.target === null), hasFailed = checked.some((it) => it.source?.isOpen === false || it.target?.isOpen === false);
  return section({ class: "panel", "aria-labelledby": "check" }, header(h2({ id: "check" }, t("check.title")), span({ class: "muted small" }, t("check.intro"))),
    div({ class: "in stack" }, div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": t("step.check") }, table({ class: "small-table" },
      thead(tr(["user.one", "user.source", "user.target"].map((it) => th({ key: it, scope: "col" }, t(/** @type {any} */ (it)))))),
      tbody(checked.map((it) => tr({ key: it.row }, td(h(Name, { text: it.name })), td(h(EndCell, { end: it.source })), td(h(EndCell, { end: it.target }))))))),
      hasFailed && !isRunning && p({ class: "notice wait", role: "status" }, t("check.failed")),
      div(button({ class: "button", type: "button", "aria-disabled": isRunning ? "true" : undefined, onClick: () => (isRunning ? undefined : void run()) }, t("check.others")))));
};
