// Facts of the exchange calendar: known closings, half days, clock changes, overrides and its laws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCalendar } from './calendar.js';
import type { CalendarTable } from './calendar.js';
import { addDays, dayOfWeek } from './dates.js';
import { createNyseCalendar } from './nyse.js';

const nyse = createNyseCalendar();
const all = nyse.between(nyse.first, nyse.last);

describe('the NYSE table', () => {
  it('knows 2000-01-01 to 2028-12-31 with 7292 sessions', () => {
    expect([nyse.first, nyse.last, all.length]).toEqual(['2000-01-01', '2028-12-31', 7292]);
  });

  it.each([
    ['2001-09-11', 'the attacks'],
    ['2001-09-14', 'the attacks'],
    ['2004-06-11', 'mourning of President Reagan'],
    ['2007-01-02', 'mourning of President Ford'],
    ['2012-10-29', 'hurricane Sandy'],
    ['2012-10-30', 'hurricane Sandy'],
    ['2018-12-05', 'mourning of President Bush'],
    ['2025-01-09', 'mourning of President Carter'],
    ['2021-06-20', 'a Sunday'],
    ['2022-06-20', 'Juneteenth, observed'],
    ['2026-07-03', 'Independence Day, observed'],
    ['2026-11-26', 'Thanksgiving'],
  ])('is shut on %s: %s', (date) => {
    expect(nyse.session(date)).toBeNull();
  });

  it('is open on the last day of 2021, as New Year on a Saturday is not observed', () => {
    expect(nyse.session('2021-12-31')).toEqual({
      date: '2021-12-31',
      open: '2021-12-31T14:30:00.000Z',
      close: '2021-12-31T21:00:00.000Z',
      early: false,
    });
  });

  it.each([
    ['2014-07-03', '17:00'],
    ['2014-11-28', '18:00'],
    ['2024-12-24', '18:00'],
    ['2026-11-27', '18:00'],
    ['2026-12-24', '18:00'],
  ])('closes early on %s, at %s UTC', (date, close) => {
    expect(nyse.session(date)).toMatchObject({ close: `${date}T${close}:00.000Z`, early: true });
  });

  it('does not close early on 2026-07-02, when the holiday itself is observed on the third', () => {
    expect(nyse.session('2026-07-02')?.early).toBe(false);
  });

  it.each([
    ['2014-03-07', '14:30'],
    ['2014-03-10', '13:30'],
    ['2014-10-31', '13:30'],
    ['2014-11-03', '14:30'],
    ['2006-04-03', '13:30'],
    ['2006-03-31', '14:30'],
  ])('opens on %s at %s UTC, on either side of a clock change', (date, open) => {
    expect(nyse.session(date)?.open).toBe(`${date}T${open}:00.000Z`);
  });

  it('has sessions only on Monday to Friday, in order, each shorter than a day', () => {
    all.forEach((session, index) => {
      expect(dayOfWeek(session.date)).toBeLessThan(5);
      expect(session.open < session.close).toBe(true);
      expect(session.open > (all[index - 1]?.close ?? '')).toBe(true);
    });
  });
});

describe('questions at the edges', () => {
  it('steps over hurricane Sandy in both directions', () => {
    expect(nyse.next('2012-10-26').date).toBe('2012-10-31');
    expect(nyse.previous('2012-10-31').date).toBe('2012-10-26');
    expect(nyse.next('2012-10-29').date).toBe('2012-10-31');
    expect(nyse.previous('2012-10-30').date).toBe('2012-10-26');
  });

  it('counts the open as open and the close as closed', () => {
    expect(nyse.openAt('2014-07-07T13:29:59.999Z')).toBeNull();
    expect(nyse.openAt('2014-07-07T13:30:00.000Z')?.date).toBe('2014-07-07');
    expect(nyse.openAt('2014-07-07T19:59:59.999Z')?.date).toBe('2014-07-07');
    expect(nyse.openAt('2014-07-07T20:00:00.000Z')).toBeNull();
    expect(nyse.lastClosed('2014-07-07T19:59:59.999Z').date).toBe('2014-07-03');
    expect(nyse.lastClosed('2014-07-07T20:00:00.000Z').date).toBe('2014-07-07');
    expect(nyse.nextOpen('2014-07-07T13:29:59.999Z').date).toBe('2014-07-07');
    expect(nyse.nextOpen('2014-07-07T13:30:00.000Z').date).toBe('2014-07-08');
  });

  it('lists both ends of a range, whether they are sessions or not', () => {
    const dates = (from: string, to: string): string[] => nyse.between(from, to).map(({ date }) => date);
    expect(dates('2012-10-26', '2012-10-31')).toEqual(['2012-10-26', '2012-10-31']);
    expect(dates('2012-10-27', '2012-10-30')).toEqual([]);
    expect(dates('2012-10-31', '2012-10-26')).toEqual([]);
    expect(dates('2014-07-03', '2014-07-08')).toEqual(['2014-07-03', '2014-07-07', '2014-07-08']);
  });

  it.each([
    ['session', () => nyse.session('1999-12-31')],
    ['session', () => nyse.session('2029-01-01')],
    ['next', () => nyse.next('2028-12-29')],
    ['next', () => nyse.next('1999-12-31')],
    ['previous', () => nyse.previous('2000-01-03')],
    ['openAt', () => nyse.openAt('2029-01-02T15:00:00.000Z')],
    ['lastClosed', () => nyse.lastClosed('2000-01-03T15:00:00.000Z')],
    ['nextOpen', () => nyse.nextOpen('2028-12-29T15:00:00.000Z')],
    ['between', () => nyse.between('1999-12-31', '2000-02-01')],
    ['between', () => nyse.between('2028-12-01', '2029-01-01')],
  ])('%s outside the table throws and names its range', (_name, ask) => {
    expect(ask).toThrow(RangeError);
    expect(ask).toThrow(/outside the exchange calendar, which knows 2000-01-01 to 2028-12-31/);
  });

  it('refuses what is no date or no instant instead of calling it shut', () => {
    expect(() => nyse.session('2014-02-30')).toThrow(/not a date/);
    expect(() => nyse.session('2014-7-7')).toThrow(/not a date/);
    expect(() => nyse.openAt('2014-07-07')).toThrow(/not an instant/);
    expect(() => nyse.openAt('2014-07-07T15:00:00Z')).toThrow(/not an instant/);
    expect(() => nyse.openAt('2014-07-07T15:00:00.000+00:00')).toThrow(/not an instant/);
  });
});

