// Whatever is sent to the simulator, through both of its fronts over their own sockets: an answer in the broker's words or as
// problem+json, nothing booked by halves, never the simulator's own failure, and a ledger that can be read again.
import { readFileSync, statSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  admin,
  optionsFor,
  order,
  place,
  prime,
  step,
} from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const KEY = 'test-api-key-123';
const CRYPTO = 'BTC/USD';
const folder = tempFolder('simulator-input');
const troubles: unknown[] = [];
let simulator: Simulator;
let agent: Agent;
const open = () =>
  startSimulator({
    ...optionsFor(folder.path),
    onError: (error) => {
      troubles.push(error);
    },
  });

beforeAll(async () => {
  simulator = await open();
  agent = new Agent({ keepAlive: true, ca: readFileSync(simulator.caFile) });
  await step(simulator, OPEN_PLUS_5);
  await prime(simulator);
  // Shares, so that sells can be taken as well.
  await place(simulator, { orders: [order({ cOID: 'shares', quantity: 200 })] });
});
afterAll(async () => {
  agent.destroy();
  await simulator.close();
  folder.remove();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
function send(method: string, where: string, raw?: string | Buffer, headers = {}): Promise<Answer> {
  const length = raw === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(raw)) };
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      `${simulator.baseUrl}${where}`,
      { method, agent, headers: { ...length, ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const type = response.headers['content-type'] ?? '';
          resolve({ status: response.statusCode ?? 0, type, text });
        });
      },
    );
    call.on('error', reject);
    call.end(raw);
  });
}
const own = async (where: string, raw: string | null, key: string | null): Promise<Answer> => {
  const response = await fetch(`${simulator.apiUrl}${where}`, {
    method: raw === null ? 'GET' : 'POST',
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    ...(raw === null ? {} : { body: raw }),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text: await response.text() };
};

/** Numbers that no order can have, or hardly one. */
const numbers = [
  ...[0, -0, -1, -0.01, 1e-9, 5e-324, 1e-7, 0.00001, 0.1 + 0.2, 1.005, 94.141, 94.1400000001],
  ...[1_000_000_000, 1_000_000_001, 99_999_999_999, 2 ** 53, 2 ** 63, 1e21, 1e31, 1e300, Number.MAX_VALUE],
];
/** What JSON can hold where something else was wanted. */
const bad = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    [],
    {},
    [1],
    { amount: 1 },
    '',
    ' ',
    'NaN',
    '1',
    '-1',
    '1e5',
    '\u0000',
  ),
  fc.constantFrom<unknown>(...numbers),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 80 }),
);
const fair = fc.constantFrom(1, 2, 3, 90, 94.14, 96.5, 120);
const fields = [
  ...[
    'acctId',
    'conid',
    'secType',
    'orderType',
    'side',
    'tif',
    'quantity',
    'price',
    'auxPrice',
    'trailingAmt',
  ],
  ...['trailingType', 'cOID', 'parentId', 'isSingleGroup', 'outsideRTH', 'cashQty', 'useAdaptive', 'ticker'],
];
/** An order that is good but for a field or two; some are good. */
const wireOrder = fc
  .record({
    orderType: fc.constantFrom(
      'MKT',
      'LMT',
      'LMT',
      'LMT',
      'LMT',
      'STP',
      'STOP_LIMIT',
      'TRAIL',
      'TRAILLMT',
      'MOC',
      'LOC',
      'MIDPRICE',
    ),
    side: fc.constantFrom('BUY', 'SELL'),
    tif: fc.constantFrom('DAY', 'GTC', 'IOC', 'OPG', 'OVT'),
    quantity: fair,
    price: fc.constantFrom(94.14, 96.5, 120, 120, 1),
    auxPrice: fair,
    trailingAmt: fair,
    trailingType: fc.constantFrom('amt', '%'),
    conid: fc.oneof(
      { weight: 9, arbitrary: fc.constant(AAPL) },
      { weight: 1, arbitrary: fc.constantFrom(1, 0, -1, 38_708_077, 999_999_999) },
    ),
    spoilt: fc.array(fc.tuple(fc.constantFrom(...fields), bad), { maxLength: 2 }),
    gone: fc.option(fc.constantFrom(...fields), { freq: 6 }),
  })
  .map(({ spoilt, gone, ...terms }) => {
    const made: Record<string, unknown> = { ...order(terms), ...Object.fromEntries(spoilt) };
    if (gone !== null) Reflect.deleteProperty(made, gone);
    return made;
  });

const size = () => statSync(simulator.ledgerFile).size;
const lineSchema = z.object({
  type: z.string(),
  quantity: z.string().optional(),
  price: z.string().nullish(),
});
const linesSince = (from: number) =>
  readFileSync(simulator.ledgerFile)
    .subarray(from)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => lineSchema.parse(JSON.parse(line)));

