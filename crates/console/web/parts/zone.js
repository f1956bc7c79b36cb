/** Times of another time zone: the wall clock there, and the moment. Pure. */

/** Clock of a zone; `undefined` if the browser does not know the zone. @param {string} zone */
const clock = (zone) => {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  } catch {
    return undefined;
  }
};

/** Milliseconds by which a zone is before UTC at a moment. @param {Intl.DateTimeFormat} shown @param {number} moment */
const offset = (shown, moment) => {
  const parts = Object.fromEntries(shown.formatToParts(moment).map((it) => [it.type, Number(it.value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
};

/**
 * The moment at which the clocks of a zone show a time such as `2026-12-01T06:00`; `undefined` if the text or the zone is not known.
 * @param {string} wall @param {string} zone
 */
export const momentOf = (wall, zone) => {
  const shown = clock(zone), asUtc = Date.parse(`${wall}Z`);
  if (!shown || Number.isNaN(asUtc)) return undefined;
  // The offset at the moment itself may be another one than that of the first guess.
  const guess = asUtc - offset(shown, asUtc);
  return new Date(asUtc - offset(shown, guess));
};

/** Names of zones that the browser knows. */
export const zones = () => ["UTC", ...Intl.supportedValuesOf("timeZone")];
