/** A new batch in five steps. Nothing is on the service before the last one. */
import { a, button, div, h, h1, li, main, nav, ol, span } from "../parts/html.js";
import { useEffect, useMemo, useState } from "../vendor/hooks.js";
import { batches, endpoints } from "../api/operations.js";
import { refreshNow, useLive } from "../api/live.js";
import { commandOf, obstacle, question, toast } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Failed, Loading } from "../parts/state.js";
import { go, leaving, route, to, withQuery } from "../parts/router.js";
import { usePage } from "../parts/page.js";
import { plural, t } from "../parts/words.js";
import { Draft } from "./new-batch/draft.js";
import { CheckStep } from "./new-batch/check.js";
import { ARCHIVE, EndpointsStep } from "./new-batch/endpoints.js";
import { OPTIONS, OptionsStep } from "./new-batch/options.js";
import { StartStep } from "./new-batch/start.js";
import { UsersStep } from "./new-batch/users.js";

/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("../api/operations.js").MigrationBatch} MigrationBatch */

const STEPS = /** @type {const} */ (["users", "endpoints", "options", "check", "start"]);
/** @typedef {typeof STEPS[number]} Step */

/** Endpoints that the next batch will probably have: those of the newest one. @param {MigrationEndpoint[]} all @param {MigrationBatch[]} made @returns {[string, string]} */
const likelyEnds = (all, made) => {
  const newest = [...made].sort((one, other) => other.CreationDateTimeUTC.localeCompare(one.CreationDateTimeUTC))[0];
  const exists = (/** @type {string} */ name) => all.some((it) => it.Identity === name);
  return newest && exists(newest.SourceEndpoint) ? [newest.SourceEndpoint, exists(newest.TargetEndpoint) ? newest.TargetEndpoint : ARCHIVE] : ["", ""];
};

/** Reason why a step cannot be left forwards. @param {Draft} draft @param {Step} step */
const missing = (draft, step) => {
  const sheet = draft.sheet.value, wrong = sheet?.wrong().length ?? 0;
  if (!sheet) return t("new.noUsers");
  if (draft.isJudging.value || (!draft.judged.value && !draft.error.value)) return t("new.checking");
  if (step === "users") return draft.isReady.value ? undefined : wrong ? plural("new.need", wrong) : t("new.notAccepted");
  if (!draft.source.value || !draft.target.value) return t("new.noEnds");
  if (!draft.isReady.value) return wrong ? plural("new.need", wrong) : t("new.notAccepted");
  if (step !== "endpoints" && !draft.options.value.Name) return t("new.noName2");
  return undefined;
};

/** Asks before the page is left with something in it. @param {Draft} draft */
const useLeaving = (draft) => {
  useEffect(() => {
    leaving.current = (leave) => {
      if (draft.isEmpty) return leave();
      question.value = { title: t("new.leave.title"), text: t("new.leave.text"), label: t("new.leave"), run: leave };
    };
    const onUnload = (/** @type {BeforeUnloadEvent} */ event) => {
      if (!draft.isEmpty && !draft.isOver) event.preventDefault();
    };
    addEventListener("beforeunload", onUnload);
    return () => {
      leaving.current = null;
      removeEventListener("beforeunload", onUnload);
      draft.end();
    };
  }, [draft]);
};

/** @param {{ current: Step, draft: Draft }} props */
const Steps = ({ current, draft }) => ol({ class: "steps", "aria-label": t("new.steps") }, STEPS.map((it, at) => {
  const isReachable = STEPS.slice(0, at).every((before) => !missing(draft, before)) || at <= STEPS.indexOf(current);
  return li({ key: it, "aria-current": it === current ? "step" : undefined }, isReachable && it !== current ? a({ href: withQuery({ step: at ? it : undefined }) }, t(`step.${it}`)) : span(t(`step.${it}`)));
}));

