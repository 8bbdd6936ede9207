// The exchange calendar over a committed table and the operator's overrides. Made once by composition roots
// (nyse.ts) and by tests; outside the table every question throws, so that callers fail closed.
import type { Calendar, Session } from './calendarTypes.js';
import { addDays, dayOfWeek, isDate, isInstant } from './dates.js';

/** What scripts/nyse-calendar.py writes. Hours are UTC, HH:MM; a year lists its sessions as MMDD and a letter. */
export interface CalendarTable {
  readonly first: string;
  readonly last: string;
  readonly hours: Readonly<
    Record<string, { readonly open: string; readonly close: string; readonly early: boolean }>
  >;
  readonly years: Readonly<Record<string, string>>;
}

/** What an operator knows better than the table: a closing, or other hours. open and close are instants, UTC. */
export type CalendarOverride =
  | { readonly date: string; readonly closed: true }
  | { readonly date: string; readonly open: string; readonly close: string };

function readTable(table: CalendarTable): Session[] {
  const sessions: Session[] = [];
  for (const [year, line] of Object.entries(table.years)) {
    for (const entry of line.split(' ')) {
      const date = `${year}-${entry.slice(0, 2)}-${entry.slice(2, 4)}`;
      const hours = table.hours[entry.slice(4)];
      if (hours === undefined)
        throw new RangeError(`the calendar's table has no hours for ${date} (${entry})`);
      const { open, close, early } = hours;
      sessions.push({ date, open: `${date}T${open}:00.000Z`, close: `${date}T${close}:00.000Z`, early });
    }
  }
  return sessions;
}

/** The regular close of a date, UTC HH:MM. Clocks change on Sundays, so Sunday to Saturday have one offset. */
function regularClose(sessions: readonly Session[], date: string): string | undefined {
  const sunday = addDays(date, -((dayOfWeek(date) + 1) % 7));
  const saturday = addDays(sunday, 6);
  return sessions.find((s) => !s.early && s.date >= sunday && s.date <= saturday)?.close.slice(11);
}

function checkOverrides(table: CalendarTable, overrides: readonly CalendarOverride[]): void {
  const seen = new Set<string>();
  for (const override of overrides) {
    const { date } = override;
    const name = `calendar override of ${JSON.stringify(date)}`;
    if (!isDate(date)) throw new RangeError(`${name}: not a date of the form YYYY-MM-DD`);
    if (date < table.first || date > table.last)
      throw new RangeError(`${name}: outside the table, which knows ${table.first} to ${table.last}`);
    if (seen.has(date)) throw new RangeError(`${name}: given twice; keep one of them`);
    seen.add(date);
    if ('closed' in override) continue;
    for (const instant of [override.open, override.close])
      if (!isInstant(instant) || !instant.startsWith(date))
        throw new RangeError(
          `${name}: open and close must be UTC instants of that date, such as ${date}T14:30:00.000Z`,
        );
    if (override.open >= override.close) throw new RangeError(`${name}: opens at or after its close`);
  }
}

function applyOverrides(sessions: readonly Session[], overrides: readonly CalendarOverride[]): Session[] {
  const changed = new Set(overrides.map((override) => override.date));
  const result = sessions.filter((session) => !changed.has(session.date));
  for (const override of overrides) {
    if ('closed' in override) continue;
    const { date, open, close } = override;
    const regular = regularClose(sessions, date);
    result.push({ date, open, close, early: regular !== undefined && close.slice(11) < regular });
  }
  return result.sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** The index of the first session whose field is after the text; ISO texts compare in time order. */
function firstAfter(sessions: readonly Session[], field: 'date' | 'open' | 'close', text: string): number {
  let low = 0;
  let high = sessions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const session = sessions[middle];
    if (session !== undefined && session[field] <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A calendar over a table.
 * @param table sessions in UTC, as scripts/nyse-calendar.py writes them
 * @param overrides closings and hours that replace the table's; at most one a date
 * @throws RangeError when an override does not exist as a date, lies outside the table or closes before it opens
 */
export function createCalendar(table: CalendarTable, overrides: readonly CalendarOverride[] = []): Calendar {
  checkOverrides(table, overrides);
  const sessions = applyOverrides(readTable(table), overrides);
  const { first, last } = table;

  const outside = (what: string): RangeError =>
    new RangeError(`${what} is outside the exchange calendar, which knows ${first} to ${last}`);
  const checkDate = (date: string): void => {
    if (!isDate(date)) throw new RangeError(`not a date of the form YYYY-MM-DD: ${JSON.stringify(date)}`);
    if (date < first || date > last) throw outside(date);
  };
  const checkInstant = (instant: string): void => {
    if (!isInstant(instant))
      throw new RangeError(`not an instant of the form 2014-07-07T13:30:00.000Z: ${JSON.stringify(instant)}`);
    const date = instant.slice(0, 10);
    if (date < first || date > last) throw outside(instant);
  };
  const at = (index: number, what: string): Session => {
    const session = sessions[index];
    if (session === undefined) throw outside(what);
    return session;
  };

  return {
    first,
    last,
    session(date) {
      checkDate(date);
      const session = sessions[firstAfter(sessions, 'date', date) - 1];
      return session?.date === date ? session : null;
    },
    next(date) {
      checkDate(date);
      return at(firstAfter(sessions, 'date', date), `the session after ${date}`);
    },
    previous(date) {
      checkDate(date);
      const found = firstAfter(sessions, 'date', date) - 1;
      const self = sessions[found]?.date === date;
      return at(self ? found - 1 : found, `the session before ${date}`);
    },
    openAt(instant) {
      checkInstant(instant);
      const session = sessions[firstAfter(sessions, 'open', instant) - 1];
      return session !== undefined && instant < session.close ? session : null;
    },
    lastClosed(instant) {
      checkInstant(instant);
      return at(firstAfter(sessions, 'close', instant) - 1, `the last session closed at ${instant}`);
    },
    nextOpen(instant) {
      checkInstant(instant);
      return at(firstAfter(sessions, 'open', instant), `the next open after ${instant}`);
    },
    between(from, to) {
      checkDate(from);
      checkDate(to);
      const start = sessions[firstAfter(sessions, 'date', from) - 1]?.date === from ? 1 : 0;
      return sessions.slice(firstAfter(sessions, 'date', from) - start, firstAfter(sessions, 'date', to));
    },
  };
}
