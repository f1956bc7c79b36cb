/** Texts in the reader's language; numbers, sizes and times as that language writes them. */
import { en } from "../words/en.js";

/** @typedef {keyof typeof en} WordKey */
/** @typedef {Record<string, string | number>} Values */

/** @type {Record<string, string>} */
let words = en;
let language = "en";

/** Languages that have a file; `xx` lengthens every text, so that tests find texts that are not here. */
const languages = ["en", "de", "xx"];

/** Loads the texts: `?language=` in the address, else the browser's first known language. */
export const loadWords = async () => {
  const asked = new URLSearchParams(location.search).get("language");
  const wanted = [asked ?? "", ...navigator.languages].map((it) => it.slice(0, 2).toLowerCase());
  language = wanted.find((it) => languages.includes(it)) ?? "en";
  if (language === "de") words = { ...en, ...(await import("../words/de.js")).de };
  if (language === "xx") words = Object.fromEntries(Object.entries(en).map(([key, text]) => [key, `[${text}~~~]`]));
  document.documentElement.lang = language === "xx" ? "en" : language;
};

/** Text of a key; `{name}` is replaced by a value. @param {WordKey} key @param {Values} [values] */
export const t = (key, values = {}) => fill(words[key] ?? en[key], values);

/** Text for a number: keys with `.one` and `.other`. @param {string} key @param {number} number @param {Values} [values] */
export const plural = (key, number, values = {}) => {
  const rule = new Intl.PluralRules(tag()).select(number);
  const text = words[`${key}.${rule}`] ?? words[`${key}.other`] ?? key;
  return fill(text, { number: count(number), ...values });
};

/** Text of a word of the service, such as a status; the word itself where there is none. @param {string} kind @param {string} word */
export const serverWord = (kind, word) => words[`${kind}.${word}`] ?? word.replace(/(?<=[a-z])(?=[A-Z])/g, " ");

/** @param {string} text @param {Values} values */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** The browser's own form of the language, such as `en-GB`. */
const tag = () => {
  const shown = language === "xx" ? "en" : language;
  return navigator.languages.find((it) => it.startsWith(shown)) ?? shown;
};

/** @param {number} number */
export const count = (number) => new Intl.NumberFormat(tag()).format(number);

/** @param {number} percent */
export const percentage = (percent) => new Intl.NumberFormat(tag(), { style: "percent" }).format(percent / 100);

const units = ["B", "KB", "MB", "GB", "TB"];

/** @param {number} number */
export const bytes = (number) => {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, number)) / 3)));
  return `${new Intl.NumberFormat(tag(), { maximumFractionDigits: step ? 1 : 0 }).format(number / 1000 ** step)} ${units[step]}`;
};

/** @param {number} seconds */
export const duration = (seconds) => {
  if (seconds < 60) return t("seconds", { number: Math.max(0, Math.round(seconds)) });
  if (seconds < 3600) return t("minutes", { number: Math.round(seconds / 60) });
  const minutes = String(Math.round((seconds % 3600) / 60)).padStart(2, "0");
  return t("hours", { hours: Math.floor(seconds / 3600), minutes });
};

/** Time of day today, else with the date. @param {string | number | Date} moment */
export const time = (moment) => {
  const date = new Date(moment);
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(tag(), isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" }).format(date);
};

/** The moment in UTC, for the tooltip of a time. @param {string} moment */
export const utc = (moment) => `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;
