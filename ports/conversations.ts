// Every call to a model, kept for ever: what was asked, what was answered, what it cost. It is the budget's ledger too.
// Amounts are decimal strings in USD, instants ISO 8601 UTC. Errors: KeelError DATABASE_AWAY (retryable).
import type { ObjectRef, PictureRef } from '../contracts/wire/object.js';
import type { Mode } from '../contracts/wire/names.js';

/** How a call ended. Only `ok` can lead to an order; each of the others ends the run with its own code. */
export type ModelOutcome =
  | 'ok'
  | 'refusal'
  | 'length'
  | 'content_filter'
  | 'empty'
  | 'invalid_json'
  | 'schema_invalid'
  | 'timeout'
  | 'budget';

/**
 * reserved: under way, or cut off by a crash · answered: the model's answer is stored · failed: there was none ·
 * abandoned: a crash cut it off and a later call took its place; its reserved cost stays counted
 */
export type CallState = 'reserved' | 'answered' | 'failed' | 'abandoned';

/** What is known before a call. */
export interface NewCall {
  readonly runId: string;
  readonly strategyId: string;
  /** What it is for: `daily`, `weekly`, `decision`. */
  readonly purpose: string;
  /** 0, or 1 for the repair. */
  readonly turn: number;
  /** SHA-256 over everything that the answer depends on. */
  readonly contentKey: string;
  readonly profile: string;
  readonly api: 'responses' | 'chat';
  readonly modelAsked: string;
  /** Name and SHA-256 of each template. */
  readonly prompts: readonly { readonly name: string; readonly sha256: string }[];
  /** The whole request without the pictures' bytes. */
  readonly prompt: ObjectRef;
  /** Of the data in the prompt: bars, levels, readings. */
  readonly inputSha256: string;
  /** As they were sent; calls of an earlier Keel do not say their size. */
  readonly pictures: readonly (ObjectRef & Partial<PictureRef>)[];
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
  /** The picture was left out because the model takes none. */
  readonly numbersOnly: boolean;
  readonly reservedUsd: string;
  /** Date of the price table that the costs are computed with. */
  readonly priceDate: string;
}

/** What is known after it. */
export interface CallResult {
  readonly state: 'answered' | 'failed';
  /** Null where the call failed without an outcome: refused, away. */
  readonly outcome: ModelOutcome | null;
  readonly code: string | null;
  /** The server let nobody in, or said that it made no answer; null of a call that is not settled, or of an older Keel. */
  readonly down: boolean | null;
  readonly message: string | null;
  readonly modelAnswered: string | null;
  readonly fingerprint: string | null;
  readonly responseId: string | null;
  readonly requestId: string | null;
  readonly finishReason: string | null;
  readonly inputTokens: number | null;
  readonly cachedTokens: number | null;
  readonly outputTokens: number | null;
  readonly costUsd: string;
  /** The answer's bytes as they came. */
  readonly answer: ObjectRef | null;
  /** Milliseconds of wall time. */
  readonly ms: number;
}

export interface CallRow extends NewCall, Omit<CallResult, 'state' | 'costUsd' | 'ms'> {
  readonly id: string;
  readonly state: CallState;
  readonly costUsd: string | null;
  readonly ms: number | null;
  /** The call whose answer this one took instead of asking again. */
  readonly cachedFrom: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** USD; a call that would pass one of them is not made. Days and months are UTC. */
export interface BudgetCaps {
  readonly run: string;
  readonly day: string;
  readonly month: string;
}

export type Reservation =
  | { readonly kind: 'reserved'; readonly id: string }
  | {
      readonly kind: 'refused';
      readonly cap: keyof BudgetCaps;
      readonly limitUsd: string;
      readonly spentUsd: string;
    };

export interface Spending {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: string;
}

export const spendingGroups = ['day', 'month', 'strategy', 'run', 'call'] as const;
export type SpendingGroup = (typeof spendingGroups)[number];

export interface SpendingQuery {
  readonly by: SpendingGroup;
  /** First day, UTC, as YYYY-MM-DD. */
  readonly since: string;
  /** Only runs of this user; null for everybody's. */
  readonly ownerId: string | null;
  readonly limit: number;
}

/** What one day, month (both UTC), strategy, run or call has cost. */
export interface SpendingRow {
  /** `2026-01-31`, `2026-01`, or the id. */
  readonly key: string;
  /** Null where the row holds those of several. */
  readonly strategyId: string | null;
  readonly runId: string | null;
  readonly purpose: string | null;
  /** Calls that were made; answers taken from the records and calls that a cap has stopped are counted apart. */
  readonly calls: number;
  readonly reused: number;
  readonly refused: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** With what is reserved for calls under way or cut off, which `openUsd` holds alone. */
  readonly usd: string;
  readonly openUsd: string;
}

export interface ConversationStore {
  /**
   * Reserves the cost and stores the call, both or neither; calls of one mode are weighed one after another. What an
   * earlier attempt has left reserved for the same run, purpose and turn, of whichever profile, is marked as abandoned.
   */
  reserve(call: NewCall, caps: BudgetCaps): Promise<Reservation>;
  settle(id: string, result: CallResult): Promise<void>;
  /** A call that is paid for and answered with this content: any of the same run, a good one of another. */
  answered(contentKey: string, runId: string): Promise<CallRow | null>;
  /** Notes that a run took another's answer; costs nothing. Idempotent. */
  reuse(call: NewCall, from: CallRow): Promise<void>;
  /** Oldest first. */
  byRun(runId: string): Promise<readonly CallRow[]>;
  /** Newest first. */
  spending(query: SpendingQuery): Promise<readonly SpendingRow[]>;
  spent(): Promise<{ readonly mode: Mode; readonly day: Spending; readonly month: Spending }>;
}
