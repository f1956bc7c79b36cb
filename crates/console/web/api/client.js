/** Requests to the service. Only this folder knows addresses. */
import { forget, key, keepKey, session } from "./session.js";

/** A refusal of the service, with its own words. */
export class ServiceError extends Error {
  /** @param {number} status @param {{ Code?: string, Message?: string, Advice?: string | null, Parameter?: string | null, Rows?: any[] }} error */
  constructor(status, error) {
    super(error.Message ?? "");
    this.status = status;
    this.code = error.Code ?? "";
    this.advice = error.Advice ?? "";
    /** Parameter that the refusal is about. */
    this.parameter = error.Parameter ?? null;
    /** Errors of a file, as those of Test-MigrationBatch. */
    this.rows = error.Rows ?? [];
  }
}

/** @typedef {{ method?: string, query?: Record<string, string | number | boolean | string[] | undefined>, body?: object, signal?: AbortSignal, revision?: string }} Options */

/** Sends a request; the answer as JSON, `undefined` if it is empty. @param {string} path @param {Options} [options] @returns {Promise<any>} */
export const send = async (path, { method = "GET", query = {}, body, signal, revision } = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.flatMap(([name, value]) => [value].flat().map((it) => [name, String(it)]))).toString();
  const answer = await open(`${path}${search ? `?${search}` : ""}`, {
    method, signal, headers: { ...(body && { "Content-Type": "application/json" }), ...(revision !== undefined && { "If-Match": `"${revision}"` }) }, body: body && JSON.stringify(body),
  });
  return content(answer);
};

/** The answer as JSON, or the refusal as an error. @param {Response} answer */
const content = async (answer) => {
  const text = await answer.text().catch(() => "");
  const json = text && answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined;
  if (answer.ok) return json;
  throw refused(answer.status, json);
};

/** @param {number} status @param {any} json */
const refused = (status, json) => {
  if (status === 401 && session.peek()) forget(true);
  return new ServiceError(status, json?.Error ?? {});
};

/**
 * Sends a request whose answer may come in lines: steps as they end, and then the answer.
 * @param {string} path @param {object} body @param {(step: any) => void} onStep @param {AbortSignal} [signal] @returns {Promise<any>}
 */
export const sendForSteps = async (path, body, onStep, signal) => {
  const headers = { "Content-Type": "application/json", "Accept": "application/x-ndjson, application/json" };
  const answer = await open(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  if (!answer.body || !answer.headers.get("Content-Type")?.includes("ndjson")) return content(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", last;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new ServiceError(0, {});
    });
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines.filter(Boolean)) {
      const read = JSON.parse(line);
      if ("Step" in read) onStep(read);
      else last = read;
    }
    if (done) break;
  }
  if (last?.Error) throw refused(answer.status, last);
  return last;
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
