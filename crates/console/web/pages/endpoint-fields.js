/** Parameters of an endpoint's form, and the request that its values make. Pure. */
import { Secret } from "../api/values.js";

/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {"IMAP" | "Microsoft365" | "GoogleWorkspace"} EndpointType */
/** Values by parameter: texts, switches, and files. @typedef {Record<string, any>} Values */

/** @type {EndpointType[]} */
export const TYPES = ["IMAP", "Microsoft365", "GoogleWorkspace"];

/** Ways to open mailboxes of each type, the usual one first. @type {Record<EndpointType, string[]>} */
export const METHODS = {
  IMAP: ["Users", "Admin", "ClientSecret", "Certificate", "RefreshToken", "Token"],
  Microsoft365: ["ClientSecret", "Certificate", "Device", "RefreshToken", "Token"],
  GoogleWorkspace: ["ServiceAccount", "RefreshToken", "Token"],
};

/** Parameters of each way; those in the second list are optional. @param {string} method @param {EndpointType} type @returns {[string[], string[]]} */
export const parametersOf = (method, type) => {
  const server = type === "Microsoft365" ? ["TenantId"] : type === "IMAP" ? ["TokenUrl"] : [];
  const further = type === "Microsoft365" ? ["AuthorityUrl", "TokenUrl", "Scope"] : ["Scope"];
  switch (method) {
    case "Admin": return [["UserName", "Password"], ["UserNameTemplate"]];
    case "ClientSecret": return [[...server, "ApplicationId", "ClientSecret"], further];
    case "Certificate": return [[...server, "ApplicationId", "CertificateFile"], further];
    case "Device": return [["ApplicationId"], [...server, "Scope"]];
    case "RefreshToken": return [[...(type === "IMAP" ? server : []), "ApplicationId", "RefreshToken"], [...(type === "Microsoft365" ? server : []), "Scope"]];
    case "ServiceAccount": return [["ServiceAccountKeyFileData"], ["Scope"]];
    case "Token": return [["AccessToken"], []];
    default: return [[], []];
  }
};

const SECRETS = ["ClientSecret", "RefreshToken", "AccessToken"];
export const FILES = ["CertificateFile", "ServiceAccountKeyFileData", "CertificateAuthorities"];
export const LIMITS = ["MaxConcurrentMigrations", "MaxConcurrentIncrementalSyncs", "MessagesPerSecond", "BytesPerSecond", "BytesPerDay", "MailboxBytesPerDay"];
const BYTES = ["BytesPerSecond", "BytesPerDay", "MailboxBytesPerDay"];
const NUMBERS = ["Port", "MaxConcurrentMigrations", "MaxConcurrentIncrementalSyncs", "MessagesPerSecond"];

/** Sources of tokens as ways. @type {Record<string, string>} */
const ways = { ClientSecret: "ClientSecret", ClientCertificate: "Certificate", ServiceAccount: "ServiceAccount", RefreshToken: "RefreshToken", TokenCommand: "Command", Token: "Token" };

/** Way of a saved endpoint. @param {MigrationEndpoint} it */
export const methodOf = (it) => (it.TokenSource ? (ways[it.TokenSource] ?? "Token") : it.UserName ? "Admin" : "Users");

/** True if the endpoint opens every mailbox, so that users need no password there. @param {MigrationEndpoint} it */
export const opensEveryMailbox = (it) => methodOf(it) !== "Users";

const units = ["B", "KB", "MB", "GB", "TB"];

