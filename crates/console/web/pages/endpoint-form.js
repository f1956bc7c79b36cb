/** Form of an endpoint, new or saved: server, sign-in and limits, test. */
import { button, code, details, div, form, h, h2, header, p, section, span, summary } from "../parts/html.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { answerOf, changeEndpoint, newEndpoint, testInSteps, testServer } from "../api/operations.js";
import { ServiceError } from "../api/client.js";
import { refreshNow } from "../api/live.js";
import { commandOf, obstacle, toast } from "../parts/action.js";
import { CheckField, ChoiceField, TextField } from "../parts/field.js";
import { FileField } from "../parts/file-field.js";
import { Icon } from "../parts/icons.js";
import { Failed } from "../parts/state.js";
import { t } from "../parts/words.js";
import { changedRequest, FILES, LIMITS, METHODS, newRequest, newValues, parametersOf, savedTestRequest, testRequest, TYPES, valuesOf } from "./endpoint-fields.js";
import { TestResult } from "./server-test.js";

/** @typedef {import("../api/operations.js").MigrationEndpoint} MigrationEndpoint */
/** @typedef {import("./endpoint-fields.js").Values} Values */
/** @typedef {{ values: Values, set: (changes: Values) => void, refused: ServiceError | null }} Part */

const PASSWORDS = ["Password", "ClientSecret", "RefreshToken", "AccessToken"];

/** Label of a parameter: words, and its name in commands. @param {string} name */
const labelOf = (name) => {
  const words = t(/** @type {any} */ (`p.${name}`));
  return words === name ? words : [words, " ", code({ class: "muted", key: "c" }, name)];
};

/** Field of a parameter. @param {{ name: string, of: Part, isRequired?: boolean, isSaved?: boolean, help?: string }} props */
const Parameter = ({ name, of, isRequired, isSaved, help }) => {
  const { values, set, refused } = of;
  const common = { label: labelOf(name), name, refused, help };
  if (FILES.includes(name)) return h(FileField, { ...common, value: values[name], onInput: (it) => set({ [name]: it }) });
  const isSecret = PASSWORDS.includes(name);
  return h(TextField, { ...common, value: values[name] ?? "", type: isSecret ? "password" : "text", required: isRequired && !(isSecret && isSaved), placeholder: isSecret && isSaved ? t("p.kept") : undefined, onInput: (text) => set({ [name]: text }) });
};

/** @param {{ of: Part, isSaved: boolean }} props */
const Server = ({ of, isSaved }) => {
  const { values, set, refused } = of, isImap = values.Type === "IMAP";
  const setType = (/** @type {string} */ it) => set({ Type: it, Method: METHODS[/** @type {import("./endpoint-fields.js").EndpointType} */ (it)][0] });
  const setSecurity = (/** @type {string} */ it) => set({ Security: it });
  return section({ class: "panel", "aria-labelledby": "server" }, header(h2({ id: "server" }, t("endpoint.server"))), div({ class: "in stack" },
    !isSaved && div({ class: "two" },
      h(ChoiceField, { label: t("endpoint.type"), name: "Type", value: values.Type, options: TYPES.map((it) => /** @type {const} */ ([it, t(`type.${it}`)])), onInput: setType, help: t(`type.${/** @type {"IMAP"} */ (values.Type)}.help`) }),
      h(Parameter, { name: "Name", of, isRequired: true, help: t("p.Name.help") })),
    isImap && div({ class: "three" },
      h(Parameter, { name: "RemoteServer", of, isRequired: true, help: t("p.RemoteServer.help") }),
      h(ChoiceField, { label: labelOf("Security"), name: "Security", value: values.Security, refused, options: [["Ssl", t("security.Ssl")], ["Tls", t("security.Tls")], ["None", t("security.None")]], onInput: setSecurity }),
      h(Parameter, { name: "Port", of, help: t("p.Port.help", { port: values.Security === "Ssl" ? 993 : 143 }) })),
    isImap && values.Security === "None" && p({ class: "notice bad", role: "alert" }, t("security.None.warning")),
    isImap && details(summary(t("endpoint.certificate")), div({ class: "stack" }, div({ class: "two" },
      h(Parameter, { name: "CertificateSha256", of, help: t("p.CertificateSha256.help") }),
      h(Parameter, { name: "CertificateAuthorities", of, help: t("p.CertificateAuthorities.help") })),
      h(CheckField, { label: t("p.AcceptUntrustedCertificates"), name: "AcceptUntrustedCertificates", checked: Boolean(values.AcceptUntrustedCertificates), help: t("p.AcceptUntrustedCertificates.help"), onInput: (it) => set({ AcceptUntrustedCertificates: it }) })))));
};

