/** A request as the commands that do the same. Made of the object that is sent; secrets never appear. Pure. */

import { FileData, Secret } from "./values.js";

/** @typedef {import("./operations.js").Change} Change */

/** Text in single quotes, as PowerShell and `mailhaul shell` read it. @param {unknown} value */
const quoted = (value) => (typeof value === "number" ? String(value) : `'${String(value).replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`);

/** True for a login, whose password must not be shown. @param {unknown} value */
const isCredential = (value) => typeof value === "object" && value !== null && "Password" in value;

/** A value of a parameter. @param {unknown} value @returns {string} */
const written = (value) => {
  if (value === null) return "$null";
  if (value instanceof Secret) return "(Read-Host -AsSecureString)";
  if (value instanceof FileData) return `([System.IO.File]::ReadAllBytes(${quoted(value.name)}))`;
  if (isCredential(value)) return `(Get-Credential ${quoted(/** @type {any} */ (value).UserName)})`;
  if (Array.isArray(value)) return value.map(quoted).join(",");
  if (typeof value === "object") return `@{${Object.entries(value).map(([name, it]) => `${quoted(name)}=${quoted(it)}`).join("; ")}}`;
  return quoted(value);
};

/** The cmdlet's line. @param {Change} change */
export const cmdletLine = ({ cmdlet, identity, parameters }) => {
  const words = identity === undefined ? [cmdlet] : [cmdlet, "-Identity", quoted(identity)];
  for (const [name, value] of Object.entries(parameters)) {
    if (value === true) words.push(`-${name}`);
    else if (value === false) words.push(`-${name}:$false`);
    else words.push(`-${name}`, written(value));
  }
  return words.join(" ");
};

/** Text in single quotes, as a POSIX shell reads it. @param {string} text */
const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Stands for the content of a file in the JSON text. */
const MARK = "\u0000file:";

/** A value in JSON, without its secret. @param {unknown} value */
const shown = (value) => {
  if (value instanceof Secret) return "...";
  if (value instanceof FileData) return `${MARK}${value.name}\u0000`;
  return isCredential(value) ? { .../** @type {any} */ (value), Password: "..." } : value;
};

/** The JSON text as a shell prints it, with the content of files in base64. @param {Record<string, any>} parameters */
const printed = (parameters) => {
  const json = JSON.stringify(Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, shown(value)])));
  const pieces = json.split(/\\u0000(?:file:)?/);
  return { isPlain: pieces.length === 1, words: pieces.map((it, at) => (at % 2 ? `"$(base64 -w0 ${shellQuoted(JSON.parse(`"${it}"`))})"` : shellQuoted(it))).join(" ") };
};

/** The same request with `curl`; the token comes from a variable, passwords are left out. @param {Change} change @param {string} origin */
export const curlLine = ({ method, path, parameters }, origin) => {
  const { isPlain, words } = printed(parameters);
  const head = `curl -X ${method} -H "Authorization: Bearer $MAILHAUL_TOKEN"`, address = shellQuoted(origin + path);
  if (method === "DELETE") return `${head} \\\n  ${address}`;
  const sent = isPlain ? words : "@-";
  const line = [`${head} -H 'Content-Type: application/json'`, `-d ${sent} ${address}`].join(" \\\n  ");
  return isPlain ? line : `printf %s ${words} |\n  ${line}`;
};
