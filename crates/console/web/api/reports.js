/** Reports and messages as files: the service gives a link that opens once, and the browser writes the answer to the disk as it comes. */
import { send } from "./client.js";

/** Reports that there are. */
export const reports = ["Statistics", "Errors", "SkippedItems"];

/** Downloads the answer of an address. @param {string} path @param {Record<string, string>} query */
const download = async (path, query) => {
  const { Value: [made] } = await send("/api/v1/downloads", { method: "POST", body: { Address: `${path}?${new URLSearchParams(query)}` } });
  const link = document.createElement("a");
  link.href = made.Address;
  link.download = "";
  link.click();
};

/** @param {string} batch @param {string} kind */
export const downloadReport = (batch, kind) => download(`/api/v1/reports/${encodeURIComponent(batch)}/export`, { Kind: kind, WithByteOrderMark: "true" });

/** A skipped message, as it is on the source. @param {import("./operations.js").MigrationSkippedItem} message */
export const downloadMessage = ({ Identity, FolderName, UID }) => download(`/api/v1/skipped-items/${encodeURIComponent(Identity)}/message`, { FolderName, UID: String(UID) });
