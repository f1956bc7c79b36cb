/** Rows and cells of CSV texts and of cells that were pasted. Reads as the service does, and marks rows with a fault. Pure. */

/** Row in the file; `fault` is the rule that its quotes break. @typedef {{ number: number, cells: string[], fault: boolean }} CsvRow */

const SEPARATORS = [",", ";", "\t"];
const BLANK = /^[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe]*$/;

/** True if the text shows nothing. @param {string} text */
export const isBlank = (text) => BLANK.test(text);

/** Position behind the line end at a position, or the position itself. @param {string} text @param {number} at */
const behindEnd = (text, at) => (text[at] === "\r" ? at + (text[at + 1] === "\n" ? 2 : 1) : text[at] === "\n" ? at + 1 : at);

/** Position of the next line end, or of the end of the text. @param {string} text @param {number} at */
const endOfLine = (text, at) => {
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return at;
};

/** Lines before the header: Excel's `sep=;`, which does not count, and `#TYPE` of Windows PowerShell. @param {string} text */
const preamble = (text) => {
  let at = 0, lines = 0, separator = "";
  for (;;) {
    const end = endOfLine(text, at), line = text.slice(at, end), named = /^"?sep=([^\w"])/i.exec(line);
    if (named && !separator) separator = named[1] ?? "";
    else if (/^#TYPE /i.test(line) || (end === at && at < text.length)) lines++;
    else return { at, lines, separator };
    at = behindEnd(text, end);
  }
};

/** Character between the cells: that of which the first row has most. @param {string} text */
export const separatorOf = (text) => {
  const { at, separator } = preamble(text);
  if (separator) return separator;
  const line = text.slice(at, endOfLine(text, at));
  const most = SEPARATORS.map((it) => line.split(it).length), best = Math.max(...most);
  return SEPARATORS[most.indexOf(best)] ?? ",";
};

/** One cell that begins with a quote; nothing if the quote is not closed, or if text follows it. @param {string} text @param {number} from @param {string} separator */
const quoted = (text, from, separator) => {
  let cell = "", at = from + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return undefined;
    cell += text.slice(at, end);
    at = end + 1;
    if (text[at] !== '"') break;
    cell += '"';
    at++;
  }
  const isEnd = at >= text.length || text[at] === separator || text[at] === "\n" || text[at] === "\r";
  return isEnd ? { cell, at } : undefined;
};

/** Cells of a line whose quotes are wrong, as they were probably meant. @param {string} line @param {string} separator */
const meant = (line, separator) => line.split(separator).map((it) => it.trim().replace(/^"|"$/g, "").replaceAll('""', '"'));

/** Rows of a text, without empty lines; after a fault, reading goes on with the next line. @param {string} text @param {string} separator @returns {Generator<CsvRow>} */
export const csvRows = function* (text, separator) {
  let { at, lines: number } = preamble(text);
  while (at < text.length) {
    number++;
    const end = endOfLine(text, at);
    if (text.slice(at, end).split("").every((it) => it !== separator && isBlank(it))) {
      at = behindEnd(text, end);
      continue;
    }
    /** @type {string[]} */
    const cells = [];
    let fault = false;
    for (;;) {
      const start = at;
      if (text[at] === '"') {
        const read = quoted(text, at, separator);
        if (!read) {
          fault = true;
          at = endOfLine(text, start);
          cells.push(...meant(text.slice(start, at), separator));
          break;
        }
        cells.push(read.cell);
        at = read.at;
      } else {
        while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
        const cell = text.slice(start, at);
        if (/^\s+"/.test(cell)) {
          fault = true;
          at = endOfLine(text, start);
          cells.push(...meant(text.slice(start, at), separator));
          break;
        }
        cells.push(cell);
      }
      if (text[at] !== separator) break;
      at++;
    }
    at = behindEnd(text, at);
    yield { number, cells, fault };
  }
};

/** A cell as CSV. @param {string} cell */
const written = (cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** A row as CSV. @param {string[]} cells */
export const csvLine = (cells) => cells.map(written).join(",");
