/** The batch that is being made. It is in this tab alone, and ends with the page. */
import { computed, signal } from "../../vendor/signals.js";
import { fileData, inSlices } from "../../api/files.js";
import { later } from "../../api/live.js";
import { answerOf, newBatch, testBatch } from "../../api/operations.js";
import { FileData } from "../../api/values.js";
import { decoded, reading, separatorOf, Sheet } from "./sheet.js";

/** @typedef {import("../../api/client.js").ServiceError} ServiceError */
/** @typedef {import("../../api/operations.js").MigrationBatchTest} MigrationBatchTest */

/** Time after a change after which the file is checked again. */
const PAUSE = 500;
/** Bytes that the service reads at most. */
const LARGEST = 10 * 1024 * 1024;
/** Bytes of a text that is read to find its separator. */
const HEAD = 10_000;

export class Draft {
  constructor() {
    /** @type {import("@preact/signals").Signal<Sheet | null>} */
    this.sheet = signal(null);
    /** Grows with each change of the sheet. */
    this.version = signal(0);
    /** Rows read so far, while a file is read. @type {import("@preact/signals").Signal<number | null>} */
    this.reading = signal(null);
    /** What the service says about the file as it is. @type {import("@preact/signals").Signal<MigrationBatchTest | null>} */
    this.judged = signal(null);
    this.isJudging = signal(false);
    /** @type {import("@preact/signals").Signal<ServiceError | null>} */
    this.error = signal(null);
    /** Rows in the list of problems, also those that are fixed now: nothing moves under the hand. @type {import("@preact/signals").Signal<number[]>} */
    this.listed = signal([]);
    /** Options by parameter. @type {import("@preact/signals").Signal<Record<string, any>>} */
    this.options = signal({ Start: true, TimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone });
    /** Endpoints that the reader chose; before that, `likely` ones are used. */
    this.source = signal("");
    this.target = signal("");
    /** Refusal of the batch itself. @type {import("@preact/signals").Signal<ServiceError | null>} */
    this.refused = signal(null);
    this.isReady = computed(() => Boolean(this.judged.value?.IsValid) && !this.isJudging.value);
    this.cancel = () => {};
    this.isOver = false;
    this.isDue = false;
  }

  get isEmpty() {
    return this.sheet.peek() === null;
  }

  end() {
    this.isOver = true;
    this.cancel();
  }

  /** @param {File} file */
  async takeFile(file) {
    if (file.size > LARGEST) return this.takeUnreadable(file);
    const octets = await file.arrayBuffer(), read = decoded(octets);
    if (!read) return this.takeUnreadable(file);
    await this.takeText(read.text, { name: file.name, size: file.size, encoding: read.encoding, raw: file });
  }

  /** A file that is no text: the service says why. @param {File} file */
  takeUnreadable(file) {
    this.show(new Sheet({ name: file.name, size: file.size, encoding: "", separator: ",", raw: file }));
  }

  /** @param {string} text @param {{ name: string, size: number, encoding: string, raw?: Blob }} [origin] */
  async takeText(text, origin) {
    const sheet = new Sheet({ ...(origin ?? { name: "", size: 0, encoding: "", raw: new Blob([text]) }), separator: separatorOf(text.slice(0, HEAD)) });
    this.reading.value = 0;
    await inSlices(reading(sheet, text), (row) => {
      sheet.take(row);
      if (sheet.rows.length % 5_000 === 0) this.reading.value = sheet.rows.length;
    });
    this.reading.value = null;
    this.show(sheet);
  }

  /** @param {Sheet | null} sheet */
  show(sheet) {
    this.listed.value = [];
    this.judged.value = null;
    this.error.value = null;
    this.sheet.value = sheet;
    this.version.value++;
    if (sheet) void this.judge();
  }

  /** Changes the sheet; it is checked again soon. @param {(sheet: Sheet) => void} change @param {boolean} [isTyping] true if the change goes on */
  change(change, isTyping = false) {
    const sheet = this.sheet.peek();
    if (!sheet) return;
    change(sheet);
    this.judged.value = null;
    this.cancel();
    if (isTyping) return;
    this.version.value++;
    this.cancel = later(() => void this.judge(), PAUSE);
  }

