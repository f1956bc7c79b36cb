/** Pasted cells: an address and a password in each line, matched with those that are expected. Pure. */

/** Separators of two cells, in the order in which they are tried. */
const SEPARATORS = ["\t", ";", ","];

/**
 * @typedef {"noPassword" | "unknown" | "twice"} Problem
 * @typedef {{ line: number, address: string, password: string, problem?: Problem }} PastedRow
 */

/** Splits at the first separator that the line has, else at the first blank. Blanks around a cell of a spreadsheet belong to it. @param {string} text @returns {[string, string]} */
const cells = (text) => {
  const found = SEPARATORS.find((it) => text.includes(it)) ?? " ", at = text.indexOf(found);
  if (at < 0) return [text, ""];
  const rest = text.slice(at + 1);
  return [text.slice(0, at), found === "\t" ? rest : rest.trim()];
};

/** Removes the quotes that a spreadsheet writes around a cell. @param {string} cell */
const unquoted = (cell) => (/^".*"$/s.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell);

/**
 * Rows of the text. A password may have blanks and separators in it: only the first separator counts.
 * @param {string} text @param {Iterable<string>} addresses those that are expected @returns {PastedRow[]}
 */
export const pastedRows = (text, addresses) => {
  const known = new Set([...addresses].map((it) => it.toLowerCase())), seen = new Set();
  const rows = [];
  for (const [at, whole] of text.split(/\r\n|\r|\n/).entries()) {
    if (!whole.trim()) continue;
    const [left, right] = cells(whole);
    const address = unquoted(left.trim()), password = unquoted(right);
    // A heading is no user.
    if (!address.includes("@") && rows.length === 0) continue;
    const key = address.toLowerCase();
    /** @type {Problem | undefined} */
    const problem = !known.has(key) ? "unknown" : !password.trim() ? "noPassword" : seen.has(key) ? "twice" : undefined;
    if (!problem) seen.add(key);
    rows.push({ line: at + 1, address, password, problem });
  }
  return rows;
};
