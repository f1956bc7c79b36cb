/** Sign-in with a token. */
import { button, code, div, form, h, h1, input, label, main, p, pre, section, span } from "../parts/html.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { signIn } from "../api/client.js";
import { hasEnded } from "../api/session.js";
import { Icon } from "../parts/icons.js";
import { Failed } from "../parts/state.js";
import { t } from "../parts/words.js";

/** @param {{ problem?: string }} props */
export const SignIn = ({ problem }) => {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [error, setError] = useState(/** @type {import("../api/client.js").ServiceError | undefined} */ (undefined));
  const [isRunning, setRunning] = useState(false);
  useEffect(() => {
    document.title = `${t("signIn")} · mailhaul`;
    field.current?.focus();
  }, []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = field.current;
    if (!given?.value.trim() || isRunning) return;
    setRunning(true);
    setError(undefined);
    const token = given.value.trim();
    // The field forgets the token, whatever comes.
    given.value = "";
    await signIn({ Token: token }).then(() => (hasEnded.value = false), (refused) => {
      setError(refused);
      setRunning(false);
      given.focus();
    });
  };
  return main({ id: "main", class: "sign-in" }, section({ class: "panel" }, div({ class: "in stack" },
    div({ class: "brand" }, h(Icon, { name: "mark" }), "mailhaul"),
    h1(t("signIn")), p(t("signIn.intro")),
    hasEnded.value && p({ class: "notice wait", role: "status" }, t("signIn.ended")), problem && p({ class: "notice bad", role: "alert" }, problem),
    error && h(Failed, { error }),
    form({ class: "stack", onSubmit: submit },
      label({ class: "field" }, span(t("token")), input({ ref: field, name: "token", type: "password", autoComplete: "off", spellcheck: false, "aria-invalid": error ? "true" : undefined })),
      button({ class: "button first", type: "submit", "aria-disabled": isRunning ? "true" : undefined }, t("signIn"))),
    p({ class: "muted small" }, t("signIn.make")), pre({ class: "quote" }, code("mailhaul token new --name ada --role Operator")),
    p({ class: "muted small" }, t("signIn.ticket")), pre({ class: "quote" }, code("mailhaul console")))));
};
