// How activities wait: cancellable, and known to Temporal.

/** Resolves after so many milliseconds; rejects when the activity is cancelled. */
export type Pause = (ms: number) => Promise<void>;
