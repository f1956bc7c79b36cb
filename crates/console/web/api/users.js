/** Users of one filter in one order. Only the pages in sight are read, and few of the others are held. */
import { signal } from "../vendor/signals.js";
import { usersPage } from "./operations.js";

/** @typedef {import("./operations.js").MigrationUser} MigrationUser */
/** A user with what its running pass told. @typedef {MigrationUser & { Rate?: number, Left?: number | null }} LiveUser */
/** @typedef {import("@preact/signals").Signal<LiveUser>} UserRow */

/** Users of a page. */
const PAGE = 100;
/** Pages that are held; the one that was read first goes for a new one. */
const MAX_PAGES = 50;
/** Pages in sight are read again at most once in this time. */
const REFRESH = 1_000;

export class UserWindow {
  /** @param {Record<string, string | boolean | undefined>} filter */
  constructor(filter) {
    this.filter = filter;
    /** By the index of the page. @type {Map<number, UserRow[]>} */
    this.pages = new Map();
    /** Users that match the filter; `undefined` before the first answer. @type {import("@preact/signals").Signal<number | undefined>} */
    this.total = signal(undefined);
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

  /** @param {number} index */
  at(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Identities of the users that are held. @returns {string[]} */
  inHand() {
    return [...this.pages.values()].flat().map((row) => row.peek().Guid);
  }

  /** Reads what is missing between two indexes. @param {number} from @param {number} to */
  need(from, to) {
    this.sight = [from, to];
    this.enqueue(async () => {
      // What was passed by in the meantime is not read.
      for (const page of this.inSight()) if (!this.pages.has(page)) await this.read(page);
    });
  }

  /** Reads the pages in sight again, soon. */
  refresh() {
    if (this.isDue) return;
    this.isDue = true;
    setTimeout(() => {
      this.enqueue(async () => {
        this.isDue = false;
        this.lastRead = Date.now();
        for (const page of this.inSight()) await this.read(page);
      });
    }, Math.max(0, this.lastRead + REFRESH - Date.now()));
  }

  /** Takes the numbers of running passes. @param {Record<string, any>[]} rows */
  progress(rows) {
    const byGuid = new Map(rows.map((row) => [row.Guid, row]));
    for (const row of [...this.pages.values()].flat()) {
      const it = byGuid.get(row.peek().Guid);
      if (it) {
        row.value = {
          ...row.peek(), SyncedItemCount: it.SyncedItemCount, SkippedItemCount: it.SkippedItemCount, BytesTransferred: it.BytesTransferred,
          TotalItemsInSourceMailboxCount: it.Total, Rate: it.Rate, Left: it.Left,
        };
      }
    }
  }

  /** @returns {number[]} */
  inSight() {
    const [from, to] = this.sight, first = Math.floor(from / PAGE), last = Math.floor(Math.max(0, to - 1) / PAGE);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  }

  /** @param {() => Promise<void>} work */
  enqueue(work) {
    this.running = this.running.then(work).then(() => (this.error = undefined), (error) => (this.error = error)).then(() => void this.version.value++);
  }

  /** Reads a page, and keeps the signals of users that were held before. @param {number} page */
  async read(page) {
    const { users, total } = await usersPage({ ...this.filter, ResultSize: PAGE, Offset: page * PAGE });
    const before = new Map([...this.pages.values()].flat().map((row) => [row.peek().Guid, row]));
    const rows = users.map((user) => {
      const row = before.get(user.Guid);
      if (!row) return signal(/** @type {LiveUser} */ (user));
      const { Rate, Left, Status } = row.peek();
      row.value = user.Status === Status ? { ...user, Rate, Left } : user;
      return row;
    });
    this.pages.delete(page);
    this.pages.set(page, rows);
    const [oldest] = this.pages.keys();
    if (this.pages.size > MAX_PAGES && oldest !== undefined) this.pages.delete(oldest);
    this.total.value = total;
    this.version.value++;
  }
}
