// The broker simulator over its real https and admin fronts, and as a process of its own that is killed and restarted.
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  TOKEN,
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
import type { Facts, Rows } from './support/simulator.js';
import { launchReady as launchReadySimulator, launchSimulator } from './support/simulatorProcess.js';
import { tempFolder } from './support/temp.js';

/** All that a client can see of the state, for comparing it before and after a restart. */
async function visibleState(simulator: Facts): Promise<unknown> {
  await prime(simulator);
  await get(simulator, `/portfolio/${ACCOUNT}/positions/0`);
  return {
    clock: (await admin(simulator, '/clock')).body,
    orders: await ordersOf(simulator),
    trades: await get(simulator, '/iserver/account/trades?days=7'),
    positions: await get(simulator, `/portfolio/${ACCOUNT}/positions/0`),
    ledger: await get(simulator, `/portfolio/${ACCOUNT}/ledger`),
  };
}

describe('the Client Portal front', () => {
  const folder = tempFolder('simulator');
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator(optionsFor(folder.path));
  });
  afterAll(async () => {
    await simulator.close();
    folder.remove();
  });

  test('speaks TLS with a certificate of its own, known by its fingerprint', async () => {
    const { hostname, port } = new URL(simulator.baseUrl);
    const socket = connect({ host: hostname, port: Number(port), ca: readFileSync(simulator.caFile) });
    await once(socket, 'secureConnect');
    const peer = socket.getPeerX509Certificate();
    socket.destroy();
    expect(peer?.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(simulator.certSha256);
    expect(statSync(path.join(folder.path, 'tls-key.pem')).mode & 0o777).toBe(0o600);
    await expect(fetch(`${simulator.baseUrl}/tickle`)).rejects.toThrow();
  });

  test('wants the accounts once before orders, snapshots and trades', async () => {
    const first = { status: 500, body: { error: 'Please query /accounts first' } };
    for (const where of [
      `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31`,
      '/iserver/account/orders',
      '/iserver/account/order/status/1',
      '/iserver/account/trades',
    ])
      expect(await request(simulator, 'GET', where)).toMatchObject(first);
    expect(await place(simulator, bracket('too-early'))).toMatchObject(first);
    expect(await get(simulator, '/iserver/accounts')).toMatchObject({
      accounts: [ACCOUNT],
      selectedAccount: ACCOUNT,
      isPaper: true,
    });
  });

  test('tells of the login, renews it, and loses it by a logout', async () => {
    const whole = { authenticated: true, established: true, competing: false, connected: true, fail: '' };
    expect(await get(simulator, '/iserver/auth/status')).toMatchObject(whole);
    expect(await post(simulator, '/logout')).toEqual({ status: true });
    expect(await post(simulator, '/iserver/auth/status')).toMatchObject({ authenticated: false });
    expect(await request(simulator, 'GET', '/iserver/accounts')).toMatchObject({
      status: 401,
      body: { error: 'not authenticated', statusCode: 401 },
    });
    expect(await post(simulator, '/tickle')).toEqual({ error: 'no session' });
    const init = { body: { publish: true, compete: true } };
    expect(await request(simulator, 'POST', '/iserver/auth/ssodh/init', init)).toMatchObject({ status: 401 });
    expect((await admin(simulator, '/login', {})).body).toEqual({ loggedIn: true });
    expect(
      await request(simulator, 'POST', '/iserver/auth/ssodh/init', { body: { publish: false } }),
    ).toMatchObject({ status: 500 });
    expect(
      await post(simulator, '/iserver/auth/ssodh/init', { publish: true, compete: false }),
    ).toMatchObject({ authenticated: true });
    expect(await request(simulator, 'GET', '/iserver/account/orders')).toMatchObject({ status: 500 });
    await get(simulator, '/iserver/accounts');
    expect(await post(simulator, '/tickle')).toMatchObject({
      collission: false,
      hmds: { error: 'no bridge' },
      iserver: { authStatus: { authenticated: true } },
    });
    expect(await get(simulator, '/sso/validate')).toMatchObject({ RESULT: true, LOGIN_TYPE: 2 });
  });

  test('answers bad requests as the broker does', async () => {
    const html = '<html><body><h1>Resource not found</h1></body></html>';
    expect(await request(simulator, 'GET', '/iserver/nowhere')).toMatchObject({ status: 404, text: html });
    const chunked = { headers: { 'Transfer-Encoding': 'chunked' } };
    expect(await request(simulator, 'POST', '/tickle', chunked)).toMatchObject({ status: 411 });
    const url = `/iserver/account/${ACCOUNT}/orders`;
    for (const raw of ['{"orders":', 'nonsense', '\u0000'])
      expect(await request(simulator, 'POST', url, { raw })).toMatchObject({ status: 400 });
    for (const body of [{}, { orders: [] }, { orders: [null] }, [], { orders: 'x' }])
      expect(await request(simulator, 'POST', url, { body })).toMatchObject({ status: 400 });
    expect(await request(simulator, 'GET', '/iserver/contract/%zz/info')).toMatchObject({ status: 400 });
    expect(
      await request(simulator, 'POST', '/iserver/reply/abc', { body: { confirmed: true } }),
    ).toMatchObject({ status: 400, body: { error: "reply id not found: 'abc'" } });
    expect(await place(simulator, { orders: [order({ quantity: '10' })] })).toMatchObject({
      status: 400,
      body: { error: 'java.lang.String cannot be cast to java.lang.Number' },
    });
    expect(
      await request(simulator, 'POST', '/iserver/account/DU999/orders', { body: bracket('x') }),
    ).toMatchObject({ status: 500 });
  });

  test('resolves contracts with the JSON types of the broker', async () => {
    expect(await get(simulator, '/iserver/secdef/search?symbol=AAPL')).toMatchObject([
      { conid: '265598', symbol: 'AAPL', description: 'NASDAQ' },
      { conid: '38708077', description: 'MEXI' },
    ]);
    expect(await get(simulator, '/trsrv/stocks?symbols=AAPL,ZZZZ')).toEqual({
      AAPL: [
        {
          name: 'APPLE INC',
          chineseName: null,
          assetClass: 'STK',
          contracts: [
            { conid: 265598, exchange: 'NASDAQ', isUS: true },
            { conid: 38708077, exchange: 'MEXI', isUS: false },
          ],
        },
      ],
      ZZZZ: [],
    });
    expect(await get(simulator, `/trsrv/secdef?conids=${AAPL},416904`)).toMatchObject({
      secdef: [
        { conid: AAPL, ticker: 'AAPL', currency: 'USD', incrementRules: [{ lowerEdge: 0, increment: 0.01 }] },
        { conid: 416904, ticker: 'SPX', name: 'S&P 500 index, tradable in the simulator only' },
      ],
    });
    expect(await get(simulator, `/iserver/contract/${AAPL}/info`)).toMatchObject({ con_id: AAPL });
    expect(
      await post(simulator, '/iserver/contract/rules', { conid: AAPL, exchange: 'SMART', isBuy: true }),
    ).toMatchObject({ error: null, increment: 0.01, sizeIncrement: 1 });
  });

  test('keeps its admin front to those who have the token', async () => {
    for (const authorization of ['', 'Bearer wrong', TOKEN]) {
      const response = await fetch(`${simulator.adminUrl}/clock`, { headers: { authorization } });
      expect(response.status).toBe(401);
    }
    expect((await admin(simulator, '/symbols')).body).toMatchObject({
      symbols: [
        { symbol: 'AAPL', firstSession: '2013-05-13', lastSession: '2018-05-11', synthetic: false },
        { symbol: 'SPX', firstSession: '2000-01-03', lastSession: '2020-04-17', synthetic: false },
        { symbol: 'SYNTREND', conid: 900000001, synthetic: true, firstSession: '2010-01-04' },
        { symbol: 'SYNFLAT', conid: 900000002, synthetic: true, lastSession: '2020-04-17' },
        { symbol: 'SYNSPLIT', conid: 900000003, synthetic: true, kind: 'stock' },
        { symbol: 'SYNCOIN', conid: 900000004, synthetic: true, kind: 'crypto' },
      ],
    });
    expect((await admin(simulator, '/health')).body).toMatchObject({
      ok: true,
      droppedRows: { AAPL: 0, SPX: 0 },
    });
  });

  test('has a clock that starts at the first bar, is stepped, and never goes back', async () => {
    expect((await admin(simulator, '/clock')).body).toEqual({
      now: '2000-01-03T14:30:00.000Z',
      step: 0,
      mode: 'stepped',
      speed: 0,
    });
    expect(await get(simulator, `/iserver/marketdata/history?conid=${AAPL}&period=1y&bar=1d`)).toEqual({
      error: 'No data.',
    });
    expect((await step(simulator, OPEN_PLUS_5)).body).toMatchObject({ now: OPEN_PLUS_5, step: 1 });
    expect((await step(simulator, OPEN_PLUS_5)).body).toMatchObject({ step: 1 });
    expect(await step(simulator, '2014-07-07T13:34:59.999Z')).toMatchObject({
      status: 409,
      body: { code: 'CLOCK_BACK' },
    });
    expect(await step(simulator, '2030-01-01T00:00:00.000Z')).toMatchObject({ status: 422 });
    for (const body of [{}, { to: 5 }, { to: '2014-07-08' }, { to: '2014-02-30T00:00:00.000Z' }])
      expect(await admin(simulator, '/clock/step', body)).toMatchObject({ status: 400 });
  });

  test('gives history up to the market clock, as the broker shapes it', async () => {
    const history = (await get(simulator, `/iserver/marketdata/history?conid=${AAPL}&period=2y&bar=1d`)) as {
      points: number;
      data: unknown[];
    };
    expect(history).toMatchObject({ symbol: 'AAPL', points: 289, volumeFactor: 100, barLength: 86400 });
    expect(history.data).toHaveLength(290);
    expect(history.data.slice(-2)).toEqual([
      // 2014-07-03 closed early; the open of 2014-07-07 is all that is known of it.
      { o: 93.67, h: 94.1, l: 93.2, c: 94.03, v: 228918, t: Date.parse('2014-07-03T13:30:00Z') },
      { o: 94.14, h: 94.14, l: 94.14, c: 94.14, v: 0, t: Date.parse('2014-07-07T13:30:00Z') },
    ]);
    const spx = (await get(simulator, '/iserver/marketdata/history?conid=416904&period=15y&bar=1w')) as {
      data: { t: number }[];
    };
    expect(spx.data.length).toBeGreaterThan(700);
    expect(new Date(spx.data[0]?.t ?? 0).toISOString()).toBe('2000-01-03T14:30:00.000Z');
    const most = (await get(simulator, '/iserver/marketdata/history?conid=416904&period=14y&bar=1d')) as {
      data: unknown[];
    };
    expect(most.data).toHaveLength(1000);
    expect(
      await request(simulator, 'GET', '/iserver/marketdata/history?conid=1&period=1y&bar=1d'),
    ).toMatchObject({ status: 500, body: { error: 'No contract found for conid 1' } });
  });

  test('opens a snapshot stream with the first call and fills it with the next', async () => {
    const where = `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31,55,84,86,85,6509,7295,7296,7741`;
    expect(await get(simulator, where)).toEqual([{ conid: AAPL, conidEx: '265598' }]);
    expect(await get(simulator, where)).toMatchObject([
      {
        conid: AAPL,
        '31': '94.14',
        '55': 'AAPL',
        '84': '94.13',
        '86': '94.15',
        '85': '300',
        '6509': 'R',
        '7295': '94.14',
        '7296': '94.03',
        '7741': '94.03',
      },
    ]);
    expect(await get(simulator, '/iserver/marketdata/unsubscribeall')).toEqual({ unsubscribed: true });
    expect(await get(simulator, where)).toEqual([{ conid: AAPL, conidEx: '265598' }]);
  });

  test('takes a bracket, fills its entry at once, and lists all three', async () => {
    expect(await get(simulator, '/iserver/account/orders')).toEqual({ orders: [], snapshot: false });
    expect(await get(simulator, '/iserver/account/orders?force=true')).toEqual({
      orders: [],
      snapshot: false,
    });
    expect(await get(simulator, '/iserver/account/orders')).toEqual({ orders: [], snapshot: true });
    const placed = await place(simulator, bracket('entry-1'));
    expect(placed).toMatchObject({
      status: 200,
      body: [
        {
          order_id: expect.stringMatching(/^\d+$/) as string,
          local_order_id: 'entry-1',
          order_status: 'Submitted',
        },
        { order_id: expect.any(String) as string, order_status: 'PreSubmitted' },
        { order_id: expect.any(String) as string },
      ],
    });
    const id = Number((placed.body as Rows)[0]?.['order_id']);
    expect(await ordersOf(simulator)).toMatchObject([
      {
        orderId: id + 2,
        parentId: id,
        ocaGroupId: String(id),
        orderType: 'Limit',
        price: '96.50',
        status: 'Submitted',
        timeInForce: 'GTC',
        sizeAndFills: '0/10',
      },
      {
        orderId: id + 1,
        parentId: id,
        side: 'SELL',
        orderType: 'Stop',
        price: '90.00',
        status: 'PreSubmitted',
      },
      {
        orderId: id,
        conid: AAPL,
        order_ref: 'entry-1',
        status: 'Filled',
        orderType: 'Market',
        price: '',
        timeInForce: 'CLOSE',
        totalSize: 10,
        filledQuantity: 10,
        // 94.14 × 1.0005, rounded up
        avgPrice: '94.19',
        lastExecutionTime: '140707133500',
      },
    ]);
    expect(await get(simulator, `/iserver/account/order/status/${id}`)).toMatchObject({
      order_id: id,
      side: 'B',
      size: '0.0',
      cum_fill: '10.0',
      order_status: 'Filled',
      order_ccp_status: '2',
    });
    expect(await request(simulator, 'GET', '/iserver/account/order/status/77')).toMatchObject({
      status: 503,
      body: { error: 'Order 77 is not found', statusCode: 503 },
    });
    expect(await get(simulator, '/iserver/account/trades')).toEqual([]);
    expect(await get(simulator, '/iserver/account/trades')).toMatchObject([
      {
        order_ref: 'entry-1',
        order_id: id,
        side: 'B',
        size: 10,
        price: '94.19',
        commission: '1',
        conid: AAPL,
      },
    ]);
  });

  test('keeps the books of the account', async () => {
    expect(await get(simulator, '/portfolio/accounts')).toMatchObject([{ id: ACCOUNT, currency: 'USD' }]);
    // 100000 − 941.90 − 1.00 of cash, 10 shares at 94.14
    expect(await get(simulator, `/portfolio/${ACCOUNT}/ledger`)).toMatchObject({
      USD: { cashbalance: 99057.1, settledcash: 99057.1, netliquidationvalue: 99998.5 },
      BASE: { cashbalance: 99057.1 },
    });
    expect(await get(simulator, `/portfolio/${ACCOUNT}/summary`)).toMatchObject({
      netliquidation: { amount: 99998.5, currency: 'USD', value: '99998.5', isNull: false },
      'totalcashvalue-s': { amount: 99057.1 },
    });
    const [sparse] = (await get(simulator, `/portfolio/${ACCOUNT}/positions/0`)) as Rows;
    expect(sparse).toMatchObject({ conid: AAPL, position: 10, avgCost: 94.29, mktPrice: 94.14 });
    expect(sparse).not.toHaveProperty('ticker');
    expect(await post(simulator, `/portfolio/${ACCOUNT}/positions/invalidate`)).toEqual({
      message: 'success',
    });
    expect(await get(simulator, `/portfolio/${ACCOUNT}/positions/0`)).toMatchObject([{ ticker: 'AAPL' }]);
    expect(await get(simulator, `/portfolio/${ACCOUNT}/positions/1`)).toEqual([]);
  });

  test('refuses a client order id that it knows, and what the account cannot pay', async () => {
    expect((await place(simulator, bracket('entry-1'))).body).toEqual({
      error: "Order couldn't be submitted: Local order ID=entry-1 is already registered.",
    });
    expect((await place(simulator, { orders: [order({ cOID: 'dear', quantity: 5000 })] })).body).toEqual({
      error: expect.stringContaining('YOUR ORDER IS NOT ACCEPTED') as string,
    });
    const failed = await place(simulator, {
      orders: [
        order({ cOID: 'odd-leg', orderType: 'LMT', price: 80 }),
        order({ parentId: 'odd-leg', side: 'SELL', orderType: 'STP', price: 70.001 }),
      ],
    });
    expect(failed.body).toMatchObject([
      { local_order_id: 'odd-leg' },
      { order_id: '-1', order_status: 'Failed', text: expect.stringContaining('price variation') as string },
    ]);
  });

  test('modifies and cancels what is open, and says what is not', async () => {
    const [odd] = (await ordersOf(simulator)) as [Record<string, unknown>];
    const where = `/iserver/account/${ACCOUNT}/order/${String(odd['orderId'])}`;
    const changed = order({ orderType: 'LMT', price: 81.5, quantity: 12 });
    expect((await request(simulator, 'POST', where, { body: changed })).body).toMatchObject([
      { order_id: String(odd['orderId']) },
    ]);
    expect(await ordersOf(simulator)).toMatchObject([{ price: '81.50', totalSize: 12 }, {}, {}, {}]);
    expect((await request(simulator, 'DELETE', where)).body).toMatchObject({
      msg: 'Request was submitted',
      order_id: odd['orderId'],
    });
    expect(await ordersOf(simulator)).toMatchObject([{ status: 'Cancelled' }, {}, {}, {}]);
    expect(await request(simulator, 'DELETE', where)).toMatchObject({
      status: 400,
      body: { error: 'Order is inactive' },
    });
    expect(await request(simulator, 'DELETE', `/iserver/account/${ACCOUNT}/order/1`)).toMatchObject({
      status: 400,
      body: { error: "OrderID 1 doesn't exist" },
    });
  });

  test('ends a DAY order with its session, and lets the target end the bracket', async () => {
    await place(simulator, { orders: [order({ cOID: 'day', orderType: 'LMT', price: 50 })] });
    await step(simulator, '2014-07-07T20:00:00.000Z');
    expect(await ordersOf(simulator)).toMatchObject([
      {
        order_ref: 'day',
        status: 'Cancelled',
        order_cancellation_by_system_reason: 'DAY order expired at the close of 2014-07-07',
      },
      {},
      { status: 'PreSubmitted' },
      { status: 'PreSubmitted' },
      {},
    ]);
    const snapshot = `/iserver/marketdata/snapshot?conids=${AAPL}&fields=31,87`;
    await get(simulator, snapshot);
    expect(await get(simulator, snapshot)).toMatchObject([
      { '31': 'C95.97', '87': '56.5M', '87_raw': 56468000 },
    ]);
    // The high of 2014-07-08 is 96.80.
    await step(simulator, '2014-07-08T20:00:00.000Z');
    expect((await ordersOf(simulator)).map(({ status, avgPrice }) => [status, avgPrice])).toEqual([
      ['Cancelled', undefined],
      ['Cancelled', undefined],
      ['Filled', '96.5'],
      ['Cancelled', undefined],
      ['Filled', '94.19'],
    ]);
    expect(await get(simulator, `/portfolio/${ACCOUNT}/ledger`)).toMatchObject({
      USD: { cashbalance: 100021.1, stockmarketvalue: 0, realizedpnl: 21.1 },
    });
    expect(await get(simulator, '/iserver/account/orders?filters=filled')).toMatchObject({
      orders: [{ status: 'Filled' }, { status: 'Filled' }],
    });
  });

  test('runs faster than time, and stops', async () => {
    const speed = 3600;
    const before = Date.parse('2014-07-08T20:00:00.000Z');
    expect((await admin(simulator, '/clock/run', { speed })).body).toMatchObject({ mode: 'running', speed });
    expect(await step(simulator, '2014-07-10T20:00:00.000Z')).toMatchObject({
      status: 409,
      body: { code: 'CLOCK_RUNNING' },
    });
    const read = async () => (await admin(simulator, '/clock')).body as { now: string; step: number };
    await expect
      .poll(async () => Date.parse((await read()).now), { timeout: 10_000 })
      .toBeGreaterThan(before);
    const stopped = (await admin(simulator, '/clock/stop', {})).body as { now: string; step: number };
    expect(stopped).toMatchObject({ mode: 'stepped', speed: 0, step: 3 });
    expect(await read()).toEqual(stopped);
    expect(await admin(simulator, '/clock/run', { speed: 0 })).toMatchObject({ status: 400 });
  });

  test('refuses a second simulator in its directory', async () => {
    await expect(startSimulator(optionsFor(folder.path))).rejects.toMatchObject({
      code: 'SIMULATOR_DIRECTORY_IN_USE',
    });
  });
});

