/** First step: the file of users, its rows with problems, and their corrections. */
import { b, button, code, details, div, h, h2, header, input, label, option, p, pre, section, select, span, summary, table, tbody, td, textarea, th, thead, tr } from "../../parts/html.js";
import { useEffect, useMemo, useRef, useState } from "../../vendor/hooks.js";
import { save } from "../../api/files.js";
import { Icon } from "../../parts/icons.js";
import { Name, Said } from "../../parts/said.js";
import { rows } from "../../parts/rows.js";
import { Failed } from "../../parts/state.js";
import { bytes, count, plural, t } from "../../parts/words.js";
import { visible } from "../../parts/visible.js";
import { COLUMNS, isPassword, Sheet } from "./sheet.js";
import { meantColumn, proposalOf } from "./proposals.js";

/** @typedef {import("./draft.js").Draft} Draft */

/** Warnings that are shown at most. */
const SHOWN = 20;
const EXAMPLE = "EmailAddress,UserName,Password\nterry@contoso.edu,terry,secret\nann@contoso.edu,ann,secret";

/** @type {Record<string, import("../../parts/words.js").WordKey>} */
const separators = { ",": "separator.comma", ";": "separator.semicolon", "\t": "separator.tab" };

/** @param {{ draft: Draft }} props */
const Drop = ({ draft }) => {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null)), pasted = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [isOver, setOver] = useState(false), [isPasting, setPasting] = useState(false);
  const sheet = draft.sheet.value, origin = sheet?.origin;
  const take = (/** @type {File | undefined | null} */ file) => file && void draft.takeFile(file);
  const takeText = (/** @type {string} */ text) => {
    if (!text.trim()) return;
    setPasting(false);
    void draft.takeText(text);
  };
  useEffect(() => {
    if (isPasting) pasted.current?.focus();
    // Cells that are pasted anywhere but into a field.
    const onPaste = (/** @type {ClipboardEvent} */ event) => {
      const isField = event.target instanceof Element && event.target.closest("input, textarea");
      const file = event.clipboardData?.files[0];
      if (file && !isField) take(file);
      else if (!isField && draft.isEmpty) takeText(event.clipboardData?.getData("text/plain") ?? "");
    };
    addEventListener("paste", onPaste);
    return () => removeEventListener("paste", onPaste);
  }, [isPasting]);
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files[0]);
  };
  const facts = origin && sheet ? [origin.name || t("new.typed"), plural("rows.count", sheet.rows.length), origin.size ? bytes(origin.size) : "", origin.encoding, origin.name ? t(separators[origin.separator] ?? "separator.other") : ""].filter(Boolean) : [];
  return div({ class: `drop${isOver ? " over" : ""}`, onDrop: drop, onDragOver: (/** @type {DragEvent} */ event) => (event.preventDefault(), setOver(true)), onDragLeave: () => setOver(false) },
    h(Icon, { name: "file" }),
    div({ class: "grow" }, sheet ? p(facts.map((it, at) => [at > 0 && " · ", at === 0 ? b(h(Name, { key: it, text: it })) : it])) : p(b(t("new.drop"))),
      draft.reading.value !== null && p({ role: "status" }, t("new.reading", { rows: count(draft.reading.value) })), p({ class: "muted small" }, t("new.stays"))),
    div({ class: "chips" },
      button({ class: `button${sheet ? "" : " first"}`, type: "button", onClick: () => field.current?.click() }, t(sheet ? "new.otherFile" : "new.file")),
      button({ class: "button", type: "button", "aria-expanded": isPasting ? "true" : "false", onClick: () => setPasting(!isPasting) }, t("new.paste")),
      !sheet && button({ class: "button", type: "button", onClick: () => draft.show(Sheet.typed()) }, t("new.type"))),
    input({ ref: field, type: "file", hidden: true, accept: ".csv,.txt,.tsv,text/csv,text/plain", "aria-label": t("new.file"), onChange: (event) => {
      take(event.currentTarget.files?.[0]);
      event.currentTarget.value = "";
    } }),
    isPasting && div({ class: "paste stack" }, label({ class: "field" }, span(t("new.pasteHere")), textarea({ ref: pasted, rows: 6, spellcheck: false, autoComplete: "off" })),
      div({ class: "below" }, button({ class: "button", type: "button", onClick: () => setPasting(false) }, t("cancel")), button({ class: "button first", type: "button", onClick: () => takeText(pasted.current?.value ?? "") }, t("new.take")))));
};

