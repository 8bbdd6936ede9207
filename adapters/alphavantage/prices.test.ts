import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import type { KeelError } from '../../ports/errors.js';
import {
  globalQuote,
  limitNote,
  says,
  startPriceServer,
  type PriceServer,
} from '../prices/testing/sources.js';
import { createAlphaVantagePrices } from './prices.js';

let server: PriceServer;
beforeAll(async () => {
  server = await startPriceServer();
});
afterAll(() => server.close());

const apiKey = 'KEY7EXAMPLE9SECRET';
const ask = (symbol = 'IBM', now = '2014-07-08T15:00:00.000Z', timeoutMs = 20_000) =>
  createAlphaVantagePrices({
    baseUrl: server.url,
    apiKey,
    timeoutMs,
    calendar: createNyseCalendar(),
    clock: { now: () => Date.parse(now) },
  }).price(symbol);

describe('GLOBAL_QUOTE', () => {
  it('gives the price of the last trading day, dated to its close', async () => {
    server.answer = says(200, globalQuote('IBM', '187.9000', '2014-07-07'));
    expect(await ask()).toEqual({
      symbol: 'IBM',
      price: '187.9',
      currency: 'USD',
      at: '2014-07-07T20:00:00.000Z',
      previousClose: '94.03',
      volume: 1234,
      marketCap: null,
    });
  });

  it('dates the price of a session that is on to now', async () => {
    server.answer = says(200, globalQuote('IBM', '187.9000', '2014-07-08'));
    expect((await ask()).at).toBe('2014-07-08T15:00:00.000Z');
  });

  it.each([
    ['an unknown symbol', { 'Global Quote': {} }, 'PRICE_UNKNOWN_SYMBOL', 'final'],
    ['a limit', limitNote(apiKey), 'PRICE_LIMITED', 'retryable'],
    ['a limit as it was once said', { Note: `Thank you, ${apiKey}` }, 'PRICE_LIMITED', 'retryable'],
    ['a bad call', { 'Error Message': `Invalid API call ${apiKey}` }, 'PRICE_REFUSED', 'final'],
    ['nulls', globalQuote('IBM', '1', '2014-07-07', { '05. price': null }), 'PRICE_UNREADABLE', 'retryable'],
    ['a price of 0', globalQuote('IBM', '0.0000', '2014-07-07'), 'PRICE_UNREADABLE', 'retryable'],
    ['another symbol', globalQuote('MSFT', '40', '2014-07-07'), 'PRICE_UNREADABLE', 'retryable'],
    ['a page of HTML', '<html>', 'PRICE_UNREADABLE', 'retryable'],
    ['a list', '[]', 'PRICE_UNREADABLE', 'retryable'],
  ])('%s, with status 200', async (_what, body, code, errorClass) => {
    server.answer = says(200, body);
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, errorClass });
    expect(inspect(error, { depth: 10 })).not.toContain(apiKey);
  });

  it('does not let its key out when nobody answers', async () => {
    server.answer = () => undefined;
    const error: unknown = await ask('IBM', '2014-07-08T15:00:00.000Z', 50).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'PRICE_AWAY', errorClass: 'retryable' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(apiKey);
  });

  it('is left alone where nobody answers, and not for one answer that is too large', async () => {
    server.answer = () => undefined;
    await expect(ask('IBM', '2014-07-08T15:00:00.000Z', 50)).rejects.toMatchObject({
      facts: { restMs: 10_000 },
    });
    server.answer = says(200, 'x'.repeat(200_000));
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'PRICE_AWAY', facts: { symbol: 'IBM' } });
    expect((error as KeelError).facts).not.toHaveProperty('restMs');
  });

  it('is not asked for what is no US listing, because it names no currency', async () => {
    const before = server.asked.length;
    await expect(ask('TSCO.LON')).rejects.toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    expect(server.asked.length).toBe(before);
  });
});
