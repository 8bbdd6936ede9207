import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RiskFacts, RiskProfile } from '../risk/types.js';
import { evaluateRisk } from '../risk/evaluateRisk.js';
import type { Decision } from './decision.js';
import { checkPanel, heldToPanel, panelRoles, quorum } from './quorum.js';
import type { PanelReview, PanelRole, PanelVerdict } from './reading.js';

const buy: Decision = {
  action: 'buy',
  ...{ entry: '100', stop: '96', target: '108', rCoefficient: '2', profitMargin: '0.08' },
  ...{ rationale: 'It rises.', analyst: 'openai' },
  sources: { action: 'analyst', entry: 'analyst', stop: 'analyst', target: 'analyst' },
  review: {
    ...{ numbersOnly: false, confidence: 58, horizonSessions: 20 },
    ...{ agreements: [], conflicts: [], risks: [], checks: [] },
  },
};
const reviewOf = (role: PanelRole, soundness: number): PanelReview => ({
  ...{ role, soundness, argument: 'a', points: [], flags: [] },
});
const verdictOf = (verdict: PanelVerdict['verdict'], soundness: number): PanelVerdict => ({
  ...{ verdict, soundness, reasons: [], strongestObjection: 'o', flags: [] },
});
const said = (bull: number, bear: number, risk: number): PanelReview[] => [
  reviewOf('bull', bull),
  reviewOf('bear', bear),
  reviewOf('risk', risk),
];

const profile: RiskProfile = {
  ...{ riskPerTrade: '0.01', maximumPositionShare: '0.10', minimumRCoefficient: '1.5' },
  ...{ priceCollar: '0.05', cashReserve: '0.01', shortsAllowed: false, pyramiding: false },
};
const facts: RiskFacts = {
  ...{ tradingState: 'ACTIVE', accountCurrency: 'USD', priceCurrency: 'USD', equity: '100000' },
  ...{ cash: '100000', reservedCash: '0', position: '0', openBuyQuantity: '0', openSellQuantity: '0' },
  ...{ symbolLocked: false, quote: { last: '100', state: 'open' }, session: { open: true } },
  ...{ beforeOpen: false, lastBarSession: '2014-08-18', expectedBarSession: '2014-08-18' },
  ...{ priceIncrements: [{ from: '0', increment: '0.01' }], quantityIncrement: '1' },
};
const sizeOf = (decision: Decision): number =>
  decision.action === 'hold'
    ? 0
    : Number(evaluateRisk(decision, profile, facts, null).order?.quantity ?? '0');

