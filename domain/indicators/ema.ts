// Exponential moving average. Called by computeIndicators and macd.
import { averageLookback } from './lookback.js';
import { at, checkPeriod, warmingUp } from './series.js';
import { sumEndingAt } from './sma.js';
import type { Series } from './types.js';

/** The weight of the newest value: 2 / (period + 1). */
export const emaWeight = (period: number): number => 2 / (period + 1);

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
  let average = sumEndingAt(values, first, period) / period;
  result[first] = average;
  for (let i = first + 1; i < values.length; i++) {
    average += (at(values, i) - average) * weight;
    result[i] = average;
  }
  return result;
}
