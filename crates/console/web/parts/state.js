/** What a page shows while its data is on the way, missing, or of another time. */
import { button, code, div, h, p, pre, section, span } from "./html.js";
import { useEffect, useState } from "../vendor/hooks.js";
import { lamp, later } from "../api/live.js";
import { Icon } from "./icons.js";
import { Said } from "./said.js";
import { t, time } from "./words.js";

/** Grey bars in the place of data; only after a moment, so that a quick answer does not flicker. */
export const Loading = () => {
  const [isShown, setShown] = useState(false);
  useEffect(() => later(() => setShown(true), 150), []);
  return div({ class: "loading", role: "status" }, span({ class: "unseen" }, isShown ? t("loading") : ""), isShown && [1, 2, 3].map((it) => div({ key: it, class: "grey" })));
};

/** @param {{ error: import("../api/client.js").ServiceError, again?: () => void }} props */
export const Failed = ({ error, again }) =>
  section({ class: "panel needs bad", role: "alert" }, div({ class: "in head" }, h(Icon, { name: "bad" }),
    div(p(error.status === 0 && !error.message ? t("error.network") : h(Said, { text: error.message })),
      p({ class: "muted small" }, error.status === 0 && !error.message ? t("error.networkAdvice") : h(Said, { text: error.advice }))),
    again && div({ class: "actions" }, button({ class: "button", type: "button", onClick: again }, t("tryAgain")))));

/** Tells that the numbers are old. @param {{ at: number }} props */
export const Stale = ({ at }) => (lamp.value.state === "away" && at ? p({ class: "notice bad", role: "status" }, t("stale", { time: time(at) })) : null);

/** Nothing there yet, with the one next step. @param {{ text: string, step?: string, commands?: string[] }} props */
export const Empty = ({ text, step, commands = [] }) =>
  section({ class: "panel" }, div({ class: "in stack" }, p(text), step && p({ class: "muted" }, step), commands.length > 0 && pre({ class: "quote" }, code(commands.join("\n")))));
