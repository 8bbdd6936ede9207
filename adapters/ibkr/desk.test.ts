// The rest of the Client Portal API, on answers as IBKR's documents and recordings have them.
import { beforeEach, describe, expect, it } from 'vitest';
import type { IbkrGateway } from './gateway.js';
import { codeOf, paperAccount } from './testing/connect.js';
import type { TestGateway } from './testing/gateway.js';
import { onFreshGateway } from './testing/hooks.js';

let gateway: TestGateway;
let ibkr: IbkrGateway;
onFreshGateway((fresh, connected) => {
  gateway = fresh;
  ibkr = connected;
  gateway.on('POST /iserver/auth/status', {
    json: { authenticated: true, connected: true, competing: false, established: true },
  });
  gateway.on('GET /iserver/accounts', {
    json: { accounts: [paperAccount], selectedAccount: paperAccount, isPaper: true },
  });
});

const aapl = { conid: '265598', symbol: 'AAPL' };
const orders = `POST /iserver/account/${paperAccount}/orders`;
const sent = (route: string): unknown => JSON.parse(gateway.to(route)[0]?.body ?? 'null');
const limit = {
  contract: aapl,
  side: 'BUY',
  type: 'LMT',
  timeInForce: 'DAY',
  quantity: '10',
  price: '185.5',
} as const;

describe('the login', () => {
  it('tells who is logged in, and leaves out what a build does not say', async () => {
    gateway.on(
      'GET /sso/validate',
      {
        json: { USER_ID: 1, USER_NAME: 'user1', RESULT: true, EXPIRES: 415_890, LOGIN_TYPE: 2, features: {} },
      },
      { json: { RESULT: false } },
    );
    expect(await ibkr.desk.validate()).toEqual({
      valid: true,
      userName: 'user1',
      paper: true,
      expiresInMs: 415_890,
    });
    expect(await ibkr.desk.validate()).toEqual({
      valid: false,
      userName: null,
      paper: null,
      expiresInMs: null,
    });
  });

  it('ends it, and prepares the next session anew', async () => {
    gateway.on('POST /logout', { json: { status: true } });
    await ibkr.broker.ensureSession();
    await ibkr.desk.logOut();
    await ibkr.broker.ensureSession();
    expect(gateway.to('POST /logout')[0]?.body).toBe('{}');
    expect(gateway.to('GET /iserver/accounts')).toHaveLength(2);
  });
});

describe('contracts', () => {
  it('are found among listings, bond issuers left out', async () => {
    gateway.on('GET /iserver/secdef/search', {
      json: [
        {
          conid: '756733',
          companyName: 'SPDR S&P 500 ETF TRUST',
          symbol: 'SPY',
          description: 'ARCA',
          sections: [{ secType: 'STK' }, { secType: 'OPT', months: 'APR26' }],
        },
        { conid: '2147483647', symbol: null, issuers: [{ id: 'e1' }] },
      ],
    });
    expect(await ibkr.desk.search('SPY', 'symbol')).toEqual([
      {
        conid: '756733',
        symbol: 'SPY',
        name: 'SPDR S&P 500 ETF TRUST',
        exchange: 'ARCA',
        kinds: ['STK', 'OPT'],
      },
    ]);
    expect(gateway.to('GET /iserver/secdef/search')[0]?.query.get('name')).toBe('false');
  });

  it.each([
    { json: [] },
    { json: { error: 'No symbol found' } },
    { status: 500, json: { error: 'not found' } },
  ])('that nobody knows are an empty list: %j', async (answer) => {
    gateway.on('GET /iserver/secdef/search', answer);
    expect(await ibkr.desk.search('ZZZZ', 'symbol')).toEqual([]);
  });

  it('are described with what they can be ordered by', async () => {
    gateway.on('GET /iserver/contract/265598/info-and-rules', {
      json: {
        symbol: 'AAPL',
        con_id: 265598,
        instrument_type: 'STK',
        currency: 'USD',
        company_name: 'APPLE INC',
        exchange: 'SMART',
        rules: {
          orderTypes: ['limit', 'stop_limit'],
          tifTypes: ['IOC/MARKET,LIMIT,a', 'GTC/o,a', 'DAY/o,a'],
        },
      },
    });
    expect(await ibkr.desk.describe('265598')).toEqual({
      conid: '265598',
      symbol: 'AAPL',
      name: 'APPLE INC',
      exchange: 'SMART',
      currency: 'USD',
      kind: 'STK',
      orderTypes: ['limit', 'stop_limit'],
      timesInForce: ['IOC', 'GTC', 'DAY'],
    });
  });
});

