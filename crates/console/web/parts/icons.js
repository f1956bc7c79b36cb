/** Glyphs of 16 units, drawn with one stroke. A word stands beside each, so readers skip them. */
import { path, svg } from "./html.js";

const paths = {
  active: "M8 2a6 6 0 1 1-5.2 3M2.5 2v3.2h3.2",
  good: "M3 8.5l3.2 3L13 4.5",
  wait: "M8 4v4.3l2.6 1.6M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
  bad: "M8 5v4M8 11.4v.1M7.1 2.3L1.6 12a1 1 0 0 0 .9 1.5h11a1 1 0 0 0 .9-1.5L8.9 2.3a1 1 0 0 0-1.8 0z",
  idle: "M4 4h8v8H4z",
  home: "M2.5 7.5L8 2.5l5.5 5V13.5h-4v-4h-3v4h-4z",
  batch: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  endpoint: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1",
  log: "M4 2.5h8v11H4zM6 5.5h4M6 8h4M6 10.5h2.5",
  user: "M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM2.8 13.6c.5-2.6 2.5-4 5.2-4s4.7 1.4 5.2 4",
  key: "M6 10.5a3 3 0 1 1 2.4-1.2L14 3.7M11 6.6l1.8 1.8",
  settings: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3v3M6 10v3",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
  copy: "M5.5 5.5h8v8h-8zM2.5 10.5v-8h8",
  close: "M4 4l8 8M12 4l-8 8",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  mark: "M1.8 4h12.4v8.5H1.8zM1.8 4.4l6.2 4.4 6.2-4.4",
};

/** @typedef {keyof typeof paths} IconName */

/** @param {{ name: IconName }} props */
export const Icon = ({ name }) =>
  svg(
    {
      viewBox: "0 0 16 16", fill: "none", stroke: "currentColor", "stroke-width": "1.6", "stroke-linecap": "round",
      "stroke-linejoin": "round", "aria-hidden": "true",
    },
    path({ d: paths[name] }),
  );
