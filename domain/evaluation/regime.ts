// In what kind of market a decision was made, told from bars until then and from none after.
import { atr } from '../indicators/atr.js';
import { sma } from '../indicators/sma.js';
import type { Bar } from '../market/bar.js';
import { toColumns } from '../market/columns.js';

export type TrendRegime = 'rising' | 'falling' | 'sideways';
export type VolatilityRegime = 'calm' | 'wild';

export interface Regime {
  readonly trend: TrendRegime;
  readonly volatility: VolatilityRegime;
}

/** Bars of the average that tells the trend, and how far back it is compared with itself. */
const average = 200;
const back = 20;
const rangePeriod = 14;
/** Bars whose ranges the last one is compared with. */
const memory = 252;

/**
 * rising: the close is above its 200-bar average, and that is above itself 20 bars ago; falling: both below; else
 * sideways. wild: the 14-bar average true range, as a share of the close, is above its median of the last 252 bars.
 * @param bars daily, oldest first; the last one is the day of the decision
 * @returns null with less than 220 bars
 */
export function regimeOf(bars: readonly Bar[]): Regime | null {
  const columns = toColumns(bars.slice(-(average + memory + 1)));
  const { close } = columns;
  const last = close.length - 1;
  const averages = sma(close, average);
  const ranges = atr(columns, rangePeriod);
  const now = averages?.[last] ?? NaN;
  const before = averages?.[last - back] ?? NaN;
  if (ranges === null || Number.isNaN(now) || Number.isNaN(before)) return null;
  const price = close[last] ?? NaN;
  const trend = price > now && now > before ? 'rising' : price < now && now < before ? 'falling' : 'sideways';
  const shares = Array.from(ranges, (range, at) => range / (close[at] ?? NaN)).slice(-memory);
  const known = shares.filter((share) => !Number.isNaN(share)).sort((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)] ?? NaN;
  return { trend, volatility: (shares.at(-1) ?? NaN) > median ? 'wild' : 'calm' };
}
