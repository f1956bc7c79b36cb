/** The stream of events, the lamp, and data that follows it. */
import { signal } from "../vendor/signals.js";
import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { open, send, ServiceError } from "./client.js";
import { eventParser, progressRows } from "./event-parser.js";
import { forget, session } from "./session.js";

/** Time without anything after which the line counts as dead: the service writes each 15 s. */
const SILENCE = 40_000;
/** Time out of sight after which a tab leaves the stream to others. */
const HIDDEN = 30_000;
/** Lock of the tab that reads the stream for all tabs: browsers allow six connections to a service. Where a browser has no locks, each tab reads its own. */
const READER = "mailhaul-events";
const FIRST_WAIT = 500, LONGEST_WAIT = 15_000;
/** A page asks again at most once in this time, and at most for this part of the time, so that long answers come seldom. */
const REFRESH = 1_000, SHARE = 10, LONGEST_PAUSE = 5_000;
/** While mail moves, sums are asked for again in this time. */
const PROGRESS = 5_000;

/** @typedef {"connecting" | "live" | "reconnecting" | "away"} LampState */

/** State of the connection, and since when. @type {import("@preact/signals").Signal<{ state: LampState, since: number }>} */
export const lamp = signal({ state: "connecting", since: Date.now() });
/** Time now, each second: for texts such as "in 11 min". */
export const now = signal(Date.now());
/** Bytes per second of each batch that moves, by its GUID. @type {import("@preact/signals").Signal<Record<string, number>>} */
export const rates = signal({});

setInterval(() => (now.value = Date.now()), 1000);

/** @typedef {{ Noun: string, Identity: string | null, BatchGuid: string | null, Many: boolean }} Changed */
/** @type {Set<(event: { name: "changed", data: Changed } | { name: "gap", isOwn?: boolean } | { name: "progress", rows: Record<string, any>[] }) => void>} */
const listeners = new Set();

/** Follows the events, as long as the returned function is not called. @param {typeof listeners extends Set<infer Listener> ? Listener : never} listener */
export const follow = (listener) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

let lastId = "", wait = FIRST_WAIT;
/** Ends the wish to read the stream, or the reading. @type {AbortController | undefined} */
let turn;
/** True while this tab reads the stream. */
let isReader = false;
/** Ends a wait for the next try. */
let hurry = () => {};
/** Other tabs of this origin. A tab that comes later asks for the state. */
const tabs = new BroadcastChannel(READER);
/** @type {Map<string, { batch: string, rate: number, at: number }>} */
let moving = new Map();

/** @param {LampState} state */
const show = (state) => {
  if (lamp.peek().state === state) return;
  lamp.value = { state, since: Date.now() };
  tellTabs();
};

/** Tells other tabs the state of the connection. */
const tellTabs = () => tabs.postMessage({ lamp: lamp.peek(), lastId });

tabs.addEventListener("message", ({ data }) => {
  if (data.isQuestion) return void (isReader && tellTabs());
  if (isReader || !session.peek()) return;
  if (data.event) return handle(data.event);
  lamp.value = data.lamp;
  if (data.lastId) lastId = data.lastId;
});

/** Takes an event, and passes it on to the other tabs. @param {import("./event-parser.js").ServerEvent} event */
const share = (event) => {
  handle(event);
  tabs.postMessage({ event });
};

/** @param {import("./event-parser.js").ServerEvent} event */
const handle = (event) => {
  if (event.id) lastId = event.id;
  if (event.name === "changed") tell({ name: "changed", data: event.data });
  else if (event.name === "gap") tell({ name: "gap" });
  else if (event.name === "progress") {
    const rows = progressRows(event.data), at = Date.now();
    for (const row of rows) moving.set(row.Guid, { batch: row.BatchGuid, rate: row.Rate, at });
    addRates(at);
    tell({ name: "progress", rows });
  }
};

/** Sums the rates; a user that told nothing for 5 s does not move. @param {number} at */
const addRates = (at) => {
  /** @type {Record<string, number>} */
  const sums = {};
  for (const [guid, it] of moving) {
    if (at - it.at > 5_000) moving.delete(guid);
    else sums[it.batch] = (sums[it.batch] ?? 0) + it.rate;
  }
  if (JSON.stringify(sums) !== JSON.stringify(rates.peek())) rates.value = sums;
};
setInterval(() => addRates(Date.now()), 2_000);

/** @param {Parameters<typeof listeners extends Set<infer Listener> ? Listener extends (...it: any) => any ? Listener : never : never>[0]} event */
const tell = (event) => listeners.forEach((listener) => listener(event));

/** Asks for everything in sight at once, after a change of this page. */
export const refreshNow = () => tell({ name: "gap", isOwn: true });

