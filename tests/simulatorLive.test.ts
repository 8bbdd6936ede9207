// The simulator with live prices, from sources on the far side that fail in every way: what is traded at, what both fronts then
// show, and that no price of another world comes in.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMachineMarketClock } from '../adapters/clocks/machine.js';
import { createMemoryCache } from '../adapters/memory/cache.js';
import {
  globalQuote,
  limitNote,
  says,
  startPriceServer,
  yahooChart,
} from '../adapters/prices/testing/sources.js';
import type { PriceServer } from '../adapters/prices/testing/sources.js';
import { createPrices } from '../api/prices.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { MarketClock } from '../ports/clocks.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import { hasRedis, startRedis } from './support/redis.js';
import { ACCOUNT, admin, get, optionsFor, order, place, prime, request } from './support/simulator.js';
import { launchReady } from './support/simulatorProcess.js';
import { tempFolder } from './support/temp.js';

/** A Monday in a session, 14:00 in New York. */
const NOW = Date.parse('2026-11-23T19:00:00.000Z');
const KEY = 'KEY7EXAMPLE9SECRET';
const SAMPLE = 'test-api-key-123';
let now = NOW;
let directory = '';
let yahoo: PriceServer;
let alpha: PriceServer;
let simulator: Simulator;
const folders: { remove: () => void }[] = [];
const clock = { now: () => now };

beforeAll(async () => {
  [yahoo, alpha] = await Promise.all([startPriceServer(), startPriceServer()]);
});
afterAll(async () => {
  await Promise.all([yahoo.close(), alpha.close()]);
  for (const folder of folders) folder.remove();
});

/** @param marketClock the machine's, as that of a simulator with live prices is */
const chain = (marketClock: MarketClock = createMachineMarketClock(clock)) =>
  createPrices(
    {
      chain: ['yahoo', 'alphavantage'],
      currency: 'USD',
      timeoutMs: 20_000,
      freshMs: 180_000,
      keepMs: 86_400_000,
      ...{ perMinute: 120, alphaVantagePerMinute: 120, alphaVantagePerDay: 1000 },
      yahooUrl: yahoo.url,
      alphaVantageUrl: alpha.url,
      alphaVantageKey: KEY,
    },
    {
      mode: 'simulated',
      cache: createMemoryCache(clock),
      clock,
      marketClock,
      calendar: createNyseCalendar(),
      simulator: { adminUrl: '', adminToken: '' },
    },
  );
const start = () => startSimulator({ ...optionsFor(directory), clock, prices: chain() });

beforeEach(async () => {
  now = NOW;
  const folder = tempFolder('simulator-live');
  folders.push(folder);
  directory = folder.path;
  yahoo.answer = says(500, '');
  alpha.answer = says(500, '');
  simulator = await start();
});
afterEach(() => simulator.close());

const seconds = (): number => Math.floor(now / 1000);
/** Yahoo answers every symbol with the price that stands here. */
const quotes = (prices: Record<string, number>, at = seconds): void => {
  yahoo.answer = (asked, response) => {
    const symbol = decodeURIComponent(new URL(asked.url ?? '', 'http://x').pathname.split('/').at(-1) ?? '');
    const price = prices[symbol];
    if (price === undefined)
      says(404, { chart: { result: null, error: { code: 'Not Found' } } })(asked, response);
    else says(200, yahooChart(symbol, price, at()))(asked, response);
  };
};

async function own(where: string, body?: object, key = SAMPLE): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${simulator.apiUrl}/api/v1${where}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
const buy = (ticker: string, quantity: number | string, price: number) => ({
  ticker,
  action: 'buy',
  quantity,
  price,
});
const lines = (): number => readFileSync(simulator.ledgerFile, 'utf8').split('\n').length;

