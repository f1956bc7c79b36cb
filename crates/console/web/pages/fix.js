/** Failed users of a batch by cause: new logins are typed or pasted, tested, and started if they open. */
import { a, b, button, caption, div, form, h, h1, h2, input, main, nav, p, section, span, table, tbody, td, th, thead, tr } from "../parts/html.js";
import { useEffect, useMemo, useState } from "../vendor/hooks.js";
import { failures } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Fixes, loginChange, MOST, opens } from "../api/fixes.js";
import { commandOf, obstacle, Refusal } from "../parts/action.js";
import { Dialog } from "../parts/dialog.js";
import { AreaField, ChoiceField } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { pastedRows } from "../parts/paste.js";
import { Name, Said } from "../parts/said.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { Status } from "../parts/status.js";
import { route, to, withQuery } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { count, plural, serverWord, t } from "../parts/words.js";

/** @typedef {import("../api/fixes.js").Fix} Fix */
/** @typedef {import("../api/operations.js").MigrationFailure} MigrationFailure */

/** Causes for which a new login may help. */
const byLogin = ["Authentication", "Refused"];

/** What became of a row. @param {{ row: Fix }} props */
const Result = ({ row }) => {
  const { state, user, error } = row.value;
  const tone = { idle: "", saving: "active", testing: "active", refused: "bad", started: "good", error: "bad" }[state];
  if (state === "idle") return span({ class: "muted small" }, opens(user) ? t("fix.opens") : "");
  if (state === "started") return span({ class: "chips" }, span({ class: "small" }, t("fix.opened")), h(Status, { status: user.Status }));
  return span({ class: `outcome ${tone}` }, h(Icon, { name: tone === "bad" ? "bad" : "active" }), span(t(`fix.${state}`)),
    state === "refused" && user.CheckError && span({ class: "said" }, h(Said, { text: user.CheckError })),
    state === "testing" && user.CheckError && span({ class: "said" }, h(Said, { text: user.CheckError })),
    error && span({ class: "said" }, h(Said, { text: error.message })));
};

/** One user with the fields of its login. @param {{ row: Fix, fixes: Fixes, withLogin: boolean }} props */
const Line = ({ row, fixes, withLogin }) => {
  const { user, userName, password, state } = row.value;
  const why = obstacle("Operator"), isBusy = ["saving", "testing", "started"].includes(state);
  const about = { disabled: Boolean(why) || isBusy, title: why, autoComplete: "off", spellcheck: false };
  return tr(td({ class: "who" }, a({ href: to(["batches", fixes.filter.BatchId], { user: user.Guid }) }, h(Name, { text: user.Identity }))),
    withLogin && td(input({ ...about, name: "UserName", value: userName, "aria-label": `${t("user.userName")}, ${user.Identity}`, onInput: (event) => (row.value = { ...row.peek(), userName: event.currentTarget.value }) })),
    withLogin && td(input({ ...about, name: "Password", type: "password", value: password, "aria-label": `${t("user.password")}, ${user.Identity}`, onInput: (event) => (row.value = { ...row.peek(), password: event.currentTarget.value }) })),
    td({ role: "status", class: "what" }, h(Result, { row })));
};

/** Passwords of many, shown before they are taken. @param {{ fixes: Fixes, close: () => void }} props */
const Paste = ({ fixes, close }) => {
  const [text, setText] = useState("");
  const byAddress = new Map([...fixes.rows.values()].map((row) => [row.peek().user.Identity.toLowerCase(), row]));
  const pasted = pastedRows(text, byAddress.keys()), taken = pasted.filter((it) => !it.problem);
  const take = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (taken.length === 0) return;
    for (const { address, password } of taken) {
      const row = byAddress.get(address.toLowerCase());
      if (row && row.peek().state !== "started") row.value = { ...row.peek(), password };
    }
    close();
  };
  return h(Dialog, { title: t("fix.paste"), close }, form({ class: "stack", onSubmit: take },
    h(AreaField, { label: t("fix.pasteLabel"), name: "pasted", value: text, rows: 5, help: t("fix.pasteHelp"), onInput: setText }),
    pasted.length > 0 && div({ class: "wide-table pasted", tabIndex: 0, role: "region", "aria-label": t("fix.preview") }, table({ class: "small-table" },
      thead(tr(th({ scope: "col" }, t("email")), th({ scope: "col" }, t("user.password")), th({ scope: "col" }, t("fix.result")))),
      tbody(pasted.map((it) => tr({ key: it.line }, td(h(Name, { text: it.address })), td(it.password ? "••••••" : "–"),
        td(it.problem ? span({ class: "why" }, t(`fix.${it.problem}`)) : t("fix.matches"))))))),
    pasted.length > 0 && p({ role: "status" }, plural("fix.taken", taken.length), " ", pasted.length > taken.length && plural("fix.notTaken", pasted.length - taken.length)),
    div({ class: "below" }, button({ class: "button", type: "button", onClick: close }, t("cancel")),
      button({ class: "button first", type: "submit", "aria-disabled": taken.length ? undefined : "true" }, t("fix.take", { number: count(taken.length) })))));
};