describe('bars in pages', () => {
  const bar = (day: number) => ({ o: 1, h: 2, l: 0.5, c: day, v: 3, t: Date.UTC(2020, 0, day, 14, 30) });
  const page = (...days: number[]) => ({ json: { volumeFactor: 100, data: days.map(bar) } });
  const route = 'GET /iserver/marketdata/history';

  it('go back from the oldest known, overlap or not, until nothing older comes', async () => {
    gateway.on(route, page(6, 7, 8), page(4, 5, 6), page(4));
    const bars = await ibkr.desk.barsBack(aapl, '1d', 10);
    expect(bars.map(({ close }) => close)).toEqual([4, 5, 6, 7, 8]);
    expect(bars[0]).toMatchObject({ time: '2020-01-04T14:30:00.000Z', volume: 300 });
    expect(gateway.to(route).map(({ query }) => query.get('startTime'))).toEqual([
      null,
      '20200106-14:30:00',
      '20200104-14:30:00',
    ]);
    expect(gateway.to(route)[0]?.query.get('period')).toBe('1000d');
  });

  it('end with as many as were wanted, the newest of them', async () => {
    gateway.on(route, page(6, 7, 8), page(3, 4, 5));
    expect((await ibkr.desk.barsBack(aapl, '1d', 4)).map(({ close }) => close)).toEqual([5, 6, 7, 8]);
    expect(gateway.to(route)).toHaveLength(2);
  });

  it.each([
    ['1min', '1d'],
    ['5min', '1d'],
    ['1h', '1m'],
    ['1d', '1000d'],
    ['1w', '792w'],
  ] as const)('of %s are asked for by a period that IBKR has them for: %s', async (each, period) => {
    gateway.on(route, page(8), { json: { error: 'No data.' } });
    await ibkr.desk.barsBack(aapl, each, 4);
    expect(gateway.to(route)[0]?.query.get('period')).toBe(period);
  });

  it('of minutes go back over the days of a long weekend, in which there are none', async () => {
    const nothing = { json: { error: 'No data.' } };
    gateway.on(route, page(7), nothing, nothing, nothing, page(3), nothing);
    const bars = await ibkr.desk.barsBack(aapl, '5min', 10);
    expect(bars.map(({ close }) => close)).toEqual([3, 7]);
    expect(gateway.to(route).map(({ query }) => query.get('startTime'))).toEqual([
      null,
      '20200107-14:30:00',
      '20200106-14:30:00',
      '20200105-14:30:00',
      '20200104-14:30:00',
      ...['20200103-14:30:00', '20200102-14:30:00', '20200101-14:30:00', '20191231-14:30:00'],
      '20191230-14:30:00',
    ]);
  });

  it('end where the broker has no more data', async () => {
    gateway.on(route, page(8), { json: { error: 'No data.' } });
    expect(await ibkr.desk.barsBack(aapl, '1w', 4)).toHaveLength(1);
  });
});

describe('a snapshot', () => {
  const route = 'GET /iserver/marketdata/snapshot';

  it('is read until its fields are there: prefixes, commas, units and exact fields', async () => {
    gateway.on(
      route,
      { json: [{ conid: 265598, conidEx: '265598' }] },
      {
        json: [
          {
            ...{
              conid: 265598,
              '31': 'C1,260.99',
              '84': '260.90',
              '86': '261.02',
              '85': '300',
              '88': '1,200',
            },
            ...{ '87': '25.5M', '87_raw': 25_500_001, '70': '262.1', '7741': '262.07', '6509': 'DPB' },
          },
        ],
      },
    );
    expect(await ibkr.desk.market(aapl)).toEqual({
      last: '1260.99',
      bid: '260.9',
      ask: '261.02',
      askSize: '300',
      bidSize: '1200',
      volume: '25500001',
      high: '262.1',
      low: null,
      open: null,
      close: null,
      priorClose: '262.07',
      availability: 'D',
      state: 'closed',
    });
  });

  it.each([
    ['25.5M', '25500000'],
    ['1.2K', '1200'],
    ['3B', '3000000000'],
    [1234.5, '1234.5'],
    ['n/a', null],
  ])('reads a volume of %s as %s', async (given, volume) => {
    gateway.on(route, { json: [{ conid: 265598, '31': 'H1', '84': '1', '86': '1', '87': given }] });
    expect(await ibkr.desk.market(aapl)).toMatchObject({ volume, state: 'halted', availability: null });
  });

  it('is given back, also where nothing was open', async () => {
    gateway.on(
      'POST /iserver/marketdata/unsubscribe',
      { json: { success: true } },
      { status: 500, json: { error: 'unknown' } },
      { status: 401, json: { error: 'not authenticated' } },
    );
    await ibkr.desk.release('265598');
    await ibkr.desk.release('265598');
    expect(sent('POST /iserver/marketdata/unsubscribe')).toEqual({ conid: 265598 });
    expect(await codeOf(ibkr.desk.release('265598'))).toBe('IBKR_ERROR');
  });
});

