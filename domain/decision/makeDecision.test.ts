import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { price } from '../money/decimal.js';
import { profitMargin, rCoefficient } from './coefficients.js';
import { makeDecision } from './makeDecision.js';

const increments = [{ from: '0', increment: '0.01' }];
const buy = { action: 'buy', entry: 100, stop: 95, target: 112.5, rationale: 'trend' } as const;

describe('rCoefficient', () => {
  it('is reward per unit of risk', () => {
    expect(rCoefficient(price('100'), price('95'), price('112.5'))?.toString()).toBe('2.5');
  });
  it('is mirrored for a short', () => {
    expect(rCoefficient(price('100'), price('105'), price('87.5'))?.toString()).toBe('2.5');
  });
  it.each([
    ['a stop on the target side', '100', '105', '110'],
    ['a stop at the entry', '100', '100', '110'],
    ['a target at the entry', '100', '95', '100'],
  ])('is null for %s', (_name, entry, stop, target) => {
    expect(rCoefficient(price(entry), price(stop), price(target))).toBeNull();
  });
});

describe('profitMargin', () => {
  it('is the distance of the target as a fraction of the entry, for both sides', () => {
    expect(profitMargin(price('100'), price('112.5')).toString()).toBe('0.125');
    expect(profitMargin(price('100'), price('87.5')).toString()).toBe('0.125');
  });
});

describe('makeDecision', () => {
  it('computes R and margin and keeps the prices on the grid', () => {
    const outcome = makeDecision({ ...buy, stop: 95.004, target: 112.509 }, 'rules', increments);
    expect(outcome).toMatchObject({
      kind: 'ok',
      decision: { entry: '100', stop: '95', target: '112.5', rCoefficient: '2.5000', profitMargin: '0.1250' },
    });
  });
  it('rounds R towards zero, never in favour of the trade', () => {
    const outcome = makeDecision({ ...buy, stop: 97, target: 105 }, 'rules', increments);
    expect(outcome.kind === 'ok' && outcome.decision.rCoefficient).toBe('1.6666');
  });
  it('has no prices for a hold and for a closing sell', () => {
    for (const action of ['hold', 'sell'] as const) {
      const outcome = makeDecision({ ...buy, action }, 'rules', increments);
      expect(outcome).toMatchObject({
        kind: 'ok',
        decision: { action, entry: null, stop: null, rCoefficient: null },
      });
    }
  });
  it('fails, and does not hold, when a buy is incomplete or upside down', () => {
    expect(makeDecision({ ...buy, stop: null }, 'rules', increments)).toMatchObject({
      code: 'DECISION_INCOMPLETE',
    });
    for (const wrong of [{ stop: 101 }, { target: 99 }, { stop: 100 }, { entry: Number.NaN }, { stop: -1 }]) {
      expect(makeDecision({ ...buy, ...wrong }, 'rules', increments)).toMatchObject({
        code: 'DECISION_INVALID',
      });
    }
  });
  it('gives an ordered buy or a failure for any numbers at all', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double(), (entry, stop, target) => {
        const outcome = makeDecision({ ...buy, entry, stop, target }, 'rules', increments);
        if (outcome.kind === 'failed') return;
        const { decision } = outcome;
        expect(price(decision.stop ?? '').lt(decision.entry ?? '')).toBe(true);
        expect(price(decision.entry ?? '').lt(decision.target ?? '')).toBe(true);
        expect(Number(decision.rCoefficient)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
