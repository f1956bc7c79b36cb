/** Second step: source and target, those that exist or a new one made here. */
import { button, div, h, h2, header, p, section } from "../../parts/html.js";
import { useState } from "../../vendor/hooks.js";
import { ChoiceField } from "../../parts/field.js";
import { t } from "../../parts/words.js";
import { EndpointForm } from "../endpoint-form.js";

/** @typedef {import("../../api/operations.js").MigrationEndpoint} MigrationEndpoint */

/** Name of the archive in the data directory, as the service takes it. */
export const ARCHIVE = "Archive";

/** @param {MigrationEndpoint} it */
const shown = (it) => /** @type {const} */ ([it.Identity, `${it.Identity} (${it.RemoteServer}:${it.Port})`]);

/** @param {{ draft: import("./draft.js").Draft, endpoints: MigrationEndpoint[] }} props */
export const EndpointsStep = ({ draft, endpoints }) => {
  const source = draft.source.value, target = draft.target.value;
  const [making, setMaking] = useState(/** @type {"source" | "target" | null} */ (null));
  const none = /** @type {const} */ (["", t("new.choose")]);
  const made = (/** @type {string} */ name) => {
    draft.choose(making === "source" ? name : source, making === "target" ? name : target);
    setMaking(null);
  };
  const field = (/** @type {"source" | "target"} */ side) => div({ class: "stack" },
    h(ChoiceField, {
      label: t(side === "source" ? "user.source" : "user.target"), name: side === "source" ? "SourceEndpoint" : "TargetEndpoint", refused: draft.refused.value, value: side === "source" ? source : target,
      options: side === "source" ? [none, ...endpoints.map(shown)] : [none, ...endpoints.map(shown), [ARCHIVE, t("new.archive")]],
      help: t(side === "source" ? "new.sourceHelp" : "new.targetHelp"), onInput: (it) => (side === "source" ? draft.choose(it, target) : draft.choose(source, it)),
    }),
    div(button({ class: "button", type: "button", "aria-expanded": making === side ? "true" : "false", onClick: () => setMaking(making === side ? null : side) }, t(side === "source" ? "new.makeSource" : "new.makeTarget"))));
  return div({ class: "stack" },
    section({ class: "panel", "aria-labelledby": "ends" }, header(h2({ id: "ends" }, t("endpoints"))), div({ class: "in stack" }, div({ class: "two" }, field("source"), field("target")),
      source && source === target && p({ class: "notice wait", role: "status" }, t("new.sameEnds")))),
    making && section({ class: "inset stack", "aria-label": t("endpoint.new") }, h2(t(making === "source" ? "new.makeSource" : "new.makeTarget")), h(EndpointForm, { key: making, saved: made })));
};