describe('the price', () => {
  test('comes from Yahoo, else Alpha Vantage, is kept for three minutes, and tells its source and age', async () => {
    quotes({ AAPL: 231.456, 'BRK-B': 480.1, 'BTC-USD': 91_234.567 }, () => seconds() - 20);
    expect(await own('/price/aapl')).toEqual({
      status: 200,
      body: {
        ticker: 'AAPL',
        price: 231.46,
        currency: 'USD',
        market: 'open',
        source: 'yahoo',
        at: '2026-11-23T18:59:40.000Z',
        ageSeconds: 20,
        freshness: 'live',
      },
    });
    const asked = yahoo.asked.length;
    now += 179_000;
    expect((await own('/price/AAPL')).body).toMatchObject({ price: 231.46, ageSeconds: 199 });
    expect(yahoo.asked.length).toBe(asked);
    now += 1000;
    yahoo.answer = says(429, 'Too Many Requests', 'text/plain');
    alpha.answer = says(200, globalQuote('AAPL', '232.0000', '2026-11-23'));
    expect((await own('/price/AAPL')).body).toMatchObject({ price: 232, source: 'alphavantage' });
    now += 300_000;
    quotes({ 'BRK-B': 480.1, 'BTC-USD': 91_234.567 });
    expect((await own('/price/BRK-B')).body).toMatchObject({ ticker: 'BRK.B', price: 480.1 });
    expect((await own('/price/BTC%2FUSD')).body).toMatchObject({
      ticker: 'BTC/USD',
      price: 91_234.57,
      market: 'open',
    });
  });

  test('that nobody knows, or that is no price in dollars, is refused by name', async () => {
    quotes({ DUST: 0.004 });
    alpha.answer = says(200, { 'Global Quote': {} });
    expect(await own('/price/ZZZZ')).toMatchObject({ status: 404, body: { code: 'UNKNOWN_TICKER' } });
    expect(await own('/price/%5EGSPC')).toMatchObject({ status: 404, body: { code: 'UNKNOWN_TICKER' } });
    expect(await own('/price/DUST')).toMatchObject({ status: 422, body: { code: 'PRICE_TOO_SMALL' } });
    yahoo.answer = says(200, yahooChart('SAP', 200, seconds(), { currency: 'EUR' }));
    expect(await own('/price/SAP')).toMatchObject({ status: 422, body: { code: 'PRICE_CURRENCY' } });
    // The replay has bars of it, and they are of another world.
    expect(await own('/price/SYNCOIN')).toMatchObject({ status: 404 });
  });
});

describe('a trade', () => {
  test('is done at the price of now, by the rules; nothing is booked otherwise', async () => {
    quotes({ AAPL: 231.46 });
    expect(await own('/trade', buy('AAPL', 10, 231.45))).toMatchObject({
      status: 400,
      body: { code: 'PRICE_BELOW_MARKET' },
    });
    expect(await own('/trade', buy('AAPL', 44, 240))).toMatchObject({
      status: 400,
      body: { code: 'NOT_ENOUGH_CASH' },
    });
    expect(await own('/trade', buy('AAPL', 10, 240))).toMatchObject({
      status: 201,
      body: { price: 231.46, amount: 2314.6, cash: 7685.4, at: '2026-11-23T19:00:00.000Z' },
    });
    now += 180_000;
    quotes({ AAPL: 235 });
    expect(
      await own('/trade', { ticker: 'AAPL', action: 'sell', quantity: 10, price: 235.01 }),
    ).toMatchObject({
      status: 400,
      body: { code: 'PRICE_ABOVE_MARKET' },
    });
    expect(await own('/trade', { ticker: 'AAPL', action: 'sell', quantity: 10, price: 200 })).toMatchObject({
      status: 201,
      body: { price: 235, cash: 10_035.4 },
    });
  });

  test('waits for sources that answer, and is never done at an old or a replayed price', async () => {
    const before = lines();
    expect(await own('/trade', buy('AAPL', 1, 9999))).toMatchObject({
      status: 503,
      body: { code: 'PRICES_AWAY' },
    });
    alpha.answer = says(200, limitNote(KEY));
    const refused = await own('/trade', buy('AAPL', 1, 9999));
    expect(refused).toMatchObject({ status: 503, body: { code: 'PRICES_AWAY' } });
    expect(JSON.stringify(refused)).not.toContain(KEY);
    now += 3_600_000;
    quotes({ AAPL: 231.46 });
    expect((await own('/price/AAPL')).status).toBe(200);
    now += 180_000;
    yahoo.answer = says(200, '<html>');
    expect((await own('/price/AAPL')).body).toMatchObject({ freshness: 'stale', ageSeconds: 180 });
    expect(await own('/trade', buy('AAPL', 1, 9999))).toMatchObject({
      status: 503,
      body: { code: 'PRICE_NOT_LIVE' },
    });
    now += 3_600_000;
    quotes({ AAPL: 231.46 }, () => seconds() - 4 * 86_400);
    expect((await own('/price/AAPL')).body).toMatchObject({ freshness: 'old' });
    expect(await own('/trade', buy('AAPL', 1, 9999))).toMatchObject({
      status: 503,
      body: { code: 'PRICE_NOT_LIVE' },
    });
    // The sample user and his account, and looks that moved the clock: no order, no execution.
    expect(readFileSync(simulator.ledgerFile, 'utf8')).not.toMatch(/"type":"(order|execution)"/);
    expect(lines()).toBeGreaterThan(before);
  });
});

