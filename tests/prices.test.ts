// Prices through the API as a process: the simulator's replay, sources on the far side that fail in every way, and a
// real Redis that dies in mid-use.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  globalQuote,
  limitNote,
  says,
  startPriceServer,
  yahooChart,
  type PriceServer,
} from '../adapters/prices/testing/sources.js';
import { createMarketStepper } from '../adapters/clocks/simulated.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createMemoryCache } from '../adapters/memory/cache.js';
import { createRedisCache } from '../adapters/redis/cache.js';
import { problem } from '../contracts/http/problem.js';
import { stock, stockBatch } from '../contracts/http/stock.js';
import { startSimulator, type Simulator } from '../simulator/server.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { connect } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import { makeUser } from './support/access.js';
import { startApi, type ApiProcess } from './support/api.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { hasRedis, startRedis, type TestRedis } from './support/redis.js';
import { tempFolder } from './support/temp.js';

const token = 'a-token-for-tests-only';
const apiKey = 'KEY7EXAMPLE9SECRET';
const folder = tempFolder('prices');
let postgres: TestPostgres;
let simulator: Simulator;
let yahoo: PriceServer;
let alpha: PriceServer;
let env: Record<string, string>;
/** Of a user who may look. */
const reader = { authorization: '' };

beforeAll(async () => {
  [postgres, simulator, yahoo, alpha] = await Promise.all([
    startTestPostgres(),
    startSimulator({
      host: '127.0.0.1',
      port: 0,
      adminPort: 0,
      adminToken: token,
      directory: path.join(folder.path, 'simulator'),
      accountId: 'DU1234567',
      cash: '100000.00',
      slippage: '0.0005',
      commissionPerShare: '0.005',
      clock: createMachineClock(),
      onError: () => undefined,
    }),
    startPriceServer(),
    startPriceServer(),
  ]);
  env = {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    KEEL_DATA_DIR: folder.path,
    KEEL_SIMULATOR_ADMIN_URL: simulator.adminUrl,
    KEEL_SIMULATOR_ADMIN_TOKEN: token,
  };
  const stepper = createMarketStepper({ adminUrl: simulator.adminUrl, token, timeoutMs: 5000 });
  await stepper.step('2014-07-07T20:30:00.000Z');
  const limits = { poolSize: 1, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 5000 };
  const db = connect({ url: postgres.url, ...limits });
  reader.authorization = `Bearer ${(await makeUser(createStores(db, 'simulated'), 'reader', 'viewer')).key}`;
  await db.close();
});

afterAll(async () => {
  await Promise.all([simulator.close(), yahoo.close(), alpha.close()]);
  await postgres.stop();
  folder.remove();
});

const sources = () => ({
  KEEL_PRICE_CHAIN: 'yahoo,alphavantage',
  KEEL_YAHOO_URL: yahoo.url,
  KEEL_ALPHAVANTAGE_URL: alpha.url,
  ALPHAVANTAGE_API_KEY: apiKey,
});

const withApi = async (change: Record<string, string>, work: (api: ApiProcess) => Promise<void>) => {
  const api = await startApi({ ...env, ...change });
  try {
    await work(api);
  } finally {
    await api.stop();
  }
};

const priceOf = async (api: ApiProcess, symbol: string) =>
  stock.parse(await (await fetch(`${api.url}/api/v1/stocks/${symbol}`, { headers: reader })).json());

const problemOf = async (api: ApiProcess, symbol: string) => {
  const response = await fetch(`${api.url}/api/v1/stocks/${symbol}`, { headers: reader });
  return problem.parse(await response.json());
};

/** A minute ago, seconds since the epoch: sources on the internet tell of today, whatever the simulated market is at. */
const lately = (): number => Math.floor(Date.now() / 1000) - 60;
const daySeconds = 86_400;

/** The session that is on, or the last one. */
const tradingDay = (): string => {
  const calendar = createNyseCalendar();
  const now = new Date().toISOString();
  return (calendar.openAt(now) ?? calendar.lastClosed(now)).date;
};

