/** Who is signed in. The key of the session stays in this origin's storage; its cookie is out of reach of every script. */
import { signal } from "../vendor/signals.js";

/** @typedef {{ Name: string, Role: "Viewer" | "Operator" | "Admin", Until: string, Version: string }} Session */

const KEY = "mailhaul-key";
const roles = ["Viewer", "Operator", "Admin"];

/** The session; `null` if there is none. @type {import("@preact/signals").Signal<Session | null>} */
export const session = signal(null);

/** True if a session ended while the page was open. */
export const hasEnded = signal(false);

export const key = () => localStorage.getItem(KEY) ?? "";

/** @param {string} it */
export const keepKey = (it) => localStorage.setItem(KEY, it);

/** Forgets the session. @param {boolean} byItself true if the service ended it */
export const forget = (byItself) => {
  hasEnded.value = byItself && session.peek() !== null;
  localStorage.removeItem(KEY);
  session.value = null;
};

/** True if the role is at least this one; the service decides, the page only spares clicks. @param {Session["Role"]} role */
export const may = (role) => roles.indexOf(session.value?.Role ?? "") >= roles.indexOf(role);

/** Addresses of the service that pages name. */
export const addresses = { metrics: `${location.origin}/metrics` };

const SETTINGS = "mailhaul-";
/** A choice of this browser, such as that of keys; no secret. @param {string} name */
export const choice = (name) => localStorage.getItem(SETTINGS + name);
/** @param {string} name @param {string} value */
export const choose = (name, value) => localStorage.setItem(SETTINGS + name, value);

/** A session that ends in one tab ends in all of them. */
addEventListener("storage", (event) => {
  if (event.key === KEY && event.newValue === null) forget(false);
});
