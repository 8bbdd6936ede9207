// The shapes of indicators: parameters and columns of bars in, series of the same length out.

/** Bars as columns, oldest first, all of one length. */
export interface BarColumns {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/**
 * Periods are counted in bars. The same shape as IndicatorParameters of contracts/wire/strategy.ts, which the domain
 * may not import; the compiler compares the two wherever a strategy's settings are passed in.
 */
export interface IndicatorParameters {
  readonly sma: readonly number[];
  readonly ema: readonly number[];
  readonly rsi: number;
  readonly macd: { readonly fast: number; readonly slow: number; readonly signal: number };
  readonly bollinger: { readonly period: number; readonly deviations: number };
  readonly atr: number;
  readonly superTrend: { readonly period: number; readonly multiplier: number };
  readonly volumeAverage: number;
}

/** As long as the bars; NaN while the indicator warms up (JSON shows null), never zero. */
export type Series = Float64Array;

/** Every indicator of one set of bars. A series whose bars are too few is null as a whole and named in `tooShort`. */
export interface IndicatorSet {
  /** By period. */
  readonly sma: Readonly<Record<number, Series | null>>;
  readonly ema: Readonly<Record<number, Series | null>>;
  readonly rsi: Series | null;
  readonly macd: { readonly line: Series; readonly signal: Series; readonly histogram: Series } | null;
  readonly bollinger: { readonly upper: Series; readonly middle: Series; readonly lower: Series } | null;
  readonly atr: Series | null;
  /** direction: 1 while price is above the line, -1 below. */
  readonly superTrend: { readonly line: Series; readonly direction: Series } | null;
  readonly volumeAverage: Series | null;
  /** Such as "sma200 needs 200 bars, there are 150". */
  readonly tooShort: readonly string[];
}
