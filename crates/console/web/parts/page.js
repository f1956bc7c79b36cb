/** Title of a page, and the focus on its heading when it is opened. */
import { useEffect } from "../vendor/hooks.js";
import { refusal } from "./action.js";
import { visible } from "./visible.js";

/** True until the first page is shown: it takes no focus. */
let isFirst = true;

/** @param {string} title */
export const usePage = (title) => {
  useEffect(() => {
    refusal.value = null;
    document.title = `${visible(title)} · mailhaul`;
    if (!isFirst) document.querySelector("h1")?.focus();
    isFirst = false;
  }, [title]);
};