/** @param {{ of: Part, isSaved: boolean, methodBefore: string }} props */
const SignIn = ({ of, isSaved, methodBefore }) => {
  const { values, set, refused } = of, type = /** @type {import("./endpoint-fields.js").EndpointType} */ (values.Type);
  const [needed, further] = parametersOf(values.Method, type);
  const methods = METHODS[type].includes(values.Method) ? METHODS[type] : [...METHODS[type], values.Method];
  const isKept = isSaved && values.Method === methodBefore;
  return section({ class: "panel", "aria-labelledby": "sign-in-limits" }, header(h2({ id: "sign-in-limits" }, t("endpoint.signIn"))), div({ class: "in stack" },
    h(ChoiceField, { label: t("endpoint.method"), name: "Method", value: values.Method, options: methods.map((it) => /** @type {const} */ ([it, t(/** @type {any} */ (`method.${it}`))])), help: t(/** @type {any} */ (`method.${values.Method}.help`)), onInput: (it) => set({ Method: it }) }),
    needed.length + further.length > 0 && div({ class: "two" }, needed.map((it) => h(Parameter, { key: it, name: it, of, isRequired: true, isSaved: isKept })),
      further.map((it) => h(Parameter, { key: it, name: it, of, help: it === "UserNameTemplate" ? t("p.UserNameTemplate.help") : t("p.optional") }))),
    type === "GoogleWorkspace" && h(CheckField, { label: t("p.GmailApi"), name: "GmailApi", checked: Boolean(values.GmailApi), help: t("p.GmailApi.help"), onInput: (it) => set({ GmailApi: it }) }),
    details({ open: LIMITS.some((it) => refused?.parameter === it) || undefined }, summary(t("endpoint.limits")), div({ class: "three" }, LIMITS.map((it) => h(Parameter, { key: it, name: it, of, help: t(/** @type {any} */ (`p.${it}.help`)) })))),
    type === "IMAP" && details(summary(t("endpoint.further")), div({ class: "two" }, ["ServerProfile", "AuthMechanism"].map((it) => h(Parameter, { key: it, name: it, of, help: t(/** @type {any} */ (`p.${it}.help`)) }))))));
};

/** @param {{ of: Part }} props */
const TestLogin = ({ of }) => {
  const { values, set } = of;
  if (values.Method !== "Users") return h(Parameter, { name: "TestMailbox", of, help: t("p.TestMailbox.help") });
  return div({ class: "two" },
    h(TextField, { label: t("test.userName"), name: "TestUserName", value: values.TestUserName ?? "", help: t("test.userHelp"), onInput: (it) => set({ TestUserName: it }) }),
    h(TextField, { label: t("test.password"), name: "TestPassword", type: "password", value: values.TestPassword ?? "", onInput: (it) => set({ TestPassword: it }) }));
};

/** Parameters that a refusal may name, and the field of each. @type {Record<string, string>} */
const fields = { Credential: "Password", IMAP: "Type" };

/** The refusal at the field that it is about. @param {ServiceError} error @param {string[]} names */
const placed = (error, names) => {
  // A message begins with the parameter that is wrong.
  const named = error.parameter ?? names.find((it) => error.message.startsWith(it)) ?? null;
  error.parameter = named && (fields[named] ?? named);
  return error;
};

/** @param {unknown} error */
const asRefusal = (error) => (error instanceof ServiceError ? error : new ServiceError(0, { Message: String(error) }));

