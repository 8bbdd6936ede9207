// Weeks and months from days, and that no unfinished or future bar passes.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.js';
import { toColumns } from './columns.js';
import { parseCsv } from './csv.js';
import { addDays, monthEnd, monthOf, weekOf } from './dates.js';
import { createNyseCalendar } from './nyse.js';
import {
  aggregateMonthly,
  aggregateWeekly,
  barsOfTimeframe,
  dropUnfinished,
  sessionDateOf,
} from './weekly.js';

const nyse = createNyseCalendar();
const read = (path: string): readonly Bar[] => parseCsv(readFileSync(`node_modules/${path}`, 'utf8')).bars;
const apple = read('@observablehq/sample-datasets/aapl.csv');
const index = read('vega-datasets/data/sp500-2000.csv');
const bar = (time: string, open: number, high: number, low: number, close: number, volume: number): Bar => ({
  time,
  open,
  high,
  low,
  close,
  volume,
});
const dated = (date: string): Bar => bar(`${date}T00:00:00.000Z`, 10, 12, 9, 11, 100);
const dates = (bars: readonly Bar[]): string[] => bars.map(({ time }) => time.slice(0, 10));

describe('sessionDateOf', () => {
  it('knows a bar by its date, its open and any instant until the close', () => {
    for (const time of ['T00:00:00.000Z', 'T13:30:00.000Z', 'T19:59:59.999Z'])
      expect(sessionDateOf(`2014-07-07${time}`, nyse)).toBe('2014-07-07');
  });

  it('refuses a day without a session, an instant out of hours and a year outside the table', () => {
    expect(() => sessionDateOf('2014-07-04T00:00:00.000Z', nyse)).toThrow(/shut then/);
    expect(() => sessionDateOf('2014-07-07T20:00:00.000Z', nyse)).toThrow(/shut then/);
    expect(() => sessionDateOf('1999-07-07T00:00:00.000Z', nyse)).toThrow(/outside the exchange calendar/);
    expect(() => sessionDateOf('2014-07-07', nyse)).toThrow(RangeError);
  });

  it.each([
    ['Apple', apple, '2013-05-13', '2018-05-11'],
    ['the S&P 500', index, '2000-01-03', '2020-04-17'],
  ])('finds a bar of %s for every session, and a session for every bar', (_name, bars, from, to) => {
    expect(bars.map(({ time }) => sessionDateOf(time, nyse))).toEqual(
      nyse.between(from, to).map(({ date }) => date),
    );
  });
});

describe('aggregateWeekly', () => {
  it('joins Monday to Friday: first open, highest high, lowest low, last close, summed volume', () => {
    const days = [
      bar('2014-07-03T13:30:00.000Z', 5, 6, 4, 5.5, 10),
      bar('2014-07-07T13:30:00.000Z', 10, 12, 9, 11, 100),
      bar('2014-07-08T13:30:00.000Z', 11, 15, 10, 14, 200),
      bar('2014-07-11T13:30:00.000Z', 14, 14.5, 7, 8, 300),
    ];
    expect(aggregateWeekly(days)).toEqual([days[0], bar('2014-07-07T13:30:00.000Z', 10, 15, 7, 8, 600)]);
    expect(aggregateWeekly([])).toEqual([]);
  });

  it('does not change its input, and takes the session date from the caller', () => {
    const days = [dated('2014-07-11'), dated('2014-07-14')];
    const copy = structuredClone(days);
    expect(aggregateWeekly(days)).toHaveLength(2);
    expect(aggregateWeekly(days, () => '2014-07-11')).toHaveLength(1);
    expect(days).toEqual(copy);
  });

  it('splits at the turn of a year by the week, not by the year', () => {
    const days = ['2014-12-29', '2014-12-31', '2015-01-02', '2015-01-05'].map(dated);
    expect(dates(aggregateWeekly(days))).toEqual(['2014-12-29', '2015-01-05']);
  });

  it('keeps every share and every extreme of five real years', () => {
    const weeks = aggregateWeekly(apple);
    const sum = (bars: readonly Bar[]): number => bars.reduce((total, { volume }) => total + volume, 0);
    expect(sum(weeks)).toBe(sum(apple));
    expect(weeks).toHaveLength(new Set(dates(apple).map(weekOf)).size);
    expect(Math.max(...weeks.map(({ high }) => high))).toBe(Math.max(...apple.map(({ high }) => high)));
    expect(weeks.at(-1)?.close).toBe(apple.at(-1)?.close);
  });

  it('never changes a finished week when days are added', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: apple.length - 1 }), (count) => {
        const before = aggregateWeekly(apple.slice(0, count));
        expect(aggregateWeekly(apple).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      }),
    );
  });
});