describe('both fronts', () => {
  /** @returns the key of a user of the simulator's own API whose account is that of the broker's wire */
  const userOfBoth = async (): Promise<string> => {
    const user = { email: 'both@example.com', account: ACCOUNT };
    return ((await admin(simulator, '/users', user)).body as { apiKey: string }).apiKey;
  };
  /** The same of one who holds a share of AAPL, with the simulator closed. */
  const holderThenClosed = async (): Promise<string> => {
    const apiKey = await userOfBoth();
    quotes({ AAPL: 231.46 });
    expect((await own('/trade', buy('AAPL', 1, 240), apiKey)).status).toBe(201);
    await simulator.close();
    return apiKey;
  };

  test('show the same cash, holdings and values to the cent, over random trades and prices, and after a restart', async () => {
    const apiKey = await userOfBoth();
    const tickers = ['AAPL', 'MSFT', 'BRK-B', 'BTC-USD'] as const;
    const act = fc.record({
      ticker: fc.nat(tickers.length - 1),
      action: fc.constantFrom('buy', 'sell'),
      units: fc.integer({ min: 1, max: 50_000 }),
      cents: fc.array(fc.integer({ min: 1, max: 3_000_000 }), {
        minLength: tickers.length,
        maxLength: tickers.length,
      }),
    });
    const compare = async (): Promise<void> => {
      const mine = (await own('/portfolio', undefined, apiKey)).body as {
        cash: number;
        totalValue: number;
        holdings: {
          ticker: string;
          quantity: number;
          currentPrice: number;
          marketValue: number;
          unrealizedPnl: number;
        }[];
      };
      await prime(simulator);
      await get(simulator, `/portfolio/${ACCOUNT}/positions/0`);
      const theirs = (await get(simulator, `/portfolio/${ACCOUNT}/positions/0`)) as {
        ticker: string;
        position: number;
        mktPrice: number;
        mktValue: number;
        unrealizedPnl: number;
      }[];
      const row = (ticker: string, units: number, price: number, value: number, gain: number): string =>
        `${ticker} ${units} at ${price}: ${value.toFixed(2)}, ${gain.toFixed(2)}`;
      expect(
        theirs.map((one) =>
          row(
            one.ticker,
            one.position,
            one.mktPrice,
            Math.round(one.mktValue * 100) / 100,
            Math.round(one.unrealizedPnl * 100) / 100,
          ),
        ),
      ).toEqual(
        mine.holdings.map((one) =>
          row(one.ticker, one.quantity, one.currentPrice, one.marketValue, one.unrealizedPnl),
        ),
      );
      const ledger = (await get(simulator, `/portfolio/${ACCOUNT}/ledger`)) as {
        USD: { cashbalance: number; netliquidationvalue: number };
      };
      expect(ledger.USD.cashbalance.toFixed(2)).toBe(mine.cash.toFixed(2));
      expect(Math.round(ledger.USD.netliquidationvalue * 100)).toBe(Math.round(mine.totalValue * 100));
      const partitioned = (await get(simulator, '/iserver/account/pnl/partitioned')) as {
        upnl: Record<string, { nl: number }>;
      };
      expect(partitioned.upnl[`${ACCOUNT}.Core`]?.nl).toBe(mine.totalValue);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 12 }), async (acts) => {
        for (const { ticker, action, units, cents } of acts) {
          now += 180_000;
          quotes(Object.fromEntries(tickers.map((name, index) => [name, (cents[index] ?? 1) / 100])));
          const quantity = (units / 10_000).toFixed(4);
          const price = action === 'buy' ? 99_999 : 0.01;
          await own('/trade', { ticker: tickers[ticker], action, quantity, price }, apiKey);
          await compare();
        }
        await simulator.close();
        simulator = await start();
        await compare();
      }),
      { numRuns: 5, seed: 231_46 },
    );
  });

  test('show no value rather than a made-up one while nothing is known of a price', async () => {
    const apiKey = await holderThenClosed();
    yahoo.answer = says(500, '');
    simulator = await start();
    expect(await own('/portfolio', undefined, apiKey)).toMatchObject({
      status: 503,
      body: { code: 'PRICES_AWAY' },
    });
    for (const where of ['positions/0', 'summary', 'ledger'])
      expect((await request(simulator, 'GET', `/portfolio/${ACCOUNT}/${where}`)).status).toBe(503);
    expect((await own('/balance', undefined, apiKey)).body).toMatchObject({ cash: 99_768.54 });
  });

  test('show no value, and trade nothing, where the chain is of another market than the simulator is', async () => {
    const apiKey = await holderThenClosed();
    const past = { now: () => Promise.resolve({ now: '2014-07-08T15:00:00.000Z', step: 1 }) };
    simulator = await startSimulator({ ...optionsFor(directory), clock, prices: chain(past) });
    const refused = await own('/trade', buy('AAPL', 1, 240), apiKey);
    expect(refused).toMatchObject({ status: 503, body: { code: 'PRICES_AWAY' } });
    expect(JSON.stringify(refused)).toMatch(
      /AAPL is not valued by the price that yahoo gives: .* the simulated market stands at 2014-07-08T15:00:00.000Z/,
    );
    expect((await own('/portfolio', undefined, apiKey)).status).toBe(503);
    const wire = await request(simulator, 'GET', `/portfolio/${ACCOUNT}/ledger`);
    expect([wire.status, wire.text]).toEqual([503, expect.stringContaining('is not valued by')]);
    expect((await own('/balance', undefined, apiKey)).body).toMatchObject({ cash: 99_768.54 });
  });

  test("the broker's wire takes no order, and the clock is the machine's", async () => {
    await prime(simulator);
    const answer = await place(simulator, { orders: [order({ cOID: 'no', quantity: 1 })] });
    expect(answer.text).toContain('takes no orders here');
    expect(await admin(simulator, '/clock/step', { to: '2026-11-24T19:00:00.000Z' })).toMatchObject({
      status: 409,
    });
    expect(await admin(simulator, '/clock')).toMatchObject({
      body: { now: '2026-11-23T19:00:00.000Z', mode: 'running' },
    });
  });
});

