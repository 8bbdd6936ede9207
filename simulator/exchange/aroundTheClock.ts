// The calendar of what trades around the clock: one session a day, from midnight to midnight UTC. Used for crypto.
import type { Calendar, Session } from '../../domain/market/calendarTypes.js';

const DAY_MS = 86_400_000;
const dateOf = (instant: string): string => instant.slice(0, 10);
const shifted = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00.000Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** The day's last millisecond is left out, so that the close of a day comes before the open of the next. */
const sessionOf = (date: string): Session => ({
  date,
  open: `${date}T00:00:00.000Z`,
  close: `${date}T23:59:59.999Z`,
  early: false,
});

/** @param first and last, YYYY-MM-DD: what the table is said to know; every day is answered for */
export const createAroundTheClock = (first: string, last: string): Calendar => ({
  first,
  last,
  session: sessionOf,
  next: (date) => sessionOf(shifted(date, 1)),
  previous: (date) => sessionOf(shifted(date, -1)),
  openAt(instant) {
    const session = sessionOf(dateOf(instant));
    return instant < session.close ? session : null;
  },
  lastClosed(instant) {
    const session = sessionOf(dateOf(instant));
    return instant < session.close ? sessionOf(shifted(session.date, -1)) : session;
  },
  nextOpen: (instant) => sessionOf(shifted(dateOf(instant), 1)),
  between(from, to) {
    const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
    return Array.from({ length: Math.max(days, 0) }, (_, index) => sessionOf(shifted(from, index)));
  },
});