/** Bodies that the broker sends with 500 for a request that is wrong. */
const brokersOwn500 =
  /^(Account id is not valid|Contract not found|No contract found|publish must be true|unknown$|Bad Request: |No historical data)/;
const errorSchema = z.object({ error: z.string().min(1) });
const rowsSchema = z.array(z.object({ order_id: z.string(), order_status: z.string() }));
const questionSchema = z.tuple([z.object({ id: z.string(), messageIds: z.array(z.string()).min(1) })]);

/** An error of the broker's kind, which is never the simulator's own. */
function assertBrokersError({ status, text, type }: Answer): void {
  expect(troubles).toEqual([]);
  if (status === 404) {
    expect(text).toContain('Resource not found');
    return;
  }
  expect(type).toContain('json');
  const { error } = errorSchema.parse(JSON.parse(text));
  expect([200, 400, 413, 415, 500, 503]).toContain(status);
  if (status === 500) expect(error).toMatch(brokersOwn500);
  if (status === 503) expect(error).toMatch(/^Order .* is not found$/s);
}

/** How many orders an answer says were taken; null for a question. */
function taken(answer: Answer): number | null {
  const body: unknown = JSON.parse(answer.text);
  if (questionSchema.safeParse(body).success) return null;
  const rows = rowsSchema.safeParse(body);
  if (!rows.success) {
    assertBrokersError(answer);
    return 0;
  }
  return rows.data.filter(({ order_id }) => order_id !== '-1').length;
}

function assertBooked(count: number, from: number): void {
  const lines = linesSince(from);
  const orders = lines.filter(({ type }) => type === 'order');
  expect(orders).toHaveLength(count);
  if (count === 0) expect(lines).toEqual([]);
  for (const { quantity, price } of orders) {
    expect(quantity).toMatch(/^[1-9]\d{0,9}$/);
    if (price !== null) expect(price).toMatch(/^\d{1,10}(\.\d{1,2})?$/);
  }
}

const path = `/iserver/account/${ACCOUNT}/orders`;

/** Sends it, and says yes or no to each question. @returns how many orders were taken */
async function sendOrder(body: unknown, confirmed: boolean): Promise<{ count: number; asked: boolean }> {
  const from = size();
  let answer = await send('POST', path, JSON.stringify(body));
  let count = taken(answer);
  let asked = false;
  while (count === null) {
    asked = true;
    assertBooked(0, from);
    const [{ id }] = questionSchema.parse(JSON.parse(answer.text));
    answer = await send('POST', `/iserver/reply/${id}`, JSON.stringify({ confirmed }));
    count = taken(answer);
  }
  assertBooked(count, from);
  expect(troubles).toEqual([]);
  return { count, asked };
}

test('no number in any field of any order is taken that cannot be traded and read again', async () => {
  const priced = {
    LMT: 'price',
    STP: 'price',
    STOP_LIMIT: 'auxPrice',
    TRAIL: 'trailingAmt',
    TRAILLMT: 'trailingAmt',
    LOC: 'price',
  };
  for (const [orderType, own] of Object.entries(priced))
    for (const side of ['BUY', 'SELL'])
      for (const trailingType of own === 'trailingAmt' ? ['amt', '%'] : ['amt'])
        for (const field of new Set(['quantity', 'price', own]))
          for (const value of numbers) {
            const terms = {
              orderType,
              side,
              trailingType,
              quantity: 1,
              price: 94.14,
              auxPrice: 94.14,
              trailingAmt: 1,
            };
            await sendOrder({ orders: [order({ ...terms, [field]: value })] }, true);
          }
});

test('orders of every kind are taken whole or refused in the words of the broker', async () => {
  const requests = fc.oneof(
    { weight: 6, arbitrary: wireOrder.map((one) => ({ orders: [one] })) },
    { weight: 2, arbitrary: fc.array(wireOrder, { maxLength: 3 }).map((orders) => ({ orders })) },
    { weight: 1, arbitrary: bad.map((orders) => ({ orders })) },
    { weight: 1, arbitrary: bad },
  );
  const seen = { taken: 0, refused: 0, asked: 0 };
  await fc.assert(
    fc.asyncProperty(requests, fc.boolean(), async (body, confirmed) => {
      const from = size();
      const preview = await send('POST', `${path}/whatif`, JSON.stringify(body));
      if (!('amount' in Object(JSON.parse(preview.text)))) assertBrokersError(preview);
      assertBooked(0, from);
      const { count, asked } = await sendOrder(body, confirmed);
      seen[count > 0 ? 'taken' : 'refused'] += 1;
      seen.asked += Number(asked);
    }),
    { numRuns: 250 },
  );
  // The property means something only where all of it came about.
  expect(Math.min(seen.taken, seen.refused, seen.asked)).toBeGreaterThan(0);
});

