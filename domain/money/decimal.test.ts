import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incrementAt, notional, price, quantity, quantize, quantizePrice } from './decimal.js';

const cents = fc.integer({ min: 1, max: 100_000_000 }).map((value) => (value / 100).toFixed(2));
const increments = fc.constantFrom('0.0001', '0.01', '0.05', '1', '100');

describe('quantize', () => {
  it('rounds down to the increment', () => {
    expect(quantize('10.999', '0.05', 'down').toString()).toBe('10.95');
    expect(quantize('-10.999', '0.05', 'down').toString()).toBe('-10.95');
  });
  it('breaks ties to the even step', () => {
    expect(quantize('0.125', '0.01', 'nearest').toString()).toBe('0.12');
    expect(quantize('0.135', '0.01', 'nearest').toString()).toBe('0.14');
  });
  it('is exact where floating point is not', () => {
    expect(quantize(0.1 + 0.2, '0.1', 'nearest').toString()).toBe('0.3');
    expect(quantize('0.3', '0.1', 'down').toString()).toBe('0.3');
  });
  it('lands on the grid, at most one step away and on the named side', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), increments, (value, increment) => {
        const down = quantize(value, increment, 'down');
        const up = quantize(value, increment, 'up');
        expect(down.mod(increment).isZero()).toBe(true);
        expect(up.mod(increment).isZero()).toBe(true);
        expect(down.lte(value)).toBe(true);
        expect(up.gte(value)).toBe(true);
        expect(up.minus(down).lte(increment)).toBe(true);
      }),
    );
  });
  it('leaves a value on the grid as it is', () => {
    fc.assert(
      fc.property(cents, (value) => {
        expect(quantize(value, '0.01', 'down').eq(value)).toBe(true);
        expect(quantize(value, '0.01', 'up').eq(value)).toBe(true);
      }),
    );
  });
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 'abc', ''])('refuses %s', (value) => {
    expect(() => quantize(value, '0.01', 'down')).toThrow(RangeError);
  });
  it.each(['0', '-0.01'])('refuses an increment of %s', (increment) => {
    expect(() => quantize('1', increment, 'down')).toThrow('increment must be positive');
  });
});

describe('notional', () => {
  it('is exact to the last digit', () => {
    expect(notional(price('0.1'), quantity('3')).toString()).toBe('0.3');
  });
  it('distributes over parts: the sum of parts is the whole', () => {
    fc.assert(
      fc.property(cents, fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }), (unit, a, b) => {
        const whole = notional(price(unit), quantity(String(a + b)));
        const parts = notional(price(unit), quantity(String(a))).plus(
          notional(price(unit), quantity(String(b))),
        );
        expect(whole.eq(parts)).toBe(true);
      }),
    );
  });
});

describe('price increments', () => {
  const rows = [
    { from: '0', increment: '0.0001' },
    { from: '1', increment: '0.01' },
  ];
  it('takes the last row whose edge is not above the price', () => {
    expect(incrementAt(rows, '0.9999')).toBe('0.0001');
    expect(incrementAt(rows, '1')).toBe('0.01');
  });
  it('puts a price on its own grid', () => {
    expect(quantizePrice('0.12345', rows, 'nearest').toString()).toBe('0.1234');
    expect(quantizePrice('12.345', rows, 'up').toString()).toBe('12.35');
  });
  it('refuses a price below every edge', () => {
    expect(() => incrementAt([{ from: '1', increment: '0.01' }], '0.5')).toThrow('no price increment');
  });
});
