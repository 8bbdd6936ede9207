import { describe, expect, it } from 'vitest';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import type { AnalystPort } from '../ports/analyst.js';
import { chooseAnalyst, createAnalysisActivities } from './analysis.js';
import { sha256 } from './objects.js';

const named = (name: string): AnalystPort => ({
  name,
  version: '1',
  analyze: () => Promise.reject(new Error('not asked')),
  decide: () => Promise.reject(new Error('not asked')),
});
const [rules, model] = [named('rules'), named('openai')];

describe('chooseAnalyst', () => {
  it('takes the model where one is configured, and the rules where a strategy says so', () => {
    expect(chooseAnalyst({ rules, model }, 'auto')).toBe(model);
    expect(chooseAnalyst({ rules, model: null }, 'auto')).toBe(rules);
    expect(chooseAnalyst({ rules, model }, 'rules')).toBe(rules);
    expect(chooseAnalyst({ rules, model }, 'openai')).toBe(model);
  });

  it('refuses a strategy that asks for a model where there is none', () => {
    expect(() => chooseAnalyst({ rules, model: null }, 'openai')).toThrow(/OPENAI_MODEL/);
  });
});

describe('analyze', () => {
  it('reads by the model alone where the strategy has a panel', async () => {
    const settings = { analyst: 'auto', panel: true } as StrategySettings;
    const bytes = new TextEncoder().encode(JSON.stringify({ format: 1, rows: [] }));
    const activities = createAnalysisActivities({
      ...{ rules, model: null, objects: { get: () => Promise.resolve(bytes) } },
      evidence: { putAnalysis: () => Promise.resolve() },
      rulesOpinions: { put: () => Promise.resolve() },
      strategies: { version: () => Promise.resolve(settings) },
    });
    const object = { key: 'bars/x.json', sha256: sha256(bytes), bytes: bytes.byteLength };
    const set = {
      runId: 'r',
      timeframe: 'daily',
      object,
      count: 0,
      first: '',
      last: '',
      source: '',
    } as const;
    const input = { runId: 'r', strategyId: 's', strategyVersion: 1, symbol: 'AAPL', bars: set, chart: null };
    await expect(activities.analyze(input)).rejects.toMatchObject({ code: 'MODEL_NOT_CONFIGURED' });
  });
});
