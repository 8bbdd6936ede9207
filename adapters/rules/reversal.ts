// A ranging market: prices at its edge go back to its middle. Called by score.ts.
import type { Reversal } from '../../domain/decision/decision.js';
import type { IndicatorSet, Series } from '../../domain/indicators/types.js';

/** Wilder's extremes of the RSI: oversold at the one and below, overbought at the other and above. */
const oversold = 30;
const overbought = 70;

export interface RangeReading {
  /** Null where there is nothing to read it from. */
  readonly reversal: Reversal | null;
  readonly reasons: readonly string[];
}

const clamp = (value: number): number => Math.max(-1, Math.min(1, value));

/** The last value of a series; null while it warms up or where its bars are too few. */
export function lastOf(series: Series | null | undefined): number | null {
  const value = series?.at(-1);
  return value === undefined || Number.isNaN(value) ? null : value;
}

/**
 * The score is the mean of two votes: 1 at the lower Bollinger Band to −1 at the upper one, and 1 at an RSI of 30 to −1
 * at 70. A return to the middle is due where both are full: a touch of a band alone is no signal (Bollinger), and the
 * RSI confirms it.
 */
export function readReversal(close: number, { bollinger, rsi }: IndicatorSet): RangeReading {
  const [upper, middle, lower] = [bollinger?.upper, bollinger?.middle, bollinger?.lower].map(lastOf);
  const strength = lastOf(rsi);
  if (upper == null || middle == null || lower == null || strength === null || upper === lower) {
    return { reversal: null, reasons: ['range: no Bollinger Bands and RSI to read'] };
  }
  const ofBand = clamp((middle - close) / (upper - middle));
  const ofStrength = clamp(((oversold + overbought) / 2 - strength) / ((overbought - oversold) / 2));
  const where = `close ${close.toFixed(2)} in the range ${lower.toFixed(2)} to ${upper.toFixed(2)} with RSI ${strength.toFixed(1)}`;
  const score = (ofBand + ofStrength) / 2;
  const read = (action: Reversal['action'], words: string): RangeReading => ({
    reversal: { score, action, target: middle },
    reasons: [`${where}: ${words}; the way back to the middle scores ${score.toFixed(2)}`],
  });
  if (close <= lower && strength <= oversold) return read('buy', 'oversold at the lower edge');
  if (close >= upper && strength >= overbought) return read('sell', 'overbought at the upper edge');
  return read(null, 'at no edge that both confirm');
}
