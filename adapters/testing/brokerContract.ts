// What every broker has to do: run by the tests of each adapter against the broker it speaks to. Its tests follow one
// order from the quote to the cancelled leg, so they run in their order.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { money, notional, price, quantity } from '../../domain/money/decimal.js';
import type { Contract } from '../../domain/market/contract.js';
import type { BrokerOrder, BrokerPort, OrderRequest } from '../../ports/broker.js';
import type { MarketDataPort } from '../../ports/marketData.js';

export interface BrokerHarness {
  readonly broker: BrokerPort;
  readonly marketData: MarketDataPort;
  /** Open, without orders or positions. */
  readonly accountId: string;
  /** Of a contract that trades now. */
  readonly symbol: string;
  readonly unknownSymbol: string;
  /** Lets the market go on until a market order for the day has filled, and its legs have not. */
  advance(): Promise<void>;
  close(): Promise<void>;
}

const decimalText = /^-?\d+(\.\d+)?$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const clientOrderId = 'CONTRACT0123456789ABCDEFGH';
const size = '3';

interface Story extends BrokerHarness {
  readonly contract: Contract;
  readonly last: string;
}

/** Legs far enough away not to be touched on the way. */
const bracket = ({ accountId, contract, last }: Story): OrderRequest => ({
  accountId,
  clientOrderId,
  contract,
  side: 'BUY',
  quantity: size,
  limit: null,
  stop: price(last).times('0.5').toFixed(2),
  target: price(last).times('1.5').toFixed(2),
});

const ours = (orders: readonly BrokerOrder[]): BrokerOrder => {
  const found = orders.filter((order) => order.clientOrderId === clientOrderId);
  expect(found).toHaveLength(1);
  const [order] = found;
  if (order === undefined) throw new Error('the order is not listed');
  return order;
};

const legsOf = (orders: readonly BrokerOrder[], parent: BrokerOrder): readonly BrokerOrder[] =>
  orders.filter((order) => order.parentBrokerOrderId === parent.brokerOrderId);

function readingTests(story: () => Story): void {
  test('describes a contract by its symbol', () => {
    const { contract, symbol } = story();
    expect(contract).toMatchObject({ symbol, currency: 'USD', quantityIncrement: '1' });
    expect(contract.conid).toMatch(/^\d+$/);
    expect(contract.priceIncrements.length).toBeGreaterThan(0);
  });

  test('refuses an unknown symbol, finally', async () => {
    await expect(story().broker.resolveContract(story().unknownSymbol)).rejects.toMatchObject({
      code: 'UNKNOWN_SYMBOL',
      errorClass: 'final',
    });
  });

  test('quotes a contract whose market is open', async () => {
    const quote = await story().broker.quote(story().contract);
    expect(quote.state).toBe('open');
    expect(quote.last).toMatch(decimalText);
    expect(price(quote.last).gt(0)).toBe(true);
  });

  test.each([
    ['daily', 50],
    ['weekly', 50],
    ['monthly', 10],
  ] as const)('has %s bars, oldest first, up to now', async (timeframe, more) => {
    const { bars } = await story().marketData.history(story().contract, timeframe);
    expect(bars.length).toBeGreaterThan(more);
    const times = bars.map((bar) => bar.time);
    expect(times.every((time) => instant.test(time))).toBe(true);
    expect(times).toEqual([...new Set(times)].sort());
    expect(bars.every((bar) => bar.low > 0 && bar.low <= bar.open && bar.high >= bar.close)).toBe(true);
  });

  test('tells the value and the cash of an account without positions, which are the same', async () => {
    const { broker, accountId } = story();
    const account = await broker.account(accountId);
    expect(account).toMatchObject({ accountId, currency: 'USD' });
    expect(money(account.netLiquidation).eq(account.settledCash)).toBe(true);
    expect(await broker.positions(accountId)).toEqual([]);
    expect((await broker.orders(accountId)).orders).toEqual([]);
    expect((await broker.executions(accountId)).executions).toEqual([]);
  });
}

