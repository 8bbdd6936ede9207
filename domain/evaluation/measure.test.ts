import { describe, expect, it } from 'vitest';
import { toss } from './coin.js';
import { agreementOf, calibrationOf, figuresOf, flipsOf, type Judged, type Said } from './measure.js';

const regime = { kind: 'mixed', direction: 'up', adx: 22, volatilityRank: 0.5 } as const;
const said = (action: 'buy' | 'sell' | 'hold', strength: number | null = null): Said => ({
  kind: 'said',
  action,
  strength,
});
const failed: Said = { kind: 'failed', code: 'MODEL_TIMEOUT' };
const judged = (each: Said, outcome: number): Judged => ({ said: each, outcome, regime });

describe('the figures of an analyst', () => {
  const list = [
    judged(said('buy'), 0.02),
    judged(said('buy'), 0.01),
    judged(said('buy'), -0.01),
    judged(said('sell'), -0.03),
    judged(said('hold'), 0.5),
    judged(failed, 0.5),
  ];

  it('count what was right, and neither holds nor failed calls', () => {
    expect(figuresOf(list)).toMatchObject({
      ...{ decisions: 6, buys: 3, sells: 1, holds: 1, failed: { MODEL_TIMEOUT: 1 } },
      accuracy: { hits: 3, of: 4 },
      buyAccuracy: { hits: 2, of: 3 },
      sellAccuracy: { hits: 1, of: 1 },
      alwaysUp: { hits: 2, of: 4 },
    });
  });

  it('reckon chance with the same share of buys: three of four said up, two of four rose', () => {
    // 3/4 × 2/4 + 1/4 × 2/4
    expect(figuresOf(list)).toMatchObject({ chance: 0.5, includesChance: true, bias: 0.25 });
  });

  it('give who always says up no skill for a market that rises', () => {
    const always = Array.from({ length: 100 }, (_, at) => judged(said('buy'), at < 70 ? 0.01 : -0.01));
    expect(figuresOf(always)).toMatchObject({ chance: 0.7, includesChance: true, includesHalf: false });
  });

  it('tell skill where there is some', () => {
    const list = Array.from({ length: 100 }, (_, at) =>
      judged(said(at % 2 === 0 ? 'buy' : 'sell'), (at % 2 === 0 ? 1 : -1) * (at < 75 ? 0.01 : -0.01)),
    );
    expect(figuresOf(list).includesChance).toBe(false);
  });

  it('count a price that did not move as no hit of either side, and turn the return of a sell round', () => {
    expect(figuresOf([judged(said('buy'), 0), judged(said('sell'), 0)]).accuracy.hits).toBe(0);
    expect(figuresOf([judged(said('sell'), -0.04), judged(said('hold'), 9)]).meanReturn).toBe(0.02);
  });

  it('are none of nothing', () => {
    expect(figuresOf([])).toMatchObject({ chance: null, includesChance: null, bias: null, meanReturn: null });
  });
});

describe('calibration', () => {
  it('puts what was stated beside what came true', () => {
    const list = Array.from({ length: 10 }, (_, at) => judged(said('buy', 0.7), at < 7 ? 0.01 : -0.01));
    const { bins, brier } = calibrationOf([...list, judged(said('hold', 0.1), 1), judged(failed, 1)]);
    expect(bins[3]).toMatchObject({ from: 0.6, stated: 0.7, observed: { hits: 7, of: 10 } });
    expect(bins.reduce((sum, { observed }) => sum + observed.of, 0)).toBe(10);
    expect(brier).toBeCloseTo(0.21, 6);
    expect(calibrationOf([judged(said('buy', 1), 1)]).bins[4]?.observed.of).toBe(1);
  });
});

describe('the mirrored chart and repeated questions', () => {
  it('count flips of opinions, and holds that stay', () => {
    const flips = flipsOf([
      [said('buy'), said('sell')],
      [said('sell'), said('sell')],
      [said('buy'), said('hold')],
      [said('hold'), said('hold')],
      [said('buy'), failed],
    ]);
    expect(flips).toMatchObject({
      flipped: { hits: 1, of: 3 },
      sameSide: { hits: 1, of: 3 },
      toHold: { hits: 1, of: 3 },
      holdsKept: { hits: 1, of: 1 },
    });
  });

  it('agree only where all answers are the same, and say nothing of failed ones', () => {
    const rate = agreementOf([
      [said('buy'), said('buy'), said('buy')],
      [said('buy'), said('hold')],
      [said('buy'), failed],
      [said('buy')],
    ]);
    expect(rate).toMatchObject({ hits: 1, of: 2 });
  });
});

describe('the coin', () => {
  it('falls the same way for the same seed, another way for another, and about as often on each side', () => {
    const tosses = (seed: number): boolean[] => Array.from({ length: 4000 }, (_, at) => toss(seed, at));
    expect(tosses(1)).toEqual(tosses(1));
    expect(tosses(1)).not.toEqual(tosses(2));
    for (const seed of [1, 2, 3, 12345]) {
      const heads = tosses(seed).filter(Boolean).length;
      expect(heads).toBeGreaterThan(1850);
      expect(heads).toBeLessThan(2150);
    }
  });
});
