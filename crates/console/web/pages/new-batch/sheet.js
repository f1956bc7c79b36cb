/** The users of a new batch as a table that can be changed: from a file, from pasted cells, or typed. Pure. */
import { csvLine, csvRows, isBlank, separatorOf } from "../../parts/csv.js";

/** Columns that the service knows. */
export const COLUMNS = ["EmailAddress", "UserName", "Password", "UserRoot", "TargetUserName", "TargetPassword"];
export const isPassword = (/** @type {string | null} */ name) => name === "Password" || name === "TargetPassword";

/** A column: its name in the file, and what it is used as; "" is left out, `null` is not decided. @typedef {{ name: string, use: string | null }} Column */
/** An error of the service: `column` is an index, -1 for the whole row. @typedef {{ column: number, code: string, message: string, proposal: string }} Problem */
/** @typedef {import("../../api/operations.js").MigrationBatchTest["Errors"][number]} ServiceProblem */

/** Errors of quotes, which are in the file alone: they stay until the row is touched. */
const FAULTS = ["UnclosedQuote", "TextAfterQuote", "BlankBeforeQuote"];
/** Rows in which the header is looked for. */
const SEARCHED = 11;
/** Rows of one piece of the file that is sent. */
const PIECE = 2_000;

/** A name without case and blanks. @param {string} name */
const key = (name) => name.toLowerCase().replace(/[\s\u200b-\u200f\ufeff]/g, "");
/** The known column of a name. @param {string} name */
const known = (name) => COLUMNS.find((it) => key(it) === key(name)) ?? null;

/** What a column without a name probably is. @param {string[]} cells of the first row @returns {Column[]} */
const guessed = (cells) => {
  const address = cells.findIndex((it) => it.includes("@")), others = COLUMNS.slice(1);
  return cells.map((_, at) => ({ name: "", use: (at === address ? COLUMNS[0] : others.shift()) ?? "" }));
};

export class Sheet {
  /** @param {{ name: string, size: number, encoding: string, separator: string, raw?: Blob }} origin */
  constructor(origin) {
    this.origin = origin;
    /** The file as it came, until something is changed. @type {Blob | undefined} */
    this.raw = origin.raw;
    /** @type {Column[]} */
    this.columns = [];
    this.headerNumber = 1;
    /** Cells of the rows below the header. @type {string[][]} */
    this.rows = [];
    /** Number of each row in the file. @type {number[]} */
    this.numbers = [];
    /** Rows that are left out. @type {Set<number>} */
    this.left = new Set();
    /** Rows whose quotes are wrong, and that are not touched yet. @type {Set<number>} */
    this.faults = new Set();
    /** Errors by the index of the row. @type {Map<number, Problem[]>} */
    this.problems = new Map();
    /** Errors of the file and of its header. @type {Problem[]} */
    this.fileProblems = [];
  }

  /** A table without a file. */
  static typed() {
    const sheet = new Sheet({ name: "", size: 0, encoding: "", separator: "," });
    sheet.columns = COLUMNS.slice(0, 3).map((it) => ({ name: it, use: it }));
    sheet.addRow();
    return sheet;
  }

  /** Takes a row of the file, the header first. @param {import("../../parts/csv.js").CsvRow} row */
  take({ number, cells, fault }) {
    if (this.columns.length === 0) {
      this.columns = cells.map((it) => ({ name: it, use: known(it) }));
      this.headerNumber = number;
      return;
    }
    if (cells.every(isBlank)) return;
    if (fault) this.faults.add(this.rows.length);
    this.rows.push(cells);
    this.numbers.push(number);
  }

  addRow() {
    this.changed();
    this.rows.push(this.columns.map(() => ""));
    this.numbers.push((this.numbers.at(-1) ?? this.headerNumber) + 1);
  }

  changed() {
    this.raw = undefined;
  }

  /** @param {number} row @param {number} column */
  cell(row, column) {
    return this.rows[row]?.[column] ?? "";
  }

  /** @param {number} row @param {number} column @param {string} value */
  set(row, column, value) {
    const cells = this.rows[row];
    if (!cells) return;
    this.touch(row);
    while (cells.length < column) cells.push("");
    cells[column] = value;
  }

  /** The reader has looked at the row: what its quotes mean is decided. @param {number} row */
  touch(row) {
    this.changed();
    this.faults.delete(row);
  }

  /** @param {number} row @param {boolean} isLeft */
  leaveOut(row, isLeft) {
    this.changed();
    if (isLeft) this.left.add(row);
    else this.left.delete(row);
  }

  /** Decides on a column; no other one keeps the same use. @param {number} column @param {string | null} use */
  use(column, use) {
    this.changed();
    this.columns = this.columns.map((it, at) => (at === column ? { ...it, use } : use && it.use === use ? { ...it, use: null } : it));
  }

  /** Adds a column without values. @param {string} name */
  addColumn(name) {
    this.changed();
    this.columns = [...this.columns, { name, use: name }];
    for (const cells of this.rows) if (cells.length === this.columns.length - 1) cells.push("");
  }

  /** Index of the row that names the columns, if it is not the first. */
  laterHeader() {
    return this.rows.slice(0, SEARCHED).findIndex((cells) => cells.filter((it) => known(it)).length * 2 >= cells.length);
  }

