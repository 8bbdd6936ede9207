import { describe, expect, it } from 'vitest';
import { ACCOUNT, CONID, exchangeOf, sessions } from '../testing/exchange.js';
import type { Prices, TestExchange } from '../testing/exchange.js';
import { settledCash } from './accounts.js';
import { apply } from './apply.js';
import { accountOf, emptyState, holdingOf } from './state.js';

const flat: Prices = [100, 101, 99, 100];
const held = (test: TestExchange): string => holdingOf(accountOf(test.state, ACCOUNT), CONID).quantity;
const fills = (test: TestExchange): [string, string, string][] =>
  test.state.executions.map(({ side, quantity, price }) => [side, quantity, price]);
const states = (test: TestExchange): string[] => [...test.state.orders.values()].map(({ state }) => state);
const sell = { side: 'SELL', tif: 'GTC' } as const;

/** Ten shares bought at 100.10 in the first session. */
function long(bars: readonly Prices[], change: Parameters<typeof exchangeOf>[2] = {}): TestExchange {
  const test = exchangeOf([flat, ...bars], '10000', change);
  test.place({});
  return test;
}

describe('a stop-limit order', () => {
  const protect = { ...sell, orderType: 'STOP_LIMIT', auxPrice: '95', price: '94' } as const;

  it('becomes a limit order at its stop, and fills there when that is no worse than its limit', () => {
    const test = long([[100, 101, 90, 96]]);
    test.place(protect);
    test.stepToClose(1);
    // Touched at 95, a limit of 94 is at once marketable there: no slippage.
    expect(fills(test)[1]).toEqual(['SELL', '10', '95']);
    expect(test.order(1)).toMatchObject({ triggered: true, state: 'FILLED' });
  });

  it('is touched and does not fill when the market gaps beyond its limit, and fills when that comes back', () => {
    const test = long([
      [90, 92, 89, 91],
      [92, 94.5, 91, 93],
    ]);
    test.place(protect);
    test.stepToClose(1);
    expect(test.order(1)).toMatchObject({ triggered: true, state: 'WORKING' });
    test.stepToClose(2);
    expect(fills(test)[1]).toEqual(['SELL', '10', '94']);
  });

  it.each([
    [{ auxPrice: undefined }, 'needs an auxPrice'],
    [{ price: null }, 'needs a price'],
    [{ tif: 'IOC' }, 'cannot have a time in force of IOC'],
    [{ auxPrice: '95.001' }, 'minimum price variation'],
  ] as const)('is refused in words: %j', (change, words) => {
    expect(long([]).place({ ...protect, ...change })).toMatchObject({
      placed: false,
      text: expect.stringContaining(words) as string,
    });
  });
});

