// The requests that a limit has let pass, as many as it allows in its span and no more: so no span of that length, wherever it
// begins, holds one above the limit. Used by limits.ts.

export interface SlidingLog {
  /** @returns whether one more is within the limit now; it then counts. @param now wall milliseconds since the epoch */
  takes(now: number): boolean;
}

/**
 * @param most as many requests pass
 * @param spanMs in any span of this length; one that comes a whole span after another is no longer beside it
 */
export function createSlidingLog(most: number, spanMs: number): SlidingLog {
  /** When the last ones passed, in turn; it grows to `most`, and then the oldest makes room. */
  const passed: number[] = [];
  let oldest = 0;
  return {
    takes(now) {
      const sinceMs = now - (passed[oldest] ?? -Infinity);
      // Less than nothing: the machine's clock was set back, and what it said before counts no more.
      if (passed.length === most && sinceMs >= 0 && sinceMs < spanMs) return false;
      passed[oldest] = now;
      oldest = (oldest + 1) % most;
      return true;
    },
  };
}

/**
 * A limit that is scaled: as many times the requests as the factor says. Their span is the limit's own as far as that lets
 * whole requests pass evenly, and else as short as one request needs, but no shorter than a second holds.
 * @param most requests in so many milliseconds, before the factor
 */
export function scaledLog(most: number, spanMs: number, factor: number): SlidingLog {
  const perSecond = (most * 1000 * factor) / spanMs;
  const count = Math.max(1, Math.floor(perSecond));
  return createSlidingLog(count, (count * 1000) / perSecond);
}
