/** A field for a file of the reader. Only its name is shown. */
import { div, h, input, span } from "./html.js";
import { fileData } from "../api/files.js";
import { Labelled } from "./field.js";
import { Name } from "./said.js";

/** @typedef {import("../api/values.js").FileData} FileData */

/** @param {import("./field.js").Common & { value?: FileData, accept?: string, onInput: (file: FileData | undefined) => void }} props */
export const FileField = ({ value, accept, onInput, ...common }) => h(Labelled, {
  ...common,
  control: (about) => div({ class: "file" },
    input({ ...about, type: "file", accept, onChange: async (event) => {
      const file = event.currentTarget.files?.[0];
      onInput(file && (await fileData(file.name, file)));
    } }),
    value && span({ class: "muted small" }, h(Name, { text: value.name }))),
});
