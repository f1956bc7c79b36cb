/** New logins of users that failed: each is saved and tested; only a user whose mailboxes open is started. */
import { signal } from "../vendor/signals.js";
import { carryOut, changeUser, user as readUser, usersPage } from "./operations.js";
import { follow, refreshNow } from "./live.js";

/** @typedef {import("./operations.js").MigrationUser} MigrationUser */
/** @typedef {import("./client.js").ServiceError} ServiceError */
/**
 * State of a row: nothing was done; the login is sent; the service opens the mailboxes; they do not open; the user was started;
 * the service refused the change.
 * @typedef {"idle" | "saving" | "testing" | "refused" | "started" | "error"} FixState
 */
/** @typedef {{ user: MigrationUser, userName: string, password: string, state: FixState, error?: ServiceError }} FixRow */
/** @typedef {import("@preact/signals").Signal<FixRow>} Fix */
/** @typedef {"source" | "target"} Side */

/** Users that are shown and fixed at once. */
export const MOST = 1_000;
/** Requests at a time. */
const LANES = 4;

/** Login of a side. @param {MigrationUser} user @param {Side} side */
const loginOf = (user, side) => (side === "target" ? user.TargetUserName : user.UserName);

/** True if the checks tell that only the target does not open. @param {MigrationUser} user */
const isOfTarget = (user) => user.TargetCheck === "Failed" && user.SourceCheck !== "Failed";

/** What a test told: `undefined` while it is due. @param {MigrationUser} user */
export const opens = (user) => {
  const results = [user.SourceCheck, user.TargetCheck ?? "Opened"];
  if (results.includes("Pending")) return undefined;
  return results.every((it) => it === "Opened");
};

/** The change that saves a login and tests it. @param {MigrationUser} user @param {Side} side @param {string} userName @param {string} password */
export const loginChange = (user, side, userName, password) =>
  changeUser("Set", user.Identity, { [side === "target" ? "TargetCredential" : "Credential"]: { UserName: userName, Password: password }, CheckNow: true });

export class Fixes {
  /** @param {string} batch @param {string} cause */
  constructor(batch, cause) {
    this.filter = { BatchId: batch, StatusSummary: "Failed", ErrorClass: cause };
    /** Rows by the GUID of the user; a row stays after its user was fixed. @type {Map<string, Fix>} */
    this.rows = new Map();
    /** Requests for users that were begun so far. */
    this.begun = 0;
    /** For each user the request whose answer is shown. Answers may overtake each other. @type {Map<string, number>} */
    this.shown = new Map();
    /** Grows with each change of the set of rows. */
    this.version = signal(0);
    /** Failed users of this cause now. */
    this.total = signal(0);
    /** @type {import("@preact/signals").Signal<Side>} */
    this.side = signal("source");
    this.hasSide = false;
    /** @type {import("@preact/signals").Signal<ServiceError | null>} */
    this.error = signal(null);
  }

  /** Reads the failed users, and keeps the rows that were worked on. */
  async read() {
    const request = ++this.begun;
    try {
      const { users, total } = await usersPage({ ...this.filter, ResultSize: MOST });
      this.error.value = null;
      this.total.value = total;
      if (!this.hasSide && users.length > 0) {
        this.hasSide = true;
        if (users.every(isOfTarget)) this.side.value = "target";
      }
      const failed = new Map(users.map((it) => [it.Guid, it]));
      for (const [guid, row] of this.rows) {
        const now = failed.get(guid);
        if (now) this.see(row, now, request);
        else if (row.peek().state === "idle") this.rows.delete(guid);
        failed.delete(guid);
      }
      for (const it of failed.values()) {
        this.rows.set(it.Guid, signal(/** @type {FixRow} */ ({ user: it, userName: loginOf(it, this.side.peek()), password: "", state: "idle" })));
      }
      this.version.value++;
    } catch (error) {
      this.error.value = /** @type {any} */ (error);
    }
  }

  /** Other logins are replaced from now on. @param {Side} side */
  choose(side) {
    this.hasSide = true;
    this.side.value = side;
    for (const row of this.rows.values()) row.value = { ...row.peek(), userName: loginOf(row.peek().user, side) };
  }

  /** Follows the users that are tested or started, until the returned function is called. */
  follow() {
    return follow((event) => {
      if (event.name === "progress" || (event.name === "changed" && event.data.Noun !== "MigrationUser")) return;
      const one = event.name === "changed" && !event.data.Many ? event.data.Identity : null;
      for (const [guid, row] of this.rows) {
        if ((!one || one === guid) && ["testing", "started"].includes(row.peek().state)) void this.look(row);
      }
      if (!one || !this.rows.has(one)) void this.read();
    });
  }

  /** Asks for the user of a row again. @param {Fix} row */
  async look(row) {
    const request = ++this.begun, now = await readUser(row.peek().user.Guid).catch(() => undefined);
    if (now) this.see(row, now, request);
  }

  /** Takes what the service tells of a user, unless a later request told more. A login that opens starts its user, once. @param {Fix} row @param {MigrationUser} user @param {number} request */
  see(row, user, request) {
    if (request < (this.shown.get(user.Guid) ?? 0)) return;
    this.shown.set(user.Guid, request);
    const before = row.peek();
    row.value = { ...before, user };
    if (before.state !== "testing" || opens(user) === undefined) return;
    if (!opens(user)) row.value = { ...row.peek(), state: "refused" };
    else void this.start(row);
  }

  /** @param {Fix} row */
  async start(row) {
    row.value = { ...row.peek(), state: "started" };
    try {
      await carryOut(changeUser("Start", row.peek().user.Identity));
      await this.look(row);
    } catch (error) {
      row.value = { ...row.peek(), state: "error", error: /** @type {any} */ (error) };
    }
  }

  /** Saves the login of a row, and has it tested. The row forgets the password, whatever comes. @param {Fix} row */
  async test(row) {
    const { user, userName, password } = row.peek(), change = loginChange(user, this.side.peek(), userName, password);
    row.value = { ...row.peek(), password: "", state: "saving", error: undefined };
    try {
      await carryOut(change);
      row.value = { ...row.peek(), state: "testing" };
      await this.look(row);
    } catch (error) {
      row.value = { ...row.peek(), state: "error", error: /** @type {any} */ (error) };
    }
  }

  /** Does the same for some rows, a few at a time. @param {Fix[]} rows @param {(row: Fix) => Promise<void>} work */
  async each(rows, work) {
    const left = [...rows];
    await Promise.all(Array.from({ length: LANES }, async () => {
      for (let row = left.shift(); row; row = left.shift()) await work(row);
    }));
    refreshNow();
  }

  /** Tests all rows that have a new password. */
  testAll() {
    return this.each([...this.rows.values()].filter((row) => row.peek().password), (row) => this.test(row));
  }

  /** Starts all rows that still failed, with the logins that they have. */
  startAll() {
    return this.each([...this.rows.values()].filter((row) => row.peek().state === "idle"), (row) => this.start(row));
  }
}
