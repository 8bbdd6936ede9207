// Numbers of the wire keep their digits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './parseJson.js';

describe('parseJson', () => {
  it('keeps the digits of a number that a double would round', () => {
    expect(parseJson('{"price":123456789012345.123456789,"size":5.0}')).toEqual({
      price: '123456789012345.123456789',
      size: 5,
    });
    expect(parseJson('[-0.12345678901234567890e-3]')).toEqual(['-0.12345678901234567890e-3']);
  });

  it('leaves texts as they are, also those that look like numbers', () => {
    const text = '{"a\\"1234567890123456789":"12345678901234567890","b":"\\\\\\"12345678901234567"}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it.each(['', 'Too Many Requests', '{"error":"cut of', '[12345678901234567890', '<html></html>'])(
    'knows that %s is no JSON',
    (text) => {
      expect(parseJson(text)).toBeUndefined();
    },
  );

  it('gives every decimal as it was written', () => {
    const plain = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
    const digits = fc.stringMatching(/^[1-9]\d{0,17}\.\d{1,12}$/);
    fc.assert(
      fc.property(digits, (text) => {
        const { n } = parseJson(`{"n":${text}}`) as { n: string | number };
        expect(plain(String(n))).toBe(plain(text));
      }),
      { numRuns: 2000 },
    );
  });
});
