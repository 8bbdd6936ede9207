// The limits of one gateway, kept for all processes that ask it. A process keeps them for itself too (adapters/ibkr/pacing).

export interface SharedTurn {
  /** Milliseconds until the turn that was taken comes; null where none was, because it came too late. */
  readonly waitMs: number | null;
  /** Milliseconds for which all requests must stop, because some process was told that it asked too much; 0 for none. */
  readonly stopMs: number;
}

/** Errors: KeelError DATABASE_AWAY (retryable). */
export interface SharedPacing {
  /**
   * Takes the next turn of a limit, `gapMs` after the one before it, whichever process took that. One that comes later than
   * in `longestMs` is left to others: who gives up must not make them wait.
   */
  take(limit: string, gapMs: number, longestMs: number): Promise<SharedTurn>;
  /** Stops every process for so long from now. */
  stop(forMs: number): Promise<void>;
}
