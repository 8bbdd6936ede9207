// Orders as they cross processes: the states of an intent, what brokerState tells a lifecycle, what a lifecycle
// tells its run. Amounts are decimal strings, instants are ISO 8601 UTC.
import type { ProposedOrder } from '../../domain/risk/types.js';
import type { Mode } from './names.js';
import type { ObjectRef } from './object.js';

/**
 * INTENT stored, reserves cash · SENT handed to the one attempt that may write the socket · then one of:
 * NOT_SENT refused after SENT and before the socket, or by the gateway before it passed it on · ABANDONED taken back before SENT · ACKNOWLEDGED the broker has it ·
 * REJECTED with the broker's evidence · UNKNOWN no readable answer · and the ends FILLED, CANCELLED, EXPIRED,
 * SENT_NOT_FOUND_EXPIRED (never found and no longer able to be valid).
 */
export type IntentState =
  | 'INTENT'
  | 'SENT'
  | 'NOT_SENT'
  | 'ABANDONED'
  | 'ACKNOWLEDGED'
  | 'REJECTED'
  | 'UNKNOWN'
  | 'FILLED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'SENT_NOT_FOUND_EXPIRED';

export const terminalIntentStates: readonly IntentState[] = [
  'NOT_SENT',
  'ABANDONED',
  'REJECTED',
  'FILLED',
  'CANCELLED',
  'EXPIRED',
  'SENT_NOT_FOUND_EXPIRED',
];

export interface OrderLifecycleInput {
  readonly mode: Mode;
  readonly accountId: string;
  readonly runId: string;
  readonly runWorkflowId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly clientOrderId: string;
  /** What step 5 weighed, as one stored object: decision, profile and instrument are weighed again at admission. */
  readonly riskInput: ObjectRef;
  /** What step 5 allowed; admission may only make it smaller. */
  readonly proposed: ProposedOrder;
  /** Set when the lifecycle continues as new after its report. */
  readonly resume?: LifecycleResume;
}

/** After its report a lifecycle only follows the protective legs. */
export interface LifecycleResume {
  readonly last: OrderState;
}

/** One leg of a bracket as the broker has it. */
export interface LegState {
  readonly role: 'stop' | 'target';
  readonly brokerOrderId: string;
  readonly status: BrokerOrderStatus;
  /** What the leg would trade in all. Legs that were told before this was looked at have none. */
  readonly quantity?: string;
  readonly filledQuantity: string;
  /** The broker's list lacks it and its id is not known there: the state is what Keel believes, and nobody has told it. */
  readonly unproven?: true;
}

/** What the broker says of an order, in one vocabulary for all brokers. Unknown states are refused at the adapter. */
export type BrokerOrderStatus =
  'PENDING' | 'WORKING' | 'PENDING_CANCEL' | 'FILLED' | 'CANCELLED' | 'REJECTED';

/** Whether an order may still fill. */
export const isAlive = (status: BrokerOrderStatus): boolean =>
  status === 'PENDING' || status === 'WORKING' || status === 'PENDING_CANCEL';

/** What one poll found of one intent. brokerState sends it to the lifecycle whenever it differs from the last one. */
export interface OrderState {
  readonly clientOrderId: string;
  readonly found: boolean;
  /** True once the snapshot was read after the order could no longer be valid. */
  readonly pastValidity: boolean;
  readonly brokerOrderId: string | null;
  readonly status: BrokerOrderStatus | null;
  readonly quantity: string | null;
  readonly filledQuantity: string;
  readonly averagePrice: string | null;
  readonly legs: readonly LegState[];
  /** Signed position in the symbol by the same snapshot. */
  readonly position: string;
  readonly reason: string | null;
}

/** The end of the run's part of an order: what the run records and shows. */
export interface OrderReport {
  readonly outcome: OrderOutcome;
  readonly code: string;
  readonly message: string;
  readonly clientOrderId: string;
  readonly brokerOrderId: string | null;
  readonly filledQuantity: string;
  readonly averagePrice: string | null;
}

export type OrderOutcome =
  | 'FILLED'
  | 'NOT_FILLED'
  | 'REFUSED'
  | 'REJECTED'
  | 'NOT_SENT'
  | 'ABANDONED'
  | 'UNPROTECTED'
  | 'SENT_NOT_FOUND_EXPIRED';

/** Progress of a lifecycle, for the query. */
export interface OrderProgress {
  readonly clientOrderId: string;
  readonly state: IntentState | 'ADMITTING';
  readonly waitingFor: string | null;
  readonly last: OrderState | null;
}
