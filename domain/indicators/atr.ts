// Average True Range. Called by computeIndicators and superTrend.
import { changeLookback } from './lookback.js';
import { at, checkLengths, checkPeriod, warmingUp } from './series.js';
import type { BarColumns, Series } from './types.js';

/**
 * Wilder's ATR in the unit of the price. The true range of a bar runs from the smaller of its low and the previous
 * close to the larger of its high and the previous close; the first bar has none. Seeded with the plain mean of the
 * true ranges of bars 1 to `period`, at index `period` (TA_ATR).
 * @param columns high, low and close, finite, oldest first, high ≥ low
 * @param period bars, 1 or more
 * @returns null when there are fewer than period + 1 bars
 * @throws RangeError when the period is no whole number of bars or the columns differ in length
 */
export function atr(columns: Pick<BarColumns, 'high' | 'low' | 'close'>, period: number): Series | null {
  const { high, low, close } = columns;
  checkPeriod('the period of ATR', period, 1);
  checkLengths(high, low, close);
  const first = changeLookback(period);
  if (close.length <= first) return null;
  const result = warmingUp(close.length, first);
  let sum = 0;
  let previous = at(close, 0);
  for (let i = 1; i <= first; i++) {
    sum += Math.max(at(high, i), previous) - Math.min(at(low, i), previous);
    previous = at(close, i);
  }
  const fresh = 1 / period;
  const kept = (period - 1) / period;
  let average = sum / period;
  result[first] = average;
  for (let i = first + 1; i < close.length; i++) {
    const range = Math.max(at(high, i), previous) - Math.min(at(low, i), previous);
    previous = at(close, i);
    average = average * kept + range * fresh;
    result[i] = average;
  }
  return result;
}
