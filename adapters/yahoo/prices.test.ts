import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeelError } from '../../ports/errors.js';
import {
  says,
  startPriceServer,
  yahooChart,
  yahooNotFound,
  type PriceServer,
} from '../prices/testing/sources.js';
import { createYahooPrices, yahooSymbol } from './prices.js';

let server: PriceServer;
beforeAll(async () => {
  server = await startPriceServer();
});
afterAll(() => server.close());

const at = Date.UTC(2014, 6, 7, 20) / 1000;
const ask = (symbol = 'AAPL', timeoutMs = 20_000) =>
  createYahooPrices({ baseUrl: server.url, timeoutMs }).price(symbol);

describe("Yahoo's chart", () => {
  it('gives price, time, currency and volume, on the grid that it hints at', async () => {
    server.answer = says(200, yahooChart('AAPL', 95.97000122070312, at));
    expect(await ask()).toEqual({
      symbol: 'AAPL',
      price: '95.97',
      currency: 'USD',
      at: '2014-07-07T20:00:00.000Z',
      previousClose: '94.03',
      volume: 56_468_000,
      marketCap: null,
    });
    expect(server.asked.at(-1)).toBe('/v8/finance/chart/AAPL?range=1d&interval=1d');
  });

  it.each([
    ['BRK.B', 'BRK-B'],
    ['BTC/USD', 'BTC-USD'],
    ['AAPL', 'AAPL'],
  ])('knows %s as %s', (symbol, theirs) => {
    expect(yahooSymbol(symbol)).toBe(theirs);
  });

  it.each([
    ['an unknown symbol', 404, yahooNotFound, 'PRICE_UNKNOWN_SYMBOL', 'final'],
    ['plain text and 429', 429, 'Edge: Too Many Requests', 'PRICE_LIMITED', 'retryable'],
    ['plain text of a limit with another status', 200, 'Too Many Requests\r\n', 'PRICE_LIMITED', 'retryable'],
    ['a page of HTML', 200, '<!doctype html><html>', 'PRICE_UNREADABLE', 'retryable'],
    ['no price', 200, yahooChart('AAPL', null, at), 'PRICE_UNREADABLE', 'retryable'],
    ['no time', 200, yahooChart('AAPL', 95.97, null), 'PRICE_UNREADABLE', 'retryable'],
    ['a price of 0', 200, yahooChart('AAPL', 0, at), 'PRICE_UNREADABLE', 'retryable'],
    ['another symbol', 200, yahooChart('MSFT', 40, at), 'PRICE_UNREADABLE', 'retryable'],
    ['no result', 200, { chart: { result: [], error: null } }, 'PRICE_UNREADABLE', 'retryable'],
    ['a failure of its own', 502, '{"finance":{}}', 'PRICE_UNREADABLE', 'retryable'],
  ])('%s: status %s', async (_what, status, body, code, errorClass) => {
    server.answer = says(status, body);
    await expect(ask()).rejects.toMatchObject({ code, errorClass });
  });

  it('is away when it does not answer in time, or answers with more than a chart can be', async () => {
    server.answer = () => undefined;
    await expect(ask('AAPL', 50)).rejects.toMatchObject({ code: 'PRICE_AWAY', errorClass: 'retryable' });
    server.answer = says(200, 'x'.repeat(1_100_000));
    await expect(ask()).rejects.toMatchObject({ code: 'PRICE_AWAY' });
  });

  it('is left alone where nobody is reached, and not for one answer that is too large', async () => {
    server.answer = () => undefined;
    await expect(ask('AAPL', 50)).rejects.toMatchObject({ facts: { symbol: 'AAPL', restMs: 10_000 } });
    const nobody = createYahooPrices({ baseUrl: 'http://127.0.0.1:1', timeoutMs: 1000 }).price('AAPL');
    await expect(nobody).rejects.toMatchObject({ facts: { symbol: 'AAPL', restMs: 10_000 } });
    server.answer = says(200, 'x'.repeat(1_100_000));
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'PRICE_AWAY', facts: { symbol: 'AAPL' } });
    expect((error as KeelError).facts).not.toHaveProperty('restMs');
  });

  it('is not followed to another address', async () => {
    server.answer = (_request, response) => {
      response.writeHead(302, { location: `${server.url}/elsewhere` }).end();
    };
    await expect(ask()).rejects.toMatchObject({ code: 'PRICE_UNREADABLE' });
    expect(server.asked.at(-1)).not.toBe('/elsewhere');
  });
});
