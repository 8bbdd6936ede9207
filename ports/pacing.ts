// The limits of one gateway, kept for all processes that ask it. A process keeps them for itself too (adapters/ibkr/pacing).

export interface SharedTurn {
  /** Milliseconds until the turn that was taken comes; null where none was, because it came too late. */
  readonly waitMs: number | null;
  /** Milliseconds for which all requests must stop, because some process was told that it asked too much; 0 for none. */
  readonly stopMs: number;
}

export interface SharedClaim {
  readonly taken: boolean;
  /** Milliseconds until the limit is free again. Where it was not taken, somebody may be quicker then too. */
  readonly waitMs: number;
}

/** One of the places of a limit, as it was taken. */
export interface SharedPlace {
  readonly name: string;
  /** When it ends, in the words of who keeps it. */
  readonly until: string;
}

/** Errors: KeelError DATABASE_AWAY (retryable). */
export interface SharedPacing {
  /**
   * Takes the next turn of a limit, `gapMs` after the one before it, whichever process took that. One that comes later than
   * in `longestMs` is left to others: who gives up must not make them wait.
   */
  take(limit: string, gapMs: number, longestMs: number): Promise<SharedTurn>;
  /**
   * Takes a limit for now, where it is free now, and keeps it for `gapMs` from now. For a limit of single requests, which
   * wait for something else as well: a turn that was taken before that wait says nothing of when they go out.
   */
  claim(limit: string, gapMs: number): Promise<SharedClaim>;
  /**
   * Takes one of so many places of a limit; null where none is free. It is free again when it is left, or after `forMs`, so
   * that a process that dies in it keeps nobody out for longer.
   */
  enterPlace(limit: string, places: number, forMs: number): Promise<SharedPlace | null>;
  /** Leaves a place. One that has ended meanwhile may be another's: then nothing is changed. */
  leavePlace(place: SharedPlace): Promise<void>;
  /** Stops every process for so long from now. */
  stop(forMs: number): Promise<void>;
}
