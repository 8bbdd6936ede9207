// The IBKR adapter and the clocks against the simulator, each with its own socket: https, http, nothing in between.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMarketStepper, createSimulatedMarketClock } from '../adapters/clocks/simulated.js';
import type { DeskOrder } from '../adapters/ibkr/deskOrders.js';
import type { IbkrGateway } from '../adapters/ibkr/gateway.js';
import { createBrokerPrices } from '../adapters/prices/broker.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  accountId,
  adminOf,
  adminToken,
  clock,
  connect,
  opened,
  optionsOf,
  simulatorContract,
} from './support/ibkr.js';
import { freePort } from './support/ports.js';
import { get } from './support/simulator.js';
import { tempFolder } from './support/temp.js';

const start = (directory: string): Promise<Simulator> => startSimulator(optionsOf(directory));

/** What a person does at the gateway's page. */
const logIn = async ({ adminUrl }: Simulator): Promise<void> => {
  await fetch(`${adminUrl}/login`, { method: 'POST', headers: { authorization: `Bearer ${adminToken}` } });
};

simulatorContract('the simulator through the IBKR adapter', start, connect);

describe('the simulator', () => {
  const folder = tempFolder('ibkr');
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await start(folder.path);
  });
  afterAll(async () => {
    await simulator.close();
    folder.remove();
  });

  test('steps its clock for whoever has the token, and never back', async () => {
    const market = createSimulatedMarketClock(adminOf(simulator));
    const before = await market.now();
    const stepped = await createMarketStepper(adminOf(simulator)).step(opened);
    expect(stepped).toEqual({ now: opened, step: before.step + 1 });
    expect(await market.now()).toEqual(stepped);
    await expect(createMarketStepper(adminOf(simulator)).step(before.now)).rejects.toMatchObject({
      code: 'MARKET_CLOCK_REFUSED',
      facts: { reason: 'CLOCK_BACK' },
    });
    const stranger = { ...adminOf(simulator), token: 'another-token-of-16' };
    await expect(createSimulatedMarketClock(stranger).now()).rejects.toMatchObject({
      code: 'MARKET_CLOCK_REFUSED',
      facts: { status: 401 },
    });
  });

  test('gives prices to people too, each with its age: open, shut and halted', async () => {
    const marketClock = createSimulatedMarketClock(adminOf(simulator));
    const stepper = createMarketStepper(adminOf(simulator));
    const ibkr = connect(simulator);
    const source = createBrokerPrices({
      ...{ broker: ibkr.broker, calendar: createNyseCalendar(), marketClock, clock },
      ...{ timeoutMs: 10_000, perMinute: 100 },
    });
    expect(await source.price('AAPL')).toMatchObject({ price: '94.14', currency: 'USD', at: opened });
    await stepper.step('2014-07-07T22:00:00.000Z');
    expect(await source.price('AAPL')).toMatchObject({ price: '95.97', at: '2014-07-07T20:00:00.000Z' });
    await stepper.step('2014-07-08T13:35:00.000Z');
    const halt = (method: string, where: string, body?: string): Promise<Response> =>
      fetch(`${simulator.adminUrl}/halts${where}`, {
        method,
        headers: { Authorization: `Bearer ${adminToken}` },
        ...(body !== undefined && { body }),
      });
    expect((await halt('POST', '', JSON.stringify({ symbol: 'AAPL' }))).status).toBe(201);
    await expect(source.price('AAPL')).rejects.toMatchObject({ code: 'PRICE_HALTED' });
    await halt('DELETE', '/AAPL');
    expect((await source.price('AAPL')).at).toBe('2014-07-08T13:35:00.000Z');
    await expect(source.price('ZZZZ')).rejects.toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    ibkr.close();
  });

  test('gives many prices by one snapshot, each with its own error, and gets lines back that nobody asks for', async () => {
    const marketClock = createSimulatedMarketClock(adminOf(simulator));
    let shift = 0;
    const ibkr = connect(simulator, { clock: { now: () => clock.now() + shift } });
    const source = createBrokerPrices({
      ...{ broker: ibkr.broker, calendar: createNyseCalendar(), marketClock, clock },
      ...{ timeoutMs: 10_000, perMinute: 100 },
    });
    const said = (await source.prices?.(['AAPL', 'SPX', 'ZZZZ'])) ?? new Map<string, never>();
    expect([...said.keys()]).toEqual(['AAPL', 'SPX', 'ZZZZ']);
    expect(said.get('AAPL')).toMatchObject({ symbol: 'AAPL', at: '2014-07-08T13:35:00.000Z' });
    expect(said.get('SPX')).toMatchObject({ symbol: 'SPX', currency: 'USD' });
    expect(said.get('ZZZZ')).toMatchObject({ code: 'PRICE_UNKNOWN_SYMBOL' });
    const conids = await Promise.all(
      ['AAPL', 'SPX'].map(async (symbol) => ibkr.broker.resolveContract(symbol)),
    );
    /** Whether the first answer has the price: the line is open. */
    const open = async (conid: string): Promise<boolean> => {
      const [row] = (await get(
        simulator,
        `/iserver/marketdata/snapshot?conids=${conid}&fields=31`,
      )) as object[];
      return row !== undefined && '31' in row;
    };
    // Whoever has asked for nothing but SPX in five minutes of the gateway wants AAPL no more.
    shift = 5 * 60_000;
    await source.prices?.(['SPX']);
    expect(await Promise.all(conids.map(({ conid }) => open(conid)))).toEqual([false, true]);
    ibkr.close();
  });

  test('is refused in mode live, for it is no live account', async () => {
    const ibkr = connect(simulator, { mode: 'live' });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'final',
    });
    ibkr.close();
  });

  test('is refused when its certificate is not the pinned one', async () => {
    const ibkr = connect(simulator, { certSha256: ['ab'.repeat(32)] });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({ code: 'IBKR_TLS' });
    ibkr.close();
  });

  test('gives its orders through lists that never say they are complete, once two are the same', async () => {
    const kept = tempFolder('ibkr-never-complete');
    const own = await start(kept.path);
    await createMarketStepper(adminOf(own)).step(opened);
    const ibkr = connect(own);
    await fetch(`${own.adminUrl}/faults`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'snapshot-false', times: null }),
    });
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
    const contract = await ibkr.broker.resolveContract('AAPL');
    const sides = { side: 'BUY', quantity: '1', limit: '93.5', stop: null, target: null } as const;
    const placed = await ibkr.broker.placeOrder(
      { ...sides, clientOrderId: 'never-complete', accountId, contract },
      () => undefined,
    );
    expect(placed.kind).toBe('accepted');
    expect((await ibkr.broker.orders(accountId)).orders).toMatchObject([{ clientOrderId: 'never-complete' }]);
    ibkr.close();
    await own.close();
    kept.remove();
  });

  test('tells of an order by its id that its list leaves out', async () => {
    const kept = tempFolder('ibkr-left-out');
    const own = await start(kept.path);
    await createMarketStepper(adminOf(own)).step(opened);
    const ibkr = connect(own);
    const contract = await ibkr.broker.resolveContract('AAPL');
    const sides = { side: 'BUY', quantity: '1', limit: '80', stop: null, target: null } as const;
    await ibkr.broker.placeOrder(
      { ...sides, clientOrderId: 'left-out', accountId, contract },
      () => undefined,
    );
    const [listed] = (await ibkr.broker.orders(accountId)).orders;
    if (listed === undefined) throw new Error('the order is not listed');
    await fetch(`${own.adminUrl}/faults`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'empty-orders' }),
    });
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
    expect(await ibkr.broker.orderNow(accountId, listed)).toEqual({ ...listed, status: 'WORKING' });
    ibkr.close();
    await own.close();
    kept.remove();
  });

  test('may start anew between two calls: the session is prepared again', async () => {
    const again = tempFolder('ibkr-restart');
    const port = await freePort();
    const first = await startSimulator({ ...optionsOf(again.path), port });
    await createMarketStepper(adminOf(first)).step(opened);
    const ibkr = connect(first);
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
    await first.close();
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({ errorClass: 'retryable' });
    const second = await startSimulator({
      host: '127.0.0.1',
      port,
      adminPort: 0,
      adminToken,
      directory: again.path,
      accountId,
      cash: '100000',
      slippage: '0.0005',
      commissionPerShare: '0.005',
      clock,
      onError: () => undefined,
    });
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({ code: 'IBKR_ACCOUNTS_FIRST' });
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
    ibkr.close();
    await second.close();
    again.remove();
  });
});

