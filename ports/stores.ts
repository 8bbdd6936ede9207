// What is kept in PostgreSQL, one store per noun; evidence of runs and the audit have files of their own. All writes are idempotent by their keys. Every row carries the mode.
// Amounts are decimal strings, instants ISO 8601 UTC. Errors: KeelError DATABASE_AWAY (retryable).
import type { BrokerTrouble } from '../domain/brokerSession/trouble.js';
import type { Mode, RunIdentity } from '../contracts/wire/names.js';
import type { IntentState, LegState, OrderState } from '../contracts/wire/order.js';
import type { RunOutcome, RunStatus, StepProgress } from '../contracts/wire/run.js';
import type { Strategy, StrategySettings } from '../contracts/wire/strategy.js';
import type {
  AccountState,
  BrokerExecution,
  BrokerOrder,
  BrokerPosition,
  UnreadableOrder,
} from './broker.js';
import type { RiskRow } from './evidence.js';

export interface StrategyStore {
  /** @throws KeelError STRATEGY_EXISTS (final). */
  create(
    strategy: Pick<Strategy, 'id' | 'name' | 'settings'> & { readonly ownerId?: string | null },
    actor: string,
  ): Promise<Strategy>;
  /**
   * Stores the next version of a strategy; runs that are open keep theirs.
   * @throws KeelError STRATEGY_NOT_FOUND, STRATEGY_CHANGED when `after` is not its version any more (final).
   */
  addVersion(
    id: string,
    next: { readonly after: number; readonly settings: StrategySettings },
    actor: string,
  ): Promise<Strategy>;
  get(id: string): Promise<Strategy | null>;
  /** One past version, as a run recorded it. */
  version(id: string, version: number): Promise<StrategySettings | null>;
  list(): Promise<readonly Strategy[]>;
}

export interface RunRow extends RunIdentity {
  readonly id: string;
  readonly workflowId: string;
  readonly strategyVersion: number;
  readonly status: RunStatus;
  readonly outcome: RunOutcome | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly waitingFor: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** When a restore brought its row back while it was open, wall time; null where none did. */
  readonly restoredAt: string | null;
  /** Id of the user whose strategy it ran; null where nobody owned it. */
  readonly ownerId: string | null;
  /** The version of the workflow definition that its strategy version names; null for a run that an older Keel opened. */
  readonly definitionId: string | null;
  readonly definitionVersion: number | null;
}

export interface RunEnd {
  readonly status: RunStatus;
  readonly outcome: RunOutcome;
  readonly code: string | null;
  readonly message: string | null;
  readonly steps: readonly StepProgress[];
}

export interface RunStore {
  /**
   * Inserts the run, or finds it when it is already there with the same workflow id.
   * @throws KeelError RUN_EXISTS (final) when another workflow has this strategy, symbol, session and slot.
   */
  open(
    run: RunIdentity & { readonly id: string; readonly workflowId: string; readonly strategyVersion: number },
  ): Promise<RunRow>;
  get(id: string): Promise<RunRow | null>;
  byWorkflowId(workflowId: string): Promise<RunRow | null>;
  /** Newest session first. */
  list(filter: {
    strategyId?: string;
    symbol?: string;
    /** Id of a user: only his. */
    ownerId?: string;
    limit: number;
  }): Promise<readonly RunRow[]>;
  /** Runs that have not ended. */
  listOpen(): Promise<readonly RunRow[]>;
  steps(id: string): Promise<readonly StepProgress[]>;
  /** Sets or clears the market instant a run waits for; status follows: waiting or running. */
  setWaiting(id: string, waitingFor: string | null): Promise<void>;
  end(id: string, end: RunEnd): Promise<void>;
}

export interface IntentRow {
  readonly clientOrderId: string;
  readonly mode: Mode;
  readonly accountId: string;
  readonly runId: string;
  readonly symbol: string;
  readonly conid: string;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  /** The most that a unit may cost; null for a market order. */
  readonly limit: string | null;
  readonly stop: string | null;
  readonly target: string | null;
  /** Cash a buy holds back until it is terminal. */
  readonly reservedCash: string;
  /** The market instant after which the entry can no longer be valid. */
  readonly validUntil: string;
  readonly state: IntentState;
  readonly brokerOrderId: string | null;
  readonly filledQuantity: string;
  readonly averagePrice: string | null;
  readonly legs: readonly LegState[];
  /** The broker's or our words on the last change. */
  readonly reason: string | null;
  readonly updatedAt: string;
}

export type NewIntent = Omit<
  IntentRow,
  'state' | 'brokerOrderId' | 'filledQuantity' | 'averagePrice' | 'legs' | 'reason' | 'updatedAt'
>;

