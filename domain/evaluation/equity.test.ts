import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepestFall, followed, held, type Window } from './equity.js';
import type { Said } from './measure.js';

const window = (open: number, close: number): Window => ({ open, close, outcome: close / open - 1 });
const said = (action: 'buy' | 'sell' | 'hold'): Said => ({ kind: 'said', action, strength: null });
const failed: Said = { kind: 'failed', code: 'MODEL_AWAY' };

describe('an account that follows each opinion', () => {
  it('is in the market for buys and sells, and in cash for holds and failed calls', () => {
    const windows = [window(100, 110), window(100, 90), window(100, 150), window(100, 50)];
    const equity = followed(windows, [said('buy'), said('sell'), said('hold'), failed], 0);
    expect(equity.withoutCosts).toEqual([1.1, 1.21, 1.21, 1.21]);
    expect(equity).toMatchObject({ afterCosts: equity.withoutCosts, trades: 4, deepestFall: 0 });
  });

  it('pays for the way in and for the way out, on what is bought and on what it has become', () => {
    expect(followed([window(100, 110)], [said('buy')], 0.01).afterCosts).toEqual([1.079]);
    expect(followed([window(100, 110)], [said('sell')], 0.01).afterCosts).toEqual([0.879]);
  });

  it('can lose all of it and no more: a short of what doubles and more', () => {
    const equity = followed([window(100, 250), window(100, 200)], [said('sell'), said('buy')], 0.01);
    expect(equity).toMatchObject({ withoutCosts: [0, 0], afterCosts: [0, 0], deepestFall: 1 });
  });
});

describe('an account that buys once and holds', () => {
  it('buys at the first open, is told at each close, and has what the gaps between the windows bring', () => {
    const equity = held([window(100, 110), window(120, 90), window(95, 130)], 0);
    expect(equity).toEqual({
      withoutCosts: [1.1, 0.9, 1.3],
      afterCosts: [1.1, 0.9, 1.3],
      trades: 2,
      deepestFall: 0.181818,
    });
    const windowed = followed([window(100, 110), window(120, 90)], [said('buy'), said('buy')], 0);
    expect(windowed.withoutCosts.at(-1)).toBe(0.825);
  });

  it('is the same as always buying where one window is all there is, costs too', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1000, noNaN: true }),
        fc.double({ min: 1, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        (open, close, cost) => {
          const one = [window(open, close)];
          const [a, b] = [held(one, cost), followed(one, [said('buy')], cost)];
          expect(a.withoutCosts[0]).toBeCloseTo(b.withoutCosts[0] ?? NaN, 5);
          expect(a.afterCosts[0]).toBeCloseTo(b.afterCosts[0] ?? NaN, 5);
          expect(a.afterCosts[0] ?? NaN).toBeLessThanOrEqual(a.withoutCosts[0] ?? NaN);
        },
      ),
    );
  });

  it('has nothing where nothing was decided', () => {
    expect(held([], 0.01)).toEqual({ withoutCosts: [], afterCosts: [], trades: 0, deepestFall: 0 });
  });
});

describe('the deepest fall', () => {
  it('is the largest share below an earlier value, the beginning too', () => {
    expect(deepestFall([0.8, 1.2, 0.9, 1.5])).toBe(0.25);
    expect(deepestFall([0.7])).toBe(0.3);
    expect(deepestFall([1.1, 1.2])).toBe(0);
  });
});
