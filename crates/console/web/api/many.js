/** One change of several users, each by its own request, a few at a time. */
import { carryOut, changeUser } from "./operations.js";
import { refreshNow } from "./live.js";

/** @typedef {{ changed: number, refused: { name: string, message: string }[] }} ManyAnswer */

/** Requests at a time. */
const LANES = 4;

/** @param {"Start" | "Stop" | "Set" | "Remove"} verb @param {string[]} guids @param {Record<string, any>} parameters @returns {Promise<ManyAnswer>} */
export const changeEach = async (verb, guids, parameters) => {
  const left = [...guids];
  /** @type {ManyAnswer} */
  const answer = { changed: 0, refused: [] };
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (let guid = left.shift(); guid !== undefined; guid = left.shift()) {
      const name = guid;
      await carryOut(changeUser(verb, name, parameters)).then(() => answer.changed++, (error) => answer.refused.push({ name, message: error.message }));
    }
  }));
  refreshNow();
  return answer;
};
