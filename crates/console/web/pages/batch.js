/** One batch: its head with what can be done, its tabs, and one of its users beside. */
import { a, div, h, h1, main, nav, span, Fragment } from "../parts/html.js";
import { useEffect, useState } from "../vendor/hooks.js";
import { batch } from "../api/operations.js";
import { useLive } from "../api/live.js";
import { Refusal } from "../parts/action.js";
import { Name } from "../parts/said.js";
import { Failed, Loading, Stale } from "../parts/state.js";
import { Status } from "../parts/status.js";
import { go, route, to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { serverWord, t, time } from "../parts/words.js";
import { BatchActions } from "./batch-actions.js";
import { BatchUsers } from "./batch-users.js";
import { UserDrawer } from "./user.js";

/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */
/** @typedef {import("preact").FunctionComponent<{ of: MigrationBatch, isOld: boolean }>} Tab */

/** Tabs by address; that of the users has none. All others are loaded when they are first opened. @type {[string, () => Tab | Promise<Tab>][]} */
const tabs = [
  ["", () => BatchUsers],
  ["progress", async () => (await import("./batch-progress.js")).BatchProgress],
  ["folders", async () => (await import("./batch-folders.js")).BatchFolders],
  ["skipped", async () => (await import("./batch-skipped.js")).BatchSkipped],
  ["settings", async () => (await import("./batch-settings.js")).BatchSettings],
  ["reports", async () => (await import("./batch-reports.js")).BatchReports],
];

/** @param {{ of: MigrationBatch, isOld: boolean, name: string }} props */
const Shown = ({ of, isOld, name }) => {
  const load = tabs.find(([address]) => address === name)?.[1];
  const [loaded, setLoaded] = useState(/** @type {{ name: string, tab: Tab } | null} */ (name === "" ? { name, tab: BatchUsers } : null));
  useEffect(() => {
    let isLeft = false;
    void Promise.resolve(load?.()).then((tab) => tab && !isLeft && setLoaded({ name, tab }));
    return () => void (isLeft = true);
  }, [name]);
  return loaded?.name === name ? h(loaded.tab, { of, isOld }) : h(Loading, null);
};

export const Batch = () => {
  const name = route.value.parts[1] ?? "", tab = route.value.parts[2] ?? "", chosen = route.value.query.get("user") ?? "";
  usePage(tab ? `${serverWord("tab", tab)} · ${name}` : name);
  const { data, error, at, again } = useLive(`batch ${name}`, () => batch(name), undefined, true);
  const crumbs = nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["batches"]) }, t("batches")), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, h(Name, { text: name })));
  if (!data) return main({ id: "main" }, crumbs, h1({ tabIndex: -1 }, h(Name, { text: name })), error ? h(Failed, { error, again }) : h(Loading, null));
  return h(Fragment, null, main({ id: "main" }, crumbs,
    div({ class: "head" }, h1({ tabIndex: -1 }, h(Name, { text: data.Identity })), h(Status, { status: data.Status }),
      span({ class: "muted" }, h(Name, { text: data.SourceEndpoint }), " → ", h(Name, { text: data.TargetEndpoint }), " · ", t("startedBy", { time: time(data.CreationDateTimeUTC), name: data.SubmittedByUser })),
      h(BatchActions, { of: data, removed: () => go(to(["batches"])) })),
    !chosen && h(Refusal, null), h(Stale, { at }),
    nav({ class: "tabs", "aria-label": t("tabs") }, tabs.map(([address]) =>
      a({ key: address, href: to(["batches", name, ...(address ? [address] : [])]), "aria-current": address === tab ? "page" : undefined }, serverWord("tab", address || "users")))),
    h(Shown, { of: data, isOld: Boolean(error), name: tab })),
    chosen && h(UserDrawer, { key: chosen, guid: chosen, batchName: data.Identity }));
};
