// The two times of Keel. Market time decides sessions, validity and the age of data; wall time decides deadlines.

/** Wall clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface MarketTime {
  /** ISO 8601 UTC with milliseconds. */
  readonly now: string;
  /** Counts the steps of a stepped clock; 0 for ever where the machine is the clock. */
  readonly step: number;
}

/** Replayed by the simulator in simulated mode, the machine's elsewhere. */
export interface MarketClock {
  /** @throws KeelError MARKET_CLOCK_AWAY (retryable) when the simulator cannot be reached. */
  now(): Promise<MarketTime>;
}
