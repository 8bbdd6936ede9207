// Which session `npm start` runs: the one asked for with --as-of, or the next without a run. A pure choice over the
// calendar, the market clock, the simulator's data and the stored runs.
import type { Calendar, Session } from '../domain/market/calendarTypes.js';
import type { RunRow } from '../ports/stores.js';

type StoredRun = Pick<RunRow, 'id' | 'session' | 'slot'>;

export interface SessionFacts<Run extends StoredRun> {
  /** YYYY-MM-DD; null when the next session is wanted. */
  readonly asOf: string | null;
  readonly symbol: string;
  readonly slot: string;
  readonly calendar: Calendar;
  /** The market clock, ISO 8601 UTC. */
  readonly now: string;
  /** First and last session of the symbol's data. */
  readonly data: { readonly first: string; readonly last: string };
  /** The session of a first start without --as-of. */
  readonly firstSession: string;
  /** Runs of this strategy and symbol, every slot. */
  readonly stored: readonly Run[];
}

export type SessionChoice<Run extends StoredRun> =
  | { readonly kind: 'stored'; readonly run: Run }
  /** `closes`: the closes to step through one after the other, the last one that of `session`. Empty: stay. */
  | { readonly kind: 'run'; readonly session: string; readonly closes: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

const refused = (message: string) => ({ kind: 'refused', message }) as const;

export function chooseSession<Run extends StoredRun>(facts: SessionFacts<Run>): SessionChoice<Run> {
  const wish = facts.asOf === null ? nextSession(facts) : askedSession(facts, facts.asOf);
  if (wish.kind === 'refused' || wish.kind === 'stored') return wish;
  const { session } = wish;
  const reached = lastClosed(facts);
  if (reached !== null && session.date < reached.date) {
    return refused(
      `${session.date} lies before ${reached.date}, where the simulated market stands, and has no stored run of ${facts.symbol}: ` +
        'time does not go back. Give --reset to begin anew, or a later --as-of.',
    );
  }
  const first = reached === null ? session : after(facts.calendar, reached);
  const between = first === null || reached?.date === session.date ? [] : steps(facts, first, session);
  return { kind: 'run', session: session.date, closes: between };
}

const steps = ({ calendar }: SessionFacts<StoredRun>, from: Session, to: Session): string[] =>
  calendar.between(from.date, to.date).map(({ close }) => close);

function askedSession<Run extends StoredRun>(facts: SessionFacts<Run>, asOf: string) {
  const { data, symbol, calendar } = facts;
  if (asOf < data.first || asOf > data.last) {
    return refused(
      `${asOf} lies outside the data of ${symbol}, which go from ${data.first} to ${data.last}.`,
    );
  }
  const session = known(() => calendar.session(asOf));
  if (session === null) return refused(noSession(calendar, asOf, data));
  const stored = runOf(facts, asOf);
  return stored === undefined
    ? ({ kind: 'wish', session } as const)
    : ({ kind: 'stored', run: stored } as const);
}

/**
 * What the calendar alone knows of a date, before anything is started. Null where it is a session, or where the calendar
 * does not go: then the symbol's data have the word.
 */
export function refusedByCalendar(calendar: Calendar, asOf: string): string | null {
  try {
    return calendar.session(asOf) === null ? noSession(calendar, asOf, null) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function noSession(calendar: Calendar, asOf: string, data: SessionFacts<StoredRun>['data'] | null): string {
  const near = [known(() => calendar.previous(asOf)), known(() => calendar.next(asOf))]
    .filter((each) => each !== null)
    .map(({ date }) => date)
    .filter((date) => data === null || (date >= data.first && date <= data.last));
  return `${asOf} is no session of the exchange; the nearest: ${near.join(' and ')}.`;
}

/** The first session from where the market stands that has no run; on a first start the symbol's own first session. */
function nextSession<Run extends StoredRun>(facts: SessionFacts<Run>) {
  const { calendar, data, stored, symbol } = facts;
  const reached = lastClosed(facts);
  let session: Session | null = reached;
  if (session === null || (stored.length === 0 && session.date < facts.firstSession)) {
    session = known(() => calendar.session(facts.firstSession));
  }
  while (session !== null && session.date <= data.last && runOf(facts, session.date) !== undefined) {
    session = after(calendar, session);
  }
  if (session === null || session.date > data.last) {
    return refused(
      `every session of ${symbol} up to ${data.last}, where its data end, has been passed: give --reset to begin anew.`,
    );
  }
  return { kind: 'wish', session } as const;
}

const runOf = <Run extends StoredRun>({ stored, slot }: SessionFacts<Run>, date: string): Run | undefined =>
  stored.find((run) => run.session === date && run.slot === slot);

const lastClosed = ({ calendar, now }: SessionFacts<StoredRun>): Session | null =>
  known(() => calendar.lastClosed(now));

const after = (calendar: Calendar, session: Session): Session | null =>
  known(() => calendar.next(session.date));

/** Null where the calendar does not know. */
function known<T>(ask: () => T | null): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