describe('aggregateMonthly', () => {
  it('joins the sessions of a calendar month, whatever weeks they are in', () => {
    const days = [
      bar('2014-06-30T13:30:00.000Z', 5, 6, 4, 5.5, 10),
      bar('2014-07-01T13:30:00.000Z', 10, 12, 9, 11, 100),
      bar('2014-07-16T13:30:00.000Z', 11, 15, 10, 14, 200),
      bar('2014-07-31T13:30:00.000Z', 14, 14.5, 7, 8, 300),
      bar('2014-08-01T13:30:00.000Z', 8, 9, 8, 9, 5),
    ];
    const july = bar('2014-07-01T13:30:00.000Z', 10, 15, 7, 8, 600);
    expect(aggregateMonthly(days)).toEqual([days[0], july, days[4]]);
    expect(aggregateMonthly([])).toEqual([]);
    expect(aggregateMonthly(days, () => '2014-07-11')).toHaveLength(1);
  });

  it('keeps every share and every extreme of five real years', () => {
    const months = aggregateMonthly(apple);
    const sum = (bars: readonly Bar[]): number => bars.reduce((total, { volume }) => total + volume, 0);
    expect(sum(months)).toBe(sum(apple));
    expect(months).toHaveLength(61);
    expect(Math.min(...months.map(({ low }) => low))).toBe(Math.min(...apple.map(({ low }) => low)));
    expect(dates(months).slice(0, 3)).toEqual(['2013-05-13', '2013-06-03', '2013-07-01']);
  });

  it('never changes a finished month when days are added', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: apple.length - 1 }), (count) => {
        const before = aggregateMonthly(apple.slice(0, count));
        expect(aggregateMonthly(apple).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      }),
    );
  });

  it('is what barsOfTimeframe gives for months, as weeks for weeks and days for days', () => {
    expect(barsOfTimeframe(apple, 'monthly')).toEqual(aggregateMonthly(apple));
    expect(barsOfTimeframe(apple, 'weekly')).toEqual(aggregateWeekly(apple));
    expect(barsOfTimeframe(apple, 'daily')).toBe(apple);
  });
});

describe('monthOf and monthEnd', () => {
  it('know the first and the last day of a month, leap years too', () => {
    expect(['2016-02-01', '2016-02-29'].map(monthOf)).toEqual(['2016-02-01', '2016-02-01']);
    expect(['2016-02-10', '2015-02-01', '2014-12-31', '2014-04-30'].map(monthEnd)).toEqual([
      '2016-02-29',
      '2015-02-28',
      '2014-12-31',
      '2014-04-30',
    ]);
    expect(() => monthOf('2015-02-29')).toThrow(RangeError);
  });
});

