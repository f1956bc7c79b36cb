/** Periods of a series, with those in which nothing was done. Pure. */

/** @typedef {{ StartTime: string, BytesTransferred: number, CopiedCount: number, ActiveCount: number }} Period */

/** All periods of a span; a period that the service left out has zeros. @param {Period[]} list @param {number} from @param {number} to in milliseconds @param {number} step in seconds */
export const inPeriods = (list, from, to, step) => {
  const wide = step * 1000, first = Math.floor(from / wide), last = Math.floor(to / wide);
  const byNumber = new Map(list.map((it) => [Math.floor(Date.parse(it.StartTime) / wide), it]));
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const it = byNumber.get(first + at);
    return { at: (first + at) * wide, bytes: it?.BytesTransferred ?? 0, messages: it?.CopiedCount ?? 0, active: it?.ActiveCount ?? 0 };
  });
};
