import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusalText } from './refusal.js';

const check = (code: string) => ({ code, passed: false, value: '103', limit: '0', text: 'as it should be' });
const source = ['evaluateRisk', 'checks']
  .map((file) => readFileSync(new URL(`../../domain/risk/${file}.ts`, import.meta.url), 'utf8'))
  .join('\n');
/** Every code that evaluateRisk gives to a check. */
const codes = [
  ...new Set([...source.matchAll(/(?:check|within)\(\s*'([A-Z_]+)'/g)].map(([, code = '']) => code)),
];

describe('a refusal in words', () => {
  it('says what was found and why no order follows', () => {
    expect(refusalText({ code: 'PYRAMIDING', checks: [check('PYRAMIDING')] })).toBe(
      '103 are held or on order already, and this strategy does not add to a position (risk.pyramiding is off)',
    );
  });

  it.each(codes)('has a sentence of its own for %s', (code) => {
    const text = refusalText({ code, checks: [{ ...check('PASSED'), passed: true }, check(code)] });
    expect(text).not.toContain('as it should be');
    expect(text).toMatch(/^[a-z0-9]/);
  });

  it('knows that there are such codes', () => {
    expect(codes.length).toBeGreaterThan(14);
  });

  it('names what made it fail, where that is known', () => {
    const caused = { ...check('QUANTITY'), cause: 'order 81 has no price' };
    expect(refusalText({ code: 'QUANTITY', checks: [caused] })).toMatch(
      /one increment of 0; order 81 has no price$/,
    );
  });

  it('falls back to the check, and to the code of a verdict without checks', () => {
    expect(refusalText({ code: 'NEW', checks: [check('NEW')] })).toBe('as it should be: no (103, limit 0)');
    expect(refusalText({ code: 'NOTHING_TO_SELL', checks: [] })).toBe('NOTHING_TO_SELL');
  });
});
