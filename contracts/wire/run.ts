// A run as it crosses processes: input, progress, result. The names of steps are the names people read.
import type { Decision } from '../../domain/decision/decision.js';
import type { Timeframe } from '../../domain/market/bar.js';
import type { RunIdentity } from './names.js';
import type { IntentState, OrderReport } from './order.js';

export interface StrategyRunInput extends RunIdentity {
  readonly runId: string;
  /** Where the market is shut the run ends (REFUSED, MARKET_SHUT) and does not wait for the next open. */
  readonly noWait?: boolean;
}

export type StepName =
  | 'openRun'
  | 'resolveContract'
  | `fetchBars ${Timeframe}`
  | `renderChart ${Timeframe}`
  | `analyze ${Timeframe}`
  | 'decide'
  | 'decide bull'
  | 'decide bear'
  | 'decide risk'
  | 'decide judge'
  | 'evaluateRisk'
  | 'waitForMarket'
  | 'orderLifecycle';

export interface StepProgress {
  readonly name: StepName;
  /** ISO 8601 UTC, wall clock. */
  readonly startedAt: string;
  /** Null while the step runs. */
  readonly ms: number | null;
}

/** running: at work · waiting: for the market · the other three are the ends. */
export type RunStatus = 'running' | 'waiting' | 'ended' | 'failed' | 'cancelled';

/**
 * Why a run ended. The natural ends: FILLED, NOT_FILLED, HOLD, NOTHING_TO_SELL, REFUSED (risk), REJECTED (broker),
 * NOT_SENT. The others need a person: UNPROTECTED (filled, but a protective leg does not work), SENT_NOT_FOUND_EXPIRED,
 * FAILED, CANCELLED.
 */
export type RunOutcome =
  | 'FILLED'
  | 'NOT_FILLED'
  | 'HOLD'
  | 'NOTHING_TO_SELL'
  | 'REFUSED'
  | 'REJECTED'
  | 'NOT_SENT'
  | 'UNPROTECTED'
  | 'SENT_NOT_FOUND_EXPIRED'
  | 'FAILED'
  | 'CANCELLED';

export const naturalOutcomes: readonly RunOutcome[] = [
  'FILLED',
  'NOT_FILLED',
  'HOLD',
  'NOTHING_TO_SELL',
  'REFUSED',
  'REJECTED',
  'NOT_SENT',
];

/** Ends without a decision that was carried out; a person may have another run of the session after them. */
const unsentOutcomes: readonly (RunOutcome | null)[] = ['FAILED', 'REFUSED', 'NOT_SENT', 'CANCELLED'];

/** Ends that somebody else wrote, or that leave the order's own workflow behind: it may send yet. */
const abandonedCodes: readonly (string | null)[] = ['LIFECYCLE_LOST', 'WORKFLOW_LOST', 'WORKFLOW_CLOSED'];

/**
 * Whether a run has ended without an order that may ever have reached the broker, or still may.
 * @param order the state of its intent; null without one
 */
export const endedUnsent = (
  { outcome, code }: { readonly outcome: RunOutcome | null; readonly code: string | null },
  order: IntentState | null,
): boolean =>
  unsentOutcomes.includes(outcome) &&
  !abandonedCodes.includes(code) &&
  (order === null || order === 'NOT_SENT' || order === 'ABANDONED');

export interface Spent {
  /** USD, decimal string: what calls to models have cost, and what is reserved for those under way. */
  readonly usd: string;
  /** A call that could pass it is not made. */
  readonly capUsd: string;
}

/** Of a run that has asked a model, as it ends. Day and month are UTC and count every run of the mode. */
export interface RunSpending {
  readonly calls: number;
  readonly run: Spent;
  readonly day: Spent;
  readonly month: Spent;
}

export interface RunProgress extends RunIdentity {
  readonly runId: string;
  readonly status: RunStatus;
  readonly steps: readonly StepProgress[];
  /** The market instant waited for, or null. */
  readonly waitingFor: string | null;
  readonly decision: Pick<Decision, 'action' | 'rCoefficient' | 'rationale'> | null;
  readonly order: OrderReport | null;
  readonly outcome: RunOutcome | null;
  /** Code and sentence of a refusal or failure. */
  readonly code: string | null;
  readonly message: string | null;
}

export interface RunResult {
  readonly runId: string;
  readonly status: RunStatus;
  readonly outcome: RunOutcome;
  readonly code: string | null;
  readonly message: string | null;
  readonly order: OrderReport | null;
}

/** Argument of the signal marketReached. */
export interface MarketReached {
  /** The market's instant now, ISO 8601 UTC. */
  readonly now: string;
}
