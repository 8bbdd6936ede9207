import { describe, expect, it } from 'vitest';
import { hostileTexts } from './testing/hostile.js';
import { cleanText, nameOf, quoteData } from './untrusted.js';

const hidden =
  /[\p{Cc}\p{Cs}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u{e0000}-\u{e007f}]/u;

describe('text of third parties', () => {
  it('is attacked in more than two hundred ways', () => {
    expect(new Set(hostileTexts).size).toBeGreaterThanOrEqual(200);
  });

  it.each(hostileTexts.map((text, index) => [index, text] as const))(
    'number %s comes out short, visible, and can not end the data',
    (_index, text) => {
      const name = nameOf(text);
      expect(Array.from(name).length).toBeLessThanOrEqual(120);
      expect(name).not.toMatch(hidden);
      const quoted = quoteData({ name, symbol: 'AAPL' });
      const lines = quoted.text.split('\n');
      expect(lines).toHaveLength(3);
      const mark = quoted.sha256.slice(0, 32);
      expect([lines[0], lines[2]]).toEqual([`<<<DATA ${mark}`, `DATA ${mark}>>>`]);
      expect(JSON.parse(lines[1] ?? '')).toEqual({ name, symbol: 'AAPL' });
      expect(name).not.toContain(mark);
    },
  );

  it('is one spelling: what looks the same is the same', () => {
    expect(cleanText('ＡＡＰＬ ﬁne', 20)).toBe('AAPL fine');
    expect(cleanText('a\u0000b\u202ec\u{e0041}', 20)).toBe('abc');
    expect(cleanText('😀😀😀', 2)).toBe('😀😀');
  });

  it('gives the same block for the same data, so that answers are found again', () => {
    expect(quoteData({ a: 1 })).toEqual(quoteData({ a: 1 }));
    expect(quoteData({ a: 1 }).sha256).not.toBe(quoteData({ a: 2 }).sha256);
  });
});
