// How often somebody may try to prove who he is. Called by the store of attempts.

export interface AttemptLimit {
  /** Failed attempts in the window on one subject (an account), and from one address. */
  readonly perSubject: number;
  readonly perAddress: number;
  readonly windowMs: number;
}

const quarterHour = 15 * 60_000;
const hour = 60 * 60_000;

export const attemptLimits = {
  login: { perSubject: 5, perAddress: 30, windowMs: quarterHour },
  password: { perSubject: 5, perAddress: 30, windowMs: quarterHour },
  // Each makes a row and may ask the provider; the subject is the address too.
  oidc: { perSubject: 100, perAddress: 100, windowMs: quarterHour },
  // A code has a million values and three are good at a time.
  code: { perSubject: 5, perAddress: 30, windowMs: hour },
  // Each test of a channel counts: it sends something to an address that a user has chosen.
  notification: { perSubject: 10, perAddress: 100, windowMs: quarterHour },
  // Every registration counts, also one that worked: each makes a row and takes a hash.
  register: { perSubject: 5, perAddress: 20, windowMs: quarterHour },
} as const satisfies Readonly<Record<string, AttemptLimit>>;

export type AttemptKind = keyof typeof attemptLimits;
