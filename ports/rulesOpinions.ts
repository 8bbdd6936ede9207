// What the rules said beside a model, for comparison. Written by the activities, read by the API and the CLI.
// Errors: KeelError DATABASE_AWAY (retryable).
import type { Action } from '../domain/decision/decision.js';
import type { Timeframe } from '../domain/market/bar.js';

export interface RulesOpinion {
  readonly runId: string;
  /** A timeframe that they read, or their decision. */
  readonly part: Timeframe | 'decision';
  readonly version: string;
  /** From -1 to 1; null of a decision. */
  readonly score: number | null;
  /** Null of a timeframe, and where the rules could not decide. */
  readonly action: Action | null;
  /** Decimal strings in the instrument's currency; null but for a buy. */
  readonly entry: string | null;
  readonly stop: string | null;
  readonly target: string | null;
  readonly reasons: readonly string[];
}

export interface RulesOpinionStore {
  /** Idempotent: a repeated step writes the same again. */
  put(opinion: RulesOpinion): Promise<void>;
  /** Timeframes and decision, by name. */
  byRun(runId: string): Promise<readonly RulesOpinion[]>;
}
