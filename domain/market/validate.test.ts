// Every way in which bars can be wrong, and that real bars are right.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.js';
import { parseCsv } from './csv.js';
import { validateBars } from './validate.js';

const bar: Bar = { time: '2014-07-07T13:30:00.000Z', open: 10, high: 12, low: 9, close: 11, volume: 100 };
const later = (time: string, change: Partial<Bar> = {}): Bar => ({ ...bar, time, ...change });

describe('validateBars', () => {
  it('finds nothing wrong with no bars, and with good ones', () => {
    expect(validateBars([])).toEqual([]);
    expect(validateBars([bar, later('2014-07-08T13:30:00.000Z', { volume: 0, high: 11, low: 10 })])).toEqual(
      [],
    );
  });

  it.each([
    [{ open: NaN }, ['has no finite open: NaN']],
    [{ close: Infinity }, ['has no finite close: Infinity', 'has its high 12 below its close Infinity']],
    [{ low: 0 }, ['has a price that is not above 0: low 0']],
    [{ low: -1 }, ['has a price that is not above 0: low -1']],
    [{ volume: -1 }, ['has a negative volume: -1']],
    [{ volume: NaN }, ['has no finite volume: NaN']],
    [{ high: 10.5 }, ['has its high 10.5 below its close 11']],
    [{ low: 10.5 }, ['has its low 10.5 above its open 10']],
    [
      { high: 8 },
      [
        'has its high 8 below its open 10',
        'has its high 8 below its low 9',
        'has its high 8 below its close 11',
      ],
    ],
    [{ time: '2014-07-07' }, ['has no time of the form 2014-07-07T13:30:00.000Z']],
    [{ time: '2014-02-30T13:30:00.000Z' }, ['has no time of the form 2014-07-07T13:30:00.000Z']],
  ])('names what is wrong with %j', (change, sentences) => {
    const wrong = { ...bar, ...change };
    expect(validateBars([wrong])).toEqual(
      sentences.map((text) => ({ index: 0, message: `the bar of ${wrong.time} ${text}` })),
    );
  });

  it('tells a repeated time from one out of order, and goes on after it', () => {
    const times = ['08', '07', '08', '09', '07'].map((day) => `2014-07-${day}T13:30:00.000Z`);
    expect(
      validateBars(times.map((time) => later(time))).map(({ index, message }) => [index, message]),
    ).toEqual([
      [1, 'the bar of 2014-07-07T13:30:00.000Z is out of order: it comes after 2014-07-08T13:30:00.000Z'],
      [2, 'the bar of 2014-07-08T13:30:00.000Z is there more than once'],
      [4, 'the bar of 2014-07-07T13:30:00.000Z is there more than once'],
    ]);
  });

  it('has no objection to the real bars of Apple', () => {
    const text = readFileSync('node_modules/@observablehq/sample-datasets/aapl.csv', 'utf8');
    const { bars } = parseCsv(text);
    expect(bars.length).toBe(1260);
    expect(validateBars(bars)).toEqual([]);
  });

  it('finds a broken price wherever it is', () => {
    const good = Array.from({ length: 40 }, (_, i) => later(new Date(1.4e12 + i * 86_400_000).toISOString()));
    fc.assert(
      fc.property(
        fc.nat(39),
        fc.constantFrom('open', 'high', 'low', 'close'),
        fc.constantFrom(NaN, 0, -5, -Infinity),
        (index, field, value) => {
          const bars = good.map((one, i) => (i === index ? { ...one, [field]: value } : one));
          const indexes = validateBars(bars).map((problem) => problem.index);
          expect(new Set(indexes)).toEqual(new Set([index]));
        },
      ),
    );
  });
});
