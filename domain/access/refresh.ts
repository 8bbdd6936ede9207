// What becomes of a refresh token that is presented. Called by the store of logins, under the lock of the login.

/** Milliseconds in which the token before the current one is answered once more: its answer may have been lost. */
export const refreshGraceMs = 10_000;

export interface RefreshFacts {
  /** The login is over or has expired. */
  readonly loginOver: boolean;
  /** Milliseconds since the token was first used; null when it never was. */
  readonly usedMsAgo: number | null;
  /** The token that was given for it has been used itself. */
  readonly successorUsed: boolean;
}

/**
 * rotate: give the next one · repeat: give the same next one again · replay: somebody has a token that is not his, so
 * end the login · refuse: the login is over.
 */
export type RefreshVerdict = 'rotate' | 'repeat' | 'replay' | 'refuse';

export function refreshVerdict({ loginOver, usedMsAgo, successorUsed }: RefreshFacts): RefreshVerdict {
  if (loginOver) return 'refuse';
  if (usedMsAgo === null) return 'rotate';
  return !successorUsed && usedMsAgo <= refreshGraceMs ? 'repeat' : 'replay';
}
