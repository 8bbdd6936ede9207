// What a model says, as data in closed shapes: the reading of one timeframe, and what comes with a decision.
// Confidence is recorded and judged afterwards; nothing that sizes an order takes it.

export interface Signal {
  readonly name: string;
  readonly direction: 'bullish' | 'bearish' | 'neutral';
  /** The numbers it rests on, in words. */
  readonly evidence: string;
}

export interface Reading {
  readonly trend: 'up' | 'down' | 'sideways';
  readonly momentum: 'rising' | 'falling' | 'flat';
  readonly volatility: 'low' | 'normal' | 'high';
  /** Prices, nearest first. */
  readonly support: readonly number[];
  readonly resistance: readonly number[];
  readonly signals: readonly Signal[];
  /** 0 to 100. */
  readonly confidence: number;
  /** What would prove it wrong. */
  readonly invalidation: string;
  readonly summary: string;
  /** The model saw no picture. */
  readonly numbersOnly: boolean;
  /** Claims that the bars do not bear out. */
  readonly flags: readonly string[];
}

export interface DecisionCheck {
  readonly code:
    | 'PRICES_PRESENT'
    | 'PRICES_SIDES'
    | 'PRICES_NEAR'
    | 'PRICE_INCREMENT'
    | 'R_MINIMUM'
    | 'MARGIN_AFTER_COSTS'
    | 'TIMEFRAMES_AGREE'
    | 'CLAIMED_NUMBERS';
  readonly passed: boolean;
  /** A failed one refuses the decision; the others are shown. */
  readonly blocking: boolean;
  /** What was found, in words and numbers. */
  readonly text: string;
}

/** What a model's decision carries besides its prices. */
export interface DecisionReview {
  /** The model saw no picture, because it takes none. */
  readonly numbersOnly: boolean;
  /** 0 to 100. */
  readonly confidence: number;
  readonly horizonSessions: number | null;
  readonly agreements: readonly string[];
  readonly conflicts: readonly string[];
  readonly risks: readonly string[];
  readonly checks: readonly DecisionCheck[];
}
