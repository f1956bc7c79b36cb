/** Elements as functions: `div({ class: "panel" }, h2("Users"))`. Preact's types check every property. */
import { h, Fragment, isValidElement } from "../vendor/preact.js";

/**
 * @template {keyof import("preact").JSX.IntrinsicElements} Name
 * @param {Name} name
 */
const element = (name) =>
  /**
   * @param {import("preact").JSX.IntrinsicElements[Name] | import("preact").VNode | readonly unknown[] | string | number | boolean | null} [first] properties, or a child
   * @param {import("preact").ComponentChild[]} children
   */
  (first, ...children) => {
    const isProperties =
      first !== null && typeof first === "object" && !Array.isArray(first) && !isValidElement(first) && !("subscribe" in first);
    return isProperties ? h(name, /** @type {any} */ (first), ...children) : h(name, null, /** @type {any} */ (first), ...children);
  };

export { h, Fragment };
export const a = element("a"), b = element("b"), bdi = element("bdi"), button = element("button"), code = element("code");
export const dd = element("dd"), dialog = element("dialog"), div = element("div"), dl = element("dl"), dt = element("dt");
export const footer = element("footer"), form = element("form"), h1 = element("h1"), h2 = element("h2"), h3 = element("h3");
export const header = element("header"), i = element("i"), input = element("input"), label = element("label"), li = element("li");
export const main = element("main"), nav = element("nav"), p = element("p"), path = element("path"), pre = element("pre");
export const section = element("section"), span = element("span"), svg = element("svg"), table = element("table");
export const tbody = element("tbody"), td = element("td"), th = element("th"), thead = element("thead"), tr = element("tr");
export const ul = element("ul");
