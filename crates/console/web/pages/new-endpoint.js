/** A new endpoint. */
import { a, h, h1, main, nav, span } from "../parts/html.js";
import { go, to } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { t } from "../parts/words.js";
import { EndpointForm } from "./endpoint-form.js";

export const NewEndpoint = () => {
  usePage(t("endpoint.new"));
  return main({ id: "main", class: "narrow" },
    nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["endpoints"]) }, t("endpoints")), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, t("endpoint.new"))),
    h1({ tabIndex: -1 }, t("endpoint.new")),
    h(EndpointForm, { saved: (name) => go(to(["endpoints", name])) }));
};
