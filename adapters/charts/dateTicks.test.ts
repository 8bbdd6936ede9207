import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateTicks } from './dateTicks.js';
import { aapl } from './testing/samples.js';

const width = 1100;
const labelsOf = (times: readonly string[]): string[] =>
  dateTicks(times, width / times.length).map(({ label }) => label);

const every = (days: number, count: number, from = '2014-01-02'): string[] =>
  Array.from({ length: count }, (_, at) =>
    new Date(Date.parse(`${from}T14:30:00.000Z`) + at * days * 86_400_000).toISOString(),
  );

describe('date labels', () => {
  it('name the months of a year of sessions, the first and January with their year', () => {
    const times = aapl().map((bar) => bar.time);
    expect(labelsOf(times.slice(-252)).join(' ')).toBe(
      'Jun 2017 Jul Aug Sep Oct Nov Dec Jan 2018 Feb Mar Apr May',
    );
  });

  it('stand at the first session of their month', () => {
    const times = aapl().map((bar) => bar.time);
    const [first] = dateTicks(times.slice(-252), width / 252);
    expect(times.slice(-252)[first?.index ?? 0]).toMatch(/^2017-06-01/);
  });

  it('name half-years over five years of weeks', () => {
    expect(labelsOf(every(7, 260)).slice(0, 4)).toEqual(['Jul 2014', 'Jan 2015', 'Jul', 'Jan 2016']);
  });

  it('name years over decades', () => {
    expect(labelsOf(every(30, 300, '1995-01-02')).slice(0, 2)).toEqual(['1996', '1998']);
  });

  it('name days over a few weeks, and the only day of one bar', () => {
    expect(labelsOf(every(1, 10))[0]).toBe('2 Jan');
    expect(labelsOf(every(1, 1))).toEqual(['2 Jan']);
  });

  it('never come closer than 62 pixels, nor closer than 30 to an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 400 }), (count, days) => {
        const pitch = width / count;
        const positions = dateTicks(every(days, count, '1971-03-05'), pitch).map(
          ({ index }) => (index + 0.5) * pitch,
        );
        for (const [at, x] of positions.entries()) {
          if (at > 0) expect(x - (positions[at - 1] ?? 0)).toBeGreaterThanOrEqual(62 - 1e-9);
          expect(Math.min(x, width - x)).toBeGreaterThanOrEqual(30);
        }
      }),
    );
  });

  it('are there whenever there is room for them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 31 }), (count, days) => {
        expect(dateTicks(every(days, count), width / count).length).toBeGreaterThan(0);
      }),
    );
  });
});
