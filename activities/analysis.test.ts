import { describe, expect, it } from 'vitest';
import type { AnalystPort } from '../ports/analyst.js';
import { chooseAnalyst } from './analysis.js';

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
