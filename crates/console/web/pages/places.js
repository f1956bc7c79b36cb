/** Everything that Ctrl K finds: pages, batches, endpoints, users, and actions by Exchange's names and ours. */
import { batches, endpoints, usersPage } from "../api/operations.js";
import { may } from "../api/session.js";
import { to } from "../parts/router.js";
import { t } from "../parts/words.js";

/** @typedef {import("../parts/keys.js").Place} Place */

/** Users that are found at once. */
const USERS = 1_000;

/** Actions on a batch: its tab or page, and Exchange's names. @type {[import("../parts/words.js").WordKey, string, string][]} */
const actions = [
  ["start", "", "Start-MigrationBatch Resume"], ["stop", "", "Stop-MigrationBatch Suspend"], ["syncNow", "", "Set-MigrationBatch SyncNow"], ["complete", "", "Complete-MigrationBatch Finalize"],
  ["remove", "", "Remove-MigrationBatch Delete"], ["fix.short", "fix", "Get-MigrationFailure Retry Set-MigrationUser"], ["tab.settings", "settings", "Set-MigrationBatch"],
  ["tab.folders", "folders", "Get-MigrationFolderPlan FolderMap"], ["tab.skipped", "skipped", "Get-MigrationSkippedItem ApproveSkippedItems"], ["tab.reports", "reports", "Export-MigrationReport Get-MigrationUserStatistics"], ["tab.progress", "progress", "Get-MigrationThroughput"],
];

/** Address, name, other words, and whether only administrators may read the page. @type {[string[], import("../parts/words.js").WordKey, string, boolean?][]} */
const pages = [
  [[], "overview", "home Get-MigrationIssue"], [["batches"], "batches", "Get-MigrationBatch"], [["users"], "users", "Get-MigrationUser"], [["endpoints"], "endpoints", "Get-MigrationEndpoint"],
  [["audit"], "audit", "Get-MigrationAuditLog", true], [["tokens"], "tokens", "Get-MigrationApiToken New-MigrationApiToken", true], [["settings"], "settings", "Get-MigrationConfig Set-MigrationConfig keys version"],
];

/** @returns {Promise<Place[]>} */
export const places = async () => {
  const [all, servers, people] = await Promise.all([batches(), endpoints(), usersPage({ ResultSize: USERS })]);
  return [
    ...pages.filter(([, , , isForAdmins]) => !isForAdmins || may("Admin")).map(([parts, name, words]) => ({ key: `page ${parts}`, text: t(name), kind: t("keys.page"), words, href: to(parts) })),
    ...all.flatMap((it) => [
      { key: `batch ${it.BatchGuid}`, text: it.Identity, kind: t("batch"), words: it.Status, href: to(["batches", it.Identity]) },
      ...actions.map(([name, tab, words]) => ({ key: `${name} ${it.BatchGuid}`, text: `${t(name)}: ${it.Identity}`, kind: t("keys.action"), words, href: to(["batches", it.Identity, ...(tab ? [tab] : [])]) })),
    ]),
    ...servers.map((it) => ({ key: `endpoint ${it.Guid}`, text: it.Identity, kind: t("keys.endpoint"), words: it.RemoteServer, href: to(["endpoints", it.Identity]) })),
    ...people.users.map((it) => ({ key: `user ${it.Guid}`, text: it.Identity, kind: t("keys.user"), words: `${it.UserName} ${it.BatchId}`, href: to(["batches", it.BatchId], { user: it.Guid }) })),
  ];
};
