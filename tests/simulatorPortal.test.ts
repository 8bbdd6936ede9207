// The broker's habits that the simulator reproduces: limits, clocks of the login, accounts, sticky filters, questions, previews.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.js';
import type { Simulator, SimulatorOptions } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  admin,
  bracket,
  get,
  optionsFor,
  order,
  ordersOf,
  place,
  post,
  prime,
  request,
  step,
} from './support/simulator.js';
import type { Rows } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

/** Wall time of the simulator; a Friday noon in New York. */
let now = Date.parse('2026-06-05T16:00:00.000Z');
let folder: ReturnType<typeof tempFolder>;
let simulator: Simulator;

async function start(options: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startSimulator({ ...optionsFor(folder.path), clock: { now: () => now }, ...options });
  await step(simulator, OPEN_PLUS_5);
}
const status = () => post(simulator, '/iserver/auth/status');
const statusOf = async (where: string): Promise<number> => (await request(simulator, 'GET', where)).status;

beforeEach(() => {
  now = Date.parse('2026-06-05T16:00:00.000Z');
  folder = tempFolder('simulator-portal');
});
afterEach(async () => {
  await simulator.close();
  folder.remove();
});

describe('limits', () => {
  test('lets one list of orders pass in five seconds, and then punishes for fifteen minutes', async () => {
    await start({ limitsFactor: 1 });
    await get(simulator, '/iserver/accounts');
    expect(await statusOf('/iserver/account/orders')).toBe(200);
    now += 4_900;
    expect(await statusOf('/iserver/account/orders')).toBe(429);
    now += 899_000;
    expect(await statusOf('/iserver/accounts')).toBe(429);
    now += 1_000;
    expect(await statusOf('/iserver/accounts')).toBe(400);
  });

  test('lets ten requests pass in a second, scaled by its factor', async () => {
    await start({ limitsFactor: 2 });
    for (let n = 0; n < 20; n += 1) expect(await statusOf('/iserver/accounts')).toBe(200);
    expect(await statusOf('/iserver/accounts')).toBe(429);
    now += 450_000;
    expect(await statusOf('/portfolio/accounts')).toBe(200);
    expect(await statusOf('/portfolio/accounts')).toBe(429);
  });

  test('lets a client that keeps to ten requests a second pass, and punishes the eleventh of any second', async () => {
    await start({ limitsFactor: 1 });
    for (let n = 0; n < 30; n += 1) {
      expect(await statusOf('/iserver/accounts')).toBe(200);
      now += 100;
    }
    now -= 1;
    expect(await statusOf('/iserver/accounts')).toBe(429);
    now += 899_999;
    expect(await statusOf('/portfolio/accounts')).toBe(429);
    now += 1;
    expect(await statusOf('/portfolio/accounts')).toBe(200);
  });

  test('knows an endpoint with a limit of its own by another writing too', async () => {
    await start({ limitsFactor: 1 });
    expect(await statusOf('/portfolio/accounts')).toBe(200);
    expect(await statusOf('/Portfolio/accounts/')).toBe(429);
  });

  test('takes five history requests at once', async () => {
    await start();
    await admin(simulator, '/faults', { kind: 'delay', on: 'history', times: 6, ms: 3000 });
    const where = `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=1d`;
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => request(simulator, 'GET', where)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers.find((answer) => answer.status === 429)?.body).toEqual({
      error: 'Too many history charts requests, please try again later.',
    });
    expect(await statusOf(where)).toBe(200);
  });

  test.each(['delay', 'slow'])(
    'counts a history by the fault %s to its end, though its client has hung up',
    async (kind) => {
      await start();
      await admin(simulator, '/faults', { kind, on: 'history', times: 5, ms: 4000 });
      const where = `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=1d`;
      const leave = new AbortController();
      const hungUp = Promise.allSettled(
        [1, 2, 3, 4, 5].map(() => request(simulator, 'GET', where, { signal: leave.signal })),
      );
      await expect
        .poll(async () => (await admin(simulator, '/faults')).body)
        .toMatchObject({ faults: [{ acted: 5 }] });
      leave.abort();
      expect((await hungUp).map((each) => each.status)).toEqual(Array(5).fill('rejected'));
      expect(await statusOf(where)).toBe(429);
      await expect.poll(() => statusOf(where)).toBe(200);
    },
  );
});