/** Columns of the file, and what each is used as. @param {{ draft: Draft, sheet: Sheet }} props */
const Columns = ({ draft, sheet }) => {
  const undecided = sheet.columns.filter((it) => it.use === null).length, noHeader = sheet.fileProblems.some((it) => it.code === "NoHeader");
  const missing = COLUMNS.filter((it) => !sheet.columns.some((one) => one.use === it));
  if (noHeader) {
    const later = sheet.laterHeader() >= 0;
    return section({ class: "panel needs bad" }, div({ class: "in head" }, h(Icon, { name: "bad" }), div({ class: "grow" }, sheet.fileProblems.map((it) => p({ key: it.code }, h(Said, { text: `${it.message}${it.proposal ? `; ${it.proposal}` : ""}` })))),
      div({ class: "actions" }, button({ class: "button", type: "button", onClick: () => draft.change((it) => (later ? it.takeLaterHeader() : it.nameColumns())) }, t(later ? "new.laterHeader" : "new.nameColumns")))));
  }
  const problemOf = (/** @type {number} */ at) => sheet.fileProblems.find((it) => it.column === at);
  const body = div({ class: "wide-table", tabIndex: 0, role: "region", "aria-label": t("new.columns") }, table({ class: "small-table" },
    thead(tr(["new.column", "new.use", "new.wrong", "new.proposal"].map((it) => th({ key: it, scope: "col" }, t(/** @type {any} */ (it)))))),
    tbody(sheet.columns.map((it, at) => {
      const problem = problemOf(at), meant = problem && meantColumn(problem);
      return tr({ key: at }, td(it.name ? h(Name, { text: it.name }) : t("new.noName", { number: at + 1 })),
        td(select({ "aria-label": t("new.useOf", { name: visible(it.name) || at + 1 }), value: it.use ?? "?", onChange: (event) => draft.change((one) => one.use(at, event.currentTarget.value)) },
          it.use === null && option({ value: "?" }, t("new.undecided")), COLUMNS.map((name) => option({ key: name, value: name }, name)), option({ value: "" }, t("new.leftOut")))),
        td({ class: "why" }, problem && h(Said, { text: problem.message })),
        td(problem && button({ class: "button", type: "button", onClick: () => draft.change((one) => one.use(at, meant && COLUMNS.includes(meant) ? meant : "")) }, meant ? t("new.takeColumn", { name: meant }) : t("new.leaveColumn"))));
    }))),
    missing.length > 0 && div({ class: "chips" }, span({ class: "muted small" }, t("new.addColumn")), missing.map((it) => button({ key: it, class: "chip", type: "button", onClick: () => draft.change((one) => one.addColumn(it)) }, it))));
  const others = sheet.fileProblems.filter((it) => it.column < 0);
  const isOpen = undecided > 0 || sheet.fileProblems.length > 0;
  return section({ class: `panel${isOpen ? " needs bad" : ""}` }, div({ class: "in stack" },
    others.map((it) => p({ key: it.code + it.message, class: "why" }, h(Said, { text: `${it.message}${it.proposal ? `; ${it.proposal}` : ""}` }))),
    sheet.columns.length > 0 && details({ open: isOpen || undefined }, summary(t("new.columns"), " ", span({ class: "muted small" }, sheet.columns.map((it) => it.use).filter(Boolean).join(", "))), body)));
};

/** A row of the table: its index in the sheet. @typedef {{ index: number }} Row */

