import { describe, expect, it } from 'vitest';
import type { CallRow } from '../../ports/conversations.js';
import { chooseProfile, refusedPictures, standsReady, timesDown } from './choose.js';
import type { ModelProfile } from './profile.js';

const profile = (name: string): ModelProfile => ({
  ...{ name, baseUrl: 'http://127.0.0.1:1/v1', apiKey: '', model: `m-${name}`, api: 'chat', timeoutMs: 1 },
  ...{ maxOutputTokens: 200, pictureMaxBytes: 1, pictureDetail: 'low', vision: true },
  price: { input: '0', output: '0' },
});
const [main, backup] = [profile('main'), profile('backup')];

const row = (name: string, change: Partial<CallRow>): CallRow => ({
  ...{ id: 'c', runId: 'r', strategyId: 's', purpose: 'daily', turn: 0, contentKey: 'k', profile: name },
  ...{ api: 'chat', modelAsked: `m-${name}`, prompts: [], prompt: { key: '', sha256: '', bytes: 0 } },
  ...{ inputSha256: '', pictures: [], parameters: {}, numbersOnly: false, reservedUsd: '0.1', priceDate: '' },
  ...{ state: 'failed', outcome: null, code: 'MODEL_AWAY', down: true, message: null, modelAnswered: null },
  ...{ fingerprint: null, responseId: null, requestId: null, finishReason: null, inputTokens: null },
  ...{ cachedTokens: null, outputTokens: null, costUsd: '0', answer: null, ms: 1, cachedFrom: null },
  ...{ startedAt: '', endedAt: null },
  ...change,
});
const next = (...made: CallRow[]): string => chooseProfile([main, backup], made).profile.name;

describe('which profile is asked next', () => {
  it('is the first, until the run finds it down; then the other, and round again', () => {
    expect(next()).toBe('main');
    expect(next(row('main', {}))).toBe('backup');
    expect(next(row('main', {}), row('backup', {}))).toBe('main');
    expect(next(row('main', { purpose: 'weekly' }))).toBe('backup');
  });

  it.each([
    ['a lost connection or a gateway', { down: false }],
    ['a call of an older Keel', { down: null }],
    ['a call that is under way or cut off', { state: 'reserved', down: null, code: null }],
    ['a timeout', { state: 'answered', outcome: 'timeout', down: false, code: null }],
    ['a rate limit that was heeded', { code: 'MODEL_RATE_LIMIT', down: false }],
  ] as const)('stays the first after %s', (_what, change) => {
    expect(next(row('main', change))).toBe('main');
  });

  it('is the other after the third request to slow down', () => {
    const slowed = row('main', { code: 'MODEL_RATE_LIMIT', down: false });
    expect(timesDown(main, [slowed, slowed])).toBe(0);
    expect(next(slowed, slowed, slowed)).toBe('backup');
  });

  it('is nobody where no model is configured', () => {
    expect(() => chooseProfile([], [])).toThrow('no model is configured');
  });

  it('knows whether the fallback was tried', () => {
    const both = [main, backup];
    expect(standsReady([main], main, [row('main', {})])).toBe('none');
    expect(standsReady(both, main, [row('main', {})])).toBe('fresh');
    expect(standsReady(both, main, [row('main', {}), row('backup', {}), row('main', {})])).toBe('tried');
    expect(standsReady(both, backup, [row('main', {}), row('backup', {})])).toBe('tried');
    expect(standsReady(both, backup, [row('main', {}), row('main', {}), row('backup', {})])).toBe('none');
    expect(standsReady(both, main, [row('main', { down: false })])).toBe('none');
  });

  it('remembers who refused pictures in this run, and only of that model', () => {
    const refused = row('main', { code: 'MODEL_NO_PICTURES', down: false });
    expect(refusedPictures(main, [refused])).toBe(true);
    expect(refusedPictures(backup, [refused])).toBe(false);
    expect(refusedPictures({ ...main, model: 'other' }, [refused])).toBe(false);
  });
});