describe('clocks of the login', () => {
  test('an idle brokerage session dies after six minutes', async () => {
    await start();
    now += 359_000;
    expect(await status()).toMatchObject({ authenticated: true });
    now += 361_000;
    expect(await status()).toMatchObject({ authenticated: false, connected: true });
    expect(await statusOf('/iserver/accounts')).toBe(400);
    expect(await statusOf('/portfolio/accounts')).toBe(200);
  });

  test('time runs as fast as the factor says', async () => {
    await start({ clockFactor: 60 });
    now += 5_900;
    expect(await status()).toMatchObject({ authenticated: true });
    now += 6_100;
    expect(await status()).toMatchObject({ authenticated: false, connected: true });
  });

  test('the login ends at midnight of New York', async () => {
    await start({ midnightReset: true });
    expect(await post(simulator, '/tickle')).toMatchObject({ ssoExpires: 12 * 3_600_000 });
    const ping = async (): Promise<unknown> => {
      now += 300_000;
      return status();
    };
    for (let n = 0; n < 143; n += 1) expect(await ping()).toMatchObject({ authenticated: true });
    expect(await ping()).toMatchObject({ authenticated: false, connected: false });
    expect(await statusOf('/portfolio/accounts')).toBe(401);
    await admin(simulator, '/login', {});
    expect(await ping()).toMatchObject({ authenticated: true });
  });

  test('where it does not end there it counts down to midnight too, and begins anew', async () => {
    await start();
    const expiry = async (): Promise<readonly unknown[]> => {
      const [tickled, validated] = [await post(simulator, '/tickle'), await get(simulator, '/sso/validate')];
      const { EXPIRES, AUTH_TIME } = validated as Record<string, unknown>;
      return [(tickled as Record<string, unknown>)['ssoExpires'], EXPIRES, AUTH_TIME];
    };
    const began = now;
    const hours = (n: number): number => n * 3_600_000;
    expect(await expiry()).toEqual([hours(12), hours(12), began]);
    now += 60_000;
    expect(await expiry()).toEqual([hours(12) - 60_000, hours(12) - 60_000, began]);
    now = began + hours(12) + 1000;
    expect(await expiry()).toEqual([hours(24) - 1000, hours(24) - 1000, now]);
    expect(await statusOf('/portfolio/accounts')).toBe(200);
  });
});

test('an init that says nothing opens the session, and takes it from nobody', async () => {
  await start();
  const init = '/iserver/auth/ssodh/init';
  await admin(simulator, '/faults', { kind: 'session-loss', on: 'accounts' });
  expect(await statusOf('/iserver/accounts')).toBe(400);
  const bare = { raw: '', headers: { 'Content-Length': '0' } };
  expect(await request(simulator, 'POST', init, bare)).toMatchObject({
    status: 200,
    body: { authenticated: true },
  });
  await admin(simulator, '/faults', { kind: 'competing', on: 'accounts' });
  expect(await statusOf('/iserver/accounts')).toBe(400);
  expect(await request(simulator, 'POST', init, bare)).toMatchObject({
    status: 200,
    body: { authenticated: false, competing: true },
  });
});

