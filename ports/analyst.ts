// Who reads timeframes and proposes: the rules, or a model. The analyst proposes, code disposes.
import type { Analysis, Proposal } from '../domain/decision/decision.js';
import type { Bar, Timeframe } from '../domain/market/bar.js';
import type { IndicatorParameters } from '../contracts/wire/strategy.js';
import type { ObjectRef } from '../contracts/wire/object.js';

export interface AnalyzeInput {
  readonly symbol: string;
  readonly timeframe: Timeframe;
  readonly bars: readonly Bar[];
  readonly indicators: IndicatorParameters;
  /** The stored picture of these bars. */
  readonly chart: ObjectRef;
}

export interface DecideInput {
  readonly symbol: string;
  readonly analyses: readonly Analysis[];
  /** Smallest reward per unit of risk that the strategy takes. */
  readonly minimumRCoefficient: number;
}

/** A failed or refused call is its own outcome, never a silent hold. */
export type AnalystOutcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface AnalystPort {
  readonly name: string;
  /** Changes whenever the same input may give another answer. */
  readonly version: string;
  analyze(input: AnalyzeInput): Promise<AnalystOutcome<Analysis>>;
  decide(input: DecideInput): Promise<AnalystOutcome<Proposal>>;
}
