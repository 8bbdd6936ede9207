import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlidingLog, scaledLog } from './slidingLog.js';

const second = 1000;

describe('a limit of ten requests in a second', () => {
  it('lets ten pass at once, and the eleventh when the first is a second old', () => {
    const log = createSlidingLog(10, second);
    for (let n = 0; n < 10; n += 1) expect(log.takes(n)).toBe(true);
    expect(log.takes(999)).toBe(false);
    expect(log.takes(1000)).toBe(true);
    expect(log.takes(1000)).toBe(false);
    expect(log.takes(1001)).toBe(true);
  });

  it('lets a client pass that keeps to ten a second for ever', () => {
    const log = createSlidingLog(10, second);
    for (let n = 0; n < 10_000; n += 1) expect(log.takes(n * 100)).toBe(true);
  });

  it('refuses the twenty that a bucket would let into one second', () => {
    const log = createSlidingLog(10, second);
    const passed = Array.from({ length: 20 }, (_, n) => log.takes(n * 50)).filter(Boolean);
    expect(passed).toHaveLength(10);
  });

  it('never lets an eleventh into any second, and refuses none that no second is too full for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (pauses) => {
        const log = createSlidingLog(10, second);
        const passed: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const beside = passed.filter((at) => now - at < second).length;
          expect(log.takes(now)).toBe(beside < 10);
          if (beside < 10) passed.push(now);
        }
      }),
    );
  });

  it('counts nothing that a clock said before it was set back', () => {
    const log = createSlidingLog(10, second);
    for (let n = 0; n < 10; n += 1) log.takes(600_000);
    for (let n = 0; n < 10; n += 1) expect(log.takes(0)).toBe(true);
    expect(log.takes(0)).toBe(false);
  });
});

describe('a limit that is scaled', () => {
  const passing = (most: number, spanMs: number, factor: number, everyMs: number): number => {
    const log = scaledLog(most, spanMs, factor);
    return Array.from({ length: 1000 }, (_, n) => log.takes(n * everyMs)).filter(Boolean).length;
  };

  it.each([
    [10, second, 50, 2],
    [1, 5000, 1, 5000],
    [1, 5000, 3, 5000 / 3],
    [1, 5000, 50, 100],
    [10, second, 0.5, 200],
    [1, 60_000, 1, 60_000],
  ])('lets %i in %i ms pass %d times as often, and no more', (most, spanMs, factor, everyMs) => {
    expect(passing(most, spanMs, factor, everyMs + 1e-6)).toBe(1000);
    expect(passing(most, spanMs, factor, everyMs * 0.9)).toBeLessThanOrEqual(950);
  });

  it('lets as many pass at once as a second allows, and one where that is less than one', () => {
    const atOnce = (factor: number): number => {
      const log = scaledLog(1, 5000, factor);
      return Array.from({ length: 100 }, () => log.takes(0)).filter(Boolean).length;
    };
    expect([1, 4, 5, 50].map(atOnce)).toEqual([1, 1, 1, 10]);
  });
});
