/** One user beside its batch: reason and next step, mailboxes, folders, report. */
import { button, dd, div, dl, dt, form, h, h2, h3, input, label, p, section, span, table, tbody, td, th, thead, tr } from "../parts/html.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { changeUser, user, userStatistics } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Action, commandOf, obstacle, perform, Refusal, refusal, ShowCommand } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { visible } from "../parts/visible.js";
import { Failed, Loading } from "../parts/state.js";
import { Status } from "../parts/status.js";
import { go, withQuery } from "../parts/router.js";
import { bytes, count, duration, plural, serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationUser} MigrationUser */
/** @typedef {import("../api/operations.js").MigrationUserStatistics} MigrationUserStatistics */

/** Lines of the report that are shown at most. */
const LINES = 200;

/** A new login, which replaces the one that does not open the mailbox. @param {{ of: MigrationUser }} props */
const Fix = ({ of }) => {
  const isTarget = of.TargetCheck === "Failed" && of.SourceCheck !== "Failed";
  const [userName, setUserName] = useState(isTarget ? of.TargetUserName : of.UserName);
  const password = useRef(/** @type {HTMLInputElement | null} */ (null));
  const change = (/** @type {string} */ secret) => changeUser("Set", of.Identity, { [isTarget ? "TargetCredential" : "Credential"]: { UserName: userName, Password: secret } });
  const why = obstacle("Operator");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const field = password.current;
    if (why || !field?.value) return field?.focus();
    const saved = change(field.value);
    // The field forgets the password, whatever comes.
    field.value = "";
    if (await perform(saved, t("user.fixed", { name: of.Identity }))) await perform(changeUser("Start", of.Identity), t("user.fixed", { name: of.Identity }));
  };
  return form({ class: "stack", onSubmit: submit },
    p({ class: "muted small" }, t("user.fixText"), " ", t("user.fixSide"), " ", t(isTarget ? "user.targetLogin" : "user.sourceLogin"), "."),
    div({ class: "two" },
      label({ class: "field" }, span(t("user.userName")), input({ name: "UserName", value: userName, autoComplete: "off", spellcheck: false, onInput: (event) => setUserName(event.currentTarget.value) })),
      label({ class: "field" }, span(t("user.password")), input({ ref: password, name: "Password", type: "password", autoComplete: "off" }))),
    div({ class: "below" }, button({ class: "button quiet far", type: "button", onClick: () => (commandOf.value = change("")) }, h(Icon, { name: "copy" }), t("showCommand")),
      button({ class: "button first", type: "submit", "aria-disabled": why ? "true" : undefined, title: why }, t("user.fix"))));
};

/** @param {{ of: MigrationUser }} props */
const Why = ({ of }) => {
  const words = of.ErrorSummary ?? of.CheckError, advice = of.ErrorSummary ? of.Advice : of.CheckAdvice;
  const needsLogin = of.ErrorClass === "Authentication" || of.SourceCheck === "Failed" || of.TargetCheck === "Failed";
  return section(h3(t("user.why")),
    words ? p({ class: "quote" }, h(Said, { text: words })) : p({ class: "muted" }, of.StatusMessage ? h(Said, { text: of.StatusMessage }) : t(of.HasUnapprovedSkippedItems ? "user.unapproved" : "user.fine")),
    advice && p(h(Said, { text: advice })), needsLogin && h(Fix, { key: of.Guid, of }));
};

/** @param {{ of: MigrationUser }} props */
const Mailboxes = ({ of }) => {
  const check = (/** @type {string} */ name, /** @type {string} */ it) => dd(h(Name, { text: name }), " · ", span({ class: it === "Failed" ? "why" : undefined }, serverWord("check", it)));
  return section(h3(t("user.mailboxes")), dl({ class: "pairs" },
    dt(t("user.source")), check(of.UserName, of.SourceCheck), of.TargetCheck && [dt({ key: "t" }, t("user.target")), check(of.TargetUserName, of.TargetCheck)],
    dt(t("lastSynced")), dd(of.LastSuccessfulSyncTime ? span({ title: utc(of.LastSuccessfulSyncTime) }, time(of.LastSuccessfulSyncTime)) : t("never")),
    dt(t("user.next")), dd(of.NextSyncTime ? span({ title: utc(of.NextSyncTime) }, time(of.NextSyncTime)) : t("none")),
    dt(t("user.attempts")), dd(count(of.Attempts)),
    dt(t("consistency")), dd(of.DataConsistencyScore ? serverWord("consistency", of.DataConsistencyScore) : t("unknown"))));
};

/** @param {{ of: MigrationUserStatistics }} props */
const Progress = ({ of }) => section(h3(t("progress")), dl({ class: "pairs" },
  dt(t("messages")), dd(t("messagesOf", { done: count(of.SyncedItemCount), all: count(of.TotalItemsInSourceMailboxCount) })),
  dt(t("skipped")), dd(count(of.SkippedItemCount)), dt(t("transferred")), dd(bytes(of.BytesTransferred)),
  of.EstimatedTimeRemaining && [dt({ key: "l" }, t("left")), dd({ key: "r" }, duration(seconds(of.EstimatedTimeRemaining)))]));

/** Seconds of a time span such as `1.02:03:04`. @param {string} span */
const seconds = (span) => {
  const [, days, hours, minutes, rest] = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)/.exec(span) ?? [];
  return Number(days ?? 0) * 86400 + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(rest ?? 0);
};

