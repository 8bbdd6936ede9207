import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProposal, unknownPrices, type ProposalLimits } from './checks.js';
import type { Analysis, Proposal } from './decision.js';
import { makeDecision } from './makeDecision.js';

const limits: ProposalLimits = {
  close: 100,
  priceIncrements: [{ from: '0', increment: '0.01' }],
  minimumRCoefficient: 1.5,
  priceCollar: 0.05,
  costShare: 0.01,
};
const buy: Proposal = { action: 'buy', entry: 100, stop: 96, target: 108, rationale: 'r' };

const failing = (proposal: Proposal, analyses: readonly Analysis[] = []): string[] =>
  checkProposal(proposal, analyses, limits)
    .filter(({ passed }) => !passed)
    .map(({ code }) => code);

const falling = { timeframe: 'weekly', reading: { trend: 'down' } } as Analysis;

describe('checkProposal', () => {
  it('takes a buy that keeps every rule, and asks nothing of a hold or a sell', () => {
    expect(failing(buy)).toEqual([]);
    for (const action of ['hold', 'sell'] as const) {
      expect(checkProposal({ ...buy, action, stop: null }, [falling], limits)).toEqual([]);
    }
  });

  it.each([
    ['PRICES_PRESENT', { stop: null }],
    ['PRICES_PRESENT', { target: Infinity }],
    ['PRICES_PRESENT', { entry: -1 }],
    ['PRICES_SIDES', { stop: 101 }],
    ['PRICES_SIDES', { target: 99 }],
    ['PRICES_NEAR', { entry: 10_000, stop: 9600, target: 10_800 }],
    ['PRICES_NEAR', { entry: 1, stop: 0.96, target: 1.08 }],
    ['PRICES_NEAR', { target: 250 }],
    ['PRICE_INCREMENT', { stop: 96.001 }],
    ['R_MINIMUM', { target: 105 }],
    ['MARGIN_AFTER_COSTS', { stop: 99.9, target: 100.5 }],
  ] as const)('fails %s for %j', (code, change) => {
    expect(failing({ ...buy, ...change })).toContain(code);
  });

  it('fails a buy against a timeframe that falls', () => {
    expect(failing(buy, [falling])).toEqual(['TIMEFRAMES_AGREE']);
  });

  it('lets nothing pass that is no sound long near the market, whatever a model may legally say', () => {
    const number = fc.option(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(number, number, number, (entry, stop, target) => {
        const proposal = { ...buy, entry, stop, target };
        const refused = checkProposal(proposal, [], limits).some(
          ({ passed, blocking }) => blocking && !passed,
        );
        if (refused) return;
        expect(stop).toBeLessThan(entry ?? 0);
        expect(entry).toBeLessThan(target ?? 0);
        expect(Math.abs((entry ?? 0) - 100)).toBeLessThanOrEqual(5);
        expect(((target ?? 0) - (entry ?? 0)) / ((entry ?? 0) - (stop ?? 0))).toBeGreaterThanOrEqual(1.5);
      }),
    );
  });

  it('takes no confidence: the decision is the same at 0 and at 100', () => {
    const review = (confidence: number): Proposal => ({
      ...buy,
      review: {
        ...{ numbersOnly: false, confidence, horizonSessions: null },
        ...{ agreements: [], conflicts: [], risks: [], checks: [] },
      },
    });
    const made = [0, 100].map((confidence) =>
      makeDecision(review(confidence), 'openai', limits.priceIncrements),
    );
    expect(made[0]).toEqual(made[1]);
  });
});

describe('unknownPrices', () => {
  it('finds prices that were never given, and passes those that were, within half a percent', () => {
    const text =
      'Close 95.97 is above SMA 92.10; resistance at 101.50, RSI 61.2, up 4.5 %, volume 1,234,567.';
    expect(unknownPrices(text, [95.97, 92.3], 96)).toEqual([101.5, 61.2]);
    expect(unknownPrices(text, [95.97, 92.3, 101.5, 61.2], 96)).toEqual([]);
  });
});
