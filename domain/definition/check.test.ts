import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ratio } from '../money/decimal.js';
import type { RiskProfile } from '../risk/types.js';
import { beyondDefinition, definitionFaults, looseLimits, tightened } from './check.js';
import type { DefinitionLimits, DefinitionStep, WorkflowDefinition } from './definition.js';
import { definitionSteps, mandatoryGates } from './definition.js';

const standard: WorkflowDefinition = {
  steps: definitionSteps,
  timeframes: ['daily', 'weekly'],
  analyst: 'auto',
  gates: mandatoryGates,
  limits: {},
};
const profile: RiskProfile = {
  riskPerTrade: '0.01',
  maximumPositionShare: '0.10',
  minimumRCoefficient: '1.5',
  priceCollar: '0.05',
  cashReserve: '0.02',
  shortsAllowed: false,
  pyramiding: true,
};
const without = (...gone: DefinitionStep[]): WorkflowDefinition['steps'] =>
  definitionSteps.filter((step) => !gone.includes(step));
const textsOf = (change: Partial<WorkflowDefinition>): string[] =>
  definitionFaults({ ...standard, ...change }).map(({ field, message }) => `${field}: ${message}`);

describe('a definition', () => {
  it('is sound with every step and the mandatory gates, on daily bars alone too', () => {
    expect(textsOf({})).toEqual([]);
    expect(textsOf({ timeframes: ['daily'] })).toEqual([]);
    expect(textsOf({ gates: [...mandatoryGates, 'timeframesAgree'] })).toEqual([]);
  });

  it.each(mandatoryGates)('can not leave out the gate %s', (gate) => {
    const gates = mandatoryGates.filter((each) => each !== gate);
    expect(textsOf({ gates })).toEqual([
      `gates: ${gate} is missing: safety gates can be added, never left out`,
    ]);
  });

  it.each(definitionSteps.filter((s) => !['renderChart', 'waitForMarket', 'orderLifecycle'].includes(s)))(
    'can not leave out the step %s',
    (step) => {
      expect(textsOf({ steps: without(step) })).toEqual([
        expect.stringMatching(new RegExp(`^steps: ${step} is missing: .`)),
      ]);
    },
  );

  it('may give advice without an order, but not half of it', () => {
    expect(textsOf({ steps: without('waitForMarket', 'orderLifecycle') })).toEqual([]);
    expect(textsOf({ steps: without('waitForMarket') })).toHaveLength(1);
    expect(textsOf({ steps: without('orderLifecycle') })).toHaveLength(1);
  });

  it('may draw no chart only where the rules read', () => {
    expect(textsOf({ steps: without('renderChart'), analyst: 'rules' })).toEqual([]);
    for (const analyst of ['auto', 'openai'] as const) {
      expect(textsOf({ steps: without('renderChart'), analyst })).toHaveLength(1);
    }
  });

  it('has its steps in the order of a run, and daily bars', () => {
    const [first, second, ...rest] = definitionSteps;
    expect(textsOf({ steps: [second, first, ...rest] })).toEqual([
      `steps: are out of order; a run takes them as ${definitionSteps.join(', ')}`,
    ]);
    expect(textsOf({ timeframes: ['weekly'] })).toEqual([
      expect.stringMatching(/^timeframes: daily is missing/),
    ]);
  });

  it('can not loosen a limit of the platform', () => {
    const loose = looseLimits(
      {
        riskPerTrade: '0.011',
        maximumPositionShare: '0.2',
        priceCollar: '0.06',
        minimumRCoefficient: '1.4',
        cashReserve: '0',
      },
      profile,
    );
    expect(loose.map(({ field }) => field).sort()).toEqual([
      'limits.cashReserve',
      'limits.maximumPositionShare',
      'limits.minimumRCoefficient',
      'limits.priceCollar',
      'limits.riskPerTrade',
    ]);
    expect(looseLimits({ riskPerTrade: '0.010', cashReserve: '0.02' }, profile)).toEqual([]);
  });
});