function placingTests(story: () => Story): void {
  test('places nothing when the last act before the socket refuses', async () => {
    const { broker, accountId } = story();
    const refusal = new Error('halted');
    const refuse = (): void => {
      throw refusal;
    };
    await expect(broker.placeOrder(bracket(story()), refuse)).rejects.toBe(refusal);
    expect((await broker.orders(accountId)).orders).toEqual([]);
  });

  test('takes a bracket, and lists it by our id with its legs by its own', async () => {
    const { broker, accountId } = story();
    const request = bracket(story());
    let asked = 0;
    await broker.waitForOrderSlot(Number.MAX_SAFE_INTEGER);
    const outcome = await broker.placeOrder(request, () => (asked += 1));
    expect(asked).toBe(1);
    expect(outcome).toEqual({ kind: 'accepted', brokerOrderId: expect.stringMatching(/^\d+$/) as string });
    const { orders } = await broker.orders(accountId);
    const parent = ours(orders);
    expect(outcome).toMatchObject({ brokerOrderId: parent.brokerOrderId });
    expect(parent).toMatchObject({ side: 'BUY', type: 'MKT', timeInForce: 'DAY', quantity: size });
    const legs = [...legsOf(orders, parent)].sort((a, b) => b.type.localeCompare(a.type));
    expect(legs).toMatchObject([
      { side: 'SELL', type: 'STP', timeInForce: 'GTC', quantity: size, clientOrderId: null },
      { side: 'SELL', type: 'LMT', timeInForce: 'GTC', quantity: size, clientOrderId: null },
    ]);
    expect(legs.map((leg) => price(leg.price ?? '0').toFixed(2))).toEqual([request.stop, request.target]);
  });

  test('never takes the same id twice', async () => {
    const { broker, accountId } = story();
    const outcome = await broker.placeOrder(bracket(story()), () => undefined);
    expect(outcome.kind).toBe('unknown');
    ours((await broker.orders(accountId)).orders);
  });
}

function followingTests(story: () => Story): void {
  test('shows the fill as an execution, a position and cash spent', async () => {
    const { broker, accountId, contract } = story();
    await story().advance();
    const parent = ours((await broker.orders(accountId)).orders);
    expect(parent).toMatchObject({ status: 'FILLED', filledQuantity: size });
    const { executions } = await broker.executions(accountId);
    expect(executions).toMatchObject([
      { clientOrderId, conid: contract.conid, side: 'BUY', quantity: size, price: parent.averagePrice },
    ]);
    expect(executions[0]?.time).toMatch(instant);
    expect(await broker.positions(accountId)).toMatchObject([
      { conid: contract.conid, symbol: contract.symbol, quantity: size },
    ]);
    const account = await broker.account(accountId);
    const value = notional(price(parent.averagePrice ?? '0'), quantity(size));
    expect(money(account.netLiquidation).gt(account.settledCash)).toBe(true);
    expect(value.gt(0)).toBe(true);
  });

  test('keeps both legs working, and cancels what it is asked to', async () => {
    const { broker, accountId } = story();
    const parent = ours((await broker.orders(accountId)).orders);
    const legs = legsOf((await broker.orders(accountId)).orders, parent);
    expect(legs.map((leg) => leg.status)).toEqual(['WORKING', 'WORKING']);
    for (const leg of legs) await broker.cancelOrder(accountId, leg.brokerOrderId);
    const after = legsOf((await broker.orders(accountId)).orders, parent);
    expect(after.map((leg) => leg.status)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  test('calls it no error when there is nothing to cancel', async () => {
    const { broker, accountId } = story();
    const parent = ours((await broker.orders(accountId)).orders);
    expect(await broker.cancelOrder(accountId, parent.brokerOrderId)).toBe('nothing');
    expect(await broker.cancelOrder(accountId, '2000000000')).toBe('nothing');
  });

  test('never cancels everything', async () => {
    await expect(story().broker.cancelOrder(story().accountId, '-1')).rejects.toMatchObject({
      code: 'ORDER_ID_INVALID',
    });
  });
}

/** The harness is set up once; its tests tell one story. */
export function brokerContract(name: string, setUp: () => Promise<BrokerHarness>): void {
  describe(`${name} as a broker`, () => {
    let current: Story | null = null;
    const story = (): Story => {
      if (current === null) throw new Error('the broker was not set up');
      return current;
    };
    beforeAll(async () => {
      const harness = await setUp();
      await harness.broker.ensureSession();
      const contract = await harness.broker.resolveContract(harness.symbol);
      const { last } = await harness.broker.quote(contract);
      current = { ...harness, contract, last };
    });
    afterAll(async () => {
      await current?.close();
    });
    readingTests(story);
    placingTests(story);
    followingTests(story);
  });
}