/** @param {{ draft: Draft, sheet: Sheet }} props */
const Rows = ({ draft, sheet }) => {
  const wrong = sheet.wrong(), [isAll, setAll] = useState(false), [wantsAll, setWantsAll] = useState(false);
  const listed = draft.listed.value, judged = draft.judged.value;
  // A table without problems, such as one that is typed, shows all rows.
  const all = wantsAll || isAll || listed.length === 0, total = all ? sheet.rows.length : listed.length;
  const at = (/** @type {number} */ position) => ({ index: all ? position : (listed[position] ?? 0) });
  const shown = sheet.columns.flatMap((it, index) => (it.use === "" ? [] : [{ ...it, index }]));
  const columns = /** @type {import("../../parts/rows.js").Column<Row>[]} */ ([
    { key: "row", name: t("new.row"), width: "80px", number: true, class: "state", cell: ({ index }) => count(sheet.numbers[index] ?? 0) },
    ...shown.map(({ name, use, index: column }) => ({
      key: String(column), name: use ?? name, class: "cell", width: use === "EmailAddress" ? "21%" : isPassword(use) ? "10%" : "12%",
      cell: (/** @type {Row} */ { index }) => {
        const isWrong = !sheet.left.has(index) && sheet.problems.get(index)?.some((it) => it.column === column);
        return input({ type: /** @type {any} */ (isPassword(use) ? "password" : "text"), value: sheet.cell(index, column), disabled: sheet.left.has(index), autoComplete: "off", spellcheck: false, "aria-invalid": isWrong ? "true" : undefined,
          "aria-label": t("new.cellOf", { column: visible(use ?? name), row: count(sheet.numbers[index] ?? 0) }), "aria-describedby": isWrong ? `why-${index}` : undefined, onFocus: (event) => void (isPassword(use) && event.currentTarget.select()),
          onInput: (event) => draft.change((it) => it.set(index, column, event.currentTarget.value), true), onChange: () => draft.change(() => {}) });
      },
    })),
    { key: "why", name: t("new.wrong"), class: "who", cell: ({ index }) => h(Why, { sheet, index, isFixed: listed.includes(index) && Boolean(judged) }) },
    { key: "do", name: t("new.proposal"), width: "190px", class: "what", cell: ({ index }) => h(Proposal, { draft, sheet, index }) },
  ]);
  const takeAll = () => draft.change((it) => wrong.forEach((row) => it.problems.get(row)?.slice(0, 1).forEach((problem) => proposalOf(it, row, problem).apply(it))));
  const hasMore = judged && judged.ErrorCount > judged.Errors.length;
  return section({ class: `panel${wrong.length ? " needs bad" : ""}`, "aria-labelledby": "found" },
    header(wrong.length > 0 ? span({ class: "bad" }, span({ class: "tone" }, h(Icon, { name: "bad" }))) : null, h2({ id: "found", "aria-live": "polite" }, wrong.length ? plural("new.need", wrong.length) : t("new.rows")),
      span({ class: "muted" }, draft.isJudging.value || !judged ? t("new.checking") : plural("new.fine", judged.UserCount)),
      hasMore && span({ class: "muted" }, t("new.more", { count: count(judged.ErrorCount) })),
      div({ class: "far chips" },
        listed.length > 0 && select({ "aria-label": t("new.shown"), value: all ? "all" : "wrong", onChange: (event) => {
          setWantsAll(event.currentTarget.value === "all");
          setAll(false);
          draft.listed.value = sheet.wrong();
        } }, option({ value: "wrong" }, t("new.shownWrong")), option({ value: "all" }, t("new.shownAll"))),
        wrong.length > 0 && button({ class: "button", type: "button", onClick: takeAll }, t("new.takeAll")),
        button({ class: "button quiet", type: "button", onClick: () => draft.change((it) => (it.addRow(), setAll(true))) }, t("new.addRow")),
        button({ class: "button quiet", type: "button", onClick: () => save("users.csv", new Blob([...sheet.pieces()], { type: "text/csv" })) }, t("new.save")))),
    rows({ label: t(all ? "new.shownAll" : "new.shownWrong"), columns, total, at, id: (it) => String(it.index), class: "sheet" }),
    div({ class: "foot" }, t("new.passwords"), span({ class: "far" }, t("new.ready", { ready: count(Math.max(0, sheet.count - wrong.length)), all: count(sheet.rows.length) }))));
};

