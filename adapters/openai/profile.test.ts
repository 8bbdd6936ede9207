import { describe, expect, it } from 'vitest';
import { asProbed, type ModelProfile } from './profile.js';

const profile: ModelProfile = {
  ...{ name: 'default', baseUrl: 'http://127.0.0.1/v1', apiKey: '', model: 'm', timeoutMs: 1 },
  ...{ maxOutputTokens: 1000, pictureMaxBytes: 1, vision: true, price: { input: '0', output: '0' } },
  api: 'chat',
  pictureDetail: 'low',
};
const ability = (
  api: 'chat' | 'responses',
  answers: boolean,
  schemaKept = answers,
  picturesSeen = answers,
) => ({
  ...{ baseUrl: profile.baseUrl, model: 'm', api, answers, schemaKept, picturesSeen },
  ...{ found: '', probedAt: '2026-01-01T00:00:00.000Z' },
});
const used = (set: boolean, ...abilities: ReturnType<typeof ability>[]) => {
  const { api, vision } = asProbed(profile, set, abilities);
  return { api, vision };
};

describe('a profile after a probe', () => {
  it('is what it was where nobody has probed', () => {
    expect(asProbed(profile, false, [])).toEqual(profile);
  });

  it('takes the other API only where that alone keeps the schema, and never against a setting', () => {
    const [no, yes] = [ability('chat', false), ability('responses', true)];
    expect(used(false, no, yes).api).toBe('responses');
    expect(used(false, ability('chat', true, false), yes).api).toBe('responses');
    expect(used(false, ability('chat', true), yes).api).toBe('chat');
    expect(used(false, no, ability('responses', false)).api).toBe('chat');
    expect(used(true, no, yes).api).toBe('chat');
  });

  it('has eyes as found over the API that it takes, and none where the settings say so', () => {
    expect(used(false, ability('chat', true, true, false)).vision).toBe(false);
    expect(used(false, ability('chat', true, true, false), ability('responses', true)).vision).toBe(false);
    expect(used(false, ability('chat', false), ability('responses', true)).vision).toBe(true);
    expect(asProbed({ ...profile, vision: false }, false, [ability('chat', true)]).vision).toBe(false);
  });

  it('is taken at its word where the API did not answer the probe', () => {
    expect(used(true, ability('chat', false)).vision).toBe(true);
  });
});
