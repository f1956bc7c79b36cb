/** A quantity over time as SVG: sharp on paper, in the colours of the theme, and also as a table. */
import { details, div, figure, g, h, line, path, rect, summary, svg, table, tbody, td, textMark, th, thead, tr } from "./html.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { t } from "./words.js";

const TALL = 160, LEFT = 78, LOW = 20, TOP = 6;
/** Rows of the table at most: of more points, each row is the mean of several. */
const ROWS = 60;

/** The next round number above. @param {number} most */
const roundedUp = (most) => {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return Math.max(1, Math.ceil(most / step) * step);
};

/**
 * @typedef {{ at: string, value: number }} Point the moment as text, and the quantity
 * @param {{ label: string, points: Point[], unit: (value: number) => string, shaded?: [number, number][] }} props `shaded`: parts of the time, as indexes of points
 */
export const Chart = ({ label, points, unit, shaded = [] }) => {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [wide, setWide] = useState(800);
  useEffect(() => {
    const size = new ResizeObserver(([it]) => it && setWide(Math.max(240, Math.round(it.contentRect.width))));
    if (box.current) size.observe(box.current);
    return () => size.disconnect();
  }, []);
  const top = roundedUp(Math.max(0, ...points.map((it) => it.value)));
  const x = (/** @type {number} */ at) => LEFT + (at / Math.max(1, points.length - 1)) * (wide - LEFT - 2);
  const y = (/** @type {number} */ value) => (TALL - LOW - TOP) * (1 - value / top) + TOP;
  const drawn = points.map((it, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(it.value).toFixed(1)}`).join("");
  const first = points[0], last = points.at(-1);
  return figure({ class: "chart", ref: /** @type {any} */ (box) },
    svg({ viewBox: `0 0 ${wide} ${TALL}`, role: "img", "aria-label": label },
      shaded.map(([from, to]) => rect({ key: from, class: "shaded", x: x(from), y: TOP, width: Math.max(2, x(to) - x(from)), height: TALL - LOW - TOP })),
      [0, 0.5, 1].map((share) => g({ key: share }, line({ class: "grid", x1: LEFT, x2: wide, y1: y(top * share), y2: y(top * share) }),
        textMark({ x: LEFT - 8, y: y(top * share) + 4, "text-anchor": "end" }, share ? unit(top * share) : "0"))),
      points.length > 1 && path({ class: "area", d: `${drawn}L${x(points.length - 1).toFixed(1)} ${y(0)}L${LEFT} ${y(0)}Z` }),
      path({ class: "line", d: drawn }),
      first && textMark({ x: LEFT, y: TALL - 3 }, first.at),
      last && textMark({ x: wide - 2, y: TALL - 3, "text-anchor": "end" }, last.at)),
    h(AsTable, { label, points, unit }));
};

/** The same numbers in rows. @param {{ label: string, points: Point[], unit: (value: number) => string }} props */
const AsTable = ({ label, points, unit }) => {
  const each = Math.ceil(points.length / ROWS) || 1;
  const rows = [];
  for (let at = 0; at < points.length; at += each) {
    const part = points.slice(at, at + each);
    rows.push({ at: part[0]?.at ?? "", value: part.reduce((sum, it) => sum + it.value, 0) / part.length });
  }
  return details(summary(t("chart.table")), div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": label },
    table({ class: "small-table" }, thead(tr(th({ scope: "col" }, t("time")), th({ scope: "col", class: "number" }, label))),
      tbody(rows.map((it) => tr({ key: it.at }, td(it.at), td({ class: "number" }, unit(it.value))))))));
};
