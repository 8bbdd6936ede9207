// How sure a share of hits is: the Wilson score interval. Called by measure.ts.

export interface Rate {
  readonly hits: number;
  readonly of: number;
  /** hits / of; null of nothing, as are the bounds. */
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** 95 %, two-sided. */
const z = 1.959964;
const decimals = 6;

/** To what reports show, so that two machines write the same file. */
export const rounded = (value: number): number => Number(value.toFixed(decimals));

/**
 * Wilson (1927), without continuity correction: holds for few trials and for shares near 0 and 1, where the plain
 * interval does not. It supposes independent trials.
 * @throws RangeError when hits are more than trials, or negative
 */
export function rateOf(hits: number, of: number): Rate {
  if (!(hits >= 0 && hits <= of)) throw new RangeError(`${hits} hits of ${of} are no share`);
  if (of === 0) return { hits, of, share: null, low: null, high: null };
  const share = hits / of;
  const scale = 1 + (z * z) / of;
  const centre = (share + (z * z) / (2 * of)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return {
    hits,
    of,
    share: rounded(share),
    low: rounded(Math.max(0, centre - half)),
    high: rounded(Math.min(1, centre + half)),
  };
}

/** Whether an interval holds a value; null where there is no interval. */
export const includes = ({ low, high }: Rate, value: number): boolean | null =>
  low === null || high === null ? null : low <= value && value <= high;
