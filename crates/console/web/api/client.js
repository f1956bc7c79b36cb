/** Requests to the service. Only this folder knows addresses. */
import { forget, key, keepKey, session } from "./session.js";

/** A refusal of the service, with its own words. */
export class ServiceError extends Error {
  /** @param {number} status @param {{ Code?: string, Message?: string, Advice?: string | null, Parameter?: string | null }} error */
  constructor(status, error) {
    super(error.Message ?? "");
    this.status = status;
    this.code = error.Code ?? "";
    this.advice = error.Advice ?? "";
    /** Parameter that the refusal is about. */
    this.parameter = error.Parameter ?? null;
  }
}

/** @typedef {{ method?: string, query?: Record<string, string | number | boolean | undefined>, body?: object, signal?: AbortSignal, revision?: string }} Options */

/** Sends a request; the answer as JSON, `undefined` if it is empty. @param {string} path @param {Options} [options] @returns {Promise<any>} */
export const send = async (path, { method = "GET", query = {}, body, signal, revision } = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  const answer = await open(`${path}${search ? `?${search}` : ""}`, {
    method, signal, headers: { ...(body && { "Content-Type": "application/json" }), ...(revision !== undefined && { "If-Match": `"${revision}"` }) }, body: body && JSON.stringify(body),
  });
  const text = await answer.text().catch(() => "");
  const json = text && answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined;
  if (answer.ok) return json;
  if (answer.status === 401 && session.peek()) forget(true);
  throw new ServiceError(answer.status, json?.Error ?? {});
};

/** Sends a request with the key of the session; a `ServiceError` with status 0 if nothing answers. @param {string} address @param {RequestInit} options */
export const open = async (address, options) => {
  const headers = { ...options.headers, ...(key() && { "Mailhaul-Key": key() }) };
  try {
    return await fetch(address, { ...options, headers, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ServiceError(0, {});
  }
};

/** Signs in. @param {{ Token: string } | { Ticket: string }} proof */
export const signIn = async (proof) => {
  const { Key, ...shown } = await send("/session", { method: "POST", body: proof });
  keepKey(Key);
  session.value = shown;
};

/** Goes on with the session of this browser, if there is one. */
export const resumeSession = async () => {
  if (key()) session.value = await send("/session");
};

export const signOut = async () => {
  await send("/session", { method: "DELETE" });
  forget(false);
};