test('every other path takes any words and any body', async () => {
  const word = fc.oneof(
    fc.constantFrom(
      '',
      '-1',
      '0',
      '1.5',
      '1e300',
      'NaN',
      'all',
      '__proto__',
      'constructor',
      '%00',
      '%zz',
      '..%2f',
      'DU9',
    ),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
  );
  const paths: readonly (readonly ['GET' | 'POST' | 'DELETE', (value: string) => string])[] = [
    ['GET', (value) => `/iserver/account/orders?filters=${value}&accountId=${value}`],
    ['GET', (value) => `/iserver/account/orders?filters=${value}`],
    ['GET', (value) => `/iserver/account/order/status/${value}`],
    ['GET', (value) => `/iserver/account/trades?days=${value}`],
    ['GET', (value) => `/iserver/marketdata/history?conid=${value}&period=1m&bar=1d`],
    ['GET', (value) => `/iserver/marketdata/history?conid=${AAPL}&period=${value}&bar=1d`],
    ['GET', (value) => `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=${value}`],
    ['GET', (value) => `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=1d&startTime=${value}`],
    ['GET', (value) => `/iserver/marketdata/snapshot?conids=${value}&fields=31`],
    ['GET', (value) => `/iserver/marketdata/snapshot?conids=${AAPL}&fields=${value}`],
    ['GET', (value) => `/iserver/secdef/search?symbol=${value}`],
    ['GET', (value) => `/iserver/contract/${value}/info`],
    ['GET', (value) => `/iserver/contract/${value}/info-and-rules`],
    ['GET', (value) => `/trsrv/stocks?symbols=${value}`],
    ['GET', (value) => `/trsrv/secdef?conids=${value}`],
    ['GET', (value) => `/portfolio/${value}/summary`],
    ['GET', (value) => `/portfolio/${ACCOUNT}/positions/${value}`],
    ['GET', (value) => `/portfolio/${ACCOUNT}/position/${value}`],
    ['GET', (value) => `/portfolio2/${value}/positions`],
    ['DELETE', (value) => `/iserver/account/${ACCOUNT}/order/${value}`],
    ['DELETE', (value) => `/iserver/account/${value}/order/1`],
    ['POST', (value) => `/iserver/account/${ACCOUNT}/order/${value}`],
    ['POST', (value) => `/iserver/account/${value}/orders`],
    ['POST', (value) => `/iserver/reply/${value}`],
    ['POST', () => '/iserver/account'],
    ['POST', () => '/iserver/contract/rules'],
    ['POST', () => '/iserver/secdef/search'],
    ['POST', () => '/iserver/questions/suppress'],
    ['POST', () => '/iserver/marketdata/unsubscribe'],
    ['POST', () => '/nowhere'],
  ];
  const bodies = fc.oneof(
    bad.map((value) => JSON.stringify(value)),
    wireOrder.map((one) => JSON.stringify(one)),
    fc
      .record({ confirmed: bad, conid: bad, isBuy: bad, acctId: bad, messageIds: bad, symbol: bad })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), word, bodies, async ([method, path], value, body) => {
      const from = size();
      const answer = await send(method, path(value), method === 'POST' ? body : undefined);
      if (answer.status !== 200) assertBrokersError(answer);
      else expect(JSON.parse(answer.text)).toEqual(expect.anything());
      expect(troubles).toEqual([]);
      assertBooked(0, from);
    }),
    { numRuns: 300 },
  );
});

