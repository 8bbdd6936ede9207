// Answers as builds of the gateway differ in them: what IBKR's document shows and Keel's own simulator does not. No habit of
// the simulator may be what the adapter lives by.
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
});

const aapl = { conid: '265598', symbol: 'AAPL' };

describe('a list of orders', () => {
  const path = 'GET /iserver/account/orders';
  const row = {
    ...{ acct: paperAccount, account: paperAccount, orderId: 11, conid: 265598, conidex: '265598' },
    ...{ ticker: 'AAPL', side: 'BUY', orderType: 'Limit', origOrderType: 'LIMIT', timeInForce: 'CLOSE' },
    ...{ totalSize: 10, filledQuantity: 0, remainingQuantity: 10, price: '90.00', status: 'Submitted' },
    order_ref: 'OUR-ENTRY',
  };
  const leg = { ...row, orderId: 12, side: 'SELL', timeInForce: 'GTC', price: '99.00', order_ref: null };
  const listed = async (...rows: readonly object[]) => {
    gateway.on(path, { json: { orders: rows, snapshot: true } });
    return (await ibkr.broker.orders(paperAccount)).orders;
  };

  it('may hold texts where there are numbers elsewhere, and no field that only describes', async () => {
    const bare = { account: paperAccount, orderId: '11', conid: '265598', side: 'B', orderType: 'LMT' };
    expect(
      await listed({ ...bare, totalSize: '10.0', filledQuantity: '4.0', status: 'Submitted' }),
    ).toMatchObject([
      { brokerOrderId: '11', conid: '265598', side: 'BUY', quantity: '10', filledQuantity: '4', price: null },
    ]);
  });

  it.each<[string, object]>([
    ['its order id', { parentId: 11 }],
    ['its order id as text', { parentId: '11' }],
    ['our id of it', { parentId: 'OUR-ENTRY' }],
    ['the group of the exits alone', { ocaGroupId: '11' }],
  ])('tells the parent of a leg by %s', async (_how, named) => {
    expect((await listed(row, { ...leg, ...named })).map((order) => order.parentBrokerOrderId)).toEqual([
      null,
      '11',
    ]);
  });

  it.each([{ parentId: 0 }, { parentId: null }, { ocaGroupId: 'oco-11' }, { parentId: 'of nobody' }])(
    'tells of no parent by %j',
    async (named) => {
      expect((await listed(row, { ...leg, ...named }))[1]?.parentBrokerOrderId).toBeNull();
    },
  );

  it('has a row of ours under either name of the account, and none of another', async () => {
    const masked = { ...row, acct: 'U1234567' };
    const others = { ...row, acct: 'DU9999999', account: 'DU9999999' };
    expect(await listed(masked, others)).toHaveLength(1);
  });

  const byCash = { ...row, totalSize: null, cashQty: 100 };
  const named = { brokerOrderId: '11', clientOrderId: 'OUR-ENTRY', conid: '265598', side: 'BUY' };

  it.each<[string, unknown, object]>([
    ['without a quantity, as of an order for an amount of cash', byCash, { ...named, status: 'WORKING' }],
    ['with no quantity that is a number', { ...row, totalSize: 'all' }, { ...named, status: 'WORKING' }],
    ['in a state that nobody knows', { ...row, status: 'Sparkling' }, { ...named, status: null }],
    ['that is over', { ...byCash, status: 'Filled' }, { ...named, status: 'FILLED' }],
    ['without our id', { ...byCash, order_ref: null }, { ...named, clientOrderId: null }],
    ['with an empty id', { ...byCash, order_ref: '' }, { ...named, clientOrderId: null }],
    ['with a number for an id', { ...row, order_ref: 5 }, { ...named, clientOrderId: null }],
    ['without an order id', { ...row, orderId: null }, { ...named, brokerOrderId: null }],
    ['with a side that nobody knows', { ...row, side: 'SHORT' }, { ...named, side: null }],
    ['that names no account', { ...byCash, acct: null, account: null }, named],
    [
      'that is no row',
      'busy',
      { brokerOrderId: null, clientOrderId: null, conid: null, side: null, status: null },
    ],
  ])('tells of a row %s, and has the others', async (_what, broken, told) => {
    const other = { ...row, orderId: 12, order_ref: 'ANOTHER' };
    gateway.on(path, { json: { orders: [other, broken], snapshot: true } });
    const { orders, unreadable } = await ibkr.broker.orders(paperAccount);
    expect(orders.map(({ brokerOrderId }) => brokerOrderId)).toEqual(['12']);
    expect(unreadable).toEqual([
      { ...named, status: 'WORKING', problem: expect.any(String) as string, ...told },
    ]);
  });

  const phone = {
    ...{ acct: paperAccount, orderId: 81, conid: 265598, side: 'BUY', orderType: 'Market' },
    ...{ totalCashSize: 500, filledQuantity: 1.4, remainingQuantity: 0 },
  };
  it.each<[string, object, string | null]>([
    ['a buy for an amount of money that is over', { ...phone, status: 'Filled' }, 'FILLED'],
    ['one that has null for its size', { ...phone, totalSize: null, status: 'Filled' }, 'FILLED'],
    ['one in a state that no document has', { ...phone, totalSize: 2, status: 'PendingReplace' }, null],
  ])('tells of %s, made on a phone, what tells that it is not Keel’s', async (_what, made, status) => {
    gateway.on(path, { json: { orders: [row, made], snapshot: true } });
    const { orders, unreadable } = await ibkr.broker.orders(paperAccount);
    expect(orders).toHaveLength(1);
    expect(unreadable).toMatchObject([
      { brokerOrderId: '81', clientOrderId: null, conid: '265598', side: 'BUY', status },
    ]);
  });

  it('tells of no row of another account that cannot be read', async () => {
    const others = { ...byCash, acct: 'DU9999999', account: 'DU9999999' };
    gateway.on(path, { json: { orders: [row, others], snapshot: true } });
    expect(await ibkr.broker.orders(paperAccount)).toMatchObject({ orders: [{}], unreadable: [] });
  });

  it('is read again where only a row that cannot be read has changed, until it rests', async () => {
    const list = (status: string) => ({ json: { orders: [row, { ...byCash, status }], snapshot: false } });
    gateway.on(path, { json: {} }, list('Submitted'), list('Filled'), list('Filled'));
    expect((await ibkr.broker.orders(paperAccount)).unreadable).toMatchObject([{ status: 'FILLED' }]);
    expect(gateway.to(path)).toHaveLength(4);
  });

  it('is not complete where it has no orders at all, whatever the forced one was', async () => {
    gateway.on(path, { json: {} }, { json: { snapshot: true } }, { json: { orders: [row], snapshot: true } });
    expect((await ibkr.broker.orders(paperAccount)).orders).toHaveLength(1);
    gateway.on(path, { json: { snapshot: true } });
    expect(await codeOf(ibkr.broker.orders(paperAccount))).toBe('IBKR_ORDERS_NOT_READY');
  });
});