  /** @param {string} source @param {string} target */
  choose(source, target) {
    if (this.source.peek() === source && this.target.peek() === target) return;
    this.source.value = source;
    this.target.value = target;
    if (this.sheet.peek()) void this.judge();
  }

  /** The file of the sheet, for a request. */
  async file() {
    const sheet = this.sheet.peek();
    if (!sheet) throw new Error("there is no file");
    return fileData(sheet.origin.name || "users.csv", sheet.raw ?? new Blob([...sheet.pieces()]));
  }

  /** Lets the service check the file. */
  async judge() {
    const sheet = this.sheet.peek();
    if (!sheet || this.isOver) return;
    if (this.isJudging.peek()) return void (this.isDue = true);
    this.isJudging.value = true;
    const version = this.version.peek(), isRaw = Boolean(sheet.raw);
    try {
      const ends = { SourceEndpoint: this.source.peek() || undefined, TargetEndpoint: this.source.peek() ? this.target.peek() || undefined : undefined };
      const result = /** @type {MigrationBatchTest} */ (await answerOf(testBatch({ CSVData: await this.file(), ...ends })));
      this.error.value = null;
      if (version === this.version.peek() && sheet === this.sheet.peek()) {
        sheet.judge(result.Errors, isRaw);
        // Quotes that are wrong in the file are not in what was sent.
        const isHeld = sheet.wrong().length > 0 && result.IsValid;
        this.listed.value = [...new Set([...this.listed.peek(), ...sheet.wrong()])].sort((one, other) => one - other);
        this.judged.value = isHeld ? { ...result, IsValid: false } : result;
        this.version.value++;
      } else this.isDue = true;
    } catch (error) {
      this.error.value = /** @type {any} */ (error);
    }
    this.isJudging.value = false;
    if (this.isDue) {
      this.isDue = false;
      void this.judge();
    }
  }

  /** Options that have a value, as parameters of the batch. @returns {Record<string, any>} */
  parameters() {
    const { Start, TimeZone, ...options } = this.options.value;
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== "" && value !== false && value !== undefined).map(([name, value]) => [name, sent(name, value)]));
    /** @type {Record<string, any>} */
    const zone = given.StartAfter || given.CompleteAfter ? { TimeZone } : {};
    return { ...given, ...zone, SourceEndpoint: this.source.value, ...(this.target.value ? { TargetEndpoint: this.target.value } : {}), ...(Start ? { AutoStart: true } : {}) };
  }

  /** The change without the file's content, to be shown as a command. */
  command() {
    const { Name, ...rest } = this.parameters();
    return newBatch({ Name: Name ?? "", CSVData: new FileData(this.sheet.value?.origin.name || "users.csv", ""), ...rest });
  }

  /** Makes the batch. @returns {Promise<import("../../api/operations.js").MigrationBatch>} */
  async make() {
    const { Name, ...rest } = this.parameters();
    return answerOf(newBatch({ Name, CSVData: await this.file(), ...rest }));
  }
}

const LISTS = ["ExcludeFolders", "IncludeFolders", "Repair"];

/** A value as the service takes it. @param {string} name @param {any} value */
const sent = (name, value) => {
  if (LISTS.includes(name)) return Array.isArray(value) ? value : value.split(/\r?\n/).map((/** @type {string} */ it) => it.trim()).filter(Boolean);
  if (name === "FolderMap") return Object.fromEntries(value.split(/\r?\n/).filter((/** @type {string} */ it) => it.includes("=")).map((/** @type {string} */ it) => it.split(/=(.*)/s).slice(0, 2).map((part) => part.trim())));
  if (["MaxItems", "MaxMessageSize", "MaxDeletionPercent", "MaxDeletionCount"].includes(name) && /^\d+$/.test(value)) return Number(value);
  if (name === "AllowIncrementalSyncs") return value === "yes";
  return value;
};
