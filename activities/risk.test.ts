import { describe, expect, it } from 'vitest';
import type { Analysis } from '../domain/decision/decision.js';
import { definitionSteps, mandatoryGates, type WorkflowDefinition } from '../domain/definition/definition.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import type { Timeframe } from '../domain/market/bar.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { buyDecision, riskProfile } from '../domain/testing/facts.js';
import type { BarSetRow } from '../ports/evidence.js';
import { createRiskActivities, type EvaluateRiskInput } from './risk.js';
import { appleContract } from './testing/orders.js';

const input: EvaluateRiskInput = {
  runId: 'run1',
  symbol: 'AAPL',
  session: '2014-07-07',
  slot: 'after-close',
  strategyId: 'demo',
  strategyVersion: 1,
  decision: buyDecision,
  contract: appleContract,
};
const barsUntil = (last: string): BarSetRow => ({
  runId: 'run1',
  timeframe: 'daily',
  object: { key: 'bars/x.json', sha256: '', bytes: 0 },
  count: 300,
  first: '2013-05-13T13:30:00.000Z',
  last,
  source: 'ibkr',
});

const standard: WorkflowDefinition = {
  steps: definitionSteps,
  timeframes: ['daily', 'weekly'],
  analyst: 'auto',
  gates: mandatoryGates,
  limits: {},
};
const scored = (timeframe: Timeframe, score: number): Analysis => ({
  timeframe,
  score,
  analyst: 'rules',
  parts: { trend: 0, momentum: 0, volatility: 0, levels: 0 },
  close: 100,
  atr: null,
  support: null,
  resistance: null,
  lastBar: '',
  barCount: 0,
  reasons: [],
});
const whole = [barsUntil('2014-07-07T13:30:00.000Z')];

/** The far sides of the ports, an hour after the close of 2014-07-07. */
const weigh = (
  bars: readonly BarSetRow[],
  definition: Partial<WorkflowDefinition> = {},
  analyses: readonly Analysis[] = [scored('daily', 0.6), scored('weekly', 0)],
) =>
  createRiskActivities({
    mode: 'simulated',
    accountId: 'DU1',
    broker: { quote: () => Promise.resolve({ last: '100', state: 'closed' }) },
    objects: { put: () => Promise.resolve() },
    evidence: {
      bars: () => Promise.resolve(bars),
      analyses: () => Promise.resolve(analyses),
      putRisk: () => Promise.resolve(),
    },
    definitions: {
      version: (id, version) =>
        Promise.resolve({ id, version, ...standard, ...definition, createdBy: '', createdAt: '' }),
    },
    strategies: {
      version: () =>
        Promise.resolve({
          symbols: ['AAPL'],
          timeframes: ['daily', 'weekly'],
          indicators: defaultIndicators,
          analyst: 'rules',
          risk: riskProfile,
          slot: 'after-close',
          workflowId: 'standard',
          workflowVersion: 1,
        }),
    },
    intents: { listOpen: () => Promise.resolve([]), listUnproven: () => Promise.resolve([]) },
    brokerState: {
      latest: () =>
        Promise.resolve({
          mode: 'simulated',
          accountId: 'DU1',
          readStartedAt: '2026-01-01T00:00:00.000Z',
          marketTime: '2014-07-07T21:00:00.000Z',
          marketStep: 1,
          account: { accountId: 'DU1', currency: 'USD', netLiquidation: '100000', settledCash: '100000' },
          positions: [],
          orders: [],
          executions: [],
        }),
    },
    clock: { now: () => Date.parse('2026-01-01T00:00:01.000Z') },
    marketClock: { now: () => Promise.resolve({ now: '2014-07-07T21:00:00.000Z', step: 1 }) },
    calendar: createNyseCalendar(),
    freshness: { snapshotMaxAgeMs: 15_000, waitMs: 0, lookMs: 1 },
    pause: () => Promise.resolve(),
    tradingState: () => 'ACTIVE',
  }).evaluateRisk(input);

describe('the bars that a run decided on', () => {
  it('must end with the last session that has closed, whatever session the run is of', async () => {
    const { verdict } = await weigh([barsUntil('2014-07-07T13:30:00.000Z')]);
    expect(verdict.code).toBe('APPROVED');
    const late = await weigh([barsUntil('2014-07-03T13:30:00.000Z')]);
    expect(late.verdict.code).toBe('STALE_BARS');
    expect(late.verdict.checks).toContainEqual(
      expect.objectContaining({ code: 'STALE_BARS', value: '2014-07-03', limit: '2014-07-07' }),
    );
  });
  it('are needed: without daily bars nothing is bought', async () => {
    expect((await weigh([])).verdict.code).toBe('STALE_BARS');
  });
});

describe('the workflow definition', () => {
  it('adds the check that timeframes agree only where it has that gate', async () => {
    const plain = await weigh(whole);
    expect(plain.verdict.checks.map(({ code }) => code)).not.toContain('TIMEFRAMES_AGREE');
    const agreed = await weigh(whole, { gates: [...mandatoryGates, 'timeframesAgree'] });
    expect(agreed.verdict.code).toBe('TIMEFRAMES_AGREE');
    expect(agreed.verdict.order).toBeNull();
    expect(agreed.verdict.checks).toContainEqual(
      expect.objectContaining({ value: 'daily 0.60, weekly 0.00', limit: 'above 0', passed: false }),
    );
  });

  it('weighs a ranging market by its way back to the middle, and the rest by their scores', async () => {
    const reversal = { score: 0.75, action: null, target: 110 } as const;
    const agreed = await weigh(whole, { gates: [...mandatoryGates, 'timeframesAgree'] }, [
      { ...scored('daily', -0.6), reversal },
      scored('weekly', 0.2),
    ]);
    expect(agreed.verdict.checks).toContainEqual(
      expect.objectContaining({ value: 'daily 0.75, weekly 0.20', passed: true }),
    );
  });

  it('is weighed on only where it has every mandatory gate', async () => {
    await expect(weigh(whole, { gates: ['decisionChecks', 'admissionChecks'] })).rejects.toMatchObject({
      code: 'WORKFLOW_UNSOUND',
      message: expect.stringContaining('riskChecks is missing') as string,
    });
  });

  it('bounds what the strategy may risk, also where the strategy was stored beyond it', async () => {
    await expect(weigh(whole, { limits: { riskPerTrade: '0.005' } })).rejects.toMatchObject({
      code: 'BEYOND_WORKFLOW',
    });
  });
});
