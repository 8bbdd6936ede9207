import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunIdentity } from '../../contracts/wire/names.js';
import { runIdOf } from './runId.js';

const run: RunIdentity = {
  mode: 'simulated',
  strategyId: 'demo-aapl',
  symbol: 'AAPL',
  session: '2014-07-07',
  slot: 'after-close',
};

const identity = fc.record({
  mode: fc.constantFrom('simulated' as const, 'paper' as const, 'live' as const),
  strategyId: fc.string(),
  symbol: fc.string(),
  session: fc.string(),
  slot: fc.string(),
});

describe('runIdOf', () => {
  it('is the base32 of the SHA-256 of the JSON array', () => {
    // printf '["run","simulated","demo-aapl","AAPL","2014-07-07","after-close"]' | sha256sum, through base32
    expect(runIdOf(run)).toBe('twnqufrbkyn5zaxpo2kl64aeds');
  });

  it('has 26 characters of lower-case base32', () => {
    fc.assert(
      fc.property(identity, (any) => {
        expect(runIdOf(any)).toMatch(/^[a-z2-7]{26}$/);
      }),
    );
  });

  it('differs as soon as one field differs', () => {
    const others: RunIdentity[] = [
      { ...run, mode: 'paper' },
      { ...run, strategyId: 'demo' },
      { ...run, symbol: 'SPX' },
      { ...run, session: '2014-07-08' },
      { ...run, slot: 'after-close-2' },
      { ...run, strategyId: 'demo-aapl","AAPL', symbol: '' },
    ];
    expect(new Set([run, ...others].map(runIdOf)).size).toBe(others.length + 1);
  });
});
