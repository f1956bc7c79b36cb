/** API tokens: made with a role, shown once, revoked. */
import { button, code, div, form, h, h1, h2, main, p, pre, section, span } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { newToken, removeToken, tokens } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Action, commandOf, CopyLine, obstacle, perform, Refusal, refusal } from "../parts/action.js";
import { ChoiceField, isAt, TextField } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { Name } from "../parts/said.js";
import { rows } from "../parts/rows.js";
import { Empty, Failed, Loading, Stale } from "../parts/state.js";
import { usePage } from "../parts/page.js";
import { serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationApiToken} MigrationApiToken */

const roles = ["Viewer", "Operator", "Admin"];

/** @param {string | null} moment */
const moment = (moment) => (moment ? span({ title: utc(moment) }, time(moment)) : t("never"));

const columns = () => /** @type {import("../parts/rows.js").Column<MigrationApiToken>[]} */ ([
  { key: "name", name: t("name"), width: "22%", class: "who", cell: (it) => h(Name, { text: it.Identity }) },
  { key: "role", name: t("role"), width: "120px", class: "state", cell: (it) => serverWord("role", it.Role) },
  { key: "made", name: t("token.made"), width: "15%", cell: (it) => moment(it.CreationDateTime) },
  { key: "used", name: t("token.used"), width: "15%", class: "far-bar", cell: (it) => moment(it.LastUsedDateTime) },
  { key: "state", name: t("status"), width: "15%", class: "what", cell: (it) => (it.RevokedDateTime ? span({ class: "muted" }, t("token.revoked", { time: time(it.RevokedDateTime) })) : t("token.valid")) },
  { key: "actions", name: t("actions"), class: "acts", cell: (it) => (it.RevokedDateTime ? null : h(Action, { change: removeToken(it.Identity), label: t("token.revoke"), done: t("done.revoke", { name: it.Identity }), ask: { title: t("token.revokeTitle", { name: it.Identity }), text: t("token.revokeText") } })) },
]);

/** A new token, which is shown until this page is left. */
const Make = () => {
  const [name, setName] = useState(""), [role, setRole] = useState("Operator");
  const [made, setMade] = useState(/** @type {{ name: string, token: string } | null} */ (null));
  const change = newToken(name.trim(), role), why = obstacle("Admin");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (why || !name.trim()) return;
    void perform(change, (answer) => {
      setMade({ name: name.trim(), token: answer.Value[0].Token });
      setName("");
      return t("done.token", { name: name.trim() });
    });
  };
  const wrong = refusal.value && !isAt(refusal.value, "Name") ? h(Refusal, null) : null;
  return section({ class: "panel", "aria-labelledby": "make" }, div({ class: "in stack" }, h2({ id: "make" }, t("token.new")), wrong,
    form({ class: "stack", onSubmit: submit },
      div({ class: "two" }, h(TextField, { label: t("name"), name: "Name", value: name, disabled: why, refused: refusal.value, help: t("token.nameHelp"), onInput: setName }),
        h(ChoiceField, { label: t("role"), name: "Role", value: role, disabled: why, help: serverWord("roleHelp", role), options: roles.map((it) => /** @type {const} */ ([it, serverWord("role", it)])), onInput: setRole })),
      div({ class: "below" }, button({ class: "button quiet far", type: "button", onClick: () => (commandOf.value = change) }, h(Icon, { name: "copy" }), t("showCommand")),
        button({ class: "button first", type: "submit", "aria-disabled": why || !name.trim() ? "true" : undefined, title: why }, t("token.make")))),
    made && div({ class: "notice wait made", role: "status" }, p(t("token.once", { name: made.name })), h(CopyLine, { label: t("token"), text: made.token }),
      div({ class: "below" }, button({ class: "button", type: "button", onClick: () => setMade(null) }, t("token.hide"))))));
};

export const Tokens = () => {
  usePage(t("tokens"));
  const { data, error, at, again } = useLive("tokens", tokens);
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("tokens")));
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  return main({ id: "main" }, head, h(Stale, { at }), h(Make, null),
    data.length === 0 ? h(Empty, { text: t("tokens.empty") })
      : section({ class: `panel${error ? " old" : ""}` }, rows({ label: t("tokens"), columns: columns(), total: data.length, at: (index) => data[index], id: (it) => it.Guid })),
    section({ class: "panel" }, div({ class: "in stack" }, p({ class: "muted" }, t("token.local")), pre({ class: "quote" }, code("mailhaul token new --name ada --role Operator")))));
};