/** @param {{ of: MigrationUserStatistics }} props */
const Folders = ({ of }) => section(h3(t("user.folders")), of.Folders.length === 0 ? p({ class: "muted small" }, t("user.noFolders")) :
  div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": t("user.folders") }, table({ class: "small-table" },
    thead(tr(th({ scope: "col" }, t("folder")), ["seen", "copied.count", "there", "leftOut", "skipped"].map((key) => th({ key, scope: "col", class: "number" }, t(/** @type {any} */ (key)))))),
    tbody(of.Folders.map((it) => tr({ key: it.FolderName },
      td({ title: visible(it.Reason) }, h(Name, { text: it.FolderName }), it.TargetFolderName && it.TargetFolderName !== it.FolderName && [" → ", h(Name, { text: it.TargetFolderName })], it.Error && p({ class: "why" }, h(Said, { text: it.Error }))),
      [it.SeenCount, it.CopiedCount, it.AlreadyThereCount, it.LeftOutCount, it.SkippedCount].map((number, at) => td({ key: at, class: "number" }, count(number)))))))));

/** Skipped messages, which the reader may approve. @param {{ of: MigrationUser, items: NonNullable<MigrationUserStatistics["SkippedItems"]> }} props */
const Skipped = ({ of, items }) => section(
  div({ class: "head" }, h3(t("user.skipped")), of.HasUnapprovedSkippedItems && div({ class: "actions" },
    h(Action, { change: changeUser("Set", of.Identity, { ApproveSkippedItems: true }), label: t("approve"), done: t("done.approve", { name: of.Identity }) }))),
  !of.HasUnapprovedSkippedItems && p({ class: "muted small" }, t("approved")),
  div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": t("user.skipped") }, table({ class: "small-table" },
    thead(tr(["folder", "subject", "size", "reason"].map((key) => th({ key, scope: "col" }, t(/** @type {any} */ (key)))))),
    tbody(items.map((it) => tr({ key: `${it.FolderName} ${it.UID}` }, td(h(Name, { text: it.FolderName })), td(h(Name, { text: it.Subject ?? "–" })), td(bytes(it.MessageSize)), td(h(Said, { text: it.Reason }))))))),
  of.SkippedItemCount > items.length && p({ class: "muted small" }, t("firstOf", { shown: count(items.length), all: count(of.SkippedItemCount) })));

/** @param {{ of: MigrationUserStatistics }} props */
const Report = ({ of }) => {
  const lines = (of.Report?.Entries ?? []).slice(-LINES).reverse();
  return section(h3(t("user.report")), lines.length === 0 ? p({ class: "muted small" }, t("user.noReport")) :
    div({ class: "quote report", tabIndex: 0, role: "region", "aria-label": t("user.report") }, lines.map((it, at) =>
      p({ key: lines.length - at }, span({ class: "muted", title: utc(it.CreationTime) }, time(it.CreationTime)), " ", h(Said, { text: it.Message })))));
};

/** Reason why the status does not allow a command. @param {MigrationUser} it @param {string} action */
const reason = (it, action) => (it.SupportedActions.includes(action) ? undefined : t("unsupported", { status: serverWord("status", it.Status) }));

/** @param {{ guid: string, batchName: string }} props */
export const UserDrawer = ({ guid }) => {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { data, error, again } = useLive(`user ${guid}`, () => Promise.all([user(guid), userStatistics(guid)]), (it) => it.Noun !== "MigrationUser" || it.Many || it.Identity === guid || it.Identity?.includes("@") === true, true);
  const close = () => {
    document.querySelector(/** @type {any} */ (".rows tr.chosen a"))?.focus();
    go(withQuery({ user: undefined }));
  };
  useEffect(() => {
    refusal.value = null;
    box.current?.focus();
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !document.querySelector("dialog")) close();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const it = data?.[0];
  return section({ class: "drawer", "aria-labelledby": "who", ref: box, tabIndex: -1 },
    div({ class: "drawer-head" },
      div({ class: "head" }, h2({ id: "who" }, it ? h(Name, { text: it.Identity }) : t("details")), div({ class: "actions" }, button({ class: "button quiet", type: "button", "aria-label": t("close"), onClick: close }, h(Icon, { name: "close" })))),
      it && div({ class: "chips" }, h(Status, { status: it.Status }), span({ class: "muted small", title: utc(it.StatusSince) }, t("since", { time: time(it.StatusSince) }), " · ", t("row", { number: it.Row }))),
      it && div({ class: "chips" },
        h(Action, { change: changeUser("Start", it.Identity), label: t("start"), done: t("done.start", { name: it.Identity }), reason: reason(it, "Start") }),
        h(Action, { change: changeUser("Stop", it.Identity), label: t("stop"), done: t("done.stop", { name: it.Identity }), reason: reason(it, "Stop"), ask: { title: t("stop.title", { name: it.Identity }), text: plural("stop.text", 1) } }),
        h(Action, { change: changeUser("Set", it.Identity, { SyncNow: true }), label: t("syncNow"), done: t("done.sync", { name: it.Identity }) }),
        h(Action, { change: changeUser("Remove", it.Identity), label: t("remove"), done: t("done.remove", { name: it.Identity }), reason: reason(it, "Remove"), after: close, ask: {
          title: t("remove.title", { name: it.Identity }), text: t("remove.userText"), name: it.Identity, points: [[t("remove.stays"), t("remove.staysWhat")], [t("remove.goes"), t("remove.userGoes")]] } }),
        h(ShowCommand, { change: changeUser("Start", it.Identity) }))),
    h(Refusal, null), error && !data && h(Failed, { error, again }), !data && !error && h(Loading, null),
    data && [h(Why, { key: "w", of: data[0] }), h(Progress, { key: "p", of: data[1] }), h(Mailboxes, { key: "m", of: data[0] }), h(Folders, { key: "f", of: data[1] }), data[1].SkippedItems?.length ? h(Skipped, { key: "s", of: data[0], items: data[1].SkippedItems }) : null, h(Report, { key: "r", of: data[1] })]);
};