describe('an execution', () => {
  const path = 'GET /iserver/account/trades';
  const trade = {
    ...{ execution_id: '0000e0d5.6576fd38.01.01', side: 'S', size: 5, price: '192.26', commission: '1.01' },
    ...{ account: paperAccount, conid: 265598, order_id: 17_437_897_932, order_ref: 'OUR-ENTRY' },
  };

  it('may tell its time as a text only, and its symbol by other fields', async () => {
    gateway.on(path, {
      json: [{ ...trade, trade_time: '20231211-18:00:49', contract_description_1: 'AAPL' }],
    });
    expect((await ibkr.broker.executions(paperAccount)).executions).toMatchObject([
      { time: '2023-12-11T18:00:49.000Z', symbol: 'AAPL', brokerOrderId: '17437897932', quantity: '5' },
    ]);
    gateway.on(path, { json: [{ ...trade, trade_time_r: '1702317649000' }] });
    expect((await ibkr.broker.executions(paperAccount)).executions[0]).toMatchObject({
      time: '2023-12-11T18:00:49.000Z',
      symbol: 'conid 265598',
    });
  });

  it.each([{}, { trade_time: 'yesterday' }, { trade_time: '20231399-99:00:49' }])(
    'without a time is told of as unreadable: %j',
    async (time) => {
      gateway.on(path, { json: [{ ...trade, ...time }] });
      expect(await ibkr.broker.executions(paperAccount)).toMatchObject({
        executions: [],
        unreadable: [{ clientOrderId: 'OUR-ENTRY', problem: expect.stringContaining('no time') as string }],
      });
    },
  );
});