describe('accounts', () => {
  const other = 'DU7654321';

  test('are selected one at a time; without a choice the list of orders is empty', async () => {
    await start({ moreAccounts: [other] });
    expect(await get(simulator, '/iserver/accounts')).toMatchObject({
      accounts: [ACCOUNT, other, 'All'],
      selectedAccount: ACCOUNT,
    });
    await prime(simulator);
    await place(simulator, { orders: [order({ cOID: 'mine', quantity: 3 })] });
    await post(simulator, `/iserver/account/${other}/orders`, {
      orders: [order({ acctId: other, cOID: 'theirs', quantity: 4 })],
    });
    expect(await ordersOf(simulator)).toEqual([]);
    expect(await get(simulator, `/iserver/account/orders?accountId=${other}`)).toMatchObject({
      orders: [{ order_ref: 'theirs' }],
    });
    expect(await post(simulator, '/iserver/account', { acctId: other })).toEqual({
      set: true,
      acctId: other,
    });
    expect(await post(simulator, '/iserver/account', { acctId: other })).toEqual({
      success: 'Account already set',
    });
    expect(await ordersOf(simulator)).toMatchObject([{ order_ref: 'theirs' }]);
    expect(await get(simulator, '/iserver/account/trades')).toMatchObject([{ order_ref: 'theirs' }]);
    expect(await get(simulator, `/portfolio2/${other}/positions`)).toMatchObject([
      { conid: String(AAPL), position: 4, description: 'AAPL' },
    ]);
    expect(await get(simulator, `/portfolio/${ACCOUNT}/position/${AAPL}`)).toMatchObject([{ position: 3 }]);
    expect(await get(simulator, `/portfolio/positions/${AAPL}`)).toMatchObject({
      [ACCOUNT]: [{ position: 3 }],
      [other]: [{ position: 4 }],
    });
    expect(await get(simulator, '/portfolio/positions/1')).toEqual({});
    expect(await post(simulator, '/iserver/account', { acctId: 'DU1' })).toEqual({
      error: 'Account id is not valid',
    });
    expect(await get(simulator, '/iserver/account/pnl/partitioned')).toMatchObject({
      upnl: { [`${other}.Core`]: { rowType: 1, mv: 376.56 } },
    });
  });
});