describe('overrides of the operator', () => {
  it('closes a session, and every answer knows', () => {
    const calendar = createNyseCalendar([{ date: '2014-07-07', closed: true }]);
    expect(calendar.session('2014-07-07')).toBeNull();
    expect(calendar.next('2014-07-03').date).toBe('2014-07-08');
    expect(calendar.openAt('2014-07-07T15:00:00.000Z')).toBeNull();
    expect(nyse.session('2014-07-07')).not.toBeNull();
  });

  it('changes hours and tells an early close from a regular one by the week it is in', () => {
    const calendar = createNyseCalendar([
      { date: '2014-07-08', open: '2014-07-08T13:30:00.000Z', close: '2014-07-08T17:00:00.000Z' },
      { date: '2014-03-10', open: '2014-03-10T14:30:00.000Z', close: '2014-03-10T20:00:00.000Z' },
      { date: '2014-01-11', open: '2014-01-11T14:30:00.000Z', close: '2014-01-11T20:00:00.000Z' },
    ]);
    expect(calendar.session('2014-07-08')).toMatchObject({ close: '2014-07-08T17:00:00.000Z', early: true });
    expect(calendar.session('2014-03-10')).toMatchObject({ open: '2014-03-10T14:30:00.000Z', early: false });
    expect(calendar.session('2014-01-11')?.early).toBe(true);
    expect(calendar.next('2014-01-10').date).toBe('2014-01-11');
  });

  it.each([
    [[{ date: '2014-02-30', closed: true }], /not a date/],
    [[{ date: '2031-01-02', closed: true }], /outside the table/],
    [
      [
        { date: '2014-07-07', closed: true },
        { date: '2014-07-07', closed: true },
      ],
      /given twice/,
    ],
    [[{ date: '2014-07-07', open: '09:30', close: '16:00' }], /UTC instants of that date/],
    [
      [{ date: '2014-07-07', open: '2014-07-08T13:30:00.000Z', close: '2014-07-08T20:00:00.000Z' }],
      /UTC instants of that date/,
    ],
    [
      [{ date: '2014-07-07', open: '2014-07-07T20:00:00.000Z', close: '2014-07-07T13:30:00.000Z' }],
      /opens at or after its close/,
    ],
  ] as const)('refuses %j', (overrides, message) => {
    expect(() => createNyseCalendar(overrides)).toThrow(message);
  });
});

it('refuses a table that uses hours it does not define', () => {
  const table: CalendarTable = {
    first: '2014-01-01',
    last: '2014-12-31',
    hours: { w: { open: '14:30', close: '21:00', early: false } },
    years: { 2014: '0102w 0103x' },
  };
  expect(() => createCalendar(table)).toThrow('no hours for 2014-01-03 (0103x)');
});

describe('laws of the calendar', () => {
  const date = fc.integer({ min: 40, max: 10_500 }).map((days) => addDays('2000-01-01', days));
  const instant = fc
    .tuple(date, fc.integer({ min: 0, max: 86_399_999 }))
    .map(([day, ms]) => new Date(Date.parse(`${day}T00:00:00.000Z`) + ms).toISOString());

  it('next and previous undo each other on sessions', () => {
    fc.assert(
      fc.property(date, (day) => {
        const next = nyse.next(day).date;
        expect(next > day).toBe(true);
        expect(nyse.previous(nyse.next(next).date).date).toBe(next);
        expect(nyse.next(nyse.previous(next).date).date).toBe(next);
        expect(nyse.between(addDays(day, 1), next)).toEqual([nyse.session(next)]);
      }),
    );
  });

  it('openAt, lastClosed and nextOpen agree at every instant', () => {
    fc.assert(
      fc.property(instant, (now) => {
        const open = nyse.openAt(now);
        const last = nyse.lastClosed(now);
        const next = nyse.nextOpen(now);
        expect(last.close <= now && now < next.open).toBe(true);
        if (open === null) expect(nyse.next(last.date)).toEqual(next);
        else {
          expect(open.open <= now && now < open.close).toBe(true);
          expect(open).toEqual(nyse.session(now.slice(0, 10)));
          expect([nyse.previous(open.date), nyse.next(open.date)]).toEqual([last, next]);
        }
      }),
    );
  });
});
