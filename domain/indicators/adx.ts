// Wilder's directional movement: ADX, which tells how strongly prices trend, and the two directional indicators, which
// tell whereto. Called by domain/market/regime.ts; no chart shows it, and no model is told it.
import { adxLookback, changeLookback } from './lookback.js';
import { at, checkLengths, checkPeriod, warmingUp } from './series.js';
import type { BarColumns, Series } from './types.js';

export interface DirectionalMovement {
  /** 0 to 100; from index 2 × period − 1. */
  readonly adx: Series;
  /** 0 to 100, of rises and of falls; from index `period`. */
  readonly plus: Series;
  readonly minus: Series;
}

/** Below it a sum is no movement at all, only rounding (TA-Lib's TA_EPSILON). */
const nothing = 1e-14;

/**
 * ADX, +DI and −DI (TA_ADX, TA_PLUS_DI, TA_MINUS_DI), after Wilder, New Concepts in Technical Trading Systems, 1978.
 * Of two bars the larger of the rise of the high and the fall of the low is the movement, if it is above 0; movements
 * and true ranges are Wilder sums, seeded with those of bars 1 to period − 1. The index of a bar is 100 × |+DI − −DI| /
 * (+DI + −DI), and ADX its Wilder average, seeded with the mean of the first `period`. Where nothing moved, an index
 * keeps ADX what it was, and is 0 in the seed.
 * @param columns high, low and close, finite, oldest first, high ≥ low
 * @param period bars, 2 or more
 * @returns null when there are fewer than 2 × period bars
 * @throws RangeError when the period is no whole number of bars or the columns differ in length
 */
export function directionalMovement(
  columns: Pick<BarColumns, 'high' | 'low' | 'close'>,
  period: number,
): DirectionalMovement | null {
  const { high, low, close } = columns;
  checkPeriod('the period of ADX', period, 2);
  checkLengths(high, low, close);
  const first = adxLookback(period);
  if (close.length <= first) return null;
  const adx = warmingUp(close.length, first);
  const plus = warmingUp(close.length, changeLookback(period));
  const minus = warmingUp(close.length, changeLookback(period));
  let [rises, falls, ranges, seed, average] = [0, 0, 0, 0, 0];
  for (let i = 1; i < close.length; i++) {
    const rise = at(high, i) - at(high, i - 1);
    const fall = at(low, i - 1) - at(low, i);
    const before = at(close, i - 1);
    const range = Math.max(at(high, i), before) - Math.min(at(low, i), before);
    const gone = i < period ? 0 : 1 / period;
    rises += (rise > 0 && rise > fall ? rise : 0) - rises * gone;
    falls += (fall > 0 && fall > rise ? fall : 0) - falls * gone;
    ranges += range - ranges * gone;
    if (i < period) continue;
    const moved = ranges >= nothing;
    plus[i] = moved ? (100 * rises) / ranges : 0;
    minus[i] = moved ? (100 * falls) / ranges : 0;
    const index = indexOf(at(plus, i), at(minus, i));
    if (i <= first) {
      seed += index ?? 0;
      average = seed / period;
    } else if (index !== null) average = (average * (period - 1) + index) / period;
    if (i >= first) adx[i] = average;
  }
  return { adx, plus, minus };
}

/** How one-sided a bar's movement is, 0 to 100; null where there is none. */
function indexOf(plus: number, minus: number): number | null {
  const sum = plus + minus;
  // Where all went one way, the roundings can end a hair above 100.
  return sum >= nothing ? Math.min(100, (100 * Math.abs(plus - minus)) / sum) : null;
}
