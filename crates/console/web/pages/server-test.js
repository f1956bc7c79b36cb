/** Test of a server: its steps as they end, the certificate, and what to do on the other side. */
import { b, button, dd, div, dl, dt, h, li, ol, p, section, span } from "../parts/html.js";
import { CopyLine } from "../parts/action.js";
import { Icon } from "../parts/icons.js";
import { Name, Said } from "../parts/said.js";
import { bytes, count, serverWord, t, time, utc } from "../parts/words.js";

/** @typedef {import("../api/operations.js").MigrationServerAvailability} Result */
/** @typedef {Result["Steps"][number]} Step */
/** A test: the steps so far, and its result at the end. @typedef {{ steps: Step[], result?: Result, isRunning: boolean }} Test */

/** @type {Record<string, import("../parts/status.js").Tone>} */
const tones = { Success: "good", Warning: "wait", Failed: "bad", Refused: "idle", Skipped: "idle" };

/** @param {{ step: Step }} props */
const StepLine = ({ step }) => {
  const tone = tones[step.Result] ?? "idle";
  return li({ class: tone }, span({ class: "tone" }, h(Icon, { name: tone })), b(h(Said, { text: step.Step })), span({ class: "unseen" }, serverWord("step", step.Result)), h(Said, { text: step.Detail }));
};

/** The certificate that was not trusted, if that is why the test failed. @param {Result} result */
const distrusted = (result) => {
  const [own] = result.Certificates;
  const isRefused = result.Steps.some((it) => it.Result === "Failed" && /certificate/i.test(it.Step));
  return own && result.Result === "Failed" && isRefused ? own : undefined;
};

/** @param {{ of: NonNullable<ReturnType<typeof distrusted>>, namesHost: boolean | null, host: string, pin?: (fingerprint: string) => void }} props */
const Distrusted = ({ of, namesHost, host, pin }) => section({ class: "panel needs wait", "aria-labelledby": "distrusted" }, div({ class: "in stack" },
  b({ id: "distrusted" }, namesHost === false ? t("pin.otherHost", { host }) : t("pin.unknown")),
  dl({ class: "pairs" },
    dt(t("pin.names")), dd(of.Names.length ? of.Names.map((it) => h(Name, { key: it, text: `${it} ` })) : h(Name, { text: of.Subject ?? "–" })),
    dt(t("pin.issuer")), dd(of.IsSelfSigned ? t("pin.selfSigned") : h(Name, { text: of.Issuer ?? "–" })),
    of.ValidTo && [dt({ key: "u" }, t("pin.until")), dd({ key: "v", title: utc(of.ValidTo) }, time(of.ValidTo))],
    dt("SHA-256"), dd({ class: "mono" }, h(Name, { text: of.Sha256 }))),
  p(t("pin.advice")),
  pin && div({ class: "below" }, button({ class: "button", type: "button", onClick: () => pin(of.Sha256) }, t("pin.do")))));

/** Facts of a test that went well. @param {{ of: Result }} props */
const Found = ({ of }) => dl({ class: "pairs" },
  of.ServerProfile && [dt({ key: "p" }, t("test.profile")), dd({ key: "pv" }, h(Said, { text: of.ServerProfile }))],
  of.FolderCount !== null && [dt({ key: "f" }, t("user.folders.all")), dd({ key: "fv" }, count(of.FolderCount))],
  of.MessageCount !== null && [dt({ key: "m" }, t("messages")), dd({ key: "mv" }, count(of.MessageCount))],
  of.ReadRate && [dt({ key: "r" }, t("rate.short")), dd({ key: "rv" }, t("perSecond", { size: bytes(of.ReadRate.BytesPerSecond) }))],
  of.ServerProfileDifferences.map((it) => [dt({ key: `${it}-t` }, t("test.note")), dd({ key: it }, h(Said, { text: it }))]));

/** @param {{ test: Test, pin?: (fingerprint: string) => void, useForm?: (form: string) => void }} props */
export const TestResult = ({ test, pin, useForm }) => {
  const { steps, result, isRunning } = test, refused = result && distrusted(result);
  return div({ class: "stack", role: "status" },
    ol({ class: "test-steps" }, steps.map((it, at) => h(StepLine, { key: at, step: it })), isRunning && li({ class: "active" }, span({ class: "tone" }, h(Icon, { name: "active" })), t("test.running"))),
    result && p({ class: `notice ${result.Result === "Success" ? "good" : "bad"}` }, h(Said, { text: result.Message })),
    result?.ErrorDetail && !result.Steps.some((it) => it.Detail === result.ErrorDetail) && p({ class: "quote" }, h(Said, { text: result.ErrorDetail })),
    refused && result && h(Distrusted, { of: refused, namesHost: result.CertificateNamesHost, host: result.RemoteServer, pin }),
    result?.AdminForm && useForm && div({ class: "head" }, p(t("test.form"), " ", b(h(Name, { text: result.AdminForm }))),
      div({ class: "actions" }, button({ class: "button", type: "button", onClick: () => useForm(result.AdminForm ?? "") }, t("test.useForm")))),
    result?.Result === "Success" && h(Found, { of: result }),
    result && result.Instructions.length > 0 && h(CopyLine, { label: t("test.otherSide"), text: result.Instructions.join("\n") }));
};
