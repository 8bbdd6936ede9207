import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.js';
import { maskedConfig } from './print.js';
import { ConfigError } from './problems.js';

const load = (env: NodeJS.ProcessEnv) => loadConfig(env, { need: ['model'] });
const problemsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
};

describe('the settings of the model', () => {
  it('are there without a model, with caps and dated prices', () => {
    const { model } = load({});
    expect(model.budget).toEqual({ run: '0.25', day: '5', month: '50' });
    expect(model.prices.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  it('needs a model as soon as there is a key or a base URL', () => {
    expect(problemsOf({ OPENAI_API_KEY: 'sk-x' })).toContain('set OPENAI_MODEL');
    expect(problemsOf({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' })).toContain('set OPENAI_MODEL');
    expect(load({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'm' }).model.model).toBe('m');
  });

  it('refuses an address with a password, and a key that would travel in the open', () => {
    const model = { OPENAI_MODEL: 'm' };
    const withPassword = problemsOf({ ...model, OPENAI_BASE_URL: 'https://a:hunter2@example.com/v1' });
    expect(withPassword).toContain('OPENAI_BASE_URL');
    expect(withPassword).not.toContain('hunter2');
    const open = { ...model, OPENAI_API_KEY: 'sk-x', OPENAI_BASE_URL: 'http://example.com/v1' };
    expect(problemsOf(open)).toContain('unencrypted');
  });

  it('never shows the key', () => {
    const config = load({ OPENAI_API_KEY: 'sk-secret-1', OPENAI_MODEL: 'm' });
    expect(JSON.stringify(maskedConfig(config))).not.toContain('sk-secret-1');
  });
});
