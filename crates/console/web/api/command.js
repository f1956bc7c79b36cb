/** A request as the commands that do the same. Made of the object that is sent; secrets never appear. Pure. */

/** @typedef {import("./operations.js").Change} Change */

/** Text in single quotes, as PowerShell and `mailhaul shell` read it. @param {unknown} value */
const quoted = (value) => (typeof value === "number" ? String(value) : `'${String(value).replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`);

/** True for a login, whose password must not be shown. @param {unknown} value */
const isCredential = (value) => typeof value === "object" && value !== null && "Password" in value;

/** The cmdlet's line. @param {Change} change */
export const cmdletLine = ({ cmdlet, identity, parameters }) => {
  const words = [cmdlet, "-Identity", quoted(identity)];
  for (const [name, value] of Object.entries(parameters)) {
    if (value === true) words.push(`-${name}`);
    else if (value === false) words.push(`-${name}:$false`);
    else if (isCredential(value)) words.push(`-${name}`, `(Get-Credential ${quoted(/** @type {any} */ (value).UserName)})`);
    else words.push(`-${name}`, quoted(value));
  }
  return words.join(" ");
};

/** Text in single quotes, as a POSIX shell reads it. @param {string} text */
const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request with `curl`; the token comes from a variable, a password from a prompt. @param {Change} change @param {string} origin */
export const curlLine = ({ method, path, parameters }, origin) => {
  const shown = Object.entries(parameters).map(([name, value]) => [name, isCredential(value) ? { .../** @type {any} */ (value), Password: "..." } : value]);
  return [
    `curl -X ${method} -H "Authorization: Bearer $MAILHAUL_TOKEN" -H 'Content-Type: application/json'`,
    `-d ${shellQuoted(JSON.stringify(Object.fromEntries(shown)))} ${shellQuoted(origin + path)}`,
  ].join(" \\\n  ");
};
