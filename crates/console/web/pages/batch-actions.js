/** What can be done with a batch. What cannot be undone says what will happen, to how many, and asks once. */
import { a, button, div, h } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { changeBatch } from "../api/operations.js";
import { Action, question, ShowCommand } from "../parts/action.js";
import { Dialog } from "../parts/dialog.js";
import { to } from "../parts/router.js";
import { plural, serverWord, t } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

/** Users whom a stop concerns. @param {MigrationBatch} of */
const running = (of) => of.PendingCount + of.ActiveCount + of.SyncedCount;

/** @param {MigrationBatch} of */
const questions = (of) => {
  const name = of.Identity;
  return {
    stop: { title: t("stop.title", { name }), text: plural("stop.text", running(of)) },
    sync: { title: t("sync.title", { name }), text: plural("sync.text", of.SyncedCount) },
    complete: { title: t("complete.title", { name }), text: plural("complete.text", of.TotalCount - of.FinalizedCount) },
    remove: {
      title: t("remove.title", { name }), text: plural("remove.text", of.TotalCount), name,
      points: /** @type {[string, string][]} */ ([[t("remove.stays"), t("remove.staysWhat")], [t("remove.goes"), t("remove.goesWhat")]]),
      before: a({ href: to(["batches", name, "reports"]), onClick: () => (question.value = null) }, t("remove.reports")),
    },
  };
};

/** The buttons of a batch. @param {{ of: MigrationBatch, removed?: () => void }} props */
const Buttons = ({ of, removed }) => {
  const name = of.Identity, status = serverWord("status", of.Status), asked = questions(of);
  const reason = (/** @type {string} */ action) => (of.SupportedActions.includes(action) ? undefined : t("unsupported", { status }));
  return [
    h(Action, { key: "start", change: changeBatch("Start", name), label: t("start"), done: t("done.start", { name }), reason: reason("Start"), first: of.SupportedActions.includes("Start") && !of.SupportedActions.includes("Stop") }),
    h(Action, { key: "stop", change: changeBatch("Stop", name), label: t("stop"), done: t("done.stop", { name }), reason: reason("Stop"), ask: asked.stop }),
    h(Action, { key: "sync", change: changeBatch("Set", name, { SyncNow: true }), label: t("syncNow"), done: t("done.sync", { name }), reason: of.SyncedCount ? undefined : t("unsupported", { status }), ask: asked.sync }),
    h(Action, { key: "complete", change: changeBatch("Complete", name), label: t("complete"), done: t("done.complete", { name }), reason: reason("Complete"), ask: asked.complete }),
    h(Action, { key: "remove", change: changeBatch("Remove", name), label: t("remove"), done: t("done.remove", { name }), reason: reason("Remove"), ask: asked.remove, after: removed }),
  ];
};

/** @param {{ of: MigrationBatch, removed: () => void }} props */
export const BatchActions = ({ of, removed }) => div({ class: "actions" }, h(Buttons, { of, removed }),
  h(ShowCommand, { change: changeBatch(of.SupportedActions.includes("Stop") ? "Stop" : "Start", of.Identity) }));

/** A button in a list that opens the others. @param {{ of: MigrationBatch }} props */
export const BatchMenu = ({ of }) => {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return [
    button({ key: "open", class: "button quiet", type: "button", "aria-haspopup": "dialog", "aria-label": t("actionsOf", { name: of.Identity }), onClick: () => setOpen(true) }, "⋯"),
    isOpen && h(Dialog, { key: "menu", class: "menu", title: of.Identity, close },
      // A question takes the place of the menu.
      div({ class: "stack", onClick: (event) => event.target instanceof HTMLButtonElement && event.target.getAttribute("aria-disabled") !== "true" && close() }, h(Buttons, { of })),
      div({ class: "below" }, button({ class: "button quiet", type: "button", onClick: close }, t("close")))),
  ];
};
