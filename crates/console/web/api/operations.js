/** The operations that pages use. Each has its address and its cmdlet, from which commands are shown. */
import { send, sendForSteps } from "./client.js";

/** @typedef {import("./types.d.ts").MigrationBatch} MigrationBatch */
/** @typedef {import("./types.d.ts").MigrationUser} MigrationUser */
/** @typedef {import("./types.d.ts").MigrationUserStatistics} MigrationUserStatistics */
/** @typedef {import("./types.d.ts").MigrationStatistics} MigrationStatistics */
/** @typedef {import("./types.d.ts").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("./types.d.ts").MigrationAuditLog} MigrationAuditLog */
/** @typedef {import("./types.d.ts").MigrationIssue} MigrationIssue */
/** @typedef {import("./types.d.ts").MigrationSkippedItem} MigrationSkippedItem */
/** @typedef {import("./types.d.ts").MigrationApiToken} MigrationApiToken */
/** @typedef {import("./types.d.ts").MigrationConfig} MigrationConfig */
/** @typedef {import("./types.d.ts").MigrationFailure} MigrationFailure */
/** @typedef {import("./types.d.ts").MigrationServerAvailability} MigrationServerAvailability */
/** @typedef {import("./types.d.ts").MigrationBatchTest} MigrationBatchTest */

/** A change: its cmdlet, its request, and the least role. @typedef {{ cmdlet: string, method: string, path: string, identity?: string, parameters: Record<string, any>, role: "Operator" | "Admin", revision?: string }} Change `revision`: refused with 412 if the object has another one */

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

/** Causes of the failures of a batch, each with the number of its users. @param {string} name @returns {Promise<MigrationFailure[]>} */
export const failures = (name) => all(send("/api/v1/failures", { query: { BatchId: name } }));

/** @returns {Promise<MigrationApiToken[]>} */
export const tokens = () => all(send("/api/v1/tokens"));
/** @param {string} name @param {string} role */
export const newToken = (name, role) => creation("MigrationApiToken", "tokens", { Name: name, Role: role }, "Admin");
/** @param {string} name @returns {Change} */
export const removeToken = (name) => ({ cmdlet: "Remove-MigrationApiToken", method: "DELETE", path: `/api/v1/tokens/${part(name)}`, identity: name, parameters: {}, role: "Admin" });

/** Skipped messages of a batch. @param {string} name @param {number} most @returns {Promise<MigrationSkippedItem[]>} */
export const skippedItems = (name, most) => all(send("/api/v1/skipped-items", { query: { BatchId: name, ResultSize: most } }));

/** Report of a batch. @param {string} name */
export const batchReport = async (name) => /** @type {MigrationBatch[]} */ (await all(send(`/api/v1/batches/${part(name)}`, { query: { IncludeReport: true } })))[0]?.Report ?? { Entries: [], Failures: [] };

/** Work of a batch or at an endpoint over time. @param {string} name @param {Date} from @param {Date} to @param {string} step @returns {Promise<import("../parts/series.js").Period[]>} */
export const throughput = (name, from, to, step) => all(send(`/api/v1/throughput/${part(name)}`, { query: { From: from.toISOString(), To: to.toISOString(), Step: step } }));

/** Targets of the folders of chosen users, summed; with a map that is not saved, if one is given. @param {string} batch @param {string[]} users @param {Record<string, string>} [map] @returns {Promise<import("../parts/plan.js").Plan>} */
export const folderPlan = async (batch, users, map) => (await send(`/api/v1/folder-plans/${part(batch)}/test`, { method: "POST", body: { Users: users, ...(map && { FolderMap: map }) } })).Value[0];

/** What concerns the reader now, worst first. @returns {Promise<MigrationIssue[]>} */
export const issues = () => all(send("/api/v1/issues"));

/** Verbs that are methods of their own. @type {Record<string, string>} */
const methods = { Set: "PATCH", Remove: "DELETE" };

/** @param {string} verb @param {string} noun @param {string} path @param {string} identity @param {Record<string, any>} [parameters] @returns {Change} */
const change = (verb, noun, path, identity, parameters = {}) => {
  const method = methods[verb] ?? "POST";
  const address = `/api/v1/${path}/${part(identity)}${method === "POST" ? `/${verb.toLowerCase()}` : ""}`;
  return { cmdlet: `${verb}-${noun}`, method, path: address, identity, parameters, role: "Operator" };
};

/** @param {"Start" | "Stop" | "Complete" | "Set" | "Remove"} verb @param {string} name @param {Record<string, any>} [parameters] */
export const changeBatch = (verb, name, parameters) => change(verb, "MigrationBatch", "batches", name, parameters);
/** @param {"Start" | "Stop" | "Set" | "Remove"} verb @param {string} name @param {Record<string, any>} [parameters] */
export const changeUser = (verb, name, parameters) => change(verb, "MigrationUser", "users", name, parameters);

/** What a change of many users answers. @typedef {{ ChangedCount: number, RefusedCount: number, Refusals: { Identity: string, Message: string }[] }} ManyAnswer */

/** A change of many users: those of a filter, or those that are named. @param {"Start" | "Stop" | "Set" | "Remove"} verb @param {Record<string, any>} target @param {Record<string, any>} [parameters] @returns {Change} */
export const changeUsers = (verb, target, parameters = {}) => {
  const method = methods[verb] ?? "POST";
  return { cmdlet: `${verb}-MigrationUser`, method, path: `/api/v1/users${method === "POST" ? `/${verb.toLowerCase()}` : ""}`, parameters: { ...target, ...parameters }, role: "Operator" };
};

/** A new object of a noun. @param {string} noun @param {string} path @param {Record<string, any>} parameters @param {Change["role"]} [role] @returns {Change} */
const creation = (noun, path, parameters, role = "Operator") => ({ cmdlet: `New-${noun}`, method: "POST", path: `/api/v1/${path}`, parameters, role });

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

/** @returns {Promise<MigrationConfig>} */
export const config = async () => /** @type {any} */ (await all(send("/api/v1/config")))[0];
/** A change of the configuration. @param {Record<string, any>} parameters @param {string} [revision] @returns {Change} */
export const changeConfig = (parameters, revision) => ({ cmdlet: "Set-MigrationConfig", method: "PATCH", path: "/api/v1/config", parameters, role: "Admin", revision });

/** Carries a change out; its answer. @param {Change} it */
export const carryOut = (it) => send(it.path, { method: it.method, revision: it.revision, ...(it.method === "DELETE" ? { query: it.parameters } : { body: it.parameters }) });

/** Carries a change out; the first object of its answer. @template T @param {Change} it @param {AbortSignal} [signal] @returns {Promise<T>} */
export const answerOf = async (it, signal) => (await send(it.path, { method: it.method, body: it.parameters, signal })).Value[0];

/** Carries a test out, and tells each step as it ends. @template T @param {Change} it @param {(step: any) => void} onStep @param {AbortSignal} [signal] @returns {Promise<T>} */
export const testInSteps = async (it, onStep, signal) => (await sendForSteps(it.path, it.parameters, onStep, signal)).Value[0];
