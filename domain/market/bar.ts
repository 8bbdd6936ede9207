// The bar: open, high, low, close and volume of one interval. The unit of all market data in Keel.

/** Shortest first. Another one is a row of timeframeRules, a prompt, its aggregation, and a name in the tables' checks. */
export const timeframes = ['daily', 'weekly', 'monthly'] as const;
export type Timeframe = (typeof timeframes)[number];

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

interface TimeframeRule {
  /** How many complete bars a strategy needs at least. */
  readonly warmUp: number;
  /** How many bars a chart and an analysis show at most. */
  readonly window: number;
  /** Most sessions that one bar can hold. */
  readonly sessions: number;
  /** What a source of bars is asked for, in IBKR's words: the window, and more to warm indicators up. */
  readonly request: { readonly period: string; readonly bar: string };
  /** The model's prompt, a file of adapters/openai/prompts without its extension. */
  readonly prompt: string;
}

export const timeframeRules: Readonly<Record<Timeframe, TimeframeRule>> = {
  /** One year of sessions, of two. */
  daily: {
    warmUp: 200,
    window: 252,
    sessions: 1,
    request: { period: '2y', bar: '1d' },
    prompt: 'daily-1',
  },
  /** Five years of weeks, of ten. */
  weekly: {
    warmUp: 60,
    window: 260,
    sessions: 5,
    request: { period: '10y', bar: '1w' },
    prompt: 'weekly-1',
  },
  /** Ten years of months, of fifteen; three years at least, so that the MACD has a value. */
  monthly: {
    warmUp: 36,
    window: 120,
    sessions: 23,
    request: { period: '15y', bar: '1m' },
    prompt: 'monthly-1',
  },
};
