// Bollinger Bands. Called by computeIndicators.
import { averageLookback } from './lookback.js';
import { at, checkPeriod, checkWidth, warmingUp } from './series.js';
import type { IndicatorParameters, IndicatorSet } from './types.js';

/** Mean and sum of squared deviations of a block's closes from index k on; index `period` is the empty tail. */
interface Tails {
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/**
 * The mean of the last `period` closes, and `deviations` population standard deviations above and below it
 * (TA_BBANDS with a simple average), first at index period − 1.
 *
 * Running sums of squares lose the digits of a small deviation on a large price, or after a jump. Here a window is
 * the tail of one block of `period` closes and the head of the next, each summed as distances from one of its own
 * closes, which bounds the loss to `period` roundings; the two are joined as Chan, Golub and LeVeque (1979) do.
 * @param close finite numbers, oldest first
 * @param parameters period in bars, 2 or more; deviations above 0
 * @returns null when there are fewer than `period` values
 * @throws RangeError when a parameter is out of range
 */
export function bollinger(
  close: Float64Array,
  parameters: IndicatorParameters['bollinger'],
): IndicatorSet['bollinger'] {
  const { period, deviations } = parameters;
  checkPeriod('the period of Bollinger Bands', period, 2);
  checkWidth('the deviations of Bollinger Bands', deviations);
  const { length } = close;
  const first = averageLookback(period);
  if (length <= first) return null;
  const upper = warmingUp(length, first);
  const middle = warmingUp(length, first);
  const lower = warmingUp(length, first);
  const inverse = Float64Array.from({ length: period + 1 }, (_, count) => 1 / count);
  const shares = Float64Array.from({ length: period + 1 }, (_, count) => count / period);
  const tails: Tails = { mean: new Float64Array(period + 1), squares: new Float64Array(period + 1) };

  for (let start = 0; start < length; start += period) {
    const end = Math.min(period, length - start);
    const anchor = at(close, start);
    let sum = 0;
    let sumOfSquares = 0;
    for (let k = 0; k < end; k++) {
      const distance = at(close, start + k) - anchor;
      sum += distance;
      sumOfSquares += distance * distance;
      const count = k + 1;
      if (start === 0 && count < period) continue;
      const offset = sum * at(inverse, count);
      // With count = period the tail is empty: its weight is 0 and the head is the whole window.
      const share = at(shares, count);
      const gap = anchor + offset - at(tails.mean, count);
      const center = at(tails.mean, count) + gap * share;
      const joined =
        sumOfSquares - sum * offset + at(tails.squares, count) + gap * gap * share * (period - count);
      const width = Math.sqrt(joined * at(inverse, period)) * deviations;
      const i = start + k;
      upper[i] = center + width;
      middle[i] = center;
      lower[i] = center - width;
    }
    if (end === period) fillTails(close, start, inverse, tails);
  }
  return { upper, middle, lower };
}

function fillTails(close: Float64Array, start: number, inverse: Float64Array, tails: Tails): void {
  const last = inverse.length - 2;
  const anchor = at(close, start + last);
  let sum = 0;
  let sumOfSquares = 0;
  for (let k = last; k > 0; k--) {
    const distance = at(close, start + k) - anchor;
    sum += distance;
    sumOfSquares += distance * distance;
    const offset = sum * at(inverse, last - k + 1);
    tails.mean[k] = anchor + offset;
    tails.squares[k] = sumOfSquares - sum * offset;
  }
}
