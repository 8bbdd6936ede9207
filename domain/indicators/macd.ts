// Moving Average Convergence Divergence. Called by computeIndicators.
import { emaWeight, meanEndingAt } from './ema.js';
import { averageLookback, macdLookback } from './lookback.js';
import { at, checkPeriod, warmingUp } from './series.js';
import type { IndicatorParameters, IndicatorSet } from './types.js';

/**
 * MACD as TA_MACD aligns it: both averages of the close start at index slow − 1, the fast one seeded with the mean of
 * the `fast` closes that end there. The signal is an exponential average of the line, seeded with the mean of its
 * first `signal` values. All three series start at index slow + signal − 2, where the signal does.
 * @param close finite numbers, oldest first
 * @param parameters bars; fast 2 or more and shorter than slow, signal 1 or more
 * @returns null when there are fewer than slow + signal − 1 values
 * @throws RangeError when a period is no whole number of bars, or fast is not shorter than slow
 */
export function macd(close: Float64Array, parameters: IndicatorParameters['macd']): IndicatorSet['macd'] {
  const { fast, slow, signal } = parameters;
  checkPeriod('the fast period of MACD', fast, 2);
  checkPeriod('the signal period of MACD', signal, 1);
  // TA-Lib swaps the two in silence; a strategy that has them the wrong way round is told instead.
  checkPeriod('the slow period of MACD (longer than the fast one)', slow, fast + 1);
  const { length } = close;
  const begin = averageLookback(slow);
  const first = macdLookback(parameters);
  if (length <= first) return null;

  const line = warmingUp(length, first);
  const signals = warmingUp(length, first);
  const histogram = warmingUp(length, first);
  const weights = [emaWeight(fast), emaWeight(slow), emaWeight(signal)] as const;
  let fastAverage = meanEndingAt(close, begin, fast);
  let slowAverage = meanEndingAt(close, begin, slow);
  let signalAverage = fastAverage - slowAverage;
  for (let i = begin + 1; i <= first; i++) {
    fastAverage += (at(close, i) - fastAverage) * weights[0];
    slowAverage += (at(close, i) - slowAverage) * weights[1];
    signalAverage += fastAverage - slowAverage;
  }
  signalAverage /= signal;
  let difference = fastAverage - slowAverage;
  for (let i = first; ;) {
    line[i] = difference;
    signals[i] = signalAverage;
    histogram[i] = difference - signalAverage;
    if (++i === length) break;
    fastAverage += (at(close, i) - fastAverage) * weights[0];
    slowAverage += (at(close, i) - slowAverage) * weights[1];
    difference = fastAverage - slowAverage;
    signalAverage += (difference - signalAverage) * weights[2];
  }
  return { line, signal: signals, histogram };
}