/** Users of one cause. @param {{ batch: string, cause: string, list: MigrationFailure[] }} props */
const Cause = ({ batch, cause, list }) => {
  const fixes = useMemo(() => new Fixes(batch, cause), [batch, cause]);
  const [isPasting, setPasting] = useState(false);
  useEffect(() => {
    void fixes.read();
    return fixes.follow();
  }, [fixes]);
  const isRead = fixes.version.value > 0, rows = [...fixes.rows.values()], withLogin = byLogin.includes(cause);
  const ready = rows.filter((row) => row.value.password).length, idle = rows.filter((row) => row.value.state === "idle").length;
  const why = obstacle("Operator"), first = rows[0]?.peek();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!why && ready > 0) void fixes.testAll();
  };
  const startAll = () => {
    if (!why && idle > 0) void fixes.startAll();
  };
  return section({ class: "panel", "aria-labelledby": "cause" },
    div({ class: "in stack" }, h2({ id: "cause" }, serverWord("cause", cause)),
      list.map((it) => div({ key: it.Message }, p({ class: "quote" }, h(Said, { text: it.Message })), p({ class: "small muted" }, plural("users", it.Count), ". ", it.Advice && h(Said, { text: it.Advice })))),
      withLogin && div({ class: "head" },
        h(ChoiceField, { label: t("fix.side"), name: "side", value: fixes.side.value, options: [["source", t("user.source")], ["target", t("user.target")]], onInput: (side) => fixes.choose(side === "target" ? "target" : "source") }),
        div({ class: "actions" }, button({ class: "button", type: "button", "aria-disabled": why ? "true" : undefined, title: why, onClick: () => !why && setPasting(true) }, t("fix.pasteOpen"))))),
    fixes.error.value && h(Failed, { error: fixes.error.value, again: () => void fixes.read() }),
    !isRead && h(Loading, null),
    isRead && form({ onSubmit: submit },
      div({ class: "wide-table fixes", tabIndex: 0, role: "region", "aria-label": t("fix.users") }, table({ class: "small-table" },
        caption({ class: "unseen" }, t("fix.users")),
        thead(tr(th({ scope: "col" }, t("email")), withLogin && th({ scope: "col" }, t("user.userName")), withLogin && th({ scope: "col" }, t("user.password")), th({ scope: "col" }, t("fix.result")))),
        tbody(rows.map((row) => h(Line, { key: row.peek().user.Guid, row, fixes, withLogin }))))),
      div({ class: "foot below" },
        span({ class: "far" }, fixes.total.value > MOST ? t("firstOf", { shown: count(MOST), all: count(fixes.total.value) }) : plural("users", rows.length)),
        first && button({ class: "button quiet", type: "button", onClick: () => (commandOf.value = loginChange(first.user, fixes.side.peek(), first.userName, "")) }, h(Icon, { name: "copy" }), t("showCommand")),
        button({ class: "button", type: "button", "aria-disabled": why || !idle ? "true" : undefined, title: why ?? t("fix.againHelp"), onClick: startAll }, t("fix.again", { number: count(idle) })),
        withLogin && button({ class: "button first", type: "submit", "aria-disabled": why || !ready ? "true" : undefined, title: why ?? (ready ? undefined : t("fix.noneReady")) }, t("fix.submit", { number: count(ready) })))),
    isPasting && h(Paste, { fixes, close: () => setPasting(false) }));
};

export const Fix = () => {
  const name = route.value.parts[1] ?? "", wanted = route.value.query.get("cause") ?? "";
  usePage(t("fix.title", { name }));
  const { data, error, at, again } = useLive(`failures ${name}`, () => failures(name), (it) => it.Noun !== "MigrationEndpoint");
  // The cause in sight stays, so that results are seen after its last user was fixed.
  const [kept, keep] = useState("");
  /** @type {Map<string, MigrationFailure[]>} */
  const causes = new Map();
  for (const it of data ?? []) causes.set(it.ErrorClass, [...(causes.get(it.ErrorClass) ?? []), it]);
  const sum = (/** @type {string} */ cause) => (causes.get(cause) ?? []).reduce((all, it) => all + it.Count, 0);
  const shown = wanted || kept || [...causes.keys()].sort((one, two) => sum(two) - sum(one))[0] || "";
  useEffect(() => keep(shown), [shown]);
  const crumbs = nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["batches"]) }, t("batches")), span({ "aria-hidden": "true" }, "/"),
    a({ href: to(["batches", name]) }, h(Name, { text: name })), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, t("fix.short")));
  const head = h1({ tabIndex: -1 }, t("fix.short"), ": ", h(Name, { text: name }));
  if (!data) return main({ id: "main" }, crumbs, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return main({ id: "main" }, crumbs, head, h(Refusal, null), h(Stale, { at }),
    causes.size > 0 && nav({ class: "chips", "aria-label": t("fix.causes") }, [...causes.keys()].map((it) =>
      a({ key: it, class: "chip bad", href: withQuery({ cause: it }), "aria-current": it === shown ? "true" : undefined }, h(Icon, { name: "bad" }), b(count(sum(it))), serverWord("cause", it)))),
    shown ? h(Cause, { key: shown, batch: name, cause: shown, list: causes.get(shown) ?? [] }) : h(Empty, { text: t("fix.none") }));
};
