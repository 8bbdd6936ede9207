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
    | 'CLAIMED_NUMBERS'
    | 'PANEL_MAJORITY'
    | 'PANEL_NO_VETO'
    | 'PANEL_JUDGE';
  readonly passed: boolean;
  /** A failed one refuses the decision; the others are shown. */
  readonly blocking: boolean;
  /** What was found, in words and numbers. */
  readonly text: string;
}

/** bull: the strongest case for a proposed buy · bear: the strongest against · risk: its prices and what could go wrong. */
export type PanelRole = 'bull' | 'bear' | 'risk';

/** What one reviewer of the panel says of a proposed buy. */
export interface PanelReview {
  readonly role: PanelRole;
  readonly argument: string;
  readonly points: readonly { readonly claim: string; readonly evidence: string }[];
  /** 0 to 100: how sound the proposal is, all told. Only counted against the quorum; sizes nothing. */
  readonly soundness: number;
  /** Prices in its words that it was not given. */
  readonly flags: readonly string[];
}

/** What the judge makes of the reviews. */
export interface PanelVerdict {
  readonly verdict: 'stands' | 'hold';
  /** 0 to 100, as of a review. */
  readonly soundness: number;
  readonly reasons: readonly string[];
  readonly strongestObjection: string;
  readonly flags: readonly string[];
}

/** What a panel did to a proposed buy. */
export interface PanelReport {
  /** False: the quorum was not reached, and the buy became a hold. */
  readonly stands: boolean;
  /** The buy as it was proposed: decimal strings. */
  readonly proposed: {
    readonly entry: string | null;
    readonly stop: string | null;
    readonly target: string | null;
    readonly rCoefficient: string | null;
    readonly profitMargin: string | null;
  };
  readonly reviews: readonly PanelReview[];
  readonly verdict: PanelVerdict;
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
  /** Of a buy that a panel has reviewed. */
  readonly panel?: PanelReport;
}