describe('the desk at the simulator', () => {
  const folder = tempFolder('ibkr-desk');
  const other = 'DU7654321';
  const aapl = { conid: '265598', symbol: 'AAPL' };
  const limit: DeskOrder = {
    contract: aapl,
    side: 'BUY',
    type: 'LMT',
    timeInForce: 'GTC',
    quantity: '10',
    price: '90',
  };
  let simulator: Simulator;
  let ibkr: IbkrGateway;
  beforeAll(async () => {
    simulator = await startSimulator({ ...optionsOf(folder.path), moreAccounts: [other] });
    await createMarketStepper(adminOf(simulator)).step(opened);
    // Not the account that a new session has selected: it has to be switched to.
    ibkr = connect(simulator, { accountId: other, login: other, suppressMessageIds: ['o163'] });
  });
  afterAll(async () => {
    ibkr.close();
    await simulator.close();
    folder.remove();
  });

  test('finds and describes contracts', async () => {
    const found = await ibkr.desk.search('AAPL', 'symbol');
    expect(found.map(({ conid, exchange }) => [conid, exchange])).toEqual([
      ['265598', 'NASDAQ'],
      ['38708077', 'MEXI'],
    ]);
    expect(found[0]).toMatchObject({ symbol: 'AAPL', kinds: ['STK'] });
    expect((await ibkr.desk.search('apple', 'name')).map(({ symbol }) => symbol)).toContain('AAPL');
    expect(await ibkr.desk.search('ZZZZ', 'symbol')).toEqual([]);
    const facts = await ibkr.desk.describe('265598');
    expect(facts).toMatchObject({ symbol: 'AAPL', currency: 'USD', kind: 'STK' });
    expect(facts.orderTypes).toEqual(expect.arrayContaining(['limit', 'trailing_stop_limit']));
    expect([...facts.timesInForce].sort()).toEqual(['DAY', 'GTC', 'IOC', 'OPG']);
  });

  test('pages through years of bars without a gap or a repetition', async () => {
    const [spx] = await ibkr.desk.search('SPX', 'symbol');
    const bars = await ibkr.desk.barsBack({ conid: spx?.conid ?? '', symbol: 'SPX' }, '1d', 2500);
    const days = bars.map(({ time }) => time.slice(0, 10));
    expect(bars).toHaveLength(2500);
    expect([...new Set(days)].sort()).toEqual(days);
    const calendar = createNyseCalendar();
    const between = days.slice(1).every((day, index) => calendar.next(days[index] ?? '').date === day);
    expect([days.at(-1), between]).toEqual(['2014-07-07', true]);
    const all = await ibkr.desk.barsBack(aapl, '1w', 1000);
    expect(all.length).toBeGreaterThan(50);
    expect(all.length).toBeLessThan(70);
  });

  test('reads a snapshot from its first empty answer on, and gives the line back', async () => {
    expect(await ibkr.desk.market(aapl)).toMatchObject({
      ...{ last: '94.14', bid: '94.13', ask: '94.15', open: '94.14', volume: null },
      ...{ availability: 'R', state: 'open' },
    });
    await ibkr.desk.release('265598');
    await ibkr.desk.release('265598');
    expect((await ibkr.desk.market(aapl)).last).toBe('94.14');
  });

  test('previews without placing, and says why an order would be refused', async () => {
    expect(await ibkr.desk.preview(limit)).toMatchObject({
      ...{ amount: '900', commission: '1', total: '901', positionAfter: '10', equityAfter: '99999' },
      ...{ warning: null, refusal: null },
    });
    const sale = await ibkr.desk.preview({ ...limit, side: 'SELL' });
    expect(sale.refusal).toMatch(/may not sell short/);
    expect((await ibkr.broker.orders(other)).orders).toEqual([]);
  });

  test('places a group, changes and follows its orders, and cancels one with the other', async () => {
    const trail = { by: 'amt', size: '1' } as const;
    const { outcome, orders } = await ibkr.desk.placeGroup([
      { ...limit, clientOrderId: 'group-limit' },
      { ...limit, type: 'TRAILLMT', stop: '99', price: '99.5', trail, clientOrderId: 'group-trail' },
    ]);
    expect(outcome.kind).toBe('accepted');
    const [first = '', second = ''] = orders.map(({ order }) => order?.brokerOrderId ?? '');
    expect(await ibkr.desk.modify(first, { ...limit, quantity: '7', price: '91.5' })).toEqual({
      kind: 'accepted',
      brokerOrderId: first,
    });
    expect(await ibkr.desk.status(first)).toEqual({
      ...{ brokerOrderId: first, status: 'Submitted', quantity: '7', remaining: '7', filled: '0' },
      ...{ averagePrice: null, canModify: true, canCancel: true },
    });
    expect(await ibkr.desk.modify(first, { ...limit, timeInForce: 'DAY' })).toMatchObject({
      kind: 'rejected',
    });
    // The stop of a buy follows the market down, 94.14 by now, and its limit with it.
    expect(await ibkr.desk.status(second)).toMatchObject({ status: 'PreSubmitted', quantity: '10' });
    expect(
      await ibkr.desk.modify(second, {
        ...limit,
        type: 'TRAILLMT',
        quantity: '8',
        stop: '95.14',
        price: '95.64',
        trail,
      }),
    ).toEqual({ kind: 'accepted', brokerOrderId: second });
    // At half the distance it stands nearer at once: 94.64.
    const near = { ...limit, type: 'TRAILLMT', quantity: '8', stop: '95.14', price: '95.64' } as const;
    expect(await ibkr.desk.modify(second, { ...near, trail: { by: 'amt', size: '0.5' } })).toEqual({
      kind: 'accepted',
      brokerOrderId: second,
    });
    await createMarketStepper(adminOf(simulator)).step('2014-07-07T20:00:00.000Z');
    // The session's high of 95.99 touches the stop at 94.64.
    expect(await ibkr.desk.status(second)).toMatchObject({ status: 'Filled', filled: '8', canCancel: false });
    expect(await ibkr.desk.status(first)).toMatchObject({ status: 'Cancelled' });
    expect(await ibkr.desk.modify(first, limit)).toMatchObject({ kind: 'rejected' });
    expect(await ibkr.desk.status('1')).toBeNull();
    expect(await ibkr.broker.positions(other)).toMatchObject([{ quantity: '8' }]);
  });

  test('asks no question that the session leaves out, and declines the others', async () => {
    const far = { ...limit, quantity: '1', price: '500' };
    const group = (name: string) => [
      { ...far, clientOrderId: `${name}-1` },
      { ...far, clientOrderId: `${name}-2` },
    ];
    expect((await ibkr.desk.placeGroup(group('left-out'))).outcome.kind).toBe('accepted');
    const stranger = connect(simulator, { accountId: other, login: other });
    await stranger.desk.logOut();
    await logIn(simulator);
    const { outcome, orders } = await stranger.desk.placeGroup(group('asked'));
    expect(outcome).toMatchObject({ kind: 'rejected', evidence: expect.stringMatching(/o163/) as string });
    expect(orders.map(({ order }) => order)).toEqual([null, null]);
    stranger.close();
  });

  test('tells who is logged in, and after the logout waits for a person', async () => {
    expect(await ibkr.desk.validate()).toMatchObject({ valid: true, userName: 'simulator', paper: true });
    await ibkr.desk.logOut();
    expect((await ibkr.desk.validate()).valid).toBe(false);
    await expect(ibkr.desk.market(aapl)).rejects.toMatchObject({ code: 'BROKER_SESSION' });
    await logIn(simulator);
    expect((await ibkr.desk.market(aapl)).last).toBe('95.97');
  });
});
