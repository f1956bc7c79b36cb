/** Values of settings: as a form shows them, as a request has them, and those that two people changed. Pure. */

/**
 * @typedef {"time" | "zone" | "text" | "span" | "lines" | "number" | "yes" | "choice" | "set"} Kind
 * @typedef {{ name: string, from: string, kind: Kind, when: "now" | "next", choices?: string[], isFixed?: boolean }} Setting
 *   `from` is the name in the object; `isFixed`: it cannot be empty
 * @typedef {Record<string, string>} Texts
 */

/** Text of a form for the value of an object. @param {Setting} setting @param {Record<string, any>} object @returns {string} */
export const textOf = (setting, object) => {
  const value = object[setting.from];
  if (value === null || value === undefined) return "";
  if (setting.kind === "time") return String(value).slice(0, 16);
  if (setting.kind === "lines" || setting.kind === "set") return /** @type {string[]} */ (value).join("\n");
  return String(value);
};

/** Value of a request for the text of a form; `null` removes it. @param {Setting} setting @param {string} text */
export const valueOf = (setting, text) => {
  const isEmpty = text.trim() === "";
  if (setting.kind === "yes") return text === "true";
  if (isEmpty && !setting.isFixed) return null;
  if (setting.kind === "number") return /^\d+$/.test(text.trim()) ? Number(text) : text;
  if (setting.kind === "lines" || setting.kind === "set") return text.split("\n").map((it) => it.trim()).filter(Boolean);
  return text.trim();
};

/** Parameters of a request for what was edited. A time is one of the zone: with another zone it is sent too. @param {Setting[]} settings @param {Texts} edits @param {Record<string, any>} object */
export const parametersOf = (settings, edits, object) => {
  /** @type {Record<string, any>} */
  const parameters = {};
  const isZoneNew = settings.some((it) => it.kind === "zone" && it.name in edits);
  for (const it of settings) {
    const text = edits[it.name] ?? (isZoneNew && it.kind === "time" ? textOf(it, object) || undefined : undefined);
    if (text !== undefined) parameters[it.name] = valueOf(it, text);
  }
  return parameters;
};

/**
 * Settings that were edited here and changed elsewhere, with both values.
 * @param {Setting[]} settings @param {Texts} edits @param {Record<string, any>} before @param {Record<string, any>} now
 */
export const conflicts = (settings, edits, before, now) =>
  settings.filter((it) => textOf(it, before) !== textOf(it, now)).map((it) => ({ setting: it, yours: edits[it.name] ?? textOf(it, before), theirs: textOf(it, now), isEdited: it.name in edits }));
