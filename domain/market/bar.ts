// The bar: open, high, low, close and volume of one interval. The unit of all market data in Keel.

export type Timeframe = 'daily' | 'weekly';

/** One interval. Prices in the instrument's currency, volume in shares. */
export interface Bar {
  /** Start of the interval, ISO 8601 UTC with milliseconds: `2014-07-07T13:30:00.000Z`. */
  readonly time: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** How many bars a strategy needs at least, and how many a chart and an analysis show. */
export const timeframeRules: Record<Timeframe, { readonly warmUp: number; readonly window: number }> = {
  /** One year of sessions. */
  daily: { warmUp: 200, window: 252 },
  /** Five years of weeks. */
  weekly: { warmUp: 60, window: 260 },
};
