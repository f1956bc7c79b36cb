/** Reports of a batch as files. */
import { send } from "./client.js";
import { save } from "./files.js";

/** Reports that there are. */
export const reports = ["Statistics", "Errors", "SkippedItems"];

/** Saves a report, whose parts are read one after the other; the name of the file. @param {string} batch @param {string} kind */
export const saveReport = async (batch, kind) => {
  const path = `/api/v1/reports/${encodeURIComponent(batch)}/export`, query = { Kind: kind, WithByteOrderMark: true };
  const parts = [];
  let name = "", /** @type {string | undefined} */ next = `${path}?${new URLSearchParams(Object.entries(query).map(([key, it]) => [key, String(it)]))}`;
  while (next) {
    const answer = await send(next);
    for (const it of answer.Value) {
      name = it.FileName;
      parts.push(it.Content);
    }
    next = answer.NextLink ?? undefined;
  }
  save(name, new Blob(parts, { type: "text/csv" }));
  return name;
};