describe('a strategy', () => {
  const ask = { timeframes: ['daily', 'weekly'], analyst: 'auto', risk: profile } as const;

  it('may do what its definition says, and less', () => {
    expect(beyondDefinition(ask, standard)).toEqual([]);
    expect(beyondDefinition({ ...ask, timeframes: ['daily'], analyst: 'rules' }, standard)).toEqual([]);
  });

  it('has every timeframe of a definition by which they must agree: fewer would dodge the gate', () => {
    const agreeing: WorkflowDefinition = { ...standard, gates: [...mandatoryGates, 'timeframesAgree'] };
    expect(beyondDefinition(ask, agreeing)).toEqual([]);
    expect(beyondDefinition({ ...ask, timeframes: ['daily'] }, agreeing)).toEqual([
      expect.objectContaining({
        field: 'timeframes',
        message: expect.stringMatching(/^weekly is missing/) as string,
      }),
    ]);
  });

  it('may not go beyond timeframes, analyst or limits of its definition', () => {
    const narrow: WorkflowDefinition = {
      ...standard,
      timeframes: ['daily'],
      analyst: 'rules',
      limits: { riskPerTrade: '0.005', cashReserve: '0.05', pyramiding: false },
    };
    expect(beyondDefinition(ask, narrow).map(({ field }) => field)).toEqual([
      'timeframes',
      'analyst',
      'risk.riskPerTrade',
      'risk.cashReserve',
      'risk.pyramiding',
    ]);
    expect(beyondDefinition({ ...ask, timeframes: ['weekly'] }, standard).map(({ field }) => field)).toEqual([
      'timeframes',
    ]);
  });

  it('has a panel of a model, and none where rules read', () => {
    expect(beyondDefinition({ ...ask, panel: true }, standard)).toEqual([]);
    expect(beyondDefinition({ ...ask, analyst: 'rules', panel: false }, standard)).toEqual([]);
    const asked = { ...ask, analyst: 'rules', panel: true } as const;
    expect(beyondDefinition(asked, standard).map(({ field }) => field)).toEqual(['panel']);
  });
});

describe('tightened', () => {
  const share = fc.integer({ min: 0, max: 10_000 }).map((n) => (n / 10_000).toFixed(4));
  const profiles = fc.record({
    riskPerTrade: share,
    maximumPositionShare: share,
    minimumRCoefficient: share,
    priceCollar: share,
    cashReserve: share,
    shortsAllowed: fc.boolean(),
    pyramiding: fc.boolean(),
  });
  const limits: fc.Arbitrary<DefinitionLimits> = fc.record(
    {
      riskPerTrade: share,
      maximumPositionShare: share,
      minimumRCoefficient: share,
      priceCollar: share,
      cashReserve: share,
      pyramiding: fc.constant(false as const),
    },
    { requiredKeys: [] },
  );

  it('is never looser than either side, and within the definition', () => {
    fc.assert(
      fc.property(profiles, limits, (of, by) => {
        const strict = tightened(of, by);
        for (const field of ['riskPerTrade', 'maximumPositionShare', 'priceCollar'] as const) {
          expect(ratio(strict[field]).lte(ratio(of[field]))).toBe(true);
          expect(ratio(strict[field]).lte(ratio(by[field] ?? '1'))).toBe(true);
        }
        for (const field of ['minimumRCoefficient', 'cashReserve'] as const) {
          expect(ratio(strict[field]).gte(ratio(of[field]))).toBe(true);
          expect(ratio(strict[field]).gte(ratio(by[field] ?? '0'))).toBe(true);
        }
        expect(strict.pyramiding && (!of.pyramiding || by.pyramiding === false)).toBe(false);
        expect(strict.shortsAllowed).toBe(of.shortsAllowed);
        const within = { timeframes: ['daily'], analyst: 'auto', risk: strict } as const;
        expect(beyondDefinition(within, { ...standard, limits: by })).toEqual([]);
        expect(tightened(strict, by)).toEqual(strict);
      }),
    );
  });
});
