// Whether a price is of the session that counts now. Called by adapters/prices.
import type { Calendar } from './calendarTypes.js';

/** Sources publish the first price of a session this much later than its open, milliseconds. */
const openGraceMs = 20 * 60_000;

/** Coins trade around the clock. */
const isAroundTheClock = (symbol: string): boolean => symbol.includes('/');

/**
 * True when `at` lies before the session that is on (after a grace for its first minutes), or before the last one when
 * none is on; of a coin, when it is older than sources are late. A moment that the calendar does not know judges nothing.
 * @param at when the price was made @param now by the clock that the price is of; both ISO 8601 UTC
 */
export function isOfEarlierSession(symbol: string, at: string, now: string, calendar: Calendar): boolean {
  if (isAroundTheClock(symbol)) return Date.parse(now) - Date.parse(at) > openGraceMs;
  try {
    const open = calendar.openAt(now);
    const begun = open !== null && Date.parse(now) - Date.parse(open.open) >= openGraceMs;
    const counts = begun ? open : calendar.lastClosed(now);
    return at < counts.open;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
