// A workflow definition: which steps, timeframes, analyst and gates the runs of a strategy take. Versions never change.
// Used by the API that stores definitions, the activity that opens a run, and `keel verify`.
import type { Timeframe } from '../market/bar.js';
import type { RiskProfile } from '../risk/types.js';

/** The steps of a run in the order of its story; those with timeframes are taken once for each. */
export const definitionSteps = [
  'openRun',
  'resolveContract',
  'fetchBars',
  'renderChart',
  'analyze',
  'decide',
  'evaluateRisk',
  'waitForMarket',
  'orderLifecycle',
  'closeRun',
] as const;
export type DefinitionStep = (typeof definitionSteps)[number];

/**
 * decisionChecks: what is proposed is held to prices and limits · riskChecks: every pre-trade check when the order is
 * proposed · admissionChecks: all of them again under the account's lock, before the order is stored ·
 * timeframesAgree: a buy only where every timeframe scores above zero.
 */
export const definitionGates = [
  'decisionChecks',
  'riskChecks',
  'admissionChecks',
  'timeframesAgree',
] as const;
export type DefinitionGate = (typeof definitionGates)[number];

/** Those that no definition may leave out. */
export const mandatoryGates = ['decisionChecks', 'riskChecks', 'admissionChecks'] as const;

/** Bounds for the risk profiles of strategies; each can only tighten what the platform allows. */
export type DefinitionLimits = Partial<
  Pick<
    RiskProfile,
    'riskPerTrade' | 'maximumPositionShare' | 'priceCollar' | 'minimumRCoefficient' | 'cashReserve'
  >
> & {
  /** False forbids adding to a position; it can not be allowed here. */
  readonly pyramiding?: false;
};

export interface WorkflowDefinition {
  readonly steps: readonly DefinitionStep[];
  readonly timeframes: readonly Timeframe[];
  /** auto: whatever the strategy asks for. */
  readonly analyst: 'auto' | 'rules' | 'openai';
  readonly gates: readonly DefinitionGate[];
  readonly limits: DefinitionLimits;
}
