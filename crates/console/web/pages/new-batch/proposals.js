/** Corrections of rows that the service refused. They are offered, and never taken by themselves. Pure. */
import { isPassword } from "./sheet.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {import("./sheet.js").Problem} Problem */
/** What is proposed: its words, and the change. @typedef {{ word: "leave" | "column" | "write" | "empty" | "join" | "drop" | "fill" | "accept", values?: Record<string, string | number>, apply: (sheet: Sheet) => void }} Fix */

const INVISIBLE = /[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe]/g;
const QUOTES = /^["'`\u00ab\u00bb\u2018-\u201f]+|["'`\u00ab\u00bb\u2018-\u201f]+$/g;

/** The address that was probably meant. @param {string} cell */
export const meantAddress = (cell) => {
  const between = /<([^<>]*)>/.exec(cell)?.[1] ?? cell;
  const address = between.replace(INVISIBLE, "").replace(QUOTES, "").replace(/^(mailto|smtp):/i, "").replace(QUOTES, "");
  return /^[^@\s,;<>#"]+@[^@\s,;<>"]+$/.test(address) && address !== cell ? address : undefined;
};

/** @param {Sheet} sheet @param {number} row @param {Problem} problem @returns {Fix} */
export const proposalOf = (sheet, row, { code, column }) => {
  const cell = sheet.cell(row, column), cells = sheet.rows[row] ?? [], count = sheet.columns.length;
  const write = (/** @type {string} */ value) => /** @type {Fix} */ ({ word: "write", values: { value }, apply: (it) => it.set(row, column, value) });
  const replace = (/** @type {"join" | "drop" | "fill"} */ word, /** @type {string[]} */ after, /** @type {Record<string, number>} */ values = {}) => /** @type {Fix} */ ({
    word, values, apply: (it) => {
      it.touch(row);
      it.rows[row] = after;
    },
  });
  const leave = /** @type {Fix} */ ({ word: "leave", apply: (it) => it.leaveOut(row, true) });
  const isHidden = isPassword(sheet.columns[column]?.use ?? null);
  switch (code) {
    case "Address": {
      const address = meantAddress(cell);
      return address ? write(address) : leave;
    }
    case "QuotedName": return isHidden ? leave : write(cell.replace(QUOTES, ""));
    case "LineBreak": return isHidden ? leave : write(cell.replace(/[\r\n]+/g, " ").trim());
    case "UnclosedQuote": case "TextAfterQuote": case "BlankBeforeQuote": return { word: "accept", apply: (it) => it.touch(row) };
    case "NamelessCell": return column < 0 ? leave : { word: "empty", values: { column: column + 1 }, apply: (it) => it.set(row, column, "") };
    case "CellCount": {
      if (cells.length < count) return replace("fill", [...cells, ...Array(count - cells.length).fill("")]);
      if (cells.slice(count).every((it) => it === "")) return replace("drop", cells.slice(0, count));
      // The comma is most probably in a password: addresses and logins have none.
      const password = sheet.columns.findIndex((it) => isPassword(it.use)), first = password < 0 ? count - 1 : password, last = first + cells.length - count;
      return replace("join", [...cells.slice(0, first), cells.slice(first, last + 1).join(sheet.origin.separator), ...cells.slice(last + 1)], { from: first + 1, to: last + 1 });
    }
    case "NoTargetPassword": {
      const name = "TargetPassword";
      if (sheet.columns.some((it) => it.use === name)) return leave;
      return { word: "column", values: { name }, apply: (it) => void (it.columns.some((one) => one.use === name) || it.addColumn(name)) };
    }
    default: return leave;
  }
};

/** The use that the service proposes for a column: `did you mean "EmailAddress"?`. @param {Problem} problem */
export const meantColumn = ({ proposal }) => /"(\w+)"/.exec(proposal)?.[1];
