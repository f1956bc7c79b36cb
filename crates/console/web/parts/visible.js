/** Texts of servers as they can be shown: short, with nothing that hides or turns other characters. Pure. */

const LONGEST = 2000;
/** Control characters but the line feed, and those that change the direction of text. */
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** @param {string} text */
export const visible = (text) => {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(HIDDEN, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`);
};