describe('a trailing stop with a limit', () => {
  const trail = { by: 'amt', size: '5' } as const;
  const order = { ...sell, orderType: 'TRAILLMT', trail, auxPrice: '95', price: '94' } as const;

  it('moves its limit with its stop, and trades at the limit or better once that is touched', () => {
    const test = long([[100, 110, 99, 104]]);
    test.place(order);
    test.stepToClose(1);
    // At the high of 110 the stop stands at 105 and the limit at 104; on the way down it is touched.
    expect(test.order(1)).toMatchObject({ trailedTo: '105', triggered: true, state: 'FILLED' });
    expect(fills(test)[1]).toEqual(['SELL', '10', '105']);
  });

  it('rests at its limit where the market gaps beyond it', () => {
    const test = long([
      [90, 91, 89, 90],
      [95, 96, 94, 95],
    ]);
    test.place(order);
    test.stepToClose(1);
    expect(test.order(1)).toMatchObject({ triggered: true, state: 'WORKING', trailedTo: '96' });
    test.step(2);
    expect(fills(test)[1]).toEqual(['SELL', '10', '95']);
  });

  it('follows the market down for a buy, and never reserves more than its first limit', () => {
    const test = exchangeOf([[100, 101, 90, 96]]);
    test.place({ ...order, side: 'BUY', auxPrice: '103', price: '104', trail: { by: 'amt', size: '2' } });
    expect(test.order(0).trailedTo).toBe('102');
    test.stepToClose(0);
    expect(fills(test)).toEqual([['BUY', '10', '92']]);
  });

  it('takes a new size, and its limit only where that stands', () => {
    const test = long([[100, 110, 106, 109]]);
    test.place(order);
    const { orderId } = test.order(1);
    expect(test.modify(orderId, '9', '93')).toMatch('follows the market and cannot be set');
    expect([test.modify(orderId, '9', '94'), test.modify(orderId, '8', null)]).toEqual([null, null]);
    expect(test.order(1)).toMatchObject({ quantity: '8', price: '94', trailedTo: '95' });
  });

  it.each([
    [{ price: null }, 'needs a price and an auxPrice'],
    [{ auxPrice: undefined }, 'needs a price and an auxPrice'],
    [{ trail: undefined }, 'needs a trailingType'],
    [{ auxPrice: '95.001' }, 'minimum price variation'],
    [{ tif: 'IOC' }, 'cannot have a time in force'],
  ] as const)('is refused in words: %j', (change, words) => {
    expect(long([]).place({ ...order, ...change })).toMatchObject({
      placed: false,
      text: expect.stringContaining(words) as string,
    });
  });
});

describe('a trailing stop', () => {
  const trailing = (by: 'amt' | '%', size: string) =>
    ({ ...sell, orderType: 'TRAIL', trail: { by, size } }) as const;

  it('follows the market up by an amount, never down, and fills where it is touched', () => {
    const test = long([
      [100, 110, 99, 109],
      [108, 109, 104, 105],
    ]);
    test.place(trailing('amt', '5'));
    expect(test.order(1).trailedTo).toBe('95');
    test.stepToClose(1);
    expect(test.order(1)).toMatchObject({ trailedTo: '105', state: 'WORKING' });
    test.stepToClose(2);
    // 105 × 0.999
    expect(fills(test)[1]).toEqual(['SELL', '10', '104.89']);
  });

  it('follows by a percentage and stands on the grid', () => {
    const test = long([[100, 107.77, 100, 107]]);
    test.place(trailing('%', '3'));
    expect(test.order(1).trailedTo).toBe('97');
    test.stepToClose(1);
    // 107.77 × 0.97 = 104.5369
    expect(test.order(1).trailedTo).toBe('104.53');
  });

  it('fills at the open when the market gaps through it', () => {
    const test = long([[80, 82, 79, 81]]);
    test.place(trailing('amt', '5'));
    test.step(1);
    expect(fills(test)[1]).toEqual(['SELL', '10', '79.92']);
  });

  it('trails down for a buy, and starts from its own price where it names one', () => {
    const test = exchangeOf([[100, 101, 90, 96]]);
    test.place({ orderType: 'TRAIL', price: '103', trail: { by: 'amt', size: '2' } });
    // The stop of 103 went to 102 at once, and to 92 at the low.
    expect(test.order(0).trailedTo).toBe('102');
    test.stepToClose(0);
    expect(fills(test)).toEqual([['BUY', '10', '92.1']]);
  });

  it('takes a new size, and refuses a stop that is not where it stands', () => {
    const test = long([flat]);
    test.place(trailing('amt', '5'));
    const { orderId } = test.order(1);
    expect(test.modify(orderId, '9', '97')).toMatch('follows the market and cannot be set');
    expect(test.order(1)).toMatchObject({ quantity: '10', price: null, trailedTo: '95' });
    expect([test.modify(orderId, '9', null), test.modify(orderId, '8', '95.00')]).toEqual([null, null]);
    expect(test.order(1)).toMatchObject({ quantity: '8', trailedTo: '95' });
  });

  it('follows at another distance once it is told one, and still never goes back', () => {
    const test = long([flat, [100, 110, 99, 108]]);
    test.place(trailing('amt', '5'));
    const { orderId } = test.order(1);
    expect(test.modify(orderId, '10', null, { by: 'amt', size: '2' })).toBeNull();
    expect(test.order(1)).toMatchObject({ trail: { by: 'amt', size: '2' }, trailedTo: '98' });
    expect(test.modify(orderId, '10', null, { by: '%', size: '10' })).toBeNull();
    expect(test.order(1)).toMatchObject({ trail: { by: '%', size: '10' }, trailedTo: '98' });
    expect(test.modify(orderId, '10', null, { by: '%', size: '100' })).toMatch('not below 100 percent');
    // The same distance is no change of it.
    expect(test.modify(orderId, '10', null, { by: '%', size: '10.0' })).toBeNull();
    expect(test.events.at(-1)).toMatchObject({ type: 'modify' });
    expect(test.events.at(-1)).not.toHaveProperty('trail');
    const again = emptyState(test.market.firstInstant);
    for (const event of test.events) apply(again, event);
    expect(again).toEqual(test.state);
  });

  it.each([
    undefined,
    { by: 'amt', size: '0' },
    { by: '%', size: '100' },
    { by: 'amt', size: '0.001' },
  ] as const)('is refused with a trail of %j', (trail) => {
    expect(long([]).place({ ...sell, orderType: 'TRAIL', trail }).placed).toBe(false);
  });
});

