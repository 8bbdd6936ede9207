// Who reads timeframes and proposes: the rules, or a model. The analyst proposes, code disposes.
import type { ProposalLimits } from '../domain/decision/checks.js';
import type { Analysis, Proposal } from '../domain/decision/decision.js';
import type { Bar, Timeframe } from '../domain/market/bar.js';
import type { IndicatorParameters, ModelRoles } from '../contracts/wire/strategy.js';
import type { PictureRef } from '../contracts/wire/object.js';

/** Whom a call is made for: its budget and its place in the records. */
export interface AnalystCall {
  readonly runId: string;
  readonly strategyId: string;
  /** Whose model does what; absent: the default does all. */
  readonly models?: ModelRoles;
}

export interface TimeframeInput {
  readonly timeframe: Timeframe;
  readonly bars: readonly Bar[];
  readonly indicators: IndicatorParameters;
  /** The stored picture of these bars; null in a run that draws none, which only rules read. */
  readonly chart: PictureRef | null;
  /** Its bytes, with their hash checked. @throws KeelError OBJECT_MISSING, OBJECT_DAMAGED (final) */
  readonly readPicture: () => Promise<Uint8Array>;
}

export interface AnalyzeInput extends TimeframeInput {
  readonly symbol: string;
  readonly call: AnalystCall;
}

export interface DecideInput {
  readonly symbol: string;
  /** The instrument's name as the broker gives it: text of a third party. */
  readonly name: string;
  readonly analyses: readonly Analysis[];
  /** What the analyses were made from, in their order. */
  readonly timeframes: readonly TimeframeInput[];
  /** What a proposal will be held to; `minimumRCoefficient` is the smallest reward per unit of risk. */
  readonly limits: ProposalLimits;
  readonly call: AnalystCall;
}

/** A failed or refused call is its own outcome, never a silent hold. */
export type AnalystOutcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface AnalystPort {
  readonly name: string;
  /** Changes whenever the same input may give another answer. */
  readonly version: string;
  /** Of what reads a timeframe and may change without the rest; a decision on it names it beside the version. */
  readonly added?: Readonly<Partial<Record<Timeframe, string>>>;
  analyze(input: AnalyzeInput): Promise<AnalystOutcome<Analysis>>;
  decide(input: DecideInput): Promise<AnalystOutcome<Proposal>>;
}

/** The part of an analyst that rules need: they look at no picture and make no call. */
export interface RulesAnalyst {
  readonly name: string;
  readonly version: string;
  analyze(input: Pick<AnalyzeInput, 'timeframe' | 'bars' | 'indicators'>): Promise<AnalystOutcome<Analysis>>;
  decide(input: {
    readonly analyses: readonly Analysis[];
    readonly limits: Pick<ProposalLimits, 'minimumRCoefficient'>;
  }): Promise<AnalystOutcome<Proposal>>;
}