describe('a directory', () => {
  test('keeps to the kind of prices that it began with', async () => {
    await simulator.close();
    await expect(startSimulator(optionsFor(directory))).rejects.toMatchObject({ code: 'SIMULATOR_PRICES' });
    const replay = path.join(directory, 'replay');
    await (await startSimulator(optionsFor(replay))).close();
    await expect(startSimulator({ ...optionsFor(replay), clock, prices: chain() })).rejects.toMatchObject({
      code: 'SIMULATOR_PRICES',
    });
    simulator = await start();
    expect(await own('/balance')).toMatchObject({ body: { cash: 10_000 } });
  });
});

describe.skipIf(!hasRedis())('the process, with Redis', () => {
  test('keeps prices there for three minutes under names of its own, and takes none that a replay has put there', async () => {
    const redis = await startRedis();
    const at = new Date().toISOString();
    const replayed = {
      symbol: 'AAPL',
      price: '94.14',
      currency: 'USD',
      at,
      previousClose: null,
      volume: null,
      marketCap: null,
    };
    const kept = JSON.stringify({
      mode: 'simulated',
      price: { ...replayed, source: 'replay', fetchedAt: at },
      step: 0,
    });
    // As the cache of a Keel on the same Redis writes it.
    await redis.ask(`SET stock:AAPL '${kept}'`);
    expect(await redis.ask('GET stock:AAPL')).toContain(kept);
    yahoo.answer = (asked, response) => {
      says(200, yahooChart('AAPL', 231.46, Math.floor(Date.now() / 1000)))(asked, response);
    };
    const running = await launchReady(path.join(directory, 'state'), {
      KEEL_ENV: 'testing',
      KEEL_SIMULATOR_PRICE_CHAIN: 'yahoo,alphavantage',
      KEEL_YAHOO_URL: yahoo.url,
      REDIS_URL: redis.url,
    });
    try {
      const response = await fetch(`${running.facts.apiUrl}/api/v1/price/AAPL`, {
        headers: { authorization: `Bearer ${SAMPLE}` },
      });
      expect(await response.json()).toMatchObject({ price: 231.46, source: 'yahoo' });
      expect(await redis.ask('TTL simulator:stock:AAPL')).toMatch(/^:1[78]\d\r/);
    } finally {
      await running.end('SIGTERM');
      await redis.stop();
    }
  });
});
