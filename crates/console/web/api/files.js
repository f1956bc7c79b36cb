/** Files of the reader: read here, and saved for the reader. Nothing of them is kept. */
import { FileData } from "./values.js";

/** Content of a file for a request. @param {string} name @param {Blob} content @returns {Promise<FileData>} */
export const fileData = (name, content) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(new FileData(name, String(reader.result).replace(/^[^,]*,/, "")));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(content);
});

/** Saves a file on the reader's disk. @param {string} name @param {Blob} content */
export const save = (name, content) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

/** Time that a slice of work may take, in milliseconds. */
const SLICE = 12;

/** Does a long work in slices, so that the page answers between them. @template T @param {Iterable<T>} work @param {(it: T) => void} take */
export const inSlices = async (work, take) => {
  let begun = performance.now();
  for (const it of work) {
    take(it);
    if (performance.now() - begun < SLICE) continue;
    await new Promise((resolve) => setTimeout(resolve));
    begun = performance.now();
  }
};
