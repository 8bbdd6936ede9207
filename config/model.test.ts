import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './load.js';
import { maskedConfig, secretValues } from './print.js';
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

describe('the profiles of further models', () => {
  const base = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'm' };
  const given = (profiles: object, env: NodeJS.ProcessEnv = {}) => ({
    ...base,
    ...env,
    KEEL_MODEL_PROFILES: JSON.stringify(profiles),
  });

  it('take their key from a variable or a file, and never show it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keel-profiles-'));
    const file = join(folder, 'key');
    writeFileSync(file, 'sk-of-a-file\n');
    const profiles = {
      cheap: { model: 'small', key: 'env:CHEAP_KEY' },
      strong: { model: 'large', baseUrl: 'https://example.com/v1', key: `file:${file}` },
      local: {
        model: 'own',
        baseUrl: 'http://127.0.0.1:2/v1',
        vision: false,
        price: { input: '0', output: '0' },
      },
    };
    const config = load(given(profiles, { CHEAP_KEY: 'sk-of-a-variable' }));
    rmSync(folder, { recursive: true });
    const { cheap, strong, local } = config.model.profiles;
    expect([cheap?.apiKey, strong?.apiKey, local?.apiKey]).toEqual(['sk-of-a-variable', 'sk-of-a-file', '']);
    expect(local).toMatchObject({ vision: false, price: { input: '0', output: '0' } });
    expect(JSON.stringify(maskedConfig(config))).not.toMatch(/sk-of/);
    expect(secretValues(config)).toEqual(expect.arrayContaining(['sk-of-a-variable', 'sk-of-a-file']));
  });

  it('come from YAML as well', () => {
    const text = 'cheap:\n  model: small\n  baseUrl: http://127.0.0.1:2/v1\n';
    expect(load({ ...base, KEEL_MODEL_PROFILES: text }).model.profiles['cheap']?.model).toBe('small');
  });

  it.each([
    [{ cheap: { model: 'm', key: 'env:NOT_SET_ANYWHERE' } }, 'names nothing that can be read'],
    [{ cheap: { model: 'm', key: 'file:/no/such/file' } }, 'names nothing that can be read'],
    [{ cheap: { model: 'm', apiKey: 'sk-in-the-open' } }, 'would put a key among the settings'],
    [{ cheap: { model: 'm', key: 'sk-in-the-open' } }, 'never the key itself'],
    [{ cheap: { model: 'm' } }, 'OpenAI itself asks for one'],
    [{ cheap: { model: 'm', baseUrl: 'https://a:sk-in-the-open@example.com' } }, 'without user, password'],
    [{ default: { model: 'm', baseUrl: 'http://127.0.0.1:2/v1' } }, 'default is taken'],
    [{ cheap: { baseUrl: 'http://127.0.0.1:2/v1' } }, 'model.profiles.cheap.model'],
    [{ cheap: { model: 'm', baseUrl: 'http://127.0.0.1:2/v1', speed: 1 } }, 'is no setting of Keel'],
  ])('are refused where they are wrong, without showing a key: %j', (profiles, text) => {
    const problems = problemsOf(given(profiles));
    expect(problems).toContain(text);
    expect(problems).not.toContain('sk-in-the-open');
  });

  it('need a model for strategies that name none', () => {
    const profiles = JSON.stringify({ cheap: { model: 'm', baseUrl: 'http://127.0.0.1:2/v1' } });
    expect(problemsOf({ KEEL_MODEL_PROFILES: profiles })).toContain(
      'the profile default, which is asked where none is named, is not',
    );
  });

  it('carry no key over an open line', () => {
    const open = { cheap: { model: 'm', baseUrl: 'http://example.com/v1', key: 'env:CHEAP_KEY' } };
    expect(problemsOf(given(open, { CHEAP_KEY: 'sk-x' }))).toContain('unencrypted');
  });
});
