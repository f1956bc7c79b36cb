/** Status and progress: always a glyph and a word, and then a colour. */
import { h, Fragment, div, i, span } from "./html.js";
import { Icon } from "./icons.js";
import { percentage, serverWord } from "./words.js";

/** @typedef {"active" | "good" | "wait" | "bad" | "idle"} Tone */

/** Tones of the statuses of users and batches; a status that is not here has none. @type {Record<string, Tone>} */
const tones = {
  Queued: "wait", Validating: "active", Syncing: "active", Synced: "good", IncrementalSyncing: "active", IncrementalFailed: "bad", IncrementalStopped: "idle",
  Stopping: "idle", Stopped: "idle", Completing: "active", CompletionFailed: "bad", Completed: "good", CompletedWithWarnings: "wait", Failed: "bad",
  Created: "idle", Starting: "active", Waiting: "wait", SyncedWithErrors: "bad", CompletedWithErrors: "bad",
};

/** @param {string} status */
export const toneOf = (status) => tones[status] ?? "idle";

/** @param {{ status: string }} props */
export const Status = ({ status }) => span({ class: `badge ${toneOf(status)}` }, h(Icon, { name: toneOf(status) }), serverWord("status", status));

/** @param {{ percent: number, tone: Tone }} props */
export const Bar = ({ percent, tone }) =>
  h(Fragment, null, span({ class: "unseen" }, percentage(percent)),
    span({ class: `bar ${tone}`, "aria-hidden": "true" }, i({ style: { transform: `scaleX(${percent / 100})` } })));

/** Shares of a whole, as one bar. @param {{ shares: (readonly [Tone, number])[] }} props */
export const Standing = ({ shares }) =>
  div({ class: "standing", "aria-hidden": "true" },
    shares.map(([tone, number]) => (number ? i({ key: tone, class: tone, style: { flexGrow: number } }) : null)));
