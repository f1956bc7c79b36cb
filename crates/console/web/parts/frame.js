/** Head and menu around every page. */
import { a, button, div, h, header, nav, p, span, Fragment } from "./html.js";
import { signOut } from "../api/client.js";
import { lamp } from "../api/live.js";
import { may, session } from "../api/session.js";
import { refusal } from "./action.js";
import { Icon } from "./icons.js";
import { Name } from "./said.js";
import { route, to } from "./router.js";
import { serverWord, t, time } from "./words.js";

/** Address, name, glyph, and the least role that may read the page. @type {[string, import("./words.js").WordKey, import("./icons.js").IconName, import("../api/session.js").Session["Role"]][]} */
const places = [["", "overview", "home", "Viewer"], ["batches", "batches", "batch", "Viewer"], ["users", "users", "user", "Viewer"],
  ["endpoints", "endpoints", "endpoint", "Viewer"], ["audit", "audit", "log", "Admin"], ["tokens", "tokens", "key", "Admin"], ["settings", "settings", "settings", "Viewer"]];

const Lamp = () => {
  const { state, since } = lamp.value;
  const tone = { live: "good", connecting: "idle", reconnecting: "wait", away: "bad" }[state];
  return span({ class: `lamp ${tone}`, role: "status" }, t(`lamp.${state}`, { time: time(since) }));
};

/** Needs the service, which ends the session. */
const SignOut = () => {
  const isAway = lamp.value.state === "away";
  const onClick = () => {
    if (!isAway) void signOut().catch((error) => (refusal.value = error));
  };
  return button({ class: "button quiet", type: "button", "aria-disabled": isAway ? "true" : undefined, title: isAway ? t("away") : undefined, onClick }, t("signOut"));
};

/** True if others on the network path can read what is sent. */
const isReadable = location.protocol === "http:" && !["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);

/** @param {{ children: import("preact").ComponentChildren }} props */
export const Frame = ({ children }) => {
  const who = session.value, current = route.value.parts[0] ?? "";
  return h(Fragment, null,
    a({ class: "skip", href: "#main" }, t("skip")),
    header({ class: "top" },
      a({ class: "brand", href: to([]) }, h(Icon, { name: "mark" }), "mailhaul"),
      div({ class: "far" }, h(Lamp, null),
        who && span({ class: "small wide" }, h(Name, { text: who.Name }), ` · ${serverWord("role", who.Role)}`),
        who && h(SignOut, null))),
    nav({ class: "nav", "aria-label": t("main") }, places.filter(([, , , role]) => may(role)).map(([place, name, icon]) =>
      a({ key: place, href: to(place ? [place] : []), "aria-current": place === current ? "page" : undefined }, h(Icon, { name: icon }), t(name)))),
    isReadable && p({ class: "notice bad", role: "alert" }, t("clearText")),
    children);
};
