// Average volume. Called by computeIndicators.
import { sma } from './sma.js';
import type { Series } from './types.js';

/**
 * The simple moving average of volume (TA_SMA), in shares.
 * @param period bars, 1 or more
 * @returns null when there are fewer than `period` bars
 * @throws RangeError when the period is no whole number of bars
 */
export function volumeAverage(volume: Float64Array, period: number): Series | null {
  return sma(volume, period);
}
