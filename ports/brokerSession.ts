// The broker's login as the one workflow that owns it works on it, and where its state is kept for everybody.
import type { Observation, SessionEvent, SessionState } from '../domain/brokerSession/rules.js';

/** One attempt a call, five seconds at most. What goes wrong is an observation, never thrown. */
export interface BrokerLoginPort {
  status(): Promise<Observation>;
  tickle(): Promise<Observation>;
  /** Opens the brokerage session of a login that is there. */
  open(): Promise<Observation>;
  /** What every new session wants before anything else: the accounts, checked against the mode, and left-out questions. */
  prepare(): Promise<Observation>;
}

export interface BrokerSessionRow {
  readonly login: string;
  readonly state: SessionState;
  /** The last look, ISO 8601 UTC: much older than 15 s means that nobody looks. */
  readonly checkedAt: string;
}

export interface ToldEvent extends SessionEvent {
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Errors: KeelError DATABASE_AWAY (retryable). */
export interface BrokerSessionStore {
  get(login: string): Promise<BrokerSessionRow | null>;
  /** Makes a watch the one that may save; an earlier one, given up for dead, may not from now on. Gives the row, if any. */
  take(login: string, watch: string): Promise<BrokerSessionRow | null>;
  /**
   * Replaces the row and appends the events, together.
   * @returns false where another watch has taken the login: nothing is written then
   */
  save(row: BrokerSessionRow, events: readonly SessionEvent[], watch: string): Promise<boolean>;
  /** Newest first: what a notifier tells people. */
  events(login: string, limit: number): Promise<readonly ToldEvent[]>;
}
