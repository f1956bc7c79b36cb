/** A list of users as a CSV file, read in parts and saved on the reader's disk. */
import { usersPage } from "./operations.js";
import { save } from "./files.js";

/** @typedef {import("./operations.js").MigrationUser} MigrationUser */

/** Users that are read at once. */
const PART = 1_000;

/** @type {(keyof MigrationUser)[]} */
const columns = [
  "Identity", "BatchId", "Row", "Status", "UserName", "TargetUserName", "TotalItemsInSourceMailboxCount", "SyncedItemCount", "SkippedItemCount", "BytesTransferred",
  "LastSuccessfulSyncTime", "NextSyncTime", "SourceCheck", "TargetCheck", "ErrorClass", "ErrorSummary", "CheckError",
];

/** A cell on one line that no spreadsheet runs as a formula. @param {unknown} value */
export const exportedCell = (value) => {
  const text = value === null || value === undefined ? "" : String(value).replace(/\s+/g, " ");
  const harmless = typeof value === "number" ? text : text.replace(/^(\s*[=+\-@])/, "'$1");
  return /[",;]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

/** Saves the users of a filter. @param {Record<string, string | undefined>} filter @param {string} name @param {(users: number) => void} tell */
export const exportUsers = async (filter, name, tell) => {
  const lines = [columns.join(",")];
  for (let offset = 0, total = 1; offset < total; offset += PART) {
    const page = await usersPage({ ...filter, ResultSize: PART, Offset: offset });
    total = page.total;
    for (const user of page.users) lines.push(columns.map((it) => exportedCell(user[it])).join(","));
    tell(Math.min(total, offset + PART));
  }
  save(`${name.replace(/[^\p{Letter}\p{Number} _-]/gu, "_")}-users.csv`, new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
};
