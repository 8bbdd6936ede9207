// Why the broker's state cannot be read, as people are told it. Called by monitors, runs and the API.

/** Kept by the one poller, of the last read that failed. */
export interface BrokerTrouble {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly code: string;
  /** What happened, to what, and what to do; never a secret. */
  readonly message: string;
}

/** The poller tries again within half a minute: what is older than this was told by one that is gone. */
const currentMs = 120_000;

/**
 * @param now milliseconds since the epoch
 * @returns code and words; null where there is no trouble, or none that stands for now
 */
export function troubleWords(trouble: BrokerTrouble | null, now: number): string | null {
  if (trouble === null || now - Date.parse(trouble.at) > currentMs) return null;
  return `${trouble.code}: ${trouble.message}`;
}
