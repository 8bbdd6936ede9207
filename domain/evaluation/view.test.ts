import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from '../market/bar.js';
import { addDays, dayOfWeek } from '../market/dates.js';
import { validateBars } from '../market/validate.js';
import { mirrored, nameless, type View } from './view.js';

/** Closes as shares of change, one bar a day. */
function barsOf(changes: readonly number[]): Bar[] {
  let close = 50;
  return changes.map((change, at) => {
    const open = close;
    close = open * (1 + change);
    const [low, high] = [Math.min(open, close) * 0.99, Math.max(open, close) * 1.01];
    const time = `${addDays('2010-01-04', at)}T14:30:00.000Z`;
    return { time, open, high, low, close, volume: 1000 + at };
  });
}
const viewOf = (bars: readonly Bar[]): View => ({
  daily: bars,
  weekly: bars.filter((_, at) => at % 5 === 0),
});
const changes = fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 2, maxLength: 60 });
const near = (a: number, b: number): void => {
  expect(Math.abs(a / b - 1)).toBeLessThan(1e-5);
};

describe('the mirrored view', () => {
  it('turns each rise into a fall of the same share, keeps the last close, and is made of bars', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const view = viewOf(barsOf(list));
        const turned = mirrored(view);
        expect(validateBars(turned.daily)).toEqual([]);
        near(turned.daily.at(-1)?.close ?? 0, view.daily.at(-1)?.close ?? 1);
        view.daily.forEach((bar, at) => {
          const other = turned.daily[at];
          near((other?.close ?? 0) / (other?.open ?? 1), bar.open / bar.close);
          near((other?.high ?? 0) / (other?.low ?? 1), bar.high / bar.low);
        });
      }),
    );
  });

  it('mirrored again is what it was', () => {
    const view = viewOf(barsOf([0.01, -0.02, 0.03]));
    mirrored(mirrored(view)).daily.forEach((bar, at) => {
      near(bar.high, view.daily[at]?.high ?? 0);
    });
  });
});

describe('the nameless view', () => {
  it('ends in one week at one price, whatever it was, and keeps shapes and weekdays', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 0, max: 4000 }), (list, days) => {
        const bars = barsOf(list).map((bar) => ({
          ...bar,
          time: `${addDays(bar.time.slice(0, 10), days)}T14:30:00.000Z`,
        }));
        const { daily } = nameless(viewOf(bars));
        const last = daily.at(-1);
        expect(last?.close).toBe(100);
        expect(last?.time.slice(0, 8)).toBe('2001-01-');
        expect(validateBars(daily)).toEqual([]);
        bars.forEach((bar, at) => {
          const other = daily[at];
          expect(dayOfWeek(other?.time.slice(0, 10) ?? '')).toBe(dayOfWeek(bar.time.slice(0, 10)));
          near((other?.close ?? 0) / (other?.open ?? 1), bar.close / bar.open);
        });
      }),
    );
  });
});
