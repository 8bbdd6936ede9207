import { describe, expect, it } from 'vitest';
import type { Exchange } from './client.js';
import type { ModelProfile } from './profile.js';
import type { ModelRequest } from './request.js';
import { settledCost, weigh } from './weigh.js';

const profile: ModelProfile = {
  name: 'primary',
  baseUrl: 'https://model.example/v1',
  apiKey: 'a-key-of-this-test',
  model: 'test',
  api: 'responses',
  timeoutMs: 1000,
  maxOutputTokens: 1000,
  pictureMaxBytes: 1000,
  pictureDetail: 'low',
  vision: true,
  price: { input: '1', output: '10' },
};
const request: ModelRequest = {
  purpose: 'daily',
  prompts: [],
  text: '',
  pictures: [],
  schemaName: 's',
  schema: {},
  inputSha256: '',
  numbersOnly: false,
  repair: null,
};
const most = '0.5';
const answer = (status: number, body: unknown): Exchange => ({
  ...{ status, headers: new Headers(), broken: null },
  body: Buffer.from(JSON.stringify(body)),
});
const costOf = (exchange: Exchange): string => {
  const weighed = weigh(profile, request, exchange, (value) => ({ kind: 'ok', value }), { now: () => 0 });
  return settledCost(profile, weighed, most);
};
const failed = (code: string, usage: object | null) =>
  answer(200, { status: 'failed', error: { code }, output: [], usage });
const used = { input_tokens: 100, output_tokens: 200 };

describe('the budget', () => {
  it('counts the tokens that a server tells, even of a response that failed', () => {
    expect(costOf(failed('server_error', used))).toBe('0.0021');
    expect(costOf(failed('invalid_prompt', used))).toBe('0.0021');
  });

  it.each([
    ['no answer in time', { status: null, headers: null, body: null, broken: 'timeout' } as const, most],
    ['a dropped connection', { status: null, headers: null, body: null, broken: 'dropped' } as const, most],
    ['nobody there', { status: null, headers: null, body: null, broken: 'unreachable' } as const, '0'],
    ['408', answer(408, {}), most],
    ['502', answer(502, {}), most],
    ['503', answer(503, {}), '0'],
    ['a page with 500', answer(500, '<html>'), most],
    ['500 with an error of the API', answer(500, { error: { message: 'failed' } }), '0'],
    ['429', answer(429, {}), '0'],
    ['401', answer(401, {}), '0'],
    ['a failed response without tokens', failed('server_error', null), most],
    ['more tokens than the cap', failed('server_error', { ...used, output_tokens: 10_000 }), '0.1001'],
    ['ten times the cap', failed('server_error', { ...used, output_tokens: 10_001 }), most],
    ['more tokens than bytes', failed('server_error', { ...used, input_tokens: 100_000 }), most],
    ['a rate limit inside a response', failed('rate_limit_exceeded', null), '0'],
  ])('keeps what may have been paid for, and counts no refusal: %s', (_what, exchange, cost) => {
    expect(costOf(exchange)).toBe(cost);
  });
});
