import { describe, expect, it } from 'vitest';
import type { Exchange } from './client.js';
import { failureOf, retryAfterMs } from './errors.js';

const now = Date.parse('2026-01-01T00:00:00Z');
const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}): Exchange => ({
  ...{ status, headers: new Headers(headers), broken: null },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const said = (message: string, code: string | null = null) => ({
  error: { message, type: 't', param: null, code },
});

describe('what a status means', () => {
  it.each([
    [400, 'final', 'MODEL_REQUEST_REFUSED'],
    [401, 'final', 'MODEL_KEY_REFUSED'],
    [403, 'final', 'MODEL_FORBIDDEN'],
    [404, 'final', 'MODEL_NOT_FOUND'],
    [408, 'retryable', 'MODEL_AWAY'],
    [409, 'retryable', 'MODEL_AWAY'],
    [413, 'final', 'MODEL_REQUEST_REFUSED'],
    [422, 'final', 'MODEL_REQUEST_REFUSED'],
    [429, 'retryable', 'MODEL_RATE_LIMIT'],
    [500, 'retryable', 'MODEL_AWAY'],
    [503, 'retryable', 'MODEL_AWAY'],
    [302, 'final', 'MODEL_REDIRECTED'],
  ])('%s is %s: %s', (status, errorClass, code) => {
    expect(failureOf(answer(status, said('m')), true, now)).toMatchObject({
      errorClass,
      code,
      noPictures: false,
    });
  });

  it.each([
    [400, false],
    [401, false],
    [408, true],
    [429, false],
    [500, false],
    [502, true],
    [503, false],
    [504, true],
    [529, false],
  ])('%s may have been paid for: %s', (status, maybePaid) => {
    expect(failureOf(answer(status, said('m')), true, now)?.maybePaid).toBe(maybePaid);
    const final = answer(status, said('m'), { 'x-should-retry': 'false' });
    expect(failureOf(final, true, now)?.maybePaid).toBe(maybePaid);
  });

  it.each([
    'Invalid content type. image_url is only supported by certain models.',
    'test is not a multimodal model',
    'image input is not supported - hint: you may need to provide the mmproj',
  ])('a model without eyes is told from its words: %s', (message) => {
    expect(failureOf(answer(400, said(message)), true, now)?.noPictures).toBe(true);
    expect(failureOf(answer(400, said(message)), false, now)?.noPictures).toBe(false);
  });

  it('a picture that is too large is no model without eyes', () => {
    expect(failureOf(answer(400, said('image too large', 'image_too_large')), true, now)?.noPictures).toBe(
      false,
    );
  });

  it.each([
    ['Incorrect API key provided: sk-abcdef123456.', 'Incorrect API key provided: [key]'],
    ['Incorrect API key provided: sk-proj-********wxyz.', 'Incorrect API key provided: [key]'],
    ['no Bearer abcdef.ghijkl here', 'no [key] here'],
    ['the key abc123def is not known', 'the [key] is not known'],
    ['key-abcdef has expired', '[key] has expired'],
    ['the key abcdefghijklmnopqr is not known', 'the [key] is not known'],
    ['Incorrect API key provided: abcdefgh.', 'Incorrect API key provided: [key]'],
    ['this key must not be used here', 'this key must not be used here'],
  ])('never repeats a key that a server quotes: %s', (words, shown) => {
    expect(failureOf(answer(401, said(words)), false, now)?.message).toContain(shown);
  });

  it('heeds a server that asks not to be asked again', () => {
    expect(failureOf(answer(500, said('m'), { 'x-should-retry': 'false' }), false, now)?.errorClass).toBe(
      'final',
    );
  });
});

describe('retry-after', () => {
  it.each([
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }, 7000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('%j is %s ms', (headers, ms) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), now)).toBe(ms);
  });
});

describe('a server that is down', () => {
  const down = (exchange: Exchange): boolean | undefined => failureOf(exchange, true, now)?.down;
  const broken = (how: NonNullable<Exchange['broken']>): Exchange => ({
    ...{ status: null, headers: null, body: null, broken: how },
  });

  it.each([
    ['lets nobody in', broken('unreachable')],
    ['is overloaded', answer(503, 'Service Unavailable')],
    ['says that it is overloaded', answer(529, said('overloaded', 'overloaded_error'))],
    ['says that it failed', answer(500, said('The server had an error'))],
    ['says that it failed, in a string', answer(500, { error: 'out of memory' })],
    ['has no credit for us', answer(429, said('quota', 'insufficient_quota'))],
    ['asks for a longer wait than one has', answer(429, said('slow'), { 'retry-after': '60' })],
  ])('%s: a fallback may be asked', (_what, exchange) => {
    expect(down(exchange)).toBe(true);
    expect(failureOf(exchange, true, now)?.maybePaid, 'or its price would stop the fallback').toBe(false);
  });

  it.each([
    ['has lost the connection', broken('dropped')],
    ['was too slow', answer(408, said('timeout'))],
    ["has a gateway's error before it", answer(502, said('bad gateway'))],
    ['has a gateway that gave up', answer(504, said('timeout'))],
    ['has a page for an error', answer(500, '<html>')],
    ['asks for a short wait', answer(429, said('slow'), { 'retry-after': '2' })],
    ['has a conflict', answer(409, said('conflict'))],
    ['refuses the key', answer(401, said('key'))],
    ['forbids', answer(403, said('country'))],
    ['refuses the question', answer(400, said('bad'))],
  ])('is not one that %s: the question may be paid for, or is wrong everywhere', (_what, exchange) => {
    expect(down(exchange)).toBe(false);
  });
});