describe('the simulated market', () => {
  it('is the source by default: its price, its time, and its age', () =>
    withApi({}, async (api) => {
      expect(await priceOf(api, 'AAPL')).toMatchObject({
        symbol: 'AAPL',
        price: '95.97',
        currency: 'USD',
        at: '2014-07-07T20:00:00.000Z',
        ageSeconds: 1800,
        freshness: 'live',
        source: 'replay',
      });
      expect(await problemOf(api, 'NOPE')).toMatchObject({ status: 404, code: 'PRICE_UNKNOWN_SYMBOL' });
      expect(await problemOf(api, 'aapl')).toMatchObject({ status: 422, code: 'INVALID_INPUT' });
      const response = await fetch(`${api.url}/api/v1/stocks/batch`, {
        method: 'POST',
        headers: { ...reader, 'content-type': 'application/json' },
        body: JSON.stringify({ symbols: ['AAPL', 'SPX', 'NOPE'] }),
      });
      const batch = stockBatch.parse(await response.json());
      expect(batch.stocks.map(({ symbol }) => symbol)).toEqual(['AAPL', 'SPX']);
      expect(batch.problems).toMatchObject([{ symbol: 'NOPE', code: 'PRICE_UNKNOWN_SYMBOL' }]);
    }));
});

describe('prices of today beside the simulated market', () => {
  it('tell their own age, and that nothing there may be valued by them', () =>
    withApi({ ...sources(), KEEL_PRICE_CHAIN: 'yahoo' }, async (api) => {
      const at = lately();
      yahoo.answer = says(200, yahooChart('AAPL', 231.46, at));
      const price = await priceOf(api, 'AAPL');
      expect(price).toMatchObject({ source: 'yahoo', price: '231.46', freshness: 'live', ofMarket: false });
      expect(price.at).toBe(new Date(at * 1000).toISOString());
      expect(price.ageSeconds).toBeGreaterThanOrEqual(60);
      expect(price.ageSeconds).toBeLessThan(600);
      expect(price.reason).toMatch(
        /the simulated market stands at 2014-07-07T20:30:00.000Z: nothing there may be valued or sized by it/,
      );
    }));

  it('are given only where that market has none, and then as such', () =>
    withApi({ ...sources(), KEEL_PRICE_CHAIN: 'yahoo,replay' }, async (api) => {
      yahoo.answer = says(200, yahooChart('MSFT', 512.5, lately()));
      const asked = yahoo.asked.length;
      expect(await priceOf(api, 'AAPL')).toMatchObject({
        ...{ source: 'replay', price: '95.97', ageSeconds: 1800, ofMarket: true, reason: null },
      });
      expect(yahoo.asked.length).toBe(asked);
      expect(await priceOf(api, 'MSFT')).toMatchObject({ source: 'yahoo', price: '512.5', ofMarket: false });
    }));
});

