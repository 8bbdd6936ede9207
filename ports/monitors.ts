// What the monitors keep and ask: their last results, the account's figures over time, whether an order is followed and a run goes on.
import type { LookName, MonitorResult } from '../contracts/wire/monitor.js';
import type { BrokerExecution } from './broker.js';

export interface MonitorRow extends MonitorResult {
  readonly name: LookName;
  /** Wall time of the end of the look, ISO 8601 UTC. */
  readonly at: string;
  /** How long it took, milliseconds. */
  readonly ms: number;
}

export interface MonitorStore {
  /** Replaces the monitor's last result. */
  put(row: MonitorRow): Promise<void>;
  get(name: LookName): Promise<MonitorRow | null>;
  list(): Promise<readonly MonitorRow[]>;
}

/** An account at one moment. Amounts are decimal strings in the account's currency, shares decimal strings of 1. */
export interface EquityRow {
  readonly accountId: string;
  /** Market time of the snapshot, ISO 8601 UTC. */
  readonly marketTime: string;
  readonly equity: string;
  readonly cash: string;
  /** Value of all positions, longs and shorts added up, as a share of the equity. */
  readonly exposure: string;
  /** Equity less the equity at the last known moment before this session; null on the first one. */
  readonly dayResult: string | null;
  /** Share of closed trades that won; null while there is none. */
  readonly winRate: string | null;
  readonly closedTrades: number;
}

export interface EquityStore {
  /** Replaces the row of the account and market time: the simulated market stands still while orders fill. */
  put(row: EquityRow): Promise<void>;
  latest(accountId: string): Promise<EquityRow | null>;
  /** The last row before a market instant. */
  before(accountId: string, marketTime: string): Promise<EquityRow | null>;
  /** Every execution that was ever mirrored, oldest first. */
  executions(accountId: string): Promise<readonly BrokerExecution[]>;
}

/** closed: ended in any way that was not a cancel or a failure. */
export type RunExecutionStatus = 'open' | 'closed' | 'failed' | 'cancelled';

export interface RunWorkflowsPort {
  /**
   * Workflow ids of all runs that are open, in one request for a thousand of them. One that has begun or ended a moment ago may
   * be told otherwise.
   * @throws KeelError TEMPORAL_AWAY (retryable)
   */
  listOpen(): Promise<ReadonlySet<string>>;
  /**
   * How a run's workflow stands, and whose it is by its memo; null where Temporal does not know it.
   * @throws KeelError TEMPORAL_AWAY (retryable)
   */
  describe(
    workflowId: string,
  ): Promise<{ readonly status: RunExecutionStatus; readonly runId: string | null } | null>;
}

export interface OrderWorkflowsPort {
  /** Whether the lifecycle of an order is open in Temporal. @throws KeelError TEMPORAL_AWAY (retryable) */
  isOpen(clientOrderId: string): Promise<boolean>;
}
