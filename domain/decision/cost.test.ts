import { describe, expect, it } from 'vitest';
import { callCost, mostInputTokens } from './cost.js';

describe('the cost of a call', () => {
  it('is tokens times price, exact, rounded up to a millionth of a dollar', () => {
    expect(callCost({ input: '2.50', output: '10' }, 1200, 340)).toBe('0.0064');
    expect(callCost({ input: '0.05', output: '0.40' }, 1, 0)).toBe('0.000001');
    expect(callCost({ input: '0', output: '0' }, 5000, 5000)).toBe('0');
  });

  it('is reserved for more tokens than the question can have', () => {
    expect(mostInputTokens(10_000, 2)).toBe(11_000);
  });
});