describe('a chain of sources', () => {
  it('falls back, goes stale, and lets no key out', () =>
    withApi(sources(), async (api) => {
      yahoo.answer = says(429, 'Edge: Too Many Requests', 'text/plain');
      alpha.answer = says(200, globalQuote('AAPL', '95.9700', tradingDay()));
      expect(await priceOf(api, 'AAPL')).toMatchObject({ source: 'alphavantage', price: '95.97' });
      alpha.answer = says(200, limitNote(apiKey));
      const refused = await problemOf(api, 'IBM');
      expect(refused).toMatchObject({ status: 503, code: 'PRICES_AWAY' });
      expect(JSON.stringify(refused) + api.log()).not.toContain(apiKey);
      // The limit holds for every symbol.
      const asked = yahoo.asked.length;
      await problemOf(api, 'MSFT');
      expect(yahoo.asked.length).toBe(asked);
    }));

  it('says that the broker can not be asked while Temporal is away, and takes what is next', () =>
    withApi({ ...sources(), KEEL_PRICE_CHAIN: 'broker,yahoo' }, async (api) => {
      yahoo.answer = says(500, '');
      const refused = await problemOf(api, 'EEM');
      expect(refused).toMatchObject({ status: 503, code: 'PRICES_AWAY' });
      expect(refused.detail).toMatch(/The broker: no worker has brought its price of EEM/);
      yahoo.answer = says(200, yahooChart('EFA', 66.5, lately()));
      expect(await priceOf(api, 'EFA')).toMatchObject({ source: 'yahoo', price: '66.5' });
    }));

  it('asks once for many who ask at the same time', () =>
    withApi(sources(), async (api) => {
      yahoo.answer = (request, response) => {
        setImmediate(() => {
          says(200, yahooChart('SPY', 197.5, lately()))(request, response);
        });
      };
      const before = yahoo.asked.length;
      const answers = await Promise.all(Array.from({ length: 50 }, () => priceOf(api, 'SPY')));
      expect(new Set(answers.map(({ price }) => price))).toEqual(new Set(['197.5']));
      expect(yahoo.asked.length - before).toBe(1);
    }));

  it('refuses HTML, nulls and another currency, and marks the price of an earlier session', () =>
    withApi({ ...sources(), KEEL_PRICE_CHAIN: 'yahoo' }, async (api) => {
      yahoo.answer = says(200, '<html>');
      expect(await problemOf(api, 'QQQ')).toMatchObject({ status: 503, code: 'PRICES_AWAY' });
      yahoo.answer = says(200, yahooChart('QQQ', null, null));
      expect(await problemOf(api, 'QQQ')).toMatchObject({ status: 503, code: 'PRICES_AWAY' });
      yahoo.answer = says(200, yahooChart('QQQ', 1, lately(), { currency: 'EUR' }));
      expect(await problemOf(api, 'QQQ')).toMatchObject({ status: 422, code: 'PRICE_CURRENCY' });
      yahoo.answer = says(200, yahooChart('QQQ', 95, lately() - 10 * daySeconds));
      const old = await priceOf(api, 'QQQ');
      expect(old.freshness).toBe('old');
      expect(Math.floor(old.ageSeconds / daySeconds)).toBe(10);
    }));
});

describe.skipIf(!hasRedis())('Redis as the cache', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('is shared by processes for a minute, under the mode and the name of the symbol', async () => {
    const change = { ...sources(), REDIS_URL: redis.url };
    yahoo.answer = says(200, yahooChart('DIA', 170.25, lately()));
    await withApi(change, async (api) => {
      await priceOf(api, 'DIA');
      expect(await redis.ask('TTL stock:DIA')).toMatch(/^:(60|5\d)\r/);
    });
    yahoo.answer = says(500, '');
    await withApi(change, async (api) => {
      expect(await priceOf(api, 'DIA')).toMatchObject({ price: '170.25', freshness: 'live' });
    });
  });

  it('may die, freeze and come back in mid-use: prices go on', () =>
    withApi({ ...sources(), REDIS_URL: redis.url }, async (api) => {
      yahoo.answer = says(200, yahooChart('IWM', 119.5, lately()));
      expect((await priceOf(api, 'IWM')).price).toBe('119.5');
      await redis.kill();
      const before = yahoo.asked.length;
      expect((await priceOf(api, 'IWM')).price).toBe('119.5');
      // The process's own memory stands in: nobody is asked again.
      expect(yahoo.asked.length).toBe(before);
      yahoo.answer = says(200, yahooChart('GLD', 127.25, lately()));
      expect((await priceOf(api, 'GLD')).price).toBe('127.25');
      await redis.start();
      redis.freeze();
      expect((await priceOf(api, 'GLD')).price).toBe('127.25');
      redis.thaw();
    }));

  it('tells whether it answers, and no password', async () => {
    const clock = createMachineClock();
    const url = redis.url.replace('redis://', 'redis://:hunter2@');
    const fallback = createMemoryCache(clock);
    const cache = createRedisCache({ url: redis.url, clock, fallback, timeoutMs: 10_000 });
    const refused = createRedisCache({ url, clock, fallback, timeoutMs: 10_000 });
    try {
      expect(await cache.check()).toEqual({ kind: 'redis', ok: true, reason: null });
      const state = await refused.check();
      expect(state.ok).toBe(false);
      expect(state.reason).not.toContain('hunter2');
      await redis.kill();
      expect(await cache.check()).toMatchObject({ ok: false, reason: expect.any(String) as string });
      await redis.start();
      await expect.poll(() => cache.check().then(({ ok }) => ok), { timeout: 30_000 }).toBe(true);
    } finally {
      await Promise.all([cache.close(), refused.close()]);
    }
  });
});
