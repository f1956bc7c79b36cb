/** The operations that pages use. Each has its address and its cmdlet, from which commands are shown. */
import { send, sendForSteps } from "./client.js";

/** @typedef {import("./types.d.ts").MigrationBatch} MigrationBatch */
/** @typedef {import("./types.d.ts").MigrationUser} MigrationUser */
/** @typedef {import("./types.d.ts").MigrationUserStatistics} MigrationUserStatistics */
/** @typedef {import("./types.d.ts").MigrationStatistics} MigrationStatistics */
/** @typedef {import("./types.d.ts").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("./types.d.ts").MigrationAuditLog} MigrationAuditLog */
/** @typedef {import("./types.d.ts").MigrationIssue} MigrationIssue */
/** @typedef {import("./types.d.ts").MigrationServerAvailability} MigrationServerAvailability */
/** @typedef {import("./types.d.ts").MigrationBatchTest} MigrationBatchTest */

/** A change: its cmdlet, its request, and the least role. @typedef {{ cmdlet: string, method: string, path: string, identity?: string, parameters: Record<string, any>, role: "Operator" | "Admin" }} Change */

/** Skipped messages of a user that are asked for at once. */
const SKIPPED = 100;

const part = encodeURIComponent;

/** @template T @param {Promise<{ Value: T[] }>} answer */
const all = async (answer) => (await answer).Value;

/** @returns {Promise<MigrationBatch[]>} */
export const batches = () => all(send("/api/v1/batches", { query: { ResultSize: "unlimited" } }));
/** @param {string} name @returns {Promise<MigrationBatch>} */
export const batch = async (name) => /** @type {any} */ (await all(send(`/api/v1/batches/${part(name)}`)))[0];
/** @returns {Promise<MigrationStatistics>} */
export const statistics = async () => /** @type {any} */ (await all(send("/api/v1/statistics")))[0];
/** @returns {Promise<MigrationEndpoint[]>} */
export const endpoints = () => all(send("/api/v1/endpoints"));
/** @param {string} name @returns {Promise<MigrationEndpoint>} */
export const endpoint = async (name) => /** @type {any} */ (await all(send(`/api/v1/endpoints/${part(name)}`)))[0];
/** @param {string} name @returns {Promise<MigrationUser>} */
export const user = async (name) => /** @type {any} */ (await all(send(`/api/v1/users/${part(name)}`)))[0];
/** @param {string} name @returns {Promise<MigrationUserStatistics>} */
export const userStatistics = async (name) => /** @type {any} */ (await all(send(`/api/v1/user-statistics/${part(name)}`, { query: { IncludeReport: true, IncludeSkippedItems: true, LimitSkippedItemsTo: SKIPPED } })))[0];

/** The newest entries of the audit log. @returns {Promise<MigrationAuditLog[]>} */
export const auditLog = () => all(send("/api/v1/audit-log", { query: { ResultSize: 200 } }));

/** Users from an `Offset` on, and the number of all that match. @param {Record<string, string | number | boolean | undefined>} query @returns {Promise<{ users: MigrationUser[], total: number }>} */
export const usersPage = async (query) => {
  const answer = await send("/api/v1/users", { query });
  return { users: answer.Value, total: answer.TotalCount };
};

/** What concerns the reader now, worst first. @returns {Promise<MigrationIssue[]>} */
export const issues = () => all(send("/api/v1/issues"));

/** @param {string} verb @param {string} noun @param {string} path @param {string} identity @param {Record<string, any>} [parameters] @returns {Change} */
const change = (verb, noun, path, identity, parameters = {}) => {
  const isSet = verb === "Set";
  const address = `/api/v1/${path}/${part(identity)}${isSet ? "" : `/${verb.toLowerCase()}`}`;
  return { cmdlet: `${verb}-${noun}`, method: isSet ? "PATCH" : "POST", path: address, identity, parameters, role: "Operator" };
};

/** @param {"Start" | "Stop" | "Complete" | "Set"} verb @param {string} name @param {Record<string, any>} [parameters] */
export const changeBatch = (verb, name, parameters) => change(verb, "MigrationBatch", "batches", name, parameters);
/** @param {"Start" | "Stop" | "Set"} verb @param {string} name @param {Record<string, any>} [parameters] */
export const changeUser = (verb, name, parameters) => change(verb, "MigrationUser", "users", name, parameters);

/** A new object of a noun. @param {string} noun @param {string} path @param {Record<string, any>} parameters @returns {Change} */
const creation = (noun, path, parameters) => ({ cmdlet: `New-${noun}`, method: "POST", path: `/api/v1/${path}`, parameters, role: "Operator" });

/** @param {Record<string, any>} parameters */
export const newEndpoint = (parameters) => creation("MigrationEndpoint", "endpoints", parameters);
/** @param {Record<string, any>} parameters */
export const newBatch = (parameters) => creation("MigrationBatch", "batches", parameters);
/** @param {"Set" | "Test"} verb @param {string} name @param {Record<string, any>} [parameters] */
export const changeEndpoint = (verb, name, parameters) => change(verb, "MigrationEndpoint", "endpoints", name, parameters);
/** Test of a server that is not saved. @param {Record<string, any>} parameters @returns {Change} */
export const testServer = (parameters) => ({ cmdlet: "Test-MigrationServerAvailability", method: "POST", path: "/api/v1/server-availability/test", parameters, role: "Operator" });
/** Test of a batch's file, which makes nothing. @param {Record<string, any>} parameters @returns {Change} */
export const testBatch = (parameters) => ({ cmdlet: "Test-MigrationBatch", method: "POST", path: "/api/v1/batches/test", parameters, role: "Operator" });
/** @param {string} name @returns {Change} */
export const removeEndpoint = (name) => ({ cmdlet: "Remove-MigrationEndpoint", method: "DELETE", path: `/api/v1/endpoints/${part(name)}`, identity: name, parameters: {}, role: "Operator" });

/** Carries a change out; its answer. @param {Change} it */
export const carryOut = (it) => send(it.path, { method: it.method, body: it.method === "DELETE" ? undefined : it.parameters });

/** Carries a change out; the first object of its answer. @template T @param {Change} it @param {AbortSignal} [signal] @returns {Promise<T>} */
export const answerOf = async (it, signal) => (await send(it.path, { method: it.method, body: it.parameters, signal })).Value[0];

/** Carries a test out, and tells each step as it ends. @template T @param {Change} it @param {(step: any) => void} onStep @param {AbortSignal} [signal] @returns {Promise<T>} */
export const testInSteps = async (it, onStep, signal) => (await sendForSteps(it.path, it.parameters, onStep, signal)).Value[0];