describe('the auctions', () => {
  it('fill an order for the close at the close, without slippage, and one whose limit is worse not at all', () => {
    const test = exchangeOf([[100, 101, 90, 96]]);
    test.place({ orderType: 'MOC' });
    test.place({ orderType: 'LOC', price: '95.99' });
    test.place({ orderType: 'LOC', price: '96', quantity: '1' });
    expect(fills(test)).toEqual([]);
    test.stepToClose(0);
    expect(fills(test)).toEqual([
      ['BUY', '10', '96'],
      ['BUY', '1', '96'],
    ]);
    expect(states(test)).toEqual(['FILLED', 'EXPIRED', 'FILLED']);
  });

  it('close early on a half day', () => {
    // The day after Thanksgiving ends at 13:00 in New York.
    const half = sessions.findIndex(({ date }) => date === '2014-11-28');
    const test = exchangeOf(Array.from({ length: half + 1 }, () => flat));
    test.stepToClose(half - 1);
    test.place({ orderType: 'MOC' });
    test.step('2014-11-28T17:59:59.999Z');
    expect(test.order(0)).toMatchObject({ session: '2014-11-28', state: 'WORKING' });
    test.step('2014-11-28T18:00:00.000Z');
    expect(test.order(0)).toMatchObject({ state: 'FILLED', changedAt: '2014-11-28T18:00:00.000Z' });
  });

  it('take an order for the open in the next one, not in the session that is on, and end it there', () => {
    const test = exchangeOf([flat, [105, 106, 104, 105]]);
    test.place({ tif: 'OPG' });
    test.place({ tif: 'OPG', orderType: 'LMT', price: '104.99' });
    test.stepToClose(0);
    expect(states(test)).toEqual(['WORKING', 'WORKING']);
    test.step(1, 0);
    expect(fills(test)).toEqual([['BUY', '10', '105']]);
    expect(test.order(1)).toMatchObject({
      state: 'EXPIRED',
      reason: 'OPG order did not trade at the open of 2014-07-08',
    });
  });
});

describe('an immediate-or-cancel order', () => {
  it('fills what it can at once, and the rest is cancelled', () => {
    const test = exchangeOf([flat], '1000000', { volumeShare: '0.1' });
    test.place({ tif: 'IOC', quantity: '150' });
    // A tenth of the bar's volume of 1000.
    expect(fills(test)).toEqual([['BUY', '100', '100.1']]);
    expect(test.order(0)).toMatchObject({ state: 'EXPIRED', filled: '100', averagePrice: '100.1' });
  });

  it('never rests: beyond its limit, or while the market is shut, it ends without a fill', () => {
    const test = exchangeOf([flat, flat]);
    test.place({ tif: 'IOC', orderType: 'LMT', price: '99' });
    test.stepToClose(0);
    test.place({ tif: 'IOC' });
    expect(states(test)).toEqual(['EXPIRED', 'EXPIRED']);
    expect(fills(test)).toEqual([]);
  });
});

