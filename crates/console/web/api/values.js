/** Values of parameters that a request has and a command does not show. Pure. */

/** A secret, such as that of an application. */
export class Secret {
  /** @type {string} */
  #text;
  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }
  toJSON() {
    return this.#text;
  }
  /** Nothing that could be shown by mistake. */
  toString() {
    return "...";
  }
}

/** Content of a file, in base64. */
export class FileData {
  /** @type {string} */
  #base64;
  /** @param {string} name @param {string} base64 */
  constructor(name, base64) {
    this.name = name;
    this.#base64 = base64;
  }
  toJSON() {
    return this.#base64;
  }
}
