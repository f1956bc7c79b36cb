/** Users of one filter, page by page. Only pages that were in sight are held; the next one is known by its predecessor. */
import { signal } from "../vendor/signals.js";
import { usersPage } from "./operations.js";

/** @typedef {import("./operations.js").MigrationUser} MigrationUser */
/** A user with what its running pass told. @typedef {MigrationUser & { Total?: number, Rate?: number, Left?: number | null }} LiveUser */
/** @typedef {{ start?: string, rows: import("@preact/signals").Signal<LiveUser>[] }} Page */

const PAGE = 100;
/** Pages in sight are read again at most once in this time. */
const REFRESH = 1_000;

export class UserWindow {
  /** @param {Record<string, string | undefined>} filter */
  constructor(filter) {
    this.filter = filter;
    /** @type {Page[]} */
    this.pages = [];
    /** Begin of the page after the last one; `undefined` at the end. @type {string | undefined} */
    this.next = undefined;
    this.isComplete = false;
    /** Grows with each page that is read. */
    this.version = signal(0);
    /** @type {import("./client.js").ServiceError | undefined} */
    this.error = undefined;
    this.running = Promise.resolve();
    /** True if the pages in sight will be read again. */
    this.isDue = false;
    this.lastRead = 0;
    /** @type {[number, number]} */
    this.sight = [0, 0];
  }

  /** Users that are read; all of them when the last page is. */
  get length() {
    return this.pages.reduce((sum, page) => sum + page.rows.length, 0);
  }

  /** @param {number} index */
  at(index) {
    return this.pages[Math.floor(index / PAGE)]?.rows[index % PAGE];
  }

  /** Reads what is missing up to an index. @param {number} from @param {number} to */
  need(from, to) {
    this.sight = [from, to];
    const wanted = Math.ceil(Math.max(1, to) / PAGE);
    this.enqueue(async () => {
      while (!this.isComplete && this.pages.length < wanted) await this.append();
    });
  }

  /** Reads the pages in sight again, soon. */
  refresh() {
    if (this.isDue) return;
    this.isDue = true;
    setTimeout(() => this.readSight(), Math.max(0, this.lastRead + REFRESH - Date.now()));
  }

  readSight() {
    this.enqueue(async () => {
      this.isDue = false;
      this.lastRead = Date.now();
      const [from, to] = this.sight;
      if (!this.pages.length) await this.append();
      const last = Math.min(this.pages.length - 1, Math.floor(Math.max(0, to - 1) / PAGE));
      for (let at = Math.floor(from / PAGE); at <= last; at++) await this.read(at);
    });
  }

  /** Takes the numbers of running passes. @param {Record<string, any>[]} rows */
  progress(rows) {
    const byGuid = new Map(rows.map((row) => [row.Guid, row]));
    for (const row of this.pages.flatMap((page) => page.rows)) {
      const it = byGuid.get(row.peek().Guid);
      if (it) row.value = { ...row.peek(), SyncedItemCount: it.SyncedItemCount, SkippedItemCount: it.SkippedItemCount, BytesTransferred: it.BytesTransferred, Total: it.Total, Rate: it.Rate, Left: it.Left };
    }
  }

  /** @param {() => Promise<void>} work */
  enqueue(work) {
    this.running = this.running.then(work).then(() => (this.error = undefined), (error) => (this.error = error)).then(() => void this.version.value++);
  }

  async append() {
    this.pages.push({ start: this.next, rows: [] });
    await this.read(this.pages.length - 1).catch((error) => {
      this.pages.pop();
      throw error;
    });
  }

  /** Reads a page, and keeps the signals of users that it had before. @param {number} at */
  async read(at) {
    const page = /** @type {Page} */ (this.pages[at]);
    const { users, next } = await usersPage({ ...this.filter, ResultSize: PAGE, Continuation: page.start });
    const before = new Map(page.rows.map((row) => [row.peek().Guid, row]));
    page.rows = users.map((user) => {
      const row = before.get(user.Guid);
      if (!row) return signal(/** @type {LiveUser} */ (user));
      const { Total, Rate, Left } = row.peek(), isRunning = user.Status === row.peek().Status;
      row.value = isRunning ? { ...user, Total, Rate, Left } : user;
      return row;
    });
    if (at === this.pages.length - 1) {
      this.next = next;
      this.isComplete = next === undefined;
    }
    this.version.value++;
  }
}
