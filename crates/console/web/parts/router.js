/** The address in the head of the browser: what is in sight can be linked to. */
import { computed, signal } from "../vendor/signals.js";

const ROOT = "/console/";

const address = signal(location.pathname + location.search);

/** Parts of the path below the root, and the query. */
export const route = computed(() => {
  const url = new URL(address.value, location.origin);
  const parts = url.pathname.slice(ROOT.length).split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, query: url.searchParams };
});

/** Address of a page. @param {string[]} parts @param {Record<string, string | undefined>} [query] */
export const to = (parts, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `${ROOT}${parts.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
};

/** The page in sight with another query. @param {Record<string, string | undefined>} changes */
export const withQuery = (changes) => to(route.value.parts, { ...Object.fromEntries(route.value.query), ...changes });

/** @param {string} target */
export const go = (target) => {
  history.pushState(null, "", target);
  address.value = target;
};

/** Shows another address in the place of this one. @param {string} target */
export const replace = (target) => {
  history.replaceState(null, "", target);
  address.value = target;
};

/** Asks before a page is left, and leaves it then. @type {{ current: ((leave: () => void) => void) | null }} */
export const leaving = { current: null };

/** True if an address is of another page than the one in sight. @param {string} target */
const isElsewhere = (target) => new URL(target, location.origin).pathname !== new URL(address.peek(), location.origin).pathname;

/** Goes to an address, unless the page in sight asks before. @param {string} target */
const leaveFor = (target) => {
  const ask = leaving.current;
  if (!ask || !isElsewhere(target)) return go(target);
  ask(() => {
    leaving.current = null;
    go(target);
  });
};

addEventListener("popstate", () => {
  const target = location.pathname + location.search;
  if (!leaving.current || !isElsewhere(target)) return void (address.value = target);
  // The page stays until the question is answered.
  history.pushState(null, "", address.peek());
  leaveFor(target);
});

/** Links within the console open without loading the page again. */
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.origin !== location.origin || !link.pathname.startsWith(ROOT) || link.hash) return;
  event.preventDefault();
  leaveFor(link.pathname + link.search);
});