/** What admission sees and does while it holds the account's lock. */
export interface AdmissionTransaction {
  snapshot(): Promise<BrokerSnapshot | null>;
  openIntents(): Promise<readonly IntentRow[]>;
  intent(clientOrderId: string): Promise<IntentRow | null>;
  /** Whether the run's owner is an active trader or above; also true of a run that nobody owns. */
  ownerMayTrade(runId: string): Promise<boolean>;
  /** Stores the intent as INTENT; it reserves from then on. */
  insertIntent(intent: NewIntent): Promise<void>;
  putRisk(row: RiskRow): Promise<void>;
}

export interface IntentStore {
  /** Runs `work` in one transaction under the account's PostgreSQL advisory lock. */
  withAccountLock<T>(
    mode: Mode,
    accountId: string,
    work: (tx: AdmissionTransaction) => Promise<T>,
  ): Promise<T>;
  get(clientOrderId: string): Promise<IntentRow | null>;
  byRun(runId: string): Promise<IntentRow | null>;
  /**
   * What the poller watches: intents that are not terminal, those given up for lost (they may still arrive), filled ones
   * whose protective legs have not been seen, and those with legs still working.
   */
  listOpen(mode: Mode, accountId: string): Promise<readonly IntentRow[]>;
  /** Buys of these instruments whose stop is over and whose legs have not sold, and since which no sell has filled. */
  listUnstopped(mode: Mode, accountId: string, conids: readonly string[]): Promise<readonly IntentRow[]>;
  /** Those of one contract that are not open any more and have an unproven leg, since the last closing sell: such a leg may still sell. */
  listUnproven(mode: Mode, accountId: string, conid: string): Promise<readonly IntentRow[]>;
  /** Keeps that somebody asked a run to stop, also one that no worker has opened yet: no buy of it is marked SENT then. */
  askCancel(runId: string, actor: string): Promise<void>;
  cancelAsked(runId: string): Promise<boolean>;
  /**
   * Compare-and-set of the state, with an audit row in the same transaction.
   * @returns false when the intent was not in `from`, or is a buy to be marked SENT of a run that was asked to stop.
   */
  move(
    clientOrderId: string,
    from: readonly IntentState[],
    to: IntentState,
    change: { brokerOrderId?: string; reason?: string; actor: string },
  ): Promise<boolean>;
  /** Writes what a poll found: broker id, fills, legs, and the state that follows from it. */
  applyState(clientOrderId: string, state: OrderState, next: IntentState): Promise<void>;
}

/** One complete read of an account, by the one poller. */
export interface BrokerSnapshot {
  readonly mode: Mode;
  readonly accountId: string;
  /** Wall clock, before the first request of the read. */
  readonly readStartedAt: string;
  /** The market's time and step count before the read. */
  readonly marketTime: string;
  readonly marketStep: number;
  readonly account: AccountState;
  readonly positions: readonly BrokerPosition[];
  readonly orders: readonly BrokerOrder[];
  /** Orders made elsewhere that cannot be read; a snapshot of before there were such has none. */
  readonly unreadable?: readonly UnreadableOrder[];
  readonly executions: readonly BrokerExecution[];
}

export interface SnapshotGlance extends Pick<BrokerSnapshot, 'readStartedAt' | 'marketStep'> {
  /** An order of the instrument is on its way to the broker: SENT, its answer not yet written. */
  readonly inFlight: boolean;
}

export interface PollDemand {
  /** A run is open: it may have to weigh an order on fresh state at any moment. */
  readonly runs: boolean;
  /** An entry is not over, or a filled one's protective legs have not been seen. */
  readonly orders: boolean;
}

export interface BrokerStateStore {
  /**
   * Replaces the account's snapshot and mirrors orders, executions and positions into their tables.
   * @returns false, and nothing is stored, when a newer read is stored already
   */
  save(snapshot: BrokerSnapshot): Promise<boolean>;
  latest(mode: Mode, accountId: string): Promise<BrokerSnapshot | null>;
  /** What tells cheaply whether admission is worth the account's lock yet; null before the first snapshot. */
  glance(mode: Mode, accountId: string, conid: string): Promise<SnapshotGlance | null>;
  /** Whom the next poll is for. */
  demand(mode: Mode, accountId: string): Promise<PollDemand>;
  executionsOf(clientOrderId: string): Promise<readonly BrokerExecution[]>;
  /** Keeps why the last read failed. */
  putTrouble(accountId: string, trouble: BrokerTrouble): Promise<void>;
  /**
   * Why the last read failed; null where none has, or one that began later has been stored.
   * @param accountId null for that of this mode which failed last: whoever asks has no account
   */
  trouble(accountId: string | null): Promise<BrokerTrouble | null>;
  /**
   * When the newest stored read began; null before the first.
   * @param accountId null for that of this mode which was read last: whoever asks has no account
   */
  lastReadAt(accountId: string | null): Promise<string | null>;
}
