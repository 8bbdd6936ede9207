// What analysts say and what code makes of it. R coefficient, profit margin and prices of an order are always
// computed here, never taken from an analyst.
import type { Timeframe } from '../market/bar.js';
import type { Regime } from '../market/regime.js';
import type { DecisionReview, Reading } from './reading.js';

export type Action = 'buy' | 'sell' | 'hold';

/** An analysis: what an analyst says of one timeframe. Scores run from -1 (bearish) to 1 (bullish). */
export interface Analysis {
  readonly timeframe: Timeframe;
  readonly analyst: string;
  readonly score: number;
  readonly parts: {
    readonly trend: number;
    readonly momentum: number;
    readonly volatility: number;
    readonly levels: number;
  };
  /** Last close, and the Average True Range there; null while it warms up. */
  readonly close: number;
  readonly atr: number | null;
  readonly support: number | null;
  readonly resistance: number | null;
  /** Time of the last bar seen. */
  readonly lastBar: string;
  readonly barCount: number;
  /** Every reason in words and numbers. */
  readonly reasons: readonly string[];
  /** The kind of market, which the rules tell from daily bars; absent elsewhere, and where a model read. */
  readonly regime?: Regime;
  /** The way back to the middle of a ranging market, beside the score, which means the same everywhere; absent elsewhere. */
  readonly reversal?: Reversal;
  /** The model's full reading; absent where rules read. */
  readonly reading?: Reading;
}

/** The way from the edges of a range to its middle. */
export interface Reversal {
  /** From -1 at the upper edge to 1 at the lower one. */
  readonly score: number;
  /** What is due: buy at the lower edge, sell at the upper one; null between them. */
  readonly action: 'buy' | 'sell' | null;
  /** The middle Bollinger Band: the price that it goes back to. */
  readonly target: number;
}

/** The score that the rules of this version decide by: in a ranging market that of the way back to the middle. */
export const decidingScore = ({ score, reversal }: Pick<Analysis, 'score' | 'reversal'>): number =>
  reversal?.score ?? score;

/** What an analyst proposes after consolidation. Prices are `number` until code puts them on the grid. */
export interface Proposal {
  readonly action: Action;
  readonly entry: number | null;
  readonly stop: number | null;
  readonly target: number | null;
  readonly rationale: string;
  /** What a model's proposal carries besides; absent where rules propose. */
  readonly review?: DecisionReview;
}

/** Where a figure of a decision came from. */
export type Source = 'analyst' | 'quote' | 'code';

/** The decision of a run. Prices and ratios are decimal strings; they are null for a hold and for a closing sell. */
export interface Decision {
  readonly action: Action;
  readonly entry: string | null;
  readonly stop: string | null;
  readonly target: string | null;
  /** (target − entry) / (entry − stop) for a long, mirrored for a short. */
  readonly rCoefficient: string | null;
  /** (target − entry) / entry for a long, mirrored for a short, as a fraction. */
  readonly profitMargin: string | null;
  readonly rationale: string;
  readonly analyst: string;
  readonly sources: {
    readonly action: Source;
    readonly entry: Source;
    readonly stop: Source;
    readonly target: Source;
  };
  /** Of a model's decision; absent where rules decided. */
  readonly review?: DecisionReview;
}
