/** Settings of the service: limits of all batches, master key, version, metrics, and how this browser shows them. */
import { button, code, dd, div, dl, dt, form, h, h1, h2, main, p, pre, section } from "../parts/html.js";
import { useState } from "../vendor/hooks.js";
import { changeConfig, config, endpoints, issues } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { addresses, session } from "../api/session.js";
import { commandOf, obstacle, perform, Refusal } from "../parts/action.js";
import { CheckField, ChoiceField, TextField } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { areKeysOn, switchKeys } from "../parts/keys.js";
import { Name, Said } from "../parts/said.js";
import { Failed, Loading, Stale } from "../parts/state.js";
import { usePage } from "../parts/page.js";
import { serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationConfig} MigrationConfig */

/** A limit as the service takes it: a number, or `unlimited`. @param {string} text */
const limit = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim() || "unlimited");

/** @param {{ of: MigrationConfig, names: string[] }} props */
const Limits = ({ of, names }) => {
  const [edits, setEdits] = useState(/** @type {Record<string, string>} */ ({}));
  const [base, setBase] = useState(of);
  const isEdited = Object.keys(edits).length > 0, from = isEdited ? base : of, why = obstacle("Admin");
  const edit = (/** @type {string} */ name) => (/** @type {string} */ text) => {
    if (!isEdited) setBase(of);
    setEdits({ ...edits, [name]: text });
  };
  const text = (/** @type {"MaxNumberOfBatches" | "MaxConcurrentMigrations" | "TargetEndpoint"} */ name) => edits[name] ?? String(from[name]);
  const parameters = Object.fromEntries(Object.entries(edits).map(([name, it]) => [name, name === "TargetEndpoint" ? it : limit(it)]));
  const change = changeConfig(parameters, /** @type {{ Revision?: string }} */ (from).Revision);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!why && isEdited) void perform(change, t("done.config")).then((isDone) => isDone && setEdits({}));
  };
  return form({ class: "panel", onSubmit: submit }, div({ class: "in stack" }, h2(t("config.limits")),
    div({ class: "fields" },
      h(TextField, { label: t("config.batches"), name: "MaxNumberOfBatches", value: text("MaxNumberOfBatches"), disabled: why, help: t("config.limitHelp"), onInput: edit("MaxNumberOfBatches") }),
      h(TextField, { label: t("config.mailboxes"), name: "MaxConcurrentMigrations", value: text("MaxConcurrentMigrations"), disabled: why, help: t("config.limitHelp"), onInput: edit("MaxConcurrentMigrations") }),
      h(ChoiceField, { label: t("config.target"), name: "TargetEndpoint", value: text("TargetEndpoint"), disabled: why, help: t("config.targetHelp"), options: [...new Set([of.TargetEndpoint, "Archive", ...names])].map((it) => /** @type {const} */ ([it, it])), onInput: edit("TargetEndpoint") })),
    div({ class: "below" }, button({ class: "button quiet far", type: "button", onClick: () => (commandOf.value = change) }, h(Icon, { name: "copy" }), t("showCommand")),
      isEdited && button({ class: "button", type: "button", onClick: () => setEdits({}) }, t("discard")),
      button({ class: "button first", type: "submit", "aria-disabled": why || !isEdited ? "true" : undefined, title: why ?? (isEdited ? undefined : t("setting.unchanged")) }, t("save")))));
};

/** How this browser shows the console. */
const Browser = () => section({ class: "panel" }, div({ class: "in stack" }, h2(t("config.browser")),
  h(CheckField, { label: t("keys.switch"), name: "keys", checked: areKeysOn.value, help: t("keys.switchHelp"), onInput: switchKeys })));

export const Settings = () => {
  usePage(t("settings"));
  const { data, error, at, again } = useLive("config", () => Promise.all([config(), endpoints(), issues()]));
  const head = div({ class: "head" }, h1({ tabIndex: -1 }, t("settings"))), who = session.value;
  if (!data) return main({ id: "main" }, head, error ? h(Failed, { error, again }) : h(Loading, null));
  const [of, list, all] = data, key = all.find((it) => it.Code.includes("MasterKey"));
  return main({ id: "main" }, head, h(Refusal, null), h(Stale, { at }), h(Limits, { of, names: list.map((it) => it.Identity) }),
    section({ class: "panel" }, div({ class: "in stack" }, h2(t("config.key")), p(t("config.keyText")),
      key ? p({ class: "why" }, h(Said, { text: key.Message }), " ", h(Said, { text: key.Advice ?? "" })) : p({ class: "muted" }, t("config.keyFine")),
      key?.Command && pre({ class: "quote" }, code(key.Command)))),
    section({ class: "panel" }, div({ class: "in stack" }, h2(t("config.service")), dl({ class: "pairs" },
      dt(t("config.version")), dd(who?.Version ?? ""), dt(t("config.metrics")), dd(code(addresses.metrics), " ", t("config.metricsHelp")),
      who && [dt({ key: "s" }, t("config.session")), dd({ key: "t" }, h(Name, { text: who.Name }), ` · ${serverWord("role", who.Role)} · `, t("config.until", { time: time(who.Until) }), ` (${utc(who.Until)})`)]))),
    h(Browser, null));
};