describe('a group of which one cancels the others', () => {
  const low = { orderType: 'LMT', price: '98', single: true } as const;
  const high = { orderType: 'STP', price: '103', single: true } as const;

  it('ends with its first fill, and reserves cash for one only', () => {
    const test = exchangeOf([[100, 104, 99, 103]]);
    expect(test.place({ ...low, quantity: '90' }, { ...high, quantity: '90' })).toMatchObject({
      placed: true,
    });
    expect(test.order(0).ocaGroup).toBe(`oco-${String(test.order(0).orderId)}`);
    test.stepToClose(0);
    expect(states(test)).toEqual(['CANCELLED', 'FILLED']);
  });

  it('is not atomic: one that is refused leaves the others alive', () => {
    const test = exchangeOf([flat]);
    expect(test.place({ ...low, price: '98.001' }, high)).toMatchObject({
      placed: true,
      rows: [{ accepted: false }, { accepted: true }],
    });
    expect(states(test)).toEqual(['WORKING']);
  });

  it('is refused when every order of it is', () => {
    const test = exchangeOf([flat]);
    expect(test.place({ ...low, price: '98.001' }, { ...high, quantity: '0' })).toMatchObject({
      placed: false,
    });
    expect(test.place(low, { ...high, single: false })).toMatchObject({ placed: false });
  });

  it('lets a partial fill shrink the others by what has filled', () => {
    const test = long([[100, 106, 99, 105]], { volumeShare: '0.004' });
    // Ten shares want 4 a session: three sessions.
    expect(held(test)).toBe('4');
    test.place(
      { ...sell, quantity: '4', orderType: 'LMT', price: '120', single: true },
      { ...sell, quantity: '4', orderType: 'LMT', price: '105', single: true },
    );
    test.stepToClose(1);
    expect(test.order(2)).toMatchObject({ state: 'FILLED' });
    expect(test.order(1)).toMatchObject({ state: 'CANCELLED' });
  });
});

