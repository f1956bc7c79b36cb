/**
 * A table of many rows of which only those in sight exist. It knows their number and asks for windows of them; readers are
 * told by aria-rowcount and aria-rowindex. All rows have the same height.
 */
import { a, div, h, span, table, tbody, td, th, thead, tr } from "./html.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { Icon } from "./icons.js";

/** Rows beyond both edges, so that a page down shows no gap. */
const MARGIN = 8;
const HEIGHT = 36;

/**
 * @template Row
 * @typedef {{ key: string, name: string, width?: string, number?: boolean, isUnnamed?: boolean, class?: string, sort?: string, cell: (row: Row) => import("preact").ComponentChild }} Column
 */
/**
 * @template Row
 * @typedef {{ label: string, columns: Column<Row>[], total: number, at: (index: number) => Row | undefined, id: (row: Row) => string,
 *   class?: string, selected?: string, sort?: { by: string, isDescending: boolean, link: (by: string) => string }, onWindow?: (from: number, to: number) => void }} Props
 */

/** @template Row @param {Props<Row>} props */
export const rows = (props) => h(/** @type {import("preact").FunctionComponent<any>} */ (Rows), props);

/** @template Row @param {Props<Row>} props */
const Rows = ({ label, columns, total, at, id, class: kind, selected, sort, onWindow }) => {
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [sight, setSight] = useState({ from: 0, to: 40, height: HEIGHT });
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => {
      const height = box.querySelector("tbody tr[aria-rowindex]")?.getBoundingClientRect().height || HEIGHT;
      const from = Math.max(0, Math.floor(box.scrollTop / height) - MARGIN);
      const to = Math.min(total, Math.ceil((box.scrollTop + box.clientHeight) / height) + MARGIN);
      setSight((was) => (was.from === from && was.to === to && was.height === height ? was : { from, to, height }));
      onWindow?.(from, to);
    };
    look();
    box.addEventListener("scroll", look, { passive: true });
    // Not within the observation: other rows may change the height of the box again.
    const size = new ResizeObserver(() => requestAnimationFrame(look));
    size.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      size.disconnect();
    };
  }, [total, onWindow]);
  const { from, height } = sight, to = Math.min(total, sight.to);
  const gap = (/** @type {number} */ missing) =>
    missing > 0 && tr({ class: "gap", "aria-hidden": "true" }, td({ colSpan: columns.length, style: { height: `${missing * height}px` } }));
  const shown = [];
  for (let index = from; index < to; index++) {
    const row = at(index);
    shown.push(tr({ key: row ? id(row) : `#${index}`, "aria-rowindex": index + 2, class: row && id(row) === selected ? "chosen" : undefined },
      columns.map((it) => td({ key: it.key, class: [it.number && "number", it.class].filter(Boolean).join(" ") || undefined }, row ? it.cell(row) : "…"))));
  }
  return div({ class: "scroller", ref: scroller, tabIndex: 0, role: "region", "aria-label": label },
    table({ class: kind ? `rows ${kind}` : "rows", "aria-rowcount": total + 1 },
      h("colgroup", null, columns.map((it) => h("col", { key: it.key, style: it.width ? { width: it.width } : undefined }))),
      thead(tr({ "aria-rowindex": 1 }, columns.map((it) => {
        const isSorted = Boolean(it.sort) && sort?.by === it.sort;
        return th({ key: it.key, scope: "col", class: it.number ? "number" : undefined, "aria-sort": isSorted ? (sort?.isDescending ? "descending" : "ascending") : undefined },
          it.sort && sort ? a({ href: sort.link(it.sort) }, it.name, isSorted && h(Icon, { name: sort.isDescending ? "down" : "up" })) : it.isUnnamed ? span({ class: "unseen" }, it.name) : it.name);
      }))),
      tbody(gap(from), shown, gap(total - to))));
};
