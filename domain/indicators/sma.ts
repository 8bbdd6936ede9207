// Simple moving average. Called by computeIndicators, volumeAverage and charts.
import { averageLookback } from './lookback.js';
import { at, checkPeriod, warmingUp } from './series.js';
import type { Series } from './types.js';

/** Bars after which the running sum is taken afresh, so that roundings do not pile up over a long series. */
const fresh = 4096;

/**
 * The mean of the last `period` values, first at index period − 1 (TA_SMA).
 * @param values finite numbers, oldest first
 * @param period bars, 1 or more
 * @returns null when there are fewer than `period` values
 * @throws RangeError when the period is no whole number of bars
 */
export function sma(values: Float64Array, period: number): Series | null {
  checkPeriod('the period of SMA', period, 1);
  const { length } = values;
  const first = averageLookback(period);
  if (length <= first) return null;
  const result = warmingUp(length, first);
  for (let start = first; start < length; start += fresh) {
    const end = Math.min(start + fresh, length);
    let sum = sumEndingAt(values, start, period);
    result[start] = sum / period;
    for (let i = start + 1; i < end; i++) {
      sum += at(values, i) - at(values, i - period);
      result[i] = sum / period;
    }
  }
  return result;
}

/** The sum of `count` values that end at an index. */
function sumEndingAt(values: Float64Array, index: number, count: number): number {
  let sum = 0;
  for (let i = index - count + 1; i <= index; i++) sum += at(values, i);
  return sum;
}