describe('a share of the volume', () => {
  it('fills an order that is good until cancelled over the sessions, at one commission in all', () => {
    const test = exchangeOf([flat, flat, flat], '1000000', {
      volumeShare: '0.5',
      commissionPerShare: '0.001',
    });
    test.place({ tif: 'GTC', quantity: '1200' });
    expect(test.order(0)).toMatchObject({ state: 'WORKING', filled: '500', averagePrice: '100.1' });
    test.stepToClose(2);
    expect(fills(test).map(([, units]) => units)).toEqual(['500', '500', '200']);
    // 1.00 at least for the first 500, then 0.001 a share of all 1200.
    expect(test.state.executions.map(({ commission }) => commission)).toEqual(['1', '0', '0.2']);
    expect(test.order(0)).toMatchObject({ state: 'FILLED', commission: '1.2' });
  });

  it('ends an order of the day with what it has filled', () => {
    const test = exchangeOf([flat], '1000000', { volumeShare: '0.005' });
    test.place({});
    test.stepToClose(0);
    expect(test.order(0)).toMatchObject({ state: 'EXPIRED', filled: '5' });
    expect(held(test)).toBe('5');
  });

  it('is shared by all orders of a session', () => {
    const test = exchangeOf([flat], '1000000', { volumeShare: '0.015' });
    test.place({ quantity: '10' });
    test.place({ quantity: '10' });
    expect(fills(test).map(([, units]) => units)).toEqual(['10', '5']);
  });

  it('lets the legs of a bracket work for what has filled, and keeps them so when the entry ends', () => {
    const test = exchangeOf([flat, [100, 112, 99, 111], [100, 101, 99, 100]], '1000000', {
      volumeShare: '0.006',
    });
    const leg = { parent: 'entry', side: 'SELL', tif: 'GTC' } as const;
    test.place(
      { cOID: 'entry' },
      { ...leg, orderType: 'STP', price: '90' },
      { ...leg, orderType: 'LMT', price: '110' },
    );
    expect(states(test)).toEqual(['WORKING', 'WORKING', 'WORKING']);
    test.stepToClose(0);
    expect(test.order(0)).toMatchObject({ state: 'EXPIRED', filled: '6' });
    expect([1, 2].map((index) => test.order(index).quantity)).toEqual(['6', '6']);
    test.stepToClose(1);
    expect(states(test)).toEqual(['EXPIRED', 'CANCELLED', 'FILLED']);
    expect(held(test)).toBe('0');
  });

  it('keeps a stop that was touched at the market until all of it is sold', () => {
    const test = exchangeOf([flat, [100, 101, 94, 99], [99, 100, 98, 99]], '1000000', {
      volumeShare: '0.006',
    });
    test.place({ quantity: '6' });
    test.place({ ...sell, quantity: '6', orderType: 'STP', price: '95' });
    test.stepToClose(0);
    test.place({ quantity: '3', tif: 'GTC', orderType: 'LMT', price: '99.95' });
    test.stepToClose(1);
    expect(fills(test).slice(1)).toEqual([
      ['BUY', '3', '99.95'],
      ['SELL', '3', '94.9'],
    ]);
    expect(test.order(1)).toMatchObject({ triggered: true, state: 'WORKING' });
    test.step(2);
    expect(fills(test).at(-1)).toEqual(['SELL', '3', '98.9']);
  });
});

describe('spread, halts and settlement', () => {
  it('charges half the spread to who takes, and lets a limit trade only where the quote reaches it', () => {
    const test = exchangeOf([[100, 101, 98.9, 100]], '100000', { spread: '0.002', slippage: '0' });
    test.place({});
    test.place({ orderType: 'LMT', price: '100.05' });
    test.place({ orderType: 'LMT', price: '98.95' });
    test.place({ orderType: 'LMT', price: '99' });
    test.stepToClose(0);
    expect(fills(test)).toEqual([
      ['BUY', '10', '100.1'],
      ['BUY', '10', '100.05'],
      ['BUY', '10', '99'],
    ]);
    expect(test.order(2).state).toBe('EXPIRED');
  });

  it('fills nothing while trading is halted, and goes on where the market stands', () => {
    const test = exchangeOf([flat, [90, 91, 89, 90]]);
    test.halt();
    test.place({ tif: 'GTC' });
    test.stepToClose(0);
    test.step(1);
    expect(fills(test)).toEqual([]);
    test.resume();
    expect(fills(test)).toEqual([['BUY', '10', '90.09']]);
    expect(test.events.filter(({ type }) => type === 'halt' || type === 'resume')).toHaveLength(2);
  });

  it('still ends orders of the day in a halt', () => {
    const test = exchangeOf([flat]);
    test.halt();
    test.place({});
    test.stepToClose(0);
    expect(states(test)).toEqual(['EXPIRED']);
  });

  it('lets what a sale brought be spent only at the open of the session in which it settles', () => {
    const test = exchangeOf([flat, flat, flat], '1010', { settlementSessions: 2, slippage: '0' });
    test.place({});
    test.place({ side: 'SELL' });
    const account = accountOf(test.state, ACCOUNT);
    expect([account.cash, settledCash(account, test.state.now).toString()]).toEqual(['1008', '9']);
    expect(test.place({ quantity: '1' }).placed).toBe(false);
    test.step('2014-07-09T13:29:59.999Z');
    expect(test.place({ quantity: '1' }).placed).toBe(false);
    test.step(2, 0);
    expect(test.place({ quantity: '1' }).placed).toBe(true);
  });

  it('is no sale whose commission neither it nor the account can pay', () => {
    const test = exchangeOf([flat, flat], '251', { slippage: '0', commissionMinimum: '150' });
    test.place({ quantity: '1' });
    test.place({ side: 'SELL', quantity: '1' });
    expect(states(test)).toEqual(['FILLED', 'REJECTED']);
    expect(test.order(1).reason).toContain('commission');
    expect(accountOf(test.state, ACCOUNT).cash).toBe('1');
  });

  it('lets no more be spent than there is while a sale that cost more than it brought settles', () => {
    const test = exchangeOf([flat, flat], '2000', {
      settlementSessions: 1,
      slippage: '0',
      commissionMinimum: '150',
    });
    test.place({ quantity: '1' });
    test.place({ side: 'SELL', quantity: '1' });
    const account = accountOf(test.state, ACCOUNT);
    expect([account.cash, settledCash(account, test.state.now).toString()]).toEqual(['1700', '1700']);
  });
});