describe('an account', () => {
  const item = { currency: 'USD', isNull: false, timestamp: 1_712_156_105_000, severity: 0 };
  const summary = (value: string | null) => ({
    json: { netliquidation: { ...item, amount: 206_415_536.25, value } },
  });

  it.each([null, ''])('whose value is a number alone, its text %j', async (value) => {
    gateway.on(`GET /portfolio/${paperAccount}/summary`, summary(value));
    gateway.on(`GET /portfolio/${paperAccount}/ledger`, {
      json: { USD: { settledcash: 1000.5, currency: 'USD' }, BASE: { settledcash: 2000, currency: 'BASE' } },
    });
    expect(await ibkr.broker.account(paperAccount)).toMatchObject({
      netLiquidation: '206415536.25',
      settledCash: '1000.5',
    });
  });
});

describe('a contract without rules of increments', () => {
  const rules = 'POST /iserver/contract/rules';
  beforeEach(() => {
    gateway.on('GET /trsrv/stocks', {
      json: {
        AAPL: [{ name: 'APPLE INC', contracts: [{ conid: 265598, exchange: 'NASDAQ', isUS: true }] }],
      },
    });
    gateway.on('GET /trsrv/secdef', { json: { secdef: [{ conid: 265598, currency: 'USD' }] } });
  });

  it('has the one step of its prices', async () => {
    gateway.on(rules, { json: { error: null, increment: 0.01, incrementDigits: 2 } });
    expect((await ibkr.broker.resolveContract('AAPL')).priceIncrements).toEqual([
      { from: '0', increment: '0.01' },
    ]);
  });

  it.each([{}, { increment: 0 }, { increment: null, incrementRules: [] }])(
    'cannot be priced by %j',
    async (json) => {
      gateway.on(rules, { json });
      expect(await codeOf(ibkr.broker.resolveContract('AAPL'))).toBe('UNKNOWN_SYMBOL');
    },
  );
});

describe('market data', () => {
  it('may name the contract by conidEx alone', async () => {
    gateway.on('GET /iserver/marketdata/snapshot', {
      json: [{ conidEx: '265598', '31': '260.99', '6509': 'RpB' }],
    });
    expect(await ibkr.broker.quote(aapl)).toEqual({ last: '260.99', state: 'open' });
  });

  it('may tell the factor of volumes as a text', async () => {
    const bar = { o: 1, h: 2, l: 0.5, c: 1, v: 3, t: Date.UTC(2020, 0, 6, 14, 30) };
    gateway.on('GET /iserver/marketdata/history', { json: { volumeFactor: '100', data: [bar] } });
    const { bars } = await ibkr.marketData.history(aapl, 'daily');
    expect(bars).toMatchObject([{ volume: 300 }]);
  });
});

describe('a cancel', () => {
  const path = `DELETE /iserver/account/${paperAccount}/order/77`;

  it.each([
    { json: [{ msg: 'Request was submitted', order_id: '77', order_status: 'PreSubmitted' }] },
    { status: 400, json: { error: "OrderID 77 doesn't exist" } },
    { status: 503, json: { error: 'Order 77 is not found', statusCode: 503 } },
  ])('is asked for, or there is nothing to cancel: %j', async (answer) => {
    gateway.on(path, answer);
    await ibkr.broker.cancelOrder(paperAccount, '77');
    expect(gateway.to(path)).toHaveLength(1);
  });

  it('that the broker could not take is told', async () => {
    gateway.on(path, { status: 503, json: { error: 'request aborted', statusCode: 503 } });
    expect(await codeOf(ibkr.broker.cancelOrder(paperAccount, '77'))).toBe('IBKR_UNAVAILABLE');
  });
});
