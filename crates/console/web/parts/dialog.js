/** A dialog that is open as long as it exists. */
import { dialog, h2 } from "./html.js";
import { useEffect, useRef } from "../vendor/hooks.js";

/** @param {{ title: string, close: () => void, class?: string, children?: import("preact").ComponentChildren }} props */
export const Dialog = ({ title, close, class: kind, children }) => {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => box.current?.showModal(), []);
  return dialog({ ref: box, class: kind, "aria-labelledby": "dialog-title", onClose: close, onCancel: close }, h2({ id: "dialog-title" }, title), children);
};