describe('a preview', () => {
  const route = `${orders}/whatif`;
  beforeEach(() => {
    gateway.on('GET /iserver/marketdata/snapshot', {
      json: [{ conid: 265598, '31': '1', '84': '1', '86': '1' }],
    });
  });

  it('asks for market data first, and reads the figures with commas', async () => {
    gateway.on(route, {
      json: {
        amount: { amount: '1,977.60 USD (10 Shares)', commission: '1 USD', total: '1,978.60 USD' },
        equity: { current: '215,415,594', change: '-1', after: '215,415,593' },
        position: { current: '0', change: '10', after: '10' },
        warn: '21/You are trying to submit an order without having market data',
        error: null,
      },
    });
    expect(await ibkr.desk.preview(limit)).toEqual({
      amount: '1977.6',
      commission: '1',
      total: '1978.6',
      equityAfter: '215415593',
      initialMarginAfter: null,
      maintenanceMarginAfter: null,
      positionAfter: '10',
      warning: '21/You are trying to submit an order without having market data',
      refusal: null,
    });
    expect(gateway.seen.map((request) => request.route).slice(-2)).toEqual([
      'GET /iserver/marketdata/snapshot',
      route,
    ]);
  });

  it('tells why the order would be refused, and fails where there is no preview at all', async () => {
    gateway.on(
      route,
      { json: { amount: { amount: '1 USD' }, error: 'YOUR ORDER IS NOT ACCEPTED.' } },
      { status: 500, json: { error: 'wrong account' } },
    );
    expect((await ibkr.desk.preview(limit)).refusal).toBe('YOUR ORDER IS NOT ACCEPTED.');
    expect(await codeOf(ibkr.desk.preview(limit))).toBe('IBKR_ERROR');
  });
});

describe('a change of an order', () => {
  const route = `POST /iserver/account/${paperAccount}/order/77`;

  it('sends the whole order, not wrapped, and takes the answer of an order', async () => {
    gateway.on(route, { json: [{ order_id: '77', order_status: 'Submitted', encrypt_message: '1' }] });
    expect(await ibkr.desk.modify('77', limit)).toEqual({ kind: 'accepted', brokerOrderId: '77' });
    expect(sent(route)).toMatchObject({
      conid: 265598,
      orderType: 'LMT',
      quantity: 10,
      price: 185.5,
      tif: 'DAY',
    });
  });

  it('carries how far a trailing stop follows', async () => {
    gateway.on(route, { json: [{ order_id: '77', order_status: 'PreSubmitted', encrypt_message: '1' }] });
    const trail = { by: '%', size: '2.5' } as const;
    await ibkr.desk.modify('77', { ...limit, type: 'TRAIL', price: null, trail });
    await ibkr.desk.modify('77', { ...limit, type: 'TRAILLMT', stop: '186', trail });
    expect(gateway.to(route).map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
      { orderType: 'TRAIL', trailingType: '%', trailingAmt: 2.5 },
      { orderType: 'TRAILLMT', price: 185.5, auxPrice: 186, trailingType: '%', trailingAmt: 2.5 },
    ]);
  });

  it('declines a question that is not allowed', async () => {
    gateway.on(route, { json: [{ id: 'q', message: ['Sure?'], messageIds: ['o10138'] }] });
    gateway.on('POST /iserver/reply/q', { json: { error: 'Order not confirmed ' } });
    expect(await ibkr.desk.modify('77', limit)).toMatchObject({
      kind: 'rejected',
      evidence: expect.stringContaining('Sure? (o10138)') as string,
    });
  });

  it.each(['-1', '0', 'all'])('sends nothing for the id %s', async (id) => {
    expect(await codeOf(ibkr.desk.modify(id, limit))).toBe('ORDER_INVALID');
    expect(gateway.seen).toEqual([]);
  });

  it.each([
    { price: null },
    { type: 'MKT' },
    { type: 'STOP_LIMIT' },
    { type: 'TRAIL' },
    { type: 'TRAILLMT', trail: { by: 'amt', size: '1' } },
    { trail: { by: '%', size: '1' } },
    { type: 'TRAIL', trail: { by: 'amt', size: '0' } },
    { quantity: '0' },
    { quantity: '-1' },
    { price: '0.12345678901234567890' },
    { contract: { conid: 'x', symbol: 'AAPL' } },
  ] as const)('sends nothing that cannot be an order: %j', async (change) => {
    expect(await codeOf(ibkr.desk.modify('77', { ...limit, ...change }))).toBe('ORDER_INVALID');
    expect(gateway.to(route)).toEqual([]);
  });
});

