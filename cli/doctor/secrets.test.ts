import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.js';
import { secretsOf } from './secrets.js';

describe('the secrets that a bundle is cleaned of', () => {
  it('are those of the variables, of URLs, and the keys that model profiles point to', () => {
    const env = {
      OPENAI_MODEL: 'test',
      OPENAI_API_KEY: 'the-first-key-0123',
      DATABASE_URL: 'postgresql://keel:a-pass-word@127.0.0.1/keel',
      STRONG_KEY: 'a-key-of-no-known-form',
      KEEL_MODEL_PROFILES: JSON.stringify({ strong: { model: 'test', key: 'env:STRONG_KEY' } }),
    };
    const { model } = loadConfig(env, { need: ['model'] });
    expect(secretsOf({ env, sections: { model } })).toEqual(
      expect.arrayContaining(['the-first-key-0123', 'a-pass-word', 'a-key-of-no-known-form']),
    );
  });
});
