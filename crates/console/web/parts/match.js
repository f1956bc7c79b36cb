/** Entries by the words that someone types. Pure. */

const MOST = 12;

/**
 * Entries that have all words of the text, in a name or in another word for it; those that begin with it come first.
 * @template {{ text: string, kind: string, words: string }} Entry
 * @param {Entry[]} entries @param {string} text @returns {Entry[]}
 */
export const found = (entries, text) => {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = (/** @type {Entry} */ it) => `${it.text} ${it.kind} ${it.words}`.toLowerCase();
  const matching = entries.filter((it) => wanted.every((word) => all(it).includes(word)));
  const begins = (/** @type {Entry} */ it) => Boolean(wanted[0] && it.text.toLowerCase().startsWith(wanted[0]));
  return [...matching.filter(begins), ...matching.filter((it) => !begins(it))].slice(0, MOST);
};