/** Bytes such as `500 GB`; the text itself if it is no number, which the service refuses. @param {string} text */
export const parseBytes = (text) => {
  const [, number, unit] = /^\s*([\d.,]+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const step = units.indexOf((unit || "B").toUpperCase());
  const value = Number((number ?? "").replace(",", "."));
  return number && step >= 0 && Number.isFinite(value) ? Math.round(value * 1000 ** step) : text;
};

/** Bytes as they can be typed again without loss. @param {number} value */
export const writtenBytes = (value) => {
  let step = 0;
  while (step < units.length - 1 && value > 0 && value % 1000 === 0) {
    value /= 1000;
    step++;
  }
  return `${value} ${units[step]}`;
};

/** Values of a new endpoint. @returns {Values} */
export const newValues = () => ({ Name: "", Type: "IMAP", Method: "Users", Security: "Ssl" });

/** Values of a saved endpoint; secrets are not known. @param {MigrationEndpoint} it @returns {Values} */
export const valuesOf = (it) => {
  /** @type {Values} */
  const values = {
    Name: it.Identity, Type: it.EndpointType, Method: methodOf(it), RemoteServer: it.RemoteServer, Port: String(it.Port), Security: it.Security,
    AcceptUntrustedCertificates: it.AcceptUntrustedCertificates, GmailApi: it.GmailApiUrl !== null,
  };
  for (const name of ["CertificateSha256", "ServerProfile", "AuthMechanism", "UserName", "UserNameTemplate", "TenantId", "ApplicationId", "Scope", "TokenUrl"]) values[name] = /** @type {any} */ (it)[name] ?? "";
  for (const name of LIMITS) {
    const value = /** @type {any} */ (it)[name];
    values[name] = value === null ? "" : BYTES.includes(name) ? writtenBytes(value) : String(value);
  }
  return values;
};

/** A value as the service takes it. @param {string} name @param {any} value */
const sent = (name, value) => {
  if (SECRETS.includes(name)) return new Secret(value);
  if (BYTES.includes(name)) return parseBytes(value);
  if (NUMBERS.includes(name)) return /^\d+$/.test(value) ? Number(value) : value;
  return value;
};

/** Parameters that have a value, in the order of the form. @param {Values} values @returns {string[]} */
const shownNames = (values) => {
  const [needed, further] = parametersOf(values.Method, values.Type);
  const server = values.Type === "IMAP" ? ["RemoteServer", "Port", "Security", "AcceptUntrustedCertificates", "CertificateAuthorities", "CertificateSha256", "ServerProfile", "AuthMechanism"] : values.Type === "GoogleWorkspace" ? ["GmailApi"] : [];
  return [...server, ...LIMITS, ...needed, ...further];
};

/** The login of an administrator, if it is given. @param {Values} values */
const credential = (values) => ({ UserName: values.UserName ?? "", Password: values.Password ?? "" });

/** Request of `New-MigrationEndpoint`. @param {Values} values @returns {Record<string, any>} */
export const newRequest = (values) => {
  /** @type {Record<string, any>} */
  const request = { Name: values.Name, [values.Type]: true };
  for (const name of shownNames(values)) {
    if (name === "Password") request.Credential = credential(values);
    else if (name !== "UserName" && values[name]) request[name] = sent(name, values[name]);
  }
  if (values.TestMailbox) request.TestMailbox = values.TestMailbox;
  if (values.SkipVerification) request.SkipVerification = true;
  return request;
};

/** Request of `Set-MigrationEndpoint`: what differs from the saved endpoint. @param {MigrationEndpoint} before @param {Values} values @returns {Record<string, any>} */
export const changedRequest = (before, values) => {
  const was = valuesOf(before);
  /** @type {Record<string, any>} */
  const request = {};
  for (const name of shownNames(values)) {
    const value = values[name] ?? "";
    if (name === "Password") {
      if (values.Password || values.UserName !== was.UserName) request.Credential = credential(values);
    } else if (name === "UserName" || value === (was[name] ?? "")) continue;
    else if (value !== "") request[name] = sent(name, value);
    else if (was[name]) request[name] = LIMITS.slice(0, 2).includes(name) ? "" : null;
  }
  if (was.Method === "Admin" && values.Method === "Users") request.Credential = null;
  if (values.TestMailbox && Object.keys(request).length) request.TestMailbox = values.TestMailbox;
  if (values.SkipVerification && Object.keys(request).length) request.SkipVerification = true;
  return request;
};

/** Parameters that a test does not take. */
const UNTESTED = ["Name", "TestMailbox", "SkipVerification", "Credential", "GmailApi", "ServerProfile", "UserNameTemplate", "RefreshToken", ...LIMITS];

/** Request of `Test-MigrationServerAvailability` for what is typed. @param {Values} values @returns {Record<string, any>} */
export const testRequest = (values) => {
  const request = Object.fromEntries(Object.entries(newRequest(values)).filter(([name]) => !UNTESTED.includes(name)));
  if (values.Method === "Users" && values.TestUserName) request.Credential = { UserName: values.TestUserName, Password: values.TestPassword ?? "" };
  if (values.Method === "Admin" && values.UserName) request.Credential = credential(values);
  if (values.Method !== "Users" && values.TestMailbox) request.TestMailbox = values.TestMailbox;
  if (values.Type !== "IMAP") request.ShowInstructions = true;
  return request;
};

/** Request of `Test-MigrationEndpoint`, which uses what is saved. @param {Values} values @returns {Record<string, any>} */
export const savedTestRequest = (values) => {
  /** @type {Record<string, any>} */
  const request = {};
  if (values.Method === "Users" && values.TestUserName) request.Credential = { UserName: values.TestUserName, Password: values.TestPassword ?? "" };
  if (values.Method !== "Users" && values.TestMailbox) request.TestMailbox = values.TestMailbox;
  if (values.Type !== "IMAP") request.ShowInstructions = true;
  return request;
};