test('a body that is no JSON, too large, or in no known coding is refused and nothing is booked', async () => {
  const good = JSON.stringify({ orders: [order({})] });
  const from = size();
  for (const raw of [
    ...[
      '{',
      '[',
      'NaN',
      '{"orders":[NaN]}',
      good.slice(0, -1),
      `${good}}`,
      good.replaceAll('"', "'"),
      '\u0000',
    ],
    good.replace('"quantity":10', '"quantity":NaN'),
    good.replace('"quantity":10', '"quantity":Infinity'),
    good.replace('"quantity":10', '"quantity":010'),
    `{"orders":${'['.repeat(50_000)}`,
  ]) {
    const answer = await send('POST', path, raw);
    expect([raw.slice(0, 60), answer.status]).toEqual([raw.slice(0, 60), 400]);
    assertBrokersError(answer);
  }
  // Read by a parser as Infinity, and nested deeper than anybody means.
  for (const raw of [
    good.replace('"quantity":10', '"quantity":1e999'),
    good.replace('"conid":265598', '"conid":-1e999'),
    `{"orders":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    '',
  ])
    expect((await send('POST', path, raw)).status).toBe(400);
  expect((await send('POST', path, `"${'x'.repeat(1_200_000)}"`)).status).toBe(413);
  expect((await send('POST', path, good, { 'Content-Encoding': 'gzip' })).status).toBe(400);
  expect((await send('POST', path, good, { 'Content-Encoding': 'no-such' })).status).toBe(415);
  expect((await send('POST', path, Buffer.from([0x22, 0xff, 0xfe, 0x22]))).status).toBe(400);
  assertBooked(0, from);
  expect(troubles).toEqual([]);
});

test('trades of its own API are booked whole or refused as problem+json', async () => {
  const wish = fc
    .record({
      ticker: fc.constantFrom('AAPL', 'AAPL', 'AAPL', 'aapl', CRYPTO, 'ZZZZ'),
      action: fc.constantFrom('buy', 'sell'),
      quantity: fc.constantFrom<unknown>(1, 0.5, '0.0001', 3),
      price: fc.constantFrom<unknown>(94.14, 94.14, 99_999, 1, '0.01'),
      spoilt: fc.array(fc.tuple(fc.constantFrom('ticker', 'action', 'quantity', 'price', 'more'), bad), {
        maxLength: 1,
      }),
    })
    .map(({ spoilt, ...terms }): unknown => ({ ...terms, ...Object.fromEntries(spoilt) }));
  const keys = fc.constantFrom(...Array<string>(12).fill(KEY), null, 'wrong', 'a b', 'x'.repeat(300));
  const problemSchema = z.strictObject({
    ...{ type: z.string(), title: z.string(), code: z.string(), detail: z.string().min(10) },
    status: z.number(),
  });
  const seen = { booked: 0, refused: 0 };
  await own('/api/v1/balance', null, KEY);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 4, arbitrary: wish }, { weight: 1, arbitrary: bad }),
      keys,
      async (body, key) => {
        const from = size();
        const answer = await own('/api/v1/trade', JSON.stringify(body), key);
        const lines = linesSince(from).map(({ type }) => type);
        expect(troubles).toEqual([]);
        if (answer.status === 201) {
          seen.booked += 1;
          expect(lines).toEqual(['order', 'execution']);
          return;
        }
        seen.refused += 1;
        expect(lines).toEqual([]);
        expect(answer.type).toContain('application/problem+json');
        expect(problemSchema.parse(JSON.parse(answer.text)).status).toBe(answer.status);
        expect(key === KEY ? [400, 404, 422] : [401]).toContain(answer.status);
      },
    ),
    { numRuns: 200 },
  );
  expect(Math.min(seen.booked, seen.refused)).toBeGreaterThan(0);
});

test('without the login nothing is answered, as at the broker', async () => {
  const from = size();
  await send('POST', '/logout', '{}');
  const wanted = { status: 401, text: '{"error":"not authenticated","statusCode":401}' };
  for (const where of ['/iserver/accounts', '/iserver/account/orders', `/portfolio/${ACCOUNT}/ledger`])
    expect(await send('GET', where)).toMatchObject(wanted);
  expect(await send('POST', path, JSON.stringify({ orders: [order({})] }))).toMatchObject(wanted);
  expect(await send('DELETE', `/iserver/account/${ACCOUNT}/order/1100000001`)).toMatchObject(wanted);
  assertBooked(0, from);
  await admin(simulator, '/login', {});
  await prime(simulator);
});

test('a ledger of all that can be read again, and says the same', async () => {
  // Whatever lives must not stop the market either.
  expect(await step(simulator, '2014-07-09T20:00:00.000Z')).toMatchObject({ status: 200 });
  const known = async () => [
    (await own('/api/v1/portfolio', null, KEY)).text,
    (await send('GET', `/portfolio/${ACCOUNT}/positions/0`)).text.replaceAll(/,"ticker".*?\}/g, '}'),
    (await send('GET', `/portfolio/${ACCOUNT}/ledger`)).text,
    (await admin(simulator, '/health')).body,
  ];
  await send('GET', `/portfolio/${ACCOUNT}/positions/0`);
  const before = await known();
  await simulator.close();
  agent.destroy();
  simulator = await open();
  agent = new Agent({ keepAlive: true, ca: readFileSync(simulator.caFile) });
  expect(simulator.ledgerCutBytes).toBe(0);
  await send('GET', `/portfolio/${ACCOUNT}/positions/0`);
  expect(await known()).toEqual(before);
  expect(troubles).toEqual([]);
});
