// How many bars come before the first value of each indicator: TA-Lib's lookback. Used by the indicators themselves
// and by computeIndicators, which names the series that are too short.
import type { IndicatorParameters } from './types.js';

/** SMA, EMA, Bollinger Bands and the volume average: the first value needs the whole period. */
export const averageLookback = (period: number): number => period - 1;

/** RSI, ATR and SuperTrend work on changes from one bar to the next: one bar more. */
export const changeLookback = (period: number): number => period;

/** The slow average, then the signal's average of the line. All three series of MACD start there. */
export const macdLookback = ({ slow, signal }: IndicatorParameters['macd']): number =>
  averageLookback(slow) + averageLookback(signal);

/** ADX averages an index that itself has the lookback of a change, over the period. */
export const adxLookback = (period: number): number => 2 * period - 1;