describe('the simulator as a process', () => {
  const folder = tempFolder('simulator-process');
  const launch = (env: Record<string, string> = {}) => launchSimulator(folder.path, env);
  const launchReady = (env: Record<string, string> = {}) => launchReadySimulator(folder.path, env);
  afterAll(() => {
    folder.remove();
  });

  test('stands where it stood after SIGKILL, and goes on to the same end', async () => {
    const first = await launchReady();
    await step(first.facts, OPEN_PLUS_5);
    await get(first.facts, '/iserver/accounts');
    await place(first.facts, bracket('survivor'));
    const before = await visibleState(first.facts);
    first.child.kill('SIGKILL');
    await first.exit;

    const second = await launchReady();
    expect(await visibleState(second.facts)).toEqual(before);
    expect((await place(second.facts, bracket('survivor'))).text).toContain('already registered');
    await step(second.facts, '2014-07-08T20:00:00.000Z');
    expect((await ordersOf(second.facts)).map(({ status }) => status)).toEqual([
      'Filled',
      'Cancelled',
      'Filled',
    ]);
    second.child.kill('SIGTERM');
    expect(await second.exit).toEqual({ code: 0, signal: null, errors: '' });
    expect(existsSync(path.join(folder.path, 'simulator.lock'))).toBe(false);
  });

  test('has every order it answered for, killed in the midst of many', async () => {
    const first = await launchReady();
    await get(first.facts, '/iserver/accounts');
    const answered: string[] = [];
    const customers = [0, 1, 2].map(async (customer) => {
      for (let number = 0; ; number += 1) {
        const cOID = `burst-${customer}-${number}`;
        const sent = { orders: [order({ cOID, quantity: 1, orderType: 'LMT', price: 1, tif: 'GTC' })] };
        const { status } = await place(first.facts, sent);
        if (status !== 200) throw new Error(`status ${status}`);
        answered.push(cOID);
        if (answered.length === 20) first.child.kill('SIGKILL');
      }
    });
    await Promise.allSettled(customers);
    await first.exit;

    const second = await launchReady();
    await prime(second.facts);
    const known = (await ordersOf(second.facts)).map((row) => row['order_ref']);
    expect(answered.filter((cOID) => !known.includes(cOID))).toEqual([]);
    // At most the one order of each customer whose answer was lost comes on top.
    const burst = known.filter((cOID) => String(cOID).startsWith('burst-'));
    expect(burst.length - answered.length).toBeLessThanOrEqual(3);
    second.child.kill('SIGTERM');
    await second.exit;
  });

  test('cuts off a torn line and says so, and refuses any other damage', async () => {
    const file = path.join(folder.path, 'ledger.jsonl');
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole, Buffer.from('{"seq":')]));
    const torn = await launchReady();
    expect((await admin(torn.facts, '/health')).body).toMatchObject({ ledgerCutBytes: 7 });
    torn.child.kill('SIGTERM');
    await torn.exit;
    expect(readFileSync(file)).toEqual(whole);

    writeFileSync(file, whole.toString().replace('"quantity":"10"', '"quantity":"ten"'));
    const damaged = await launch();
    expect(damaged.facts).toBeNull();
    const { code, errors } = await damaged.exit;
    expect(code).toBe(1);
    expect(errors).toMatch(/^simulator: LEDGER_DAMAGED: .* is damaged at line \d+: .*\n$/);
    writeFileSync(file, whole);
  });

  test('refuses a second process, a taken port, a short token and a file in place of its directory', async () => {
    const first = await launchReady();
    const { port } = new URL(first.facts.baseUrl);
    const elsewhere = tempFolder('simulator-elsewhere');
    const blocked = path.join(elsewhere.path, 'file');
    writeFileSync(blocked, '');
    chmodSync(blocked, 0o400);
    for (const [env, words] of [
      [{}, 'SIMULATOR_DIRECTORY_IN_USE'],
      [{ KEEL_SIMULATOR_DIR: elsewhere.path, KEEL_SIMULATOR_PORT: port }, 'PORT_IN_USE'],
      [{ KEEL_SIMULATOR_DIR: elsewhere.path, KEEL_SIMULATOR_HOST: 'nohost.invalid' }, 'SIMULATOR_ADDRESS'],
      [{ KEEL_SIMULATOR_DIR: blocked }, 'SIMULATOR_DIRECTORY'],
      [{ KEEL_SIMULATOR_ADMIN_TOKEN: 'short' }, 'oken'],
    ] as const) {
      const refused = await launch(env);
      expect(refused.facts).toBeNull();
      const { code, errors } = await refused.exit;
      expect(code).toBe(1);
      expect(errors).toContain(words);
    }
    expect(existsSync(path.join(elsewhere.path, 'simulator.lock'))).toBe(false);
    first.child.kill('SIGTERM');
    await first.exit;
    elsewhere.remove();
  });
});
