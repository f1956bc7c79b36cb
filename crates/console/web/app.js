/** The console: signs in, then shows the page of the address. */
import { render } from "./vendor/preact.js";
import { useEffect, useState } from "./vendor/hooks.js";
import { h, Fragment, h1, main, p } from "./parts/html.js";
import { resumeSession, ServiceError, signIn } from "./api/client.js";
import { forget, session } from "./api/session.js";
import { Dialogs } from "./parts/action.js";
import { Frame } from "./parts/frame.js";
import { Keys } from "./parts/keys.js";
import { Failed, Loading } from "./parts/state.js";
import { route } from "./parts/router.js";
import { loadWords, t } from "./parts/words.js";

/** Pages by address, `*` for any name, `?` for one that may be missing; each is loaded when it is first opened. @type {[string, () => Promise<import("preact").FunctionComponent<any>>][]} */
const pages = [
  ["", async () => (await import("./pages/overview.js")).Overview],
  ["batches", async () => (await import("./pages/batches.js")).Batches],
  ["batches/new", async () => (await import("./pages/new-batch.js")).NewBatch],
  ["batches/*/fix", async () => (await import("./pages/fix.js")).Fix],
  ["batches/*/?", async () => (await import("./pages/batch.js")).Batch],
  ["users", async () => (await import("./pages/users.js")).Users],
  ["tokens", async () => (await import("./pages/tokens.js")).Tokens],
  ["settings", async () => (await import("./pages/settings.js")).Settings],
  ["endpoints", async () => (await import("./pages/endpoints.js")).Endpoints],
  ["endpoints/new", async () => (await import("./pages/new-endpoint.js")).NewEndpoint],
  ["endpoints/*", async () => (await import("./pages/endpoint.js")).Endpoint],
  ["audit", async () => (await import("./pages/audit.js")).Audit],
];

const places = async () => (await import("./pages/places.js")).places();

const NotFound = () => main({ id: "main" }, h1({ tabIndex: -1 }, t("notFound")), p({ class: "muted" }, t("notFoundAdvice")));

/** The first page whose address fits. @param {string[]} parts */
const pageOf = (parts) => pages.find(([address]) => {
  const wanted = address.split("/").filter(Boolean);
  const isOptional = wanted.at(-1) === "?" && parts.length === wanted.length - 1;
  return (isOptional || wanted.length === parts.length) && wanted.every((it, at) => it === "*" || it === "?" || it === parts[at]);
});

const Page = () => {
  const [name, load] = pageOf(route.value.parts) ?? ["?", async () => NotFound];
  const [loaded, setLoaded] = useState(/** @type {{ name: string, page: import("preact").FunctionComponent<any> } | null} */ (null));
  const [error, setError] = useState(/** @type {import("./api/client.js").ServiceError | null} */ (null));
  useEffect(() => {
    // A page that is loaded after the reader went on is not shown.
    let isLeft = false;
    setError(null);
    // The files of another release are gone: the console is loaded again.
    void load().then((page) => isLeft || setLoaded({ name, page }), () => isLeft || setError(new ServiceError(0, {})));
    return () => void (isLeft = true);
  }, [name]);
  if (error) return main({ id: "main" }, h(Failed, { error, again: () => location.reload() }));
  return loaded?.name === name ? h(loaded.page, null) : main({ id: "main" }, h(Loading, null));
};

/** @param {{ problem?: string, SignIn: import("preact").FunctionComponent<{ problem?: string }> }} props */
const App = ({ problem, SignIn }) => (session.value ? h(Fragment, null, h(Frame, { children: h(Page, null) }), h(Dialogs, null), h(Keys, { places })) : h(SignIn, { problem }));

/** Uses up the ticket in the address, and removes it from there. */
const useTicket = async () => {
  const ticket = /^#ticket=(.+)$/.exec(location.hash)?.[1];
  if (!ticket) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return signIn({ Ticket: ticket }).then(() => undefined, () => t("signIn.ticketUsed"));
};

const begin = async () => {
  await loadWords();
  const problem = await useTicket();
  const [{ SignIn }, failure] = await Promise.all([import("./pages/sign-in.js"), session.value ? undefined : resumeSession().then(() => undefined, (error) => error)]);
  // A session that has ended is forgotten; a service that is away may come back.
  if (failure?.status === 401) forget(false);
  if (failure && failure.status !== 401) return render(main({ id: "main" }, h1("mailhaul"), h(Failed, { error: failure, again: () => location.reload() })), document.body);
  render(h(App, { problem, SignIn }), document.body);
};

void begin();
