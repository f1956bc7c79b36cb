/** Server-sent events out of the pieces in which they arrive (HTML standard, section 9.2.6). Pure. */

/** @typedef {{ id: string, name: string, data: any }} ServerEvent */

/** Makes a function that takes the next piece, and returns the events that it completes. */
export const eventParser = () => {
  let rest = "";
  /** @param {string} piece @returns {ServerEvent[]} */
  return (piece) => {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.map(parse).filter((it) => it !== undefined);
  };
};

/** One event; nothing for a comment, or for data that is no JSON. @param {string} block @returns {ServerEvent | undefined} */
const parse = (block) => {
  /** @type {{ id: string, event: string, data: string, [name: string]: string }} */
  const fields = { id: "", event: "", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] += value ?? "";
  }
  if (!fields.event) return undefined;
  try {
    return { id: fields.id, name: fields.event, data: JSON.parse(fields.data) };
  } catch {
    return undefined;
  }
};

/** Rows of a `progress` event as objects. @param {{ Columns: string[], Rows: any[][] }} data @returns {Record<string, any>[]} */
export const progressRows = (data) => data.Rows.map((row) => Object.fromEntries(data.Columns.map((name, at) => [name, row[at]])));