/** @param {{ before?: MigrationEndpoint, saved: (name: string) => void }} props */
export const EndpointForm = ({ before, saved }) => {
  const [values, setValues] = useState(() => (before ? valuesOf(before) : newValues()));
  const [refused, setRefused] = useState(/** @type {ServiceError | null} */ (null));
  const [test, setTest] = useState(/** @type {import("./server-test.js").Test | null} */ (null));
  const [isSaving, setSaving] = useState(false);
  const running = useRef(/** @type {AbortController | null} */ (null)), box = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(() => () => running.current?.abort(), []);
  const set = (/** @type {Values} */ changes) => {
    setValues((was) => ({ ...was, ...changes }));
    setRefused(null);
  };
  const of = { values, set, refused }, why = obstacle("Operator");
  const change = before ? changeEndpoint("Set", before.Identity, changedRequest(before, values)) : newEndpoint(newRequest(values));
  const isChanged = !before || Object.keys(change.parameters).length > 0;
  const isShown = refused?.parameter && box.current?.elements.namedItem(refused.parameter);
  const refuse = (/** @type {unknown} */ error) => setRefused(placed(asRefusal(error), [...new FormData(box.current ?? undefined).keys()]));

  const runTest = async (/** @type {Values} */ tested) => {
    if (why) return;
    running.current?.abort();
    const current = (running.current = new AbortController());
    setRefused(null);
    setTest({ steps: [], isRunning: true });
    const isSavedOne = before && Object.keys(changedRequest(before, { ...tested, TestMailbox: "" })).length === 0;
    const request = isSavedOne ? changeEndpoint("Test", before.Identity, savedTestRequest(tested)) : testServer(testRequest(tested));
    try {
      const onStep = (/** @type {any} */ step) => setTest((was) => was && { ...was, steps: [...was.steps, step] });
      const result = /** @type {import("./server-test.js").Result} */ (await testInSteps(request, onStep, current.signal));
      setTest({ steps: result.Steps, result, isRunning: false });
    } catch (error) {
      if (current.signal.aborted) return;
      setTest(null);
      refuse(error);
    }
  };
  const pin = (/** @type {string} */ fingerprint) => {
    const pinned = { ...values, CertificateSha256: fingerprint };
    setValues(pinned);
    void runTest(pinned);
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (why || isSaving || !isChanged) return;
    setSaving(true);
    setRefused(null);
    try {
      const { Identity } = /** @type {MigrationEndpoint} */ (await answerOf(change));
      refreshNow();
      toast.value = t(before ? "endpoint.saved" : "endpoint.made", { name: Identity });
      // The fields forget their secrets.
      setValues((was) => ({ ...was, ...Object.fromEntries([...PASSWORDS, "TestPassword"].map((it) => [it, ""])) }));
      saved(Identity);
    } catch (error) {
      refuse(error);
    }
    setSaving(false);
  };
  const reason = why ?? (isChanged ? undefined : t("endpoint.unchanged"));
  return form({ class: "stack", ref: box, onSubmit: submit, "aria-label": t(before ? "endpoint.edit" : "endpoint.new") },
    h(Server, { of, isSaved: Boolean(before) }), h(SignIn, { of, isSaved: Boolean(before), methodBefore: before ? valuesOf(before).Method : "" }),
    section({ class: "panel", "aria-labelledby": "test" }, header(h2({ id: "test" }, t("endpoint.test"))), div({ class: "in stack" }, p({ class: "muted" }, t("test.intro")),
      h(TestLogin, { of }),
      div({ class: "head" }, button({ class: "button", type: "button", "aria-disabled": why || test?.isRunning ? "true" : undefined, title: why, onClick: () => (test?.isRunning ? undefined : void runTest(values)) }, t(test ? "test.again" : "test.run")),
        test?.isRunning && button({ class: "button quiet", type: "button", onClick: () => (running.current?.abort(), setTest(null)) }, t("cancel"))),
      test && h(TestResult, { test, pin: values.Type === "IMAP" ? pin : undefined, useForm: values.Method === "Admin" && values.UserNameTemplate !== test.result?.AdminForm ? (it) => set({ UserNameTemplate: it }) : undefined }),
      h(CheckField, { label: t("p.SkipVerification"), name: "SkipVerification", checked: Boolean(values.SkipVerification), help: t("p.SkipVerification.help"), onInput: (it) => set({ SkipVerification: it }) }))),
    refused && !isShown && h(Failed, { error: refused }),
    div({ class: "below" },
      button({ class: "button quiet far", type: "button", onClick: () => (commandOf.value = change) }, h(Icon, { name: "copy" }), t("showCommand")),
      isSaving && span({ class: "muted", role: "status" }, t("endpoint.saving")),
      button({ class: "button first", type: "submit", "aria-disabled": reason || isSaving ? "true" : undefined, title: reason }, t(before ? "endpoint.save" : "endpoint.make"))));
};