describe('a panel', () => {
  it('lets a buy stand by two of three, no veto and the judge, with every price as it was', () => {
    const after = heldToPanel(buy, said(70, 20, 50), verdictOf('stands', 50));
    const { review, ...rest } = after;
    const { review: before, ...proposed } = buy;
    expect(rest).toEqual(proposed);
    expect(review?.panel).toMatchObject({ stands: true, proposed: { stop: '96', rCoefficient: '2' } });
    expect(review?.checks.map(({ code, passed }) => [code, passed])).toEqual([
      ['PANEL_MAJORITY', true],
      ['PANEL_NO_VETO', true],
      ['PANEL_JUDGE', true],
    ]);
    expect(before?.panel).toBeUndefined();
  });

  it.each([
    ['PANEL_MAJORITY', said(70, 49, 49), verdictOf('stands', 90)],
    ['PANEL_NO_VETO', said(90, 19, 90), verdictOf('stands', 90)],
    ['PANEL_JUDGE', said(90, 90, 90), verdictOf('hold', 90)],
    ['PANEL_JUDGE', said(90, 90, 90), verdictOf('stands', 49)],
  ] as const)('takes it back by %s, and says why and what was proposed', (code, reviews, verdict) => {
    const after = heldToPanel(buy, reviews, verdict);
    expect(after).toMatchObject({
      action: 'hold',
      entry: null,
      stop: null,
      target: null,
      rCoefficient: null,
    });
    expect(after.sources.action).toBe('code');
    expect(after.review?.checks.filter(({ passed }) => !passed).map((check) => check.code)).toEqual([code]);
    expect(after.rationale).toMatch(/^The panel takes the proposed buy back: .*Proposed was: It rises\.$/);
    expect(after.review?.panel).toMatchObject({ stands: false, proposed: { entry: '100', stop: '96' } });
  });

  const figure = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 45, max: 100 }) },
    { weight: 1, arbitrary: fc.integer({ min: -10, max: 110 }) },
    { weight: 1, arbitrary: fc.double() },
  );
  const verdicts = fc
    .record({ verdict: fc.constantFrom('stands' as const, 'hold' as const), soundness: figure })
    .map(({ verdict, soundness }) => verdictOf(verdict, soundness));
  const any = fc.array(
    fc
      .record({ role: fc.constantFrom(...panelRoles), soundness: figure })
      .map(({ role, soundness }) => reviewOf(role, soundness)),
    { maxLength: 6 },
  );
  const whole = fc.tuple(figure, figure, figure).map((figures) => said(...figures));
  const reviews = fc.oneof(any, whole);
  const decisions: fc.Arbitrary<Decision> = fc
    .record({
      action: fc.constantFrom('buy' as const, 'sell' as const, 'hold' as const),
      stop: fc.integer({ min: 9000, max: 9990 }).map((cents) => (cents / 100).toFixed(2)),
    })
    .map(({ action, stop }) => ({ ...buy, action, ...(action === 'buy' ? { stop } : noPrices) }));
  const noPrices = { entry: null, stop: null, target: null, rCoefficient: null, profitMargin: null };

  it('makes no answer of its members less cautious than the proposal was, whatever they say', () => {
    let stood = 0;
    fc.assert(
      fc.property(decisions, reviews, verdicts, (proposed, given, verdict) => {
        const after = heldToPanel(proposed, given, verdict);
        if (proposed.action !== 'buy') {
          expect(after).toBe(proposed);
          return;
        }
        expect(['buy', 'hold']).toContain(after.action);
        expect(sizeOf(after)).toBeLessThanOrEqual(sizeOf(proposed));
        if (after.action === 'hold') {
          expect(after).toMatchObject(noPrices);
          return;
        }
        stood += 1;
        const { review, ...rest } = after;
        const { review: before, ...was } = proposed;
        expect(rest).toEqual(was);
        expect({ ...review, checks: before?.checks, panel: undefined }).toEqual({
          ...before,
          panel: undefined,
        });
        for (const role of panelRoles) {
          expect(given.filter((each) => each.role === role).length).toBeGreaterThan(0);
        }
        expect(given.every(({ soundness }) => soundness >= quorum.veto && soundness <= 100)).toBe(true);
        expect(verdict.verdict).toBe('stands');
        expect(verdict.soundness).toBeGreaterThanOrEqual(quorum.judge);
      }),
      { numRuns: 2000 },
    );
    expect(stood).toBeGreaterThan(20);
  });

  it('takes back whatever it would take back of higher figures: over every set at the edges', () => {
    const edges = [NaN, 0, 19, 20, 49, 50, 100];
    const passes = (bull: number, bear: number, risk: number, judge: number): boolean =>
      checkPanel(said(bull, bear, risk), verdictOf('stands', judge)).every(({ passed }) => passed);
    const up = (at: number): number => Math.min(at + 1, edges.length - 1);
    let stood = 0;
    for (const index of Array.from({ length: edges.length ** 4 }, (_, each) => each)) {
      const at = [0, 1, 2, 3].map((power) => Math.floor(index / edges.length ** power) % edges.length);
      const figures = (places: readonly number[]) =>
        places.map((place) => edges[place] ?? NaN) as [number, number, number, number];
      if (!passes(...figures(at))) continue;
      stood += 1;
      for (const changed of [0, 1, 2, 3]) {
        const higher = at.map((place, which) => (which === changed ? up(place) : place));
        expect(passes(...figures(higher))).toBe(true);
      }
    }
    expect(stood).toBe(2 * (8 + 3 * 4 * 2));
  });
});
