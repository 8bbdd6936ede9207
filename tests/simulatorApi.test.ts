// The simulator's own API: keys, price rules, bad input, and one account through both of its fronts.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  admin,
  get,
  optionsFor,
  order,
  place,
  prime,
  step,
} from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const SAMPLE = 'test-api-key-123';
const folder = tempFolder('simulator-api');
let simulator: Simulator;
let ahead = 0;

beforeAll(async () => {
  simulator = await startSimulator({
    ...optionsFor(folder.path),
    clock: { now: () => Date.now() + ahead },
  });
});
afterAll(async () => {
  await simulator.close();
  folder.remove();
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}
async function api(where: string, key: string | null = SAMPLE, raw?: string): Promise<Answer> {
  const response = await fetch(`${simulator.apiUrl}${where}`, {
    method: raw === undefined ? 'GET' : 'POST',
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    ...(raw === undefined ? {} : { body: raw }),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.json(),
  };
}
const trade = (wish: object, key = SAMPLE): Promise<Answer> =>
  api('/api/v1/trade', key, JSON.stringify(wish));
const ledgerLines = (): number => readFileSync(simulator.ledgerFile, 'utf8').split('\n').length;

describe('keys', () => {
  test('nothing but health and documents works without one', async () => {
    expect(await api('/health', null)).toMatchObject({ status: 200, body: { ok: true } });
    expect(await api('/openapi.json', null)).toMatchObject({ status: 200, body: { openapi: '3.1.0' } });
    const page = await fetch(`${simulator.apiUrl}/docs`);
    expect(await page.text()).toContain('/docs/swagger-ui-bundle.js');
    expect((await fetch(`${simulator.apiUrl}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    for (const where of ['/api/v1/balance', '/api/v1/price/AAPL', '/api/v1/portfolio', '/api/v1/nowhere']) {
      expect(await api(where, null)).toMatchObject({
        status: 401,
        type: 'application/problem+json; charset=utf-8',
        body: { code: 'KEY_MISSING', status: 401, title: 'Unauthorized' },
      });
      expect(await api(where, 'not-a-key')).toMatchObject({ status: 401, body: { code: 'KEY_UNKNOWN' } });
    }
  });

  test('are shown once, stored as a hash, and expire', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const made = await admin(simulator, '/users', { email: 'ann@example.com', cash: '500.25', expiresAt });
    expect(made.status).toBe(201);
    const { apiKey, account } = made.body as { apiKey: string; account: string };
    expect(await api('/api/v1/balance', apiKey)).toMatchObject({
      status: 200,
      body: { email: 'ann@example.com', cash: 500.25, currency: 'USD' },
    });
    expect(readFileSync(simulator.ledgerFile, 'utf8')).not.toContain(apiKey);
    expect(readFileSync(simulator.ledgerFile, 'utf8')).toContain(account);
    ahead += 60_000;
    expect(await api('/api/v1/balance', apiKey)).toMatchObject({
      status: 401,
      body: { code: 'KEY_EXPIRED' },
    });
    for (const email of ['ann@example.com', 'Ann@Example.com', 'TEST@example.com'])
      expect(await admin(simulator, '/users', { email })).toMatchObject({ status: 409 });
    for (const wish of [
      {},
      { email: 'x' },
      { email: 'b@example.com', cash: '-1' },
      { email: 'b@example.com', cash: '100000000000' },
      { email: 'b@example.com', account: 'DU9' },
      { email: 'b@example.com', account: ACCOUNT, cash: '5' },
      { email: 'b@example.com', expiresAt: '2014-07-07T00:00:00.000Z' },
    ])
      expect(await admin(simulator, '/users', wish)).toMatchObject({ status: 400 });
  });
});

describe('trading', () => {
  test('has no price before the first bar', async () => {
    expect(await api('/api/v1/price/AAPL')).toMatchObject({ status: 404, body: { code: 'PRICE_UNKNOWN' } });
    expect(await trade({ ticker: 'AAPL', action: 'buy', quantity: 1, price: 100 })).toMatchObject({
      status: 400,
      body: { code: 'PRICE_UNKNOWN' },
    });
    await step(simulator, OPEN_PLUS_5);
    expect(await api('/api/v1/price/aapl')).toMatchObject({
      status: 200,
      body: {
        ticker: 'AAPL',
        price: 94.14,
        currency: 'USD',
        market: 'open',
        source: 'replay',
        at: '2014-07-07T13:30:00.000Z',
        ageSeconds: 300,
        freshness: 'live',
      },
    });
  });

  test('buys at the market for a price at or above it, sells for one at or below it', async () => {
    const buy = { ticker: 'AAPL', action: 'buy', quantity: 10, price: 94.14 };
    expect(await trade({ ...buy, price: 94.13 })).toMatchObject({
      status: 400,
      body: { code: 'PRICE_BELOW_MARKET' },
    });
    expect(await trade({ ...buy, quantity: 107 })).toMatchObject({
      status: 400,
      body: { code: 'NOT_ENOUGH_CASH' },
    });
    expect(await trade({ ...buy, price: '95.00' })).toMatchObject({
      status: 201,
      body: { ticker: 'AAPL', action: 'buy', quantity: 10, price: 94.14, amount: 941.4, cash: 9058.6 },
    });
    const sell = { ticker: 'AAPL', action: 'sell', quantity: 4, price: 94.14 };
    expect(await trade({ ...sell, price: 94.15 })).toMatchObject({
      status: 400,
      body: { code: 'PRICE_ABOVE_MARKET' },
    });
    expect(await trade({ ...sell, quantity: 11 })).toMatchObject({
      status: 400,
      body: { code: 'NOT_ENOUGH_SHARES' },
    });
    expect(await trade(sell)).toMatchObject({ status: 201, body: { amount: 376.56, cash: 9435.16 } });
    expect(await api('/api/v1/portfolio')).toMatchObject({
      status: 200,
      body: {
        cash: 9435.16,
        holdings: [
          {
            ticker: 'AAPL',
            quantity: 6,
            averagePrice: 94.14,
            currentPrice: 94.14,
            marketValue: 564.84,
            unrealizedPnl: 0,
          },
        ],
        totalValue: 10000,
      },
    });
  });

  test('fractions of a share cost whole cents, and a round trip never makes money', async () => {
    const before = ((await api('/api/v1/balance')).body as { cash: number }).cash;
    const third = { ticker: 'AAPL', quantity: '0.3333', price: 94.14 };
    // 0.3333 × 94.14 = 31.376862
    expect(await trade({ ...third, action: 'buy' })).toMatchObject({ status: 201, body: { amount: 31.38 } });
    expect(await trade({ ...third, action: 'sell' })).toMatchObject({ status: 201, body: { amount: 31.37 } });
    const after = ((await api('/api/v1/balance')).body as { cash: number }).cash;
    expect(Math.round((before - after) * 100)).toBe(1);
  });

  test('refuses every bad body, books nothing, and is never at fault', async () => {
    const good = { ticker: 'AAPL', action: 'buy', quantity: 1, price: 95 };
    const lines = ledgerLines();
    for (const raw of ['', '{', 'NaN', '{"price":NaN}', '\u0000', '{"ticker":"AAPL",}'])
      expect(await api('/api/v1/trade', SAMPLE, raw)).toMatchObject({
        status: 400,
        body: { code: 'MALFORMED_JSON' },
      });
    const tiny = JSON.stringify(good).replace('"quantity":1', '"quantity":1.00000000000000000000000001');
    for (const raw of ['[]', '[1]', 'null', '"x"', '5', '{}', tiny])
      expect(await api('/api/v1/trade', SAMPLE, raw)).toMatchObject({
        status: 422,
        body: { code: 'INVALID_INPUT' },
      });
    const values = [
      0,
      -1,
      1e308,
      1e-9,
      1.23456,
      '1e3',
      '0x10',
      'NaN',
      'Infinity',
      '',
      ' 1',
      true,
      null,
      [],
      {},
      '99999999999999',
    ];
    for (const field of ['quantity', 'price'])
      for (const value of values)
        expect(await trade({ ...good, [field]: value })).toMatchObject({
          status: 422,
          body: { code: 'INVALID_INPUT' },
        });
    for (const change of [
      { action: 'hold' },
      { action: 'BUY' },
      { ticker: '' },
      { ticker: 7 },
      { extra: 1 },
      { ticker: "A'; --" },
    ])
      expect(await trade({ ...good, ...change })).toMatchObject({ status: 422 });
    expect(await trade({ ...good, ticker: 'ZZZZ' })).toMatchObject({
      status: 404,
      body: { code: 'UNKNOWN_TICKER' },
    });
    expect(await trade({ ...good, price: 99999999999 })).toMatchObject({ status: 201 });
    expect(await api('/api/v1/price/%zz')).toMatchObject({ status: 400 });
    expect(await api('/api/v1/trade', SAMPLE, `"${'x'.repeat(200_000)}"`)).toMatchObject({ status: 413 });
    const put = await fetch(`${simulator.apiUrl}/api/v1/trade`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${SAMPLE}` },
    });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST']);
    // Only the one order that was good, and its execution.
    expect(ledgerLines() - lines).toBe(2);
  });
});

describe('one account through both fronts', () => {
  test('has the same cash and holdings to the cent', async () => {
    const { apiKey } = (await admin(simulator, '/users', { email: 'both@example.com', account: ACCOUNT }))
      .body as {
      apiKey: string;
    };
    await prime(simulator);
    expect((await place(simulator, { orders: [order({ cOID: 'front', quantity: 7 })] })).status).toBe(200);
    expect(await trade({ ticker: 'AAPL', action: 'buy', quantity: 5, price: 95 }, apiKey)).toMatchObject({
      status: 201,
    });
    const { cash, holdings } = (await api('/api/v1/portfolio', apiKey)).body as {
      cash: number;
      holdings: { quantity: number }[];
    };
    const ledger = (await get(simulator, `/portfolio/${ACCOUNT}/ledger`)) as { USD: { cashbalance: number } };
    expect(ledger.USD.cashbalance).toBe(cash);
    // 7 at 94.19 and 1.00 of commission through the broker's front, 5 at 94.14 through the other.
    expect(cash).toBe(98868.97);
    expect(holdings).toMatchObject([{ quantity: 12 }]);
    expect(await get(simulator, `/portfolio/${ACCOUNT}/positions/0`)).toMatchObject([
      { conid: AAPL, position: 12 },
    ]);
    expect(await get(simulator, '/iserver/account/trades?days=1')).toHaveLength(2);
  });
});