  /** Takes a later row as the header, and leaves the rows before out. */
  takeLaterHeader() {
    const at = this.laterHeader(), cells = this.rows[at];
    if (!cells) return;
    this.changed();
    this.headerNumber = this.numbers[at] ?? 1;
    this.columns = cells.map((it) => ({ name: it, use: known(it) }));
    this.cut(at + 1);
  }

  /** The first row is a user, and no header: columns get names by their content. */
  nameColumns() {
    this.changed();
    const first = this.columns.map((it) => it.name);
    this.rows = [first, ...this.rows];
    this.numbers = [this.headerNumber, ...this.numbers].map((it) => it + 1);
    this.faults = new Set([...this.faults].map((it) => it + 1));
    this.left = new Set();
    this.columns = guessed(first);
  }

  /** @param {number} count rows that go from the start */
  cut(count) {
    this.rows = this.rows.slice(count);
    this.numbers = this.numbers.slice(count);
    this.faults = new Set([...this.faults].map((it) => it - count).filter((it) => it >= 0));
    this.left = new Set();
  }

  /** Columns that are sent, by index. */
  sentColumns() {
    return this.columns.map((_, at) => at).filter((at) => this.columns[at]?.use !== "");
  }

  /** Cells of a row as they are sent. A row of another length is sent whole, so that the service names it. @param {number} row @param {number[]} sent */
  sentCells(row, sent) {
    const cells = this.rows[row] ?? [];
    return cells.length === this.columns.length ? sent.map((at) => cells[at] ?? "") : [...sent.map((at) => cells[at]).filter((it) => it !== undefined), ...cells.slice(this.columns.length)];
  }

  /** The file that is sent: each row keeps its number, because rows that are left out are empty lines. @returns {Generator<string>} */
  *pieces() {
    const sent = this.sentColumns();
    let line = 1;
    const upTo = (/** @type {number} */ number) => {
      const empty = "\r\n".repeat(Math.max(0, number - line));
      line = Math.max(line, number) + 1;
      return empty;
    };
    yield `${upTo(this.headerNumber)}${csvLine(sent.map((at) => this.columns[at]?.use ?? this.columns[at]?.name ?? ""))}\r\n`;
    let piece = "";
    for (let row = 0; row < this.rows.length; row++) {
      if (this.left.has(row)) continue;
      piece += `${upTo(this.numbers[row] ?? 0)}${csvLine(this.sentCells(row, sent))}\r\n`;
      if (row % PIECE === PIECE - 1) {
        yield piece;
        piece = "";
      }
    }
    yield piece;
  }

  /** Index of the row with a number in the file. @param {number} number */
  rowOf(number) {
    let from = 0, to = this.numbers.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.numbers[middle] ?? 0) < number) from = middle + 1;
      else to = middle;
    }
    return this.numbers[from] === number ? from : -1;
  }

  /** Takes the errors that the service found. @param {ServiceProblem[]} errors @param {boolean} isRaw true if the file was sent as it came */
  judge(errors, isRaw) {
    const sent = isRaw ? this.columns.map((_, at) => at) : this.sentColumns();
    const kept = [...this.problems].flatMap(([row, all]) => (this.faults.has(row) ? [[row, all.filter((it) => FAULTS.includes(it.code))]] : []));
    this.problems = new Map(/** @type {[number, Problem[]][]} */ (isRaw ? [] : kept));
    this.fileProblems = [];
    for (const it of errors) {
      const column = it.Column === null ? -1 : (sent[it.Column - 1] ?? -1);
      const named = it.ColumnName === null ? -1 : this.columns.findIndex((one) => one.use === it.ColumnName);
      const problem = { column: column >= 0 ? column : named, code: it.Code, message: it.Message, proposal: it.Proposal ?? "" };
      const row = it.Row === null ? -1 : this.rowOf(it.Row);
      if (row < 0) this.fileProblems.push(problem);
      else this.problems.set(row, [...(this.problems.get(row) ?? []), problem]);
    }
  }

  /** Rows that need the reader, in the order of the file. */
  wrong() {
    return [...this.problems.keys()].filter((it) => !this.left.has(it)).sort((one, other) => one - other);
  }

  /** Rows that are sent. */
  get count() {
    return this.rows.length - this.left.size;
  }

  /** A user's cells by the name of their columns. @param {number} row @returns {Record<string, string>} */
  user(row) {
    return Object.fromEntries(this.columns.flatMap((it, at) => (it.use ? [[it.use, this.cell(row, at)]] : [])));
  }
}

/** Encoding of a file, by its first bytes. @param {Uint8Array} octets */
const encodingOf = (octets) => (octets[0] === 0xff && octets[1] === 0xfe ? "utf-16le" : octets[0] === 0xfe && octets[1] === 0xff ? "utf-16be" : "utf-8");

/** The text of a file, and its encoding; nothing if it is no text. @param {ArrayBuffer} octets */
export const decoded = (octets) => {
  const encoding = encodingOf(new Uint8Array(octets));
  try {
    return { encoding: encoding.toUpperCase(), text: new TextDecoder(encoding, { fatal: true }).decode(octets) };
  } catch {
    return undefined;
  }
};

/** Steps that read a text into a sheet. @param {Sheet} sheet @param {string} text */
export const reading = (sheet, text) => csvRows(text, sheet.origin.separator);

export { separatorOf };