describe('a split', () => {
  const splits = [{ date: '2014-07-08', numerator: 4, denominator: 1 }];
  const quarter: Prices = [25, 26, 24, 25];

  it("makes more shares of a lower price at the open, and history is in today's shares", () => {
    const test = long([quarter], { splits });
    test.place({ ...sell, orderType: 'STP', price: '95' });
    const cash = accountOf(test.state, ACCOUNT).cash;
    test.step(1);
    expect(held(test)).toBe('40');
    expect(accountOf(test.state, ACCOUNT).cash).toBe(cash);
    expect(test.order(1)).toMatchObject({ quantity: '40', price: '23.75', state: 'WORKING' });
    const [first] = test.market.bars(CONID, 'daily', test.state.now, test.state.now);
    expect(first).toMatchObject({ open: 25, close: 25, volume: 4000 });
    expect(test.market.quote(CONID, test.state.now)).toMatchObject({ last: 25, priorClose: 25 });
  });

  it('is not known before its open', () => {
    const test = exchangeOf([flat, quarter], '10000', { splits });
    test.stepToClose(0);
    expect(test.market.quote(CONID, test.state.now)?.last).toBe(100);
    expect(test.market.bars(CONID, 'daily', test.state.now, test.state.now)[0]?.close).toBe(100);
  });

  it('pays a fraction of a share in cash, also where nothing is open', () => {
    const test = long([[400, 401, 399, 400]], {
      splits: [{ date: '2014-07-08', numerator: 1, denominator: 4 }],
    });
    const before = Number(accountOf(test.state, ACCOUNT).cash);
    test.step(1);
    // Ten become two and a half.
    expect(held(test)).toBe('2');
    expect(Number(accountOf(test.state, ACCOUNT).cash)).toBe(before + 200);
  });
});

describe('crypto', () => {
  it('trades on a Saturday, in fractions, from midnight to midnight UTC', () => {
    const days: Prices[] = Array.from({ length: 8 }, (_, day) => [100 + day, 101 + day, 99 + day, 100 + day]);
    const test = exchangeOf(days, '10000', { kind: 'crypto' });
    test.step('2014-07-12T15:00:00.000Z');
    expect(test.place({ quantity: '0.00005' }).placed).toBe(false);
    test.place({ quantity: '0.2501' });
    test.place({ quantity: '1', orderType: 'LMT', price: '104.5' });
    expect(fills(test)).toEqual([['BUY', '0.2501', '105.11']]);
    test.step('2014-07-13T00:00:00.000Z');
    expect(fills(test)[1]).toEqual(['BUY', '1', '104.5']);
    test.place({ quantity: '1', orderType: 'LMT', price: '90' });
    test.step('2014-07-14T00:00:00.000Z');
    expect(test.order(2)).toMatchObject({ state: 'EXPIRED', changedAt: '2014-07-13T23:59:59.999Z' });
  });
});