/** @param {{ sheet: Sheet, index: number, isFixed: boolean }} props */
const Why = ({ sheet, index, isFixed }) => {
  if (sheet.left.has(index)) return span({ class: "muted small" }, t("new.isLeft"));
  const problems = sheet.problems.get(index);
  if (!problems) return isFixed ? span({ class: "small good" }, span({ class: "tone" }, h(Icon, { name: "good" })), " ", t("new.fixed")) : null;
  const text = problems.map((it) => `${it.column >= 0 && sheet.columns[it.column]?.use ? `${sheet.columns[it.column]?.use}: ` : ""}${it.message}${it.proposal ? `; ${it.proposal}` : ""}`).join(". ");
  return span({ class: "why", id: `why-${index}`, title: visible(text) }, h(Said, { text }));
};

/** @param {{ draft: Draft, sheet: Sheet, index: number }} props */
const Proposal = ({ draft, sheet, index }) => {
  if (sheet.left.has(index)) return button({ class: "button quiet small", type: "button", onClick: () => draft.change((it) => it.leaveOut(index, false)) }, t("new.takeBack"));
  const [problem] = sheet.problems.get(index) ?? [];
  if (!problem) return null;
  const fix = proposalOf(sheet, index, problem), values = Object.fromEntries(Object.entries(fix.values ?? {}).map(([name, value]) => [name, visible(String(value))]));
  const words = t(`fix.${fix.word}`, values);
  return button({ class: "button quiet small", type: "button", title: words, onClick: () => draft.change((it) => fix.apply(it)) }, span({ class: "cut" }, words));
};

/** What the service noticed and does by itself. @param {{ draft: Draft }} props */
const Noticed = ({ draft }) => {
  const judged = draft.judged.value;
  if (!judged || (judged.Warnings.length === 0 && Object.keys(judged.Domains).length < 1)) return null;
  const domains = Object.entries(judged.Domains).sort(([, one], [, other]) => other - one).slice(0, SHOWN);
  return section({ class: `panel${judged.Warnings.length ? " needs wait" : ""}` }, div({ class: "in stack" }, p(b(t("new.domains")), " ", domains.map(([name, users], at) => [at > 0 && ", ", h(Name, { key: name, text: name }), ` (${count(users)})`])),
    judged.Warnings.length > 0 && div(p(b(t("new.noticed"))), judged.Warnings.slice(0, SHOWN).map((it) => p({ key: it, class: "small" }, h(Said, { text: it }))),
      judged.Warnings.length > SHOWN && p({ class: "muted small" }, t("firstOf", { shown: SHOWN, all: count(judged.Warnings.length) })))));
};

/** @param {{ draft: Draft, likely: string }} props */
export const UsersStep = ({ draft, likely }) => {
  const sheet = draft.sheet.value;
  void draft.version.value;
  const example = useMemo(() => details(summary(t("new.example")), pre({ class: "quote" }, code(EXAMPLE)), p({ class: "muted small" }, t("new.exampleText"))), []);
  return div({ class: "stack" },
    section({ class: "panel", "aria-labelledby": "file" }, header(h2({ id: "file" }, t("new.users")), span({ class: "muted small" }, t("new.columnsText"))), div({ class: "in stack" }, h(Drop, { draft }), !sheet && example)),
    draft.error.value && h(Failed, { error: draft.error.value, again: () => void draft.judge() }),
    sheet && (sheet.columns.length > 0 || sheet.fileProblems.length > 0) && h(Columns, { draft, sheet }), sheet && sheet.rows.length > 0 && h(Rows, { draft, sheet }), h(Noticed, { draft }),
    sheet && p({ class: "muted small" }, draft.source.value ? t("new.judgedFor", { name: draft.source.value }) : likely ? "" : t("new.judgedAlone")));
};
