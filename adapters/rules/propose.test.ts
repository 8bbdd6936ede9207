import { describe, expect, it } from 'vitest';
import type { Analysis, Reversal } from '../../domain/decision/decision.js';
import { computeIndicators } from '../../domain/indicators/compute.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import type { Regime } from '../../domain/market/regime.js';
import { propose } from './propose.js';
import { readReversal } from './reversal.js';

const regimes: Readonly<Record<Regime['kind'], Regime>> = {
  trending: { kind: 'trending', direction: 'up', adx: 31.25, volatilityRank: 0.4 },
  ranging: { kind: 'ranging', direction: 'up', adx: 14, volatilityRank: 0.4 },
  mixed: { kind: 'mixed', direction: 'down', adx: 22, volatilityRank: 0.4 },
  turbulent: { kind: 'turbulent', direction: 'down', adx: 31, volatilityRank: 0.95 },
};

const daily = (kind: Regime['kind'], score: number, reversal?: Reversal): Analysis => ({
  ...{ timeframe: 'daily', analyst: 'rules', score, close: 100, atr: 2, support: null, resistance: null },
  parts: { trend: 0, momentum: 0, volatility: 0, levels: 0 },
  ...{ lastBar: '2014-07-07T13:30:00.000Z', barCount: 300, reasons: ['a reason'] },
  regime: regimes[kind],
  ...(reversal !== undefined && { reversal }),
});
const weekly = (score: number): Analysis => ({ ...daily('mixed', score), timeframe: 'weekly' });
const decide = (day: Analysis, week = 0) => propose([day, weekly(week)], 1.5);

describe('in a trending and in a mixed market', () => {
  it.each(['trending', 'mixed'] as const)('%s: goes with the score from its threshold on', (kind) => {
    const bought = { action: 'buy', entry: 100, stop: 96, target: 108 };
    expect(decide(daily(kind, 0.45))).toMatchObject(bought);
    expect(decide(daily(kind, 0.44))).toMatchObject({ action: 'hold', entry: null });
    expect(decide(daily(kind, 0.9), -0.01)?.action).toBe('hold');
    expect(decide(daily(kind, -0.45))?.action).toBe('sell');
    expect(decide(daily(kind, -0.9), 0.01)?.action).toBe('hold');
    expect(decide({ ...daily(kind, 0.9), atr: null })?.action).toBe('hold');
  });

  it('tells the market and its numbers first', () => {
    expect(decide(daily('trending', 0.5))?.rationale).toMatch(
      /^Buy: trending market: ADX 31\.\d is at least 25, up; the range is wider than on 40 % of the last year's sessions\. daily score 0\.50, weekly score 0\.00, threshold 0\.45\./,
    );
  });
});

describe('in a turbulent market', () => {
  it('buys nothing and says so, and still sells', () => {
    const held = decide(daily('turbulent', 0.9));
    expect(held).toMatchObject({ action: 'hold', entry: null, stop: null, target: null });
    expect(held?.rationale).toContain('in a turbulent market nothing new is bought');
    expect(decide(daily('turbulent', -0.5))?.action).toBe('sell');
    expect(decide(daily('turbulent', 0.1))?.rationale).not.toContain('nothing new is bought');
  });
});

describe('in a ranging market', () => {
  const due = (target: number): Analysis => daily('ranging', -0.6, { score: 1, action: 'buy', target });

  it('buys at the lower edge with the middle as target, where that is worth the risk', () => {
    expect(decide(due(103))).toMatchObject({ action: 'buy', entry: 100, stop: 98, target: 103 });
    const held = decide(due(102.9));
    expect(held).toMatchObject({ action: 'hold', stop: null, target: null });
    expect(held?.rationale).toContain('is 1.45 R, less than the minimum 1.5');
  });

  it('sells at the upper edge', () => {
    const edge = daily('ranging', 0.6, { score: -1, action: 'sell', target: 97 });
    expect(decide(edge)).toMatchObject({ action: 'sell', entry: null, stop: null, target: null });
    expect(decide(edge, 0.1)?.action).toBe('hold');
  });

  it('says that it cannot read a range, and not that no return is due', () => {
    const unread = decide(daily('ranging', 0.9));
    expect(unread?.rationale).toContain('the range cannot be read');
    expect(unread?.rationale).not.toContain('is due');
    const read = decide(daily('ranging', 0.9, { score: 0.2, action: null, target: 110 }));
    expect(read?.rationale).toContain('no return to the middle is due');
  });

  it('does not follow a score, however large, and nothing against the weeks', () => {
    expect(decide(daily('ranging', 0.9))?.action).toBe('hold');
    expect(decide(daily('ranging', 0.9, { score: 0.9, action: null, target: 110 }))?.action).toBe('hold');
    expect(decide(daily('ranging', -0.9))?.action).toBe('hold');
    expect(decide(due(105), -0.1)?.action).toBe('hold');
    expect(decide({ ...due(105), atr: null })?.action).toBe('hold');
  });
});

describe('a return to the middle', () => {
  /** Closes around 100 that end with one of their own. */
  const readAt = (closes: readonly number[]) => {
    const close = Float64Array.from(closes);
    const columns = { open: close, high: close, low: close, close, volume: close };
    return readReversal(closes.at(-1) ?? NaN, computeIndicators(columns, defaultIndicators));
  };
  const around = Array.from({ length: 60 }, (_, at) => 100 + (at % 2));

  it('is due where both a band and the RSI are at their extreme, and points to the middle band', () => {
    const low = readAt([...around, 98, 95, 91]);
    expect(low).toMatchObject({ reversal: { score: 1, action: 'buy' } });
    expect(low.reversal?.target).toBeCloseTo((9 * 101 + 8 * 100 + 98 + 95 + 91) / 20, 9);
    expect(readAt([...around, 104, 107, 111])).toMatchObject({
      reversal: { score: -1, action: 'sell' },
    });
  });

  it('is not due where the RSI does not confirm the band', () => {
    const touched = readAt([...around, 98.5]);
    expect(touched.reversal?.action).toBeNull();
    expect(touched.reversal?.score).toBeGreaterThan(0);
    expect(touched.reversal?.score).toBeLessThan(1);
  });

  it('is unknown, and no opinion, where nothing moves or bars are too few', () => {
    const none = { reversal: null };
    expect(readAt(Array.from({ length: 60 }, () => 100))).toMatchObject(none);
    expect(readAt([100, 101, 99])).toMatchObject(none);
  });
});