/** @param {{ draft: Draft, step: Step }} props */
const Below = ({ draft, step }) => {
  const [isMaking, setMaking] = useState(false);
  const at = STEPS.indexOf(step), next = STEPS[at + 1], reason = missing(draft, step), why = next ? reason : (obstacle("Operator") ?? reason);
  const sheet = draft.sheet.value, wrong = sheet?.wrong() ?? [];
  const goTo = (/** @type {Step | undefined} */ it) => go(withQuery({ step: it === "users" ? undefined : it }));
  const leaveOut = () => {
    draft.change((it) => wrong.forEach((row) => it.leaveOut(row, true)));
  };
  const make = async () => {
    if (why || isMaking) return;
    setMaking(true);
    draft.refused.value = null;
    try {
      const made = await draft.make();
      draft.end();
      leaving.current = null;
      refreshNow();
      toast.value = t("new.made", { name: made.Identity });
      return go(to(["batches", made.Identity]));
    } catch (error) {
      const refused = /** @type {import("../api/client.js").ServiceError} */ (error);
      refused.parameter ??= OPTIONS.find((it) => refused.message.startsWith(it)) ?? (refused.code === "Conflict" ? "Name" : null);
      draft.refused.value = refused;
      if (OPTIONS.includes(refused.parameter ?? "")) goTo("options");
    }
    setMaking(false);
  };
  return div({ class: "below" },
    sheet && button({ class: "button quiet far", type: "button", onClick: () => (commandOf.value = draft.command()) }, h(Icon, { name: "copy" }), t("showCommand")),
    at > 0 && button({ class: "button", type: "button", onClick: () => goTo(STEPS[at - 1]) }, t("new.back")),
    wrong.length > 0 && button({ class: "button", type: "button", onClick: leaveOut }, plural("new.leaveOut", wrong.length)),
    wrong.length > 0 && step !== "users" && button({ class: "button", type: "button", onClick: () => goTo("users") }, t("new.toRows")),
    button({ class: "button first", type: "button", "aria-disabled": why || isMaking ? "true" : undefined, title: why, onClick: () => (next ? !why && goTo(next) : void make()) },
      next ? t("new.next", { step: t(`step.${next}`) }) : t(draft.options.value.Start ? "new.makeStart" : "new.make")),
    why && span({ class: "muted small reason", role: "status" }, why));
};

/** @param {{ draft: Draft, step: Step, ends: MigrationEndpoint[] }} props */
const Content = ({ draft, step, ends }) => {
  if (step === "endpoints") return h(EndpointsStep, { draft, endpoints: ends });
  if (step === "options") return h(OptionsStep, { draft });
  if (step === "check") return h(CheckStep, { draft, endpoints: ends });
  if (step === "start") return h(StartStep, { draft });
  return h(UsersStep, { draft, likely: draft.source.value });
};

export const NewBatch = () => {
  usePage(t("new.title"));
  const draft = useMemo(() => new Draft(), []);
  useLeaving(draft);
  const { data, error, again } = useLive("new batch", () => Promise.all([endpoints(), batches()]), (it) => it.Noun === "MigrationEndpoint");
  const asked = /** @type {Step} */ (route.value.query.get("step") ?? "users");
  // A step that was linked to is shown when all before it is there.
  const step = STEPS.includes(asked) && !draft.isEmpty ? asked : "users";
  useEffect(() => {
    if (!data || draft.source.peek()) return;
    draft.choose(...likelyEnds(data[0], data[1]));
  }, [data]);
  const refused = draft.refused.value;
  void draft.version.value;
  return main({ id: "main" },
    nav({ class: "crumbs", "aria-label": t("breadcrumb") }, a({ href: to(["batches"]) }, t("batches")), span({ "aria-hidden": "true" }, "/"), span({ "aria-current": "page" }, t("new.title"))),
    h1({ tabIndex: -1 }, t("new.title")), h(Steps, { current: step, draft }),
    error && !data ? h(Failed, { error, again }) : !data ? h(Loading, null) : h(Content, { draft, step, ends: data[0] }),
    refused && !(step === "options" && OPTIONS.includes(refused.parameter ?? "")) && h(Failed, { error: refused }),
    h(Below, { draft, step }));
};
