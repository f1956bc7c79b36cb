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
export const a = element("a"), b = element("b"), bdi = element("bdi"), button = element("button"), caption = element("caption");
export const code = element("code"), datalist = element("datalist"), dd = element("dd"), details = element("details"), dialog = element("dialog"), div = element("div");
export const dl = element("dl"), dt = element("dt"), fieldset = element("fieldset"), figure = element("figure"), footer = element("footer");
export const form = element("form"), g = element("g"), h1 = element("h1"), h2 = element("h2"), h3 = element("h3"), header = element("header");
export const i = element("i"), input = element("input"), kbd = element("kbd"), label = element("label"), legend = element("legend");
export const li = element("li"), line = element("line"), main = element("main"), nav = element("nav"), ol = element("ol");
export const option = element("option"), p = element("p"), path = element("path"), pre = element("pre"), rect = element("rect");
export const section = element("section"), select = element("select"), span = element("span"), summary = element("summary");
export const svg = element("svg"), table = element("table"), tbody = element("tbody"), td = element("td"), textMark = element("text");
export const textarea = element("textarea"), th = element("th"), thead = element("thead"), tr = element("tr"), ul = element("ul");
