// What each refusal of the gateway means: the words count for more than the status, which differs between builds.
import { describe, expect, it } from 'vitest';
import { refusalOf } from './errors.js';

const html = '<html><body><h1>Resource not found</h1></body></html>';
const error = (words: string, statusCode?: number): string =>
  JSON.stringify({ error: words, ...(statusCode === undefined ? {} : { statusCode }) });
const problemJson = JSON.stringify({
  type: '/simple',
  title: 'Unauthorized',
  status: 401,
  detail: 'expired',
});

describe('an answer that is no success', () => {
  it.each([
    ['401', 401, error('not authenticated', 401), 'IBKR_UNAUTHORIZED', 'retryable'],
    ['401 without a body', 401, '', 'IBKR_UNAUTHORIZED', 'retryable'],
    ['401 of OAuth', 401, problemJson, 'IBKR_UNAUTHORIZED', 'retryable'],
    ['200 without a session', 200, error('no session'), 'IBKR_UNAUTHORIZED', 'retryable'],
    ['no bridge', 400, error('Bad Request: no bridge', 400), 'IBKR_NO_BRIDGE', 'retryable'],
    ['accounts first', 500, error('Please query /accounts first'), 'IBKR_ACCOUNTS_FIRST', 'retryable'],
    ['429', 429, error('Too Many Requests'), 'IBKR_RATE_LIMITED', 'retryable'],
    ['429 as text', 429, 'Too Many Requests', 'IBKR_RATE_LIMITED', 'retryable'],
    ['too many charts', 500, error('Too many history charts requests'), 'IBKR_RATE_LIMITED', 'retryable'],
    ['503 of an order', 503, error('Order 12 is not found', 503), 'IBKR_NOT_LISTED', 'final'],
    ['503 that was aborted', 503, error('request aborted', 503), 'IBKR_UNAVAILABLE', 'retryable'],
    ['503 without words', 503, '', 'IBKR_UNAVAILABLE', 'retryable'],
    ['503 in the body of a 200', 200, error('request aborted', 503), 'IBKR_UNAVAILABLE', 'retryable'],
    ['500', 500, error('Internal'), 'IBKR_ERROR', 'retryable'],
    ['400', 400, error('bad conid'), 'IBKR_ERROR', 'final'],
    ['400 in a list', 400, `[${error('bad conid')}]`, 'IBKR_ERROR', 'final'],
    ['200 with an error', 200, error('No data.'), 'IBKR_ERROR', 'final'],
    ['200 with an error in a list', 200, `[${error('No data.')}]`, 'IBKR_ERROR', 'final'],
    ['403', 403, '', 'IBKR_FORBIDDEN', 'final'],
    ['404 in HTML', 404, html, 'IBKR_NOT_FOUND', 'final'],
    ['411', 411, '', 'IBKR_ERROR', 'final'],
    ['a redirect', 302, '', 'IBKR_REDIRECT', 'final'],
    ['200 in HTML', 200, html, 'IBKR_NOT_JSON', 'retryable'],
    ['200 that is cut', 200, '[{"conid":2655', 'IBKR_NOT_JSON', 'retryable'],
    ['200 without a body', 200, '', 'IBKR_NOT_JSON', 'retryable'],
  ])('%s', (_what, status, text, code, errorClass) => {
    expect(refusalOf('GET /x', { status, text })).toMatchObject({ code, errorClass });
  });

  it('is no login where it leads to the page of one', () => {
    expect(refusalOf('GET /x', { status: 302, text: '', toLogin: true })).toMatchObject({
      code: 'IBKR_UNAUTHORIZED',
      errorClass: 'retryable',
      message: expect.stringContaining('keel ibkr login-url') as string,
    });
  });

  it('is none when the body has no error in it', () => {
    for (const text of [
      '[]',
      '{}',
      '{"error":null,"orderTypes":[]}',
      '[{"error":"a"},{"conid":1}]',
      '{"error":"","warn":""}',
      '[{"title":"Mr","detail":"of one account"}]',
    ]) {
      expect(refusalOf('GET /x', { status: 200, text })).toBeNull();
    }
  });
});
