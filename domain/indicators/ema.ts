// Exponential moving average. Called by computeIndicators and macd.
import { averageLookback } from './lookback.js';
import { at, checkPeriod, warmingUp } from './series.js';
import type { Series } from './types.js';

/** The weight of the newest value: 2 / (period + 1). */
export const emaWeight = (period: number): number => 2 / (period + 1);

/** The mean of `count` values that end at an index, as a distance from the last: exact where all are equal. */
export function meanEndingAt(values: Float64Array, index: number, count: number): number {
  const anchor = at(values, index);
  let sum = 0;
  for (let i = index - count + 1; i < index; i++) sum += at(values, i) - anchor;
  return anchor + sum / count;
}

/**
 * Exponential moving average, seeded with the mean of the first `period` values at index period − 1 (TA_EMA).
 * @param values finite numbers, oldest first
 * @param period bars, 1 or more
 * @returns null when there are fewer than `period` values
 * @throws RangeError when the period is no whole number of bars
 */
export function ema(values: Float64Array, period: number): Series | null {
  checkPeriod('the period of EMA', period, 1);
  const first = averageLookback(period);
  if (values.length <= first) return null;
  const result = warmingUp(values.length, first);
  const weight = emaWeight(period);
  let average = meanEndingAt(values, first, period);
  result[first] = average;
  for (let i = first + 1; i < values.length; i++) {
    average += (at(values, i) - average) * weight;
    result[i] = average;
  }
  return result;
}
