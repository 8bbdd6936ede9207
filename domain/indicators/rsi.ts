// Relative Strength Index. Called by computeIndicators.
import { changeLookback } from './lookback.js';
import { at, checkPeriod, warmingUp } from './series.js';
import type { Series } from './types.js';

/**
 * Wilder's RSI, 0 to 100: 100 × gain / (gain + loss), where both are Wilder averages of the changes from bar to bar,
 * seeded with the plain mean of the first `period` changes at index `period` (TA_RSI).
 * A series that never moved has no strength to measure; TA-Lib answers 0 there, and so does this.
 * @param close finite numbers, oldest first
 * @param period bars, 2 or more
 * @returns null when there are fewer than period + 1 values
 * @throws RangeError when the period is no whole number of bars
 */
export function rsi(close: Float64Array, period: number): Series | null {
  checkPeriod('the period of RSI', period, 2);
  const first = changeLookback(period);
  if (close.length <= first) return null;
  const result = warmingUp(close.length, first);
  const fresh = 1 / period;
  const kept = (period - 1) / period;
  let previous = at(close, 0);
  let gain = 0;
  let loss = 0;
  for (let i = 1; i <= first; i++) {
    const change = at(close, i) - previous;
    previous = at(close, i);
    gain += rise(change) * fresh;
    loss += rise(-change) * fresh;
  }
  result[first] = strength(gain, loss);
  for (let i = first + 1; i < close.length; i++) {
    const change = at(close, i) - previous;
    previous = at(close, i);
    gain = gain * kept + rise(change) * fresh;
    loss = loss * kept + rise(-change) * fresh;
    result[i] = strength(gain, loss);
  }
  return result;
}

/** The larger of a change and 0, exactly, and without a branch that no processor can foresee. */
const rise = (change: number): number => (Math.abs(change) + change) * 0.5;

function strength(gain: number, loss: number): number {
  const moved = gain + loss;
  // Where nothing fell, the two roundings can end a hair above 100.
  return moved === 0 ? 0 : Math.min(100, (100 * gain) / moved);
}
