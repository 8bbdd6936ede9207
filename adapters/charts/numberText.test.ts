import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixed, niceTicks, price, short, signed } from './numberText.js';

describe('numbers of a chart', () => {
  it('group thousands and keep the digits asked for', () => {
    expect(fixed(2711.4, 2)).toBe('2,711.40');
    expect(fixed(1234567, 0)).toBe('1,234,567');
    expect(fixed(-1234.5, 1)).toBe('-1,234.5');
  });

  it('write no minus before a zero', () => {
    expect(fixed(-0.001, 2)).toBe('0.00');
  });

  it('give small prices more digits', () => {
    expect([price(188.59), price(1), price(0.5), price(0.0012)]).toEqual([
      '188.59',
      '1.00',
      '0.5000',
      '0.001200',
    ]);
  });

  it('shorten volumes', () => {
    expect([26_212_000, 1000, 999, 150_400_000, 2.5e9, 0].map(short)).toEqual([
      '26.2M',
      '1K',
      '999',
      '150M',
      '2.5B',
      '0',
    ]);
  });

  it('show the sign of a change', () => {
    expect([signed(1.5, 2), signed(-1.5, 2), signed(0, 2)]).toEqual(['+1.50', '-1.50', '0.00']);
  });
});

describe('ticks', () => {
  it('are round numbers inside the range', () => {
    expect(niceTicks(143, 192, 5)).toEqual({ values: [150, 160, 170, 180, 190], digits: 0 });
    expect(niceTicks(0, 0.9, 4).digits).toBe(2);
  });

  it('stay inside, rise evenly and differ in their texts, whatever the range', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (low, span, count) => {
          const { values, digits } = niceTicks(low, low + span, count);
          const slack = span * 1e-6 + 1e-6;
          expect(values.length).toBeLessThanOrEqual(count + 2);
          for (const value of values) {
            expect(value).toBeGreaterThanOrEqual(low - slack);
            expect(value).toBeLessThanOrEqual(low + span + slack);
          }
          const texts = values.map((value) => fixed(value, digits));
          expect(new Set(texts).size).toBe(texts.length);
        },
      ),
    );
  });
});