describe('dropUnfinished', () => {
  const days = ['2014-07-03', '2014-07-07', '2014-07-08'].map(dated);
  const daily = (now: string): string[] => dates(dropUnfinished(days, 'daily', now, nyse));

  it('keeps a daily bar from the close of its session on', () => {
    expect(daily('2014-07-08T19:59:59.999Z')).toEqual(['2014-07-03', '2014-07-07']);
    expect(daily('2014-07-08T20:00:00.000Z')).toEqual(['2014-07-03', '2014-07-07', '2014-07-08']);
  });

  it('knows half days, and bars of the future', () => {
    expect(daily('2014-07-03T16:59:59.999Z')).toEqual([]);
    expect(daily('2014-07-03T17:00:00.000Z')).toEqual(['2014-07-03']);
    expect(daily('2014-07-06T12:00:00.000Z')).toEqual(['2014-07-03']);
  });

  it('keeps a weekly bar from the close of the last session of its week on', () => {
    const weeks = ['2014-06-30', '2014-07-07'].map((date) =>
      bar(`${date}T13:30:00.000Z`, 10, 12, 9, 11, 100),
    );
    const weekly = (now: string): string[] => dates(dropUnfinished(weeks, 'weekly', now, nyse));
    expect(weekly('2014-07-03T16:59:59.999Z')).toEqual([]);
    expect(weekly('2014-07-03T17:00:00.000Z')).toEqual(['2014-06-30']);
    expect(weekly('2014-07-11T19:59:59.999Z')).toEqual(['2014-06-30']);
    expect(weekly('2014-07-11T20:00:00.000Z')).toEqual(['2014-06-30', '2014-07-07']);
  });

  it('keeps a monthly bar from the close of the last session of its month on', () => {
    // 2014-11-28, a Friday, was a half day: the 29th and 30th are the weekend.
    const months = ['2014-10-01', '2014-11-03', '2014-12-01'].map((date) =>
      bar(`${date}T14:30:00.000Z`, 10, 12, 9, 11, 100),
    );
    const monthly = (now: string): string[] => dates(dropUnfinished(months, 'monthly', now, nyse));
    expect(monthly('2014-11-28T17:59:59.999Z')).toEqual(['2014-10-01']);
    expect(monthly('2014-11-28T18:00:00.000Z')).toEqual(['2014-10-01', '2014-11-03']);
    expect(monthly('2014-12-31T20:59:59.999Z')).toEqual(['2014-10-01', '2014-11-03']);
    expect(monthly('2014-12-31T21:00:00.000Z')).toEqual(['2014-10-01', '2014-11-03', '2014-12-01']);
  });

  it('leaves out a first month that is only a piece of one, by the calendar, and keeps such a week', () => {
    const now = '2014-12-31T21:00:00.000Z';
    const from = (first: string): string[] =>
      dates(dropUnfinished([first, '2014-10-01'].map(dated), 'monthly', now, nyse));
    // The 1st of September 2014 was a Monday, and Labor Day.
    expect(from('2014-09-02')).toEqual(['2014-09-02', '2014-10-01']);
    expect(from('2014-09-03')).toEqual(['2014-10-01']);
    expect(dates(dropUnfinished([dated('2014-09-03')], 'monthly', now, nyse))).toEqual([]);
    expect(dates(dropUnfinished([dated('2014-09-03')], 'weekly', now, nyse))).toEqual(['2014-09-03']);
    expect(from('1999-12-15')).toEqual(['1999-12-15', '2014-10-01']);
    const months = dropUnfinished(aggregateMonthly(apple), 'monthly', now, nyse);
    expect(months[0]?.time.slice(0, 10)).toBe('2013-06-03');
  });

  it('says when a bar is on no session or the instant is none', () => {
    expect(() => dropUnfinished([dated('2014-07-04')], 'daily', '2014-07-08T20:00:00.000Z', nyse)).toThrow(
      /shut then/,
    );
    expect(() => dropUnfinished(days, 'daily', '2014-07-08', nyse)).toThrow(/not an instant/);
    expect(dropUnfinished([], 'weekly', '2014-07-08T20:00:00.000Z', nyse)).toEqual([]);
  });

  it('leaves exactly the sessions that have closed, at any instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_800 * 24 * 60 }), (minutes) => {
        const now = new Date(Date.parse('2013-05-14T00:00:00.000Z') + minutes * 60_000).toISOString();
        const kept = dropUnfinished(apple, 'daily', now, nyse);
        expect(kept.at(-1)?.time.slice(0, 10)).toBe(nyse.lastClosed(now).date);
        const weeks = dropUnfinished(aggregateWeekly(apple), 'weekly', now, nyse);
        const lastWeek = weeks.at(-1)?.time.slice(0, 10);
        if (lastWeek !== undefined)
          expect(nyse.next(nyse.lastClosed(now).date).date > addDays(weekOf(lastWeek), 6)).toBe(true);
        const lastMonth = dropUnfinished(aggregateMonthly(apple), 'monthly', now, nyse).at(-1)?.time;
        if (lastMonth !== undefined)
          expect(nyse.next(nyse.lastClosed(now).date).date > monthEnd(lastMonth.slice(0, 10))).toBe(true);
      }),
    );
  });
});

it('toColumns copies each field in order', () => {
  const columns = toColumns([bar('t', 1, 2, 3, 4, 5), bar('u', 6, 7, 8, 9, 10)]);
  expect(columns).toEqual({
    open: Float64Array.of(1, 6),
    high: Float64Array.of(2, 7),
    low: Float64Array.of(3, 8),
    close: Float64Array.of(4, 9),
    volume: Float64Array.of(5, 10),
  });
});
