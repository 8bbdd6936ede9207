// Weeks from days, and that no unfinished or future bar passes.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.js';
import { toColumns } from './columns.js';
import { parseCsv } from './csv.js';
import { addDays, weekOf } from './dates.js';
import { createNyseCalendar } from './nyse.js';
import { aggregateWeekly, dropUnfinished, sessionDateOf } from './weekly.js';

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