describe('the status of an order', () => {
  const route = 'GET /iserver/account/order/status/77';

  it("is in the broker's words, its numbers plain", async () => {
    gateway.on(route, {
      json: {
        ...{ order_id: 77, order_status: 'Submitted', size: '150.0', total_size: '250.0', cum_fill: '100.0' },
        ...{ average_price: '10.65', order_not_editable: false, cannot_cancel_order: true },
      },
    });
    expect(await ibkr.desk.status('77')).toEqual({
      brokerOrderId: '77',
      status: 'Submitted',
      quantity: '250',
      remaining: '150',
      filled: '100',
      averagePrice: '10.65',
      canModify: true,
      canCancel: false,
    });
  });

  it('is nothing where IBKR no longer knows the order', async () => {
    gateway.on(route, { status: 503, json: { error: 'Order 77 is not found', statusCode: 503 } });
    expect(await ibkr.desk.status('77')).toBeNull();
  });
});

describe('a group', () => {
  const group = [
    { ...limit, clientOrderId: 'one' },
    { ...limit, type: 'STP', price: '190', clientOrderId: 'two' },
  ] as const;
  const row = (orderId: number, ref: string) => ({
    ...{ acct: paperAccount, orderId, conid: 265598, ticker: 'AAPL', side: 'BUY', orderType: 'Limit' },
    ...{ totalSize: 10, filledQuantity: 0, status: 'Submitted', order_ref: ref },
  });

  it('carries an id for each order, and tells of each what the list says', async () => {
    gateway.on(orders, {
      json: [
        { order_id: '1', local_order_id: 'one', order_status: 'Submitted' },
        { order_id: '-1', order_status: 'Failed', text: 'no' },
      ],
    });
    gateway.on('GET /iserver/account/orders', { json: { orders: [row(1, 'one')], snapshot: true } });
    const result = await ibkr.desk.placeGroup(group);
    expect(result.orders).toMatchObject([
      { clientOrderId: 'one', order: { brokerOrderId: '1' } },
      { clientOrderId: 'two', order: null },
    ]);
    expect(sent(orders)).toMatchObject({
      orders: [
        { cOID: 'one', isSingleGroup: true },
        { cOID: 'two', isSingleGroup: true, orderType: 'STP', price: 190 },
      ],
    });
  });

  it('needs two orders with two ids', async () => {
    const [first] = group;
    for (const wrong of [[], [first], [first, first]])
      expect(await codeOf(ibkr.desk.placeGroup(wrong))).toBe('ORDER_INVALID');
    expect(gateway.to(orders)).toEqual([]);
  });

  it('whose answer is lost is looked for and not sent again', async () => {
    gateway.on(orders, { fault: 'drop' });
    gateway.on('GET /iserver/account/orders', {
      json: { orders: [row(1, 'one'), row(2, 'two')], snapshot: true },
    });
    const { outcome, orders: found } = await ibkr.desk.placeGroup(group);
    expect(outcome.kind).toBe('unknown');
    expect(found.every(({ order }) => order !== null)).toBe(true);
    expect(gateway.to(orders)).toHaveLength(1);
  });
});
