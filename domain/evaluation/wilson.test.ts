import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { includes, rateOf } from './wilson.js';

describe('the Wilson interval', () => {
  it.each([
    // 81 of 263 as in Newcombe (1998); 0 of n is 0 to z² / (n + z²), by hand.
    [5, 10, 0.236593, 0.763407],
    [0, 10, 0, 0.277533],
    [10, 10, 0.722467, 1],
    [81, 263, 0.255277, 0.366234],
  ])('of %i hits in %i trials is %f to %f', (hits, of, low, high) => {
    const rate = rateOf(hits, of);
    expect(rate.low).toBeCloseTo(low, 4);
    expect(rate.high).toBeCloseTo(high, 4);
  });

  it('holds the share, lies within 0 and 1, and narrows with more trials', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (a, b) => {
        const [hits, of] = [Math.min(a, b), Math.max(a, b, 1)];
        const [one, ten] = [rateOf(hits, of), rateOf(hits * 10, of * 10)];
        expect(includes(one, one.share ?? NaN)).toBe(true);
        expect(one.low).toBeGreaterThanOrEqual(0);
        expect(one.high).toBeLessThanOrEqual(1);
        expect((ten.high ?? 1) - (ten.low ?? 0)).toBeLessThan((one.high ?? 1) - (one.low ?? 0));
      }),
    );
  });

  it('is none of no trials, and refuses more hits than trials', () => {
    expect(rateOf(0, 0)).toEqual({ hits: 0, of: 0, share: null, low: null, high: null });
    expect(includes(rateOf(0, 0), 0.5)).toBeNull();
    expect(() => rateOf(2, 1)).toThrow(RangeError);
  });
});
