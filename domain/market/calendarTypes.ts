// The exchange calendar: sessions with their opens and closes in UTC. Outside the table nothing is known, and callers
// fail closed.

export interface Session {
  /** Date in the exchange's zone, YYYY-MM-DD. */
  readonly date: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly open: string;
  readonly close: string;
  /** True on a day that closes early. */
  readonly early: boolean;
}

export interface Calendar {
  /** First and last date the table knows. */
  readonly first: string;
  readonly last: string;
  /** The session of a date; null when the exchange is shut that day. @throws RangeError outside the table. */
  session(date: string): Session | null;
  /** The first session after a date. @throws RangeError when the table ends before it. */
  next(date: string): Session;
  /** The last session before a date. @throws RangeError when the table starts after it. */
  previous(date: string): Session;
  /** The session that is open at an instant (open ≤ instant < close), or null. @throws RangeError outside the table. */
  openAt(instant: string): Session | null;
  /** The last session that has closed at an instant (close ≤ instant). @throws RangeError outside the table. */
  lastClosed(instant: string): Session;
  /** The first session that opens after an instant. @throws RangeError outside the table. */
  nextOpen(instant: string): Session;
  /** Sessions from one date to another, both included. @throws RangeError outside the table. */
  between(from: string, to: string): readonly Session[];
}