describe('orders', () => {
  beforeEach(async () => {
    await start();
    await prime(simulator);
  });
  const limit = (cOID: string, price: number, side = 'BUY'): object => ({
    orders: [order({ cOID, quantity: 2, orderType: 'LMT', price, side })],
  });

  test('filters stay until a forced read', async () => {
    await place(simulator, limit('resting', 80));
    await place(simulator, { orders: [order({ cOID: 'done' })] });
    const refs = async (where = ''): Promise<unknown[]> =>
      ((await get(simulator, `/iserver/account/orders${where}`)) as { orders: Rows }).orders.map(
        (row) => row['order_ref'],
      );
    expect(await refs('?filters=filled')).toEqual(['done']);
    expect(await refs()).toEqual(['done']);
    expect(await refs('?force=true')).toEqual([]);
    expect(await refs()).toEqual(['done', 'resting']);
    // As a Python client writes it.
    expect(await refs('?filters=filled')).toEqual(['done']);
    expect(await refs('?force=True')).toEqual([]);
    expect(await refs()).toEqual(['done', 'resting']);
  });

  test('a filter that is no word of the broker is refused, and leaves those that stick', async () => {
    await place(simulator, limit('resting', 80));
    await place(simulator, { orders: [order({ cOID: 'done' })] });
    const list = '/iserver/account/orders';
    expect(await request(simulator, 'GET', `${list}?filters=filled,bogus`)).toMatchObject({
      status: 400,
      body: { error: 'Bad Request: filters has no bogus', statusCode: 400 },
    });
    expect(await get(simulator, list)).toMatchObject({ orders: [{}, {}], snapshot: true });
    expect(await get(simulator, `${list}?filters=Filled,sort_by_time`)).toMatchObject({
      orders: [{ order_ref: 'done' }],
    });
  });

  test.each([
    [0, 400],
    [1, 200],
    [7, 200],
    [8, 400],
  ])('trades of %i days are answered with %i', async (days, wanted) => {
    expect(await statusOf(`/iserver/account/trades?days=${String(days)}`)).toBe(wanted);
  });

  test('an order that names another kind of contract, or a number beyond all, is refused as it is read', async () => {
    const where = `/iserver/account/${ACCOUNT}/orders`;
    const text = (change: Record<string, unknown>): string => JSON.stringify({ orders: [order(change)] });
    const send = (raw: string) => request(simulator, 'POST', where, { raw });
    for (const secType of ['FOO', `${AAPL}:FUT`, '1:STK'])
      expect(await send(text({ cOID: 'kind', secType }))).toMatchObject({
        status: 400,
        body: { error: `secType ${secType} is not that of contract ${AAPL}, which is ${AAPL}:STK` },
      });
    for (const secType of ['STK', `${AAPL}:STK`, `${AAPL}@STK`])
      expect((await send(text({ secType }))).status).toBe(200);
    expect(await send(text({ quantity: 77 }).replace('77', '1e400'))).toMatchObject({
      status: 400,
      body: { error: 'quantity is a larger number than any that can be traded' },
    });
    expect(await send('null')).toMatchObject({
      status: 400,
      body: { error: 'orders must be a list of orders' },
    });
  });

  test('a preview of what is no order has no price', async () => {
    const where = `/iserver/account/${ACCOUNT}/orders/whatif`;
    for (const quantity of [-5, 0])
      expect(await post(simulator, where, { orders: [order({ quantity })] })).toEqual({
        error: expect.stringContaining(String(quantity)) as string,
      });
  });

  test('legs of a bracket name the order that they hang on, and no id of the client', async () => {
    const rows = (await place(simulator, bracket('hangs'))).body as Rows;
    const entry = rows[0]?.['order_id'];
    expect(rows).toMatchObject([
      { local_order_id: 'hangs' },
      { parent_order_id: entry },
      { parent_order_id: entry },
    ]);
    expect(rows.map((row) => Object.keys(row).includes('local_order_id'))).toEqual([true, false, false]);
    expect(Object.keys(rows[0] ?? {})).not.toContain('parent_order_id');
  });

  test('a cancel of the id of a refused order cancels every order of the account', async () => {
    await place(simulator, limit('one-of-two', 80));
    await place(simulator, bracket('with-legs'));
    const all = `/iserver/account/${ACCOUNT}/order/-1`;
    expect(await request(simulator, 'DELETE', all)).toMatchObject({
      status: 200,
      body: { msg: 'Request was submitted', order_id: -1 },
    });
    const status = (await ordersOf(simulator)).map((row) => row['status']);
    expect(status).toEqual(['Cancelled', 'Cancelled', 'Filled', 'Cancelled']);
  });

  test('a large order is asked about with the order and its value in words', async () => {
    const orders = [order({ cOID: 'large', quantity: 20000, orderType: 'LMT', price: 90 })];
    const [question] = (await place(simulator, { orders })).body as Rows;
    expect(question).toMatchObject({
      messageIds: ['o451'],
      message: [
        'The following order "BUY 20000 AAPL NASDAQ" value estimate of 1,800,000.00 USD exceeds \nthe Total Value Limit of 1,000,000 USD.\nAre you sure you want to submit this order?',
      ],
    });
  });

  test('a limit far through the market is asked about, unless that is suppressed', async () => {
    const [question] = (await place(simulator, limit('dear', 98))).body as Rows;
    expect(question).toMatchObject({ messageIds: ['o163'], messageOptions: ['Yes', 'No'] });
    expect(
      await post(simulator, `/iserver/reply/${String(question?.['id'])}`, { confirmed: true }),
    ).toMatchObject([{ local_order_id: 'dear' }]);
    expect(await post(simulator, '/iserver/questions/suppress', { messageIds: ['o163'] })).toEqual({
      status: 'submitted',
    });
    expect((await place(simulator, limit('dear-2', 98))).body).toMatchObject([{ local_order_id: 'dear-2' }]);
    await post(simulator, '/iserver/questions/suppress/reset');
    expect((await place(simulator, limit('dear-3', 98))).body).toMatchObject([{ messageIds: ['o163'] }]);
    await post(simulator, '/iserver/questions/suppress', { messageIds: ['o163'] });
    await post(simulator, '/iserver/auth/ssodh/init', { publish: true, compete: true });
    await get(simulator, '/iserver/accounts');
    expect((await place(simulator, limit('dear-4', 98))).body).toMatchObject([{ messageIds: ['o163'] }]);
  });

  test('a change of an order is asked about like an order, and done only after a yes', async () => {
    const [row] = (await place(simulator, limit('asked-again', 80))).body as Rows;
    const where = `/iserver/account/${ACCOUNT}/order/${String(row?.['order_id'])}`;
    const dear = order({ quantity: 2, orderType: 'LMT', price: 98 });
    const priceOf = async (): Promise<unknown> => (await ordersOf(simulator))[0]?.['price'];
    for (const confirmed of [false, true]) {
      const [question] = (await request(simulator, 'POST', where, { body: dear })).body as Rows;
      expect(question).toMatchObject({ messageIds: ['o163'] });
      const answer = await post(simulator, `/iserver/reply/${String(question?.['id'])}`, { confirmed });
      expect(answer).toMatchObject(
        confirmed ? [{ order_id: row?.['order_id'] }] : { error: 'Order not confirmed ' },
      );
      expect(await priceOf()).toBe(confirmed ? '98.00' : '80.00');
    }
  });

  test('the stop of a stop-limit order can be changed until it was touched', async () => {
    const terms = { quantity: 2, orderType: 'STOP_LIMIT', price: 97, auxPrice: 96.5 };
    const [row] = (await place(simulator, { orders: [order({ cOID: 'stop-moves', ...terms })] }))
      .body as Rows;
    const where = `/iserver/account/${ACCOUNT}/order/${String(row?.['order_id'])}`;
    const change = (auxPrice: number): Promise<unknown> =>
      post(simulator, where, order({ ...terms, auxPrice }));
    expect(await change(96.75)).toMatchObject([{ order_id: row?.['order_id'] }]);
    expect((await ordersOf(simulator))[0]).toMatchObject({ price: '97.00', auxPrice: '96.75' });
    expect(await change(96.755)).toMatchObject({
      error: expect.stringContaining('price variation') as string,
    });
    expect((await ordersOf(simulator))[0]).toMatchObject({ auxPrice: '96.75' });
  });

  test('takes orders of every kind, and lists their terms', async () => {
    const kinds = [
      [
        { orderType: 'STOP_LIMIT', price: 99, auxPrice: 98 },
        { price: '99.00', auxPrice: '98.00', orderType: 'Stop Limit' },
      ],
      [
        { orderType: 'TRAIL', trailingType: '%', trailingAmt: 2.5 },
        { orderType: 'Trailing Stop', trailingType: '%', trailingAmt: 2.5 },
      ],
      [{ orderType: 'MOC' }, { orderType: 'Market on Close', price: '', timeInForce: 'CLOSE' }],
      [
        { orderType: 'LOC', price: 90 },
        { orderType: 'Limit on Close', price: '90.00' },
      ],
      [
        { orderType: 'LMT', price: 90, tif: 'OPG' },
        { orderType: 'Limit', timeInForce: 'OPG' },
      ],
    ] as const;
    for (const [terms] of kinds)
      expect((await place(simulator, { orders: [order(terms)] })).body).toMatchObject([
        { encrypt_message: '1' },
      ]);
    const rows = await ordersOf(simulator);
    expect(rows.reverse()).toMatchObject(kinds.map(([, row]) => row));
    await place(simulator, { orders: [order({ orderType: 'LMT', price: 90, tif: 'IOC' })] });
    expect((await ordersOf(simulator))[0]).toMatchObject({ status: 'Cancelled', timeInForce: 'IOC' });
    expect((await place(simulator, { orders: [order({ orderType: 'TRAIL' })] })).status).toBe(400);
    expect(
      (await place(simulator, { orders: [order({ orderType: 'MOC', tif: 'GTC' })] })).body,
    ).toMatchObject({
      error: expect.stringContaining('time in force') as string,
    });
  });

  test('takes a group of which one cancels the others, and a refused one leaves the rest alive', async () => {
    const low = { orderType: 'LMT', price: 90, isSingleGroup: true };
    const group = [
      order({ ...low, cOID: 'one' }),
      order({ ...low, price: 90.001 }),
      order({ ...low, cOID: 'two', price: 98 }),
    ];
    const rows = (await place(simulator, { orders: group })).body as Rows;
    expect(rows).toMatchObject([
      { local_order_id: 'one' },
      { order_id: '-1', order_status: 'Failed' },
      { local_order_id: 'two' },
    ]);
    expect(await ordersOf(simulator)).toMatchObject([
      { order_ref: 'two', status: 'Filled', ocaGroupId: `oco-${String(rows[0]?.['order_id'])}` },
      { order_ref: 'one', status: 'Cancelled', ocaGroupId: `oco-${String(rows[0]?.['order_id'])}` },
    ]);
  });

  test('fills no more than the share of the volume, and tells so in lists, status and trades', async () => {
    await simulator.close();
    // Of the 56 million shares of 2014-07-07.
    await start({ volumeShare: '0.0000002', directory: `${folder.path}/share` });
    await prime(simulator);
    const [row] = (await place(simulator, { orders: [order({ quantity: 100 })] })).body as Rows;
    expect(row).toMatchObject({ order_status: 'Submitted' });
    const [listed] = await ordersOf(simulator);
    const filled = Number(listed?.['filledQuantity']);
    expect(filled).toBeGreaterThan(0);
    expect(listed).toMatchObject({
      status: 'Submitted',
      sizeAndFills: `${String(filled)}/${String(100 - filled)}`,
      remainingQuantity: 100 - filled,
      totalSize: 100,
    });
    expect(await get(simulator, `/iserver/account/order/status/${String(row?.['order_id'])}`)).toMatchObject({
      order_status: 'Submitted',
      size: (100 - filled).toFixed(1),
      total_size: '100.0',
      cum_fill: filled.toFixed(1),
    });
    expect(await get(simulator, '/iserver/account/trades')).toMatchObject([{ size: filled }]);
  });

  test('fills nothing of what an operator has halted, and shows its price as halted', async () => {
    const halts = await admin(simulator, '/halts', { symbol: 'AAPL' });
    expect(halts).toEqual({ status: 201, body: { halted: ['AAPL'] } });
    expect((await place(simulator, { orders: [order({})] })).body).toMatchObject([
      { order_status: 'Submitted' },
    ]);
    const quote = `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31`;
    await get(simulator, quote);
    expect(await get(simulator, quote)).toMatchObject([{ '31': expect.stringMatching(/^H/) as string }]);
    expect((await admin(simulator, '/halts/AAPL', undefined, 'DELETE')).body).toEqual({ halted: [] });
    expect(await ordersOf(simulator)).toMatchObject([{ status: 'Filled' }]);
    expect((await admin(simulator, '/halts', { symbol: 'NONE' })).status).toBe(400);
  });

  test('a preview tells cost and refusal, and books nothing', async () => {
    const where = `/iserver/account/${ACCOUNT}/orders/whatif`;
    expect(await post(simulator, where, limit('if', 90))).toMatchObject({
      amount: { amount: '180 USD (2 Shares)', commission: '1 USD', total: '181 USD' },
      equity: { current: '100,000', change: '-1', after: '99,999' },
      position: { current: '0', change: '2', after: '2' },
      warn: expect.stringContaining('without having market data') as string,
      error: null,
    });
    expect(await post(simulator, where, limit('if', 90.25))).toMatchObject({
      amount: { amount: '180.50 USD (2 Shares)', commission: '1 USD', total: '181.50 USD' },
    });
    await get(simulator, `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31`);
    expect(await post(simulator, where, limit('if', 90, 'SELL'))).toMatchObject({
      warn: null,
      error: expect.stringContaining('may not sell short') as string,
    });
    expect(await ordersOf(simulator)).toEqual([]);
  });

  test('rules of a contract come with its information, too', async () => {
    expect(await get(simulator, `/iserver/contract/${AAPL}/info-and-rules?isBuy=true`)).toMatchObject({
      con_id: AAPL,
      rules: { increment: 0.01, canTradeAcctIds: [ACCOUNT] },
    });
  });

  test('rules are those of a buy where nothing is said', async () => {
    const rules = await request(simulator, 'POST', '/iserver/contract/rules', { body: { conid: AAPL } });
    expect(rules).toMatchObject({ status: 200, body: { increment: 0.01 } });
  });

  test('switches of a query are read without regard to capitals', async () => {
    expect(await get(simulator, '/iserver/secdef/search?symbol=apple&name=True')).toMatchObject([
      { symbol: 'AAPL', description: 'NASDAQ' },
      { symbol: 'AAPL', description: 'MEXI' },
    ]);
    const history = `/iserver/marketdata/history?conid=${AAPL}&period=1m&bar=1d`;
    expect(await get(simulator, `${history}&outsideRth=True`)).toMatchObject({ outsideRth: true });
    expect(await get(simulator, history)).toMatchObject({ outsideRth: false });
  });
});
