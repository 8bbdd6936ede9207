// Why the broker's state cannot be read, as people are told it. Called by monitors, runs, the API and keel doctor.

/** Kept by the one poller, of the last read that failed. */
export interface BrokerTrouble {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly code: string;
  /** What happened, to what, and what to do; never a secret. */
  readonly message: string;
}

/**
 * The poller reads, or tries again, within half a minute, milliseconds: an account that was not read for longer than this is
 * not read any more, and a trouble that is older was told by a poller that is gone.
 */
export const unreadMs = 120_000;

/**
 * @param now milliseconds since the epoch
 * @returns code and words; null where there is no trouble, or none that stands for now
 */
export function troubleWords(trouble: BrokerTrouble | null, now: number): string | null {
  if (trouble === null || now - Date.parse(trouble.at) > unreadMs) return null;
  return `${trouble.code}: ${trouble.message}`;
}

/**
 * For an account that is not read, without a trouble that says why: a poller that is gone or hangs tells nothing.
 * @param readAt when the last read that is stored began; null where there is none
 * @param now milliseconds since the epoch
 * @returns code and words, which stay the same while it lasts; null where the account is read
 */
export function unreadWords(readAt: string | null, now: number): string | null {
  if (readAt !== null && now - Date.parse(readAt) <= unreadMs) return null;
  const last = readAt === null ? 'was never read' : `was last read at ${readAt}`;
  return `BROKER_STATE_STALE: the account ${last}: see that a worker runs, and what keel doctor says of the account`;
}
