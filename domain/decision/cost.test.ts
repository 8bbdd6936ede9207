import { describe, expect, it } from 'vitest';
import { callCost, mostInputTokens, spentOn } from './cost.js';

describe('the cost of a call', () => {
  it('is tokens times price, exact, rounded up to a millionth of a dollar', () => {
    expect(callCost({ input: '2.50', output: '10' }, 1200, 340)).toBe('0.0064');
    expect(callCost({ input: '0.05', output: '0.40' }, 1, 0)).toBe('0.000001');
    expect(callCost({ input: '0', output: '0' }, 5000, 5000)).toBe('0');
  });

  it('counts what is reserved for a call that is not settled', () => {
    expect(spentOn([]).toFixed()).toBe('0');
    const calls = [
      { costUsd: '0.1', reservedUsd: '0.5' },
      { costUsd: '0', reservedUsd: '0.5' },
      { costUsd: null, reservedUsd: '0.2' },
    ];
    expect(spentOn(calls).toFixed()).toBe('0.3');
  });

  it('is reserved for more tokens than the question can have', () => {
    expect(mostInputTokens(10_000, 2)).toBe(11_000);
  });
});
