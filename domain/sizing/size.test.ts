import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { money, notional, price, quantity } from '../money/decimal.js';
import { sizeLong, type SizingInput } from './size.js';

const base: SizingInput = {
  equity: money('100000'),
  riskPerTrade: '0.01',
  entry: price('100'),
  stop: price('95'),
  maximumPositionShare: '0.10',
  exposure: quantity('0'),
  availableCash: money('100000'),
  cashReserve: '0.01',
  quantityIncrement: '1',
};

describe('sizeLong', () => {
  it('is bound by risk when the stop is far', () => {
    const size = sizeLong({ ...base, stop: price('10') });
    expect(size.limitedBy).toBe('risk');
    expect(size.quantity.toString()).toBe('11');
    expect(size.riskAmount.toString()).toBe('990');
  });
  it('is bound by the position share when the stop is near', () => {
    const size = sizeLong(base);
    expect(size.limitedBy).toBe('position');
    expect(size.quantity.toString()).toBe('100');
  });
  it('is bound by cash, costs included', () => {
    const size = sizeLong({ ...base, availableCash: money('1010') });
    expect(size.limitedBy).toBe('cash');
    expect(size.quantity.toString()).toBe('10');
    expect(sizeLong({ ...base, availableCash: money('1009.99') }).quantity.toString()).toBe('9');
  });
  it('rounds down to the lot size', () => {
    expect(sizeLong({ ...base, quantityIncrement: '30' }).quantity.toString()).toBe('90');
  });
  it('counts what is held already', () => {
    expect(sizeLong({ ...base, exposure: quantity('40') }).quantity.toString()).toBe('60');
  });
  it('is zero, never negative, when nothing is left', () => {
    expect(sizeLong({ ...base, availableCash: money('-5') }).quantity.toString()).toBe('0');
    expect(sizeLong({ ...base, equity: money('0') }).quantity.toString()).toBe('0');
  });
  it('refuses a stop that is not below the entry', () => {
    expect(() => sizeLong({ ...base, stop: price('100') })).toThrow(RangeError);
    expect(() => sizeLong({ ...base, entry: price('0'), stop: price('-1') })).toThrow(RangeError);
  });
  it('never exceeds risk, position share or cash', () => {
    const amount = fc.integer({ min: 1, max: 1e9 }).map((value) => (value / 100).toFixed(2));
    const share = fc.integer({ min: 1, max: 100 }).map((value) => (value / 100).toFixed(2));
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        share,
        share,
        fc.integer({ min: 1, max: 9_999 }),
        (e, p, c, risk, part, cut) => {
          const entry = price(p);
          const stop = price(entry.times(cut).div(10_000));
          const input = {
            ...base,
            equity: money(e),
            entry,
            stop,
            availableCash: money(c),
            riskPerTrade: risk,
            maximumPositionShare: part,
          };
          const size = sizeLong(input);
          expect(size.quantity.isNegative()).toBe(false);
          expect(size.quantity.isInteger()).toBe(true);
          expect(size.riskAmount.lte(money(e).times(risk))).toBe(true);
          expect(notional(entry, size.quantity).lte(money(e).times(part))).toBe(true);
          expect(notional(entry, size.quantity).times('1.01').lte(c)).toBe(true);
        },
      ),
    );
  });
});
