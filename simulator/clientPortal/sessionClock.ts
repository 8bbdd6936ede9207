// The clocks of the login: an idle brokerage session dies, and at midnight of New York the login itself ends, or is renewed
// where that is not switched on. Looked at with every request; time runs as fast as the stated factor. Called by app.ts.
import type { RequestHandler } from 'express';
import type { Portal } from './portal.js';
import { endSession } from './portal.js';

/** A brokerage session without requests dies after this long, broker milliseconds. */
const IDLE_MS = 360_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The broker's own wall time, milliseconds since the epoch: the machine's, faster by the factor from the start on. */
export const brokerTime = ({
  clock,
  clockFactor,
  startedAt,
}: Pick<Portal, 'clock' | 'clockFactor' | 'startedAt'>): number =>
  startedAt + (clock.now() - startedAt) * clockFactor;

const newYork = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

const partsAt = (at: number): Readonly<Record<string, string>> =>
  Object.fromEntries(newYork.formatToParts(at).map(({ type, value }) => [type, value]));

/** YYYY-MM-DD in New York. */
function dateAt(at: number): string {
  const { year = '', month = '', day = '' } = partsAt(at);
  return `${year}-${month}-${day}`;
}

/** Milliseconds on the clocks of New York. */
function sinceMidnight(at: number): number {
  const { hour = '0', minute = '0', second = '0' } = partsAt(at);
  return ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
}

/** Milliseconds until the next midnight, when the login ends or is renewed. */
export function untilExpiry(portal: Pick<Portal, 'clock' | 'clockFactor' | 'startedAt'>): number {
  const now = brokerTime(portal);
  const usual = DAY_MS - sinceMidnight(now);
  // Twice a year the clocks are moved by an hour before that.
  const left = [usual, usual + HOUR_MS, usual - HOUR_MS].find((ms) => sinceMidnight(now + ms) === 0);
  return left ?? usual;
}

export function sessionClock(portal: Portal): RequestHandler {
  const { session } = portal;
  return (_request, _response, next) => {
    const now = brokerTime(portal);
    if (session.loggedIn && dateAt(now) !== dateAt(session.loggedInAt)) {
      if (portal.midnightReset) endSession(portal, { login: false });
      else session.loggedInAt = now;
    }
    if (session.authenticated && now - session.usedAt > IDLE_MS) endSession(portal, { login: true });
    session.usedAt = now;
    next();
  };
}