/** Reads the stream to its end. @param {AbortSignal} signal */
const read = async (signal) => {
  const silent = new AbortController();
  const answer = await open("/api/v1/events", { headers: lastId ? { "Last-Event-ID": lastId } : {}, signal: AbortSignal.any([signal, silent.signal]) });
  if (answer.status === 401) return forget(true);
  if (!answer.ok || !answer.body) throw new ServiceError(answer.status, {});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader(), parse = eventParser();
  // Whatever happened without a stream is asked for.
  if (!lastId) share({ name: "gap", id: "", data: {} });
  show("live");
  wait = FIRST_WAIT;
  for (;;) {
    const silence = setTimeout(() => silent.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    for (const event of parse(value)) {
      if (event.name === "hello") {
        if (!lastId) lastId = `${event.data.Epoch}-${event.data.Sequence}`;
        tellTabs();
      } else share(event);
    }
  }
};

/** Reads the stream again and again, until it is no longer wanted. @param {AbortSignal} signal */
const keepReading = async (signal) => {
  if (signal.aborted) return;
  isReader = true;
  while (!signal.aborted && session.peek()) {
    const isResumed = await read(signal).then(() => true, () => false);
    if (signal.aborted || !session.peek()) break;
    show(isResumed || lamp.peek().state === "live" ? "reconnecting" : "away");
    const chance = wait * (0.75 + Math.random() / 2);
    wait = Math.min(wait * 2, LONGEST_WAIT);
    await new Promise((resolve) => {
      hurry = () => resolve(undefined);
      signal.addEventListener("abort", hurry, { once: true });
      setTimeout(hurry, chance);
    });
  }
  isReader = false;
};

/** Follows the events until the session or the sight ends: reads the stream, or hears of it until the tab that reads it is gone. */
const connect = () => {
  if (turn || !session.peek() || document.hidden) return;
  const { signal } = (turn = new AbortController());
  if (!navigator.locks) return void keepReading(signal);
  tabs.postMessage({ isQuestion: true });
  navigator.locks.request(READER, { signal }, () => keepReading(signal)).catch(() => {
    // The wish ended before the turn came.
  });
};

/** @param {boolean} isForgotten */
const disconnect = (isForgotten) => {
  turn?.abort();
  turn = undefined;
  if (isForgotten) {
    lastId = "";
    moving = new Map();
    lamp.value = { state: "connecting", since: Date.now() };
  }
};

/** @type {number | undefined} */
let hiding;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) return void (hiding = setTimeout(() => disconnect(false), HIDDEN));
  hurry();
  connect();
});
session.subscribe((it) => (it ? connect() : disconnect(true)));

/** @template T @typedef {{ data?: T, error?: ServiceError, at: number, again: () => void }} Loaded */

/**
 * Data that is asked for again when something changed, at most once a second.
 * @template T
 * @param {string} name the same as long as `load` asks for the same
 * @param {() => Promise<T>} load
 * @param {(data: Changed) => boolean} [concerns] true if a change may concern the data
 * @param {boolean} [withProgress] true if it is also asked for again while mail moves
 * @returns {Loaded<T>}
 */
export const useLive = (name, load, concerns = () => true, withProgress = false) => {
  const [state, setState] = useState(/** @type {{ name: string, data?: T, error?: ServiceError, at: number }} */ ({ name, at: 0 }));
  const latest = useRef({ load, concerns });
  latest.current = { load, concerns };
  const again = useRef(() => {});
  useEffect(() => {
    let isOver = false, isRunning = false, isDue = false, begun = 0;
    /** @type {number | undefined} */
    let next;
    const run = async () => {
      if (isRunning) return void (isDue = true);
      isRunning = true;
      isDue = false;
      begun = Date.now();
      try {
        const data = await latest.current.load();
        if (!isOver) setState({ name, data, at: Date.now() });
      } catch (error) {
        const shown = error instanceof ServiceError ? error : new ServiceError(0, { Message: String(error) });
        // Numbers stay in sight while the service is away.
        if (!isOver) setState((was) => (was.name === name ? { ...was, error: shown } : { name, error: shown, at: 0 }));
      }
      isRunning = false;
      const pause = Math.min(LONGEST_PAUSE, Math.max(REFRESH, SHARE * (Date.now() - begun)));
      if (!isOver) next = setTimeout(() => ((next = undefined), isDue && void run()), pause);
    };
    const wake = () => (next === undefined ? void run() : (isDue = true));
    const wakeNow = () => {
      clearTimeout(next);
      next = undefined;
      void run();
    };
    again.current = wakeNow;
    const leave = follow((event) => {
      if (event.name === "progress") {
        if (withProgress && Date.now() - begun >= PROGRESS) wake();
      } else if (event.name === "gap" && event.isOwn) wakeNow();
      else if (event.name === "gap" || latest.current.concerns(event.data)) wake();
    });
    void run();
    return () => {
      isOver = true;
      clearTimeout(next);
      leave();
    };
  }, [name]);
  const shown = state.name === name ? state : { name, at: 0 };
  return { data: shown.data, error: shown.error, at: shown.at, again: () => again.current() };
};

/** Runs a function later, and not if the returned one is called before. @param {() => void} run @param {number} milliseconds */
export const later = (run, milliseconds) => {
  const started = setTimeout(run, milliseconds);
  return () => clearTimeout(started);
};

export { send };
