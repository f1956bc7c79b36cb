/** Texts of servers and users: always text nodes, never markup. */
import { bdi } from "./html.js";
import { visible } from "./visible.js";

/** A sentence of a server or of the service, in English. @param {{ text: string }} props */
export const Said = ({ text }) => bdi({ lang: "en" }, visible(text));

/** A name, such as an address. @param {{ text: string }} props */
export const Name = ({ text }) => bdi(visible(text));
