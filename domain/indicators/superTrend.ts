// SuperTrend: a trailing line below a rising price and above a falling one. Called by computeIndicators.
import { atr } from './atr.js';
import { changeLookback } from './lookback.js';
import { at, checkWidth, warmingUp } from './series.js';
import type { BarColumns, IndicatorParameters, IndicatorSet } from './types.js';

/**
 * SuperTrend as TradingView defines it (`ta.supertrend`), on TA-Lib's ATR: bands at (high + low) / 2 ± multiplier ×
 * ATR. The lower band only rises, until the previous close fell below it; the upper band only falls, until the
 * previous close rose above it. The line is the upper band until a close is above it, then the lower band until a
 * close is below it; it begins as the upper band (direction −1) at index `period`, the first with an ATR.
 * TradingView writes the direction with the other sign, and its own ATR differs in the seed.
 * @param columns high, low and close, finite, oldest first, high ≥ low
 * @param parameters period of the ATR in bars, 1 or more; multiplier above 0
 * @returns line in the unit of the price; direction 1 while the price is above the line, −1 below; null when there
 * are fewer than period + 1 bars
 * @throws RangeError when a parameter is out of range or the columns differ in length
 */
export function superTrend(
  columns: Pick<BarColumns, 'high' | 'low' | 'close'>,
  parameters: IndicatorParameters['superTrend'],
): IndicatorSet['superTrend'] {
  const { period, multiplier } = parameters;
  const { high, low, close } = columns;
  checkWidth('the multiplier of SuperTrend', multiplier);
  // The line is written over the ATR: each value is read once, just before its place is needed.
  const line = atr(columns, period);
  if (line === null) return null;
  const first = changeLookback(period);
  const direction = warmingUp(close.length, first);
  let upper = Infinity;
  let lower = -Infinity;
  let last = Infinity;
  let previous = at(close, first);
  for (let i = first; i < close.length; i++) {
    const middle = (at(high, i) + at(low, i)) / 2;
    const width = multiplier * at(line, i);
    const price = at(close, i);
    // As in the definition, a line on which both bands have met counts as the upper one.
    const wasUpper = last === upper;
    upper = previous > upper ? middle + width : Math.min(middle + width, upper);
    lower = previous < lower ? middle - width : Math.max(middle - width, lower);
    const rising = i > first && (wasUpper ? price > upper : price >= lower);
    last = rising ? lower : upper;
    line[i] = last;
    direction[i] = rising ? 1 : -1;
    previous = price;
  }
  return { line, direction };
}
