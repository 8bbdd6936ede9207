import { describe, expect, it } from 'vitest';
import { exchangeOf, sessions } from '../testing/exchange.js';
import type { Prices, TestExchange } from '../testing/exchange.js';
import { accountOf, holdingOf } from './state.js';
import { ACCOUNT, CONID } from '../testing/exchange.js';

const flat: Prices = [100, 101, 99, 100];
const entry = { cOID: 'entry' };
const stop = (price: string) =>
  ({ parent: 'entry', side: 'SELL', orderType: 'STP', tif: 'GTC', price }) as const;
const target = (price: string) =>
  ({ parent: 'entry', side: 'SELL', orderType: 'LMT', tif: 'GTC', price }) as const;

const held = (test: TestExchange): string => holdingOf(accountOf(test.state, ACCOUNT), CONID).quantity;
const cash = (test: TestExchange): string => accountOf(test.state, ACCOUNT).cash;
const fills = (test: TestExchange): [string, string][] =>
  test.state.executions.map((execution) => [execution.side, execution.price]);

describe('a market order', () => {
  it('fills at once at the open with slippage while a session is on', () => {
    const test = exchangeOf([flat]);
    test.place({ quantity: '10' });
    expect(fills(test)).toEqual([['BUY', '100.1']]);
    expect(held(test)).toBe('10');
    // 10 × 100.10 and the least commission of 1.00
    expect(cash(test)).toBe('8998');
    expect(test.order(0).changedAt).toBe('2014-07-07T13:35:00.000Z');
  });

  it('rounds slippage against the customer on both sides', () => {
    const test = exchangeOf([[33.33, 34, 33, 33.5], flat]);
    test.place({ quantity: '10' });
    test.place({ side: 'SELL', quantity: '10' });
    // 33.33 × 1.001 = 33.36333, 33.33 × 0.999 = 33.29667
    expect(fills(test)).toEqual([
      ['BUY', '33.37'],
      ['SELL', '33.29'],
    ]);
  });

  it('waits for the next open when the market is shut, and knows nothing before it', () => {
    const test = exchangeOf([flat, [105, 106, 104, 105]]);
    test.stepToClose(0);
    test.place({});
    expect(test.order(0)).toMatchObject({ state: 'WORKING', session: '2014-07-08' });
    test.step('2014-07-08T13:29:59.999Z');
    expect(test.order(0).state).toBe('WORKING');
    test.step('2014-07-08T13:30:00.000Z');
    expect(fills(test)).toEqual([['BUY', '105.11']]);
  });

  it('costs its commission a share, rounded up to the cent', () => {
    const test = exchangeOf([flat], '1000000');
    test.place({ quantity: '301' });
    expect(test.state.executions[0]?.commission).toBe('1.51');
  });
});

describe('a limit order', () => {
  it('fills at its limit when the walk reaches it', () => {
    const test = exchangeOf([[100, 101, 95, 100]]);
    test.place({ orderType: 'LMT', price: '97' });
    expect(fills(test)).toEqual([]);
    test.stepToClose(0);
    expect(fills(test)).toEqual([['BUY', '97']]);
  });

  it('fills at the open when the market gaps through it', () => {
    const test = exchangeOf([flat, [90, 91, 89, 90]]);
    test.place({ orderType: 'LMT', tif: 'GTC', price: '97' });
    test.step(1);
    expect(fills(test)).toEqual([['BUY', '90']]);
  });

  it('fills at once at the known price when it is marketable', () => {
    const test = exchangeOf([flat]);
    test.place({ orderType: 'LMT', price: '103' });
    expect(fills(test)).toEqual([['BUY', '100']]);
  });

  it('does not fill a cent away from the low', () => {
    const test = exchangeOf([[100, 101, 95, 100]]);
    test.place({ orderType: 'LMT', price: '94.99' });
    test.stepToClose(0);
    expect(test.order(0)).toMatchObject({
      state: 'EXPIRED',
      reason: 'DAY order expired at the close of 2014-07-07',
    });
  });
});

describe('a stop order', () => {
  it('triggers by touch and fills at the stop with slippage', () => {
    const test = exchangeOf([flat, [100, 101, 95, 96]]);
    test.place({});
    test.place({ side: 'SELL', orderType: 'STP', tif: 'GTC', price: '95' });
    test.stepToClose(0);
    expect(fills(test)).toHaveLength(1);
    test.stepToClose(1);
    // 95 × 0.999 = 94.905
    expect(fills(test)[1]).toEqual(['SELL', '94.9']);
  });

  it('fills at the open, with slippage, when the market gaps through it', () => {
    const test = exchangeOf([flat, [80, 82, 79, 81]]);
    test.place({});
    test.place({ side: 'SELL', orderType: 'STP', tif: 'GTC', price: '95' });
    test.step(1);
    expect(fills(test)[1]).toEqual(['SELL', '79.92']);
  });
});

describe('a bracket', () => {
  it('holds its legs until the entry fills, then lets one cancel the other', () => {
    const test = exchangeOf([flat, [100, 112, 99, 110]]);
    test.stepToClose(0);
    test.place(entry, stop('95'), target('110'));
    expect([0, 1, 2].map((index) => test.order(index).state)).toEqual(['WORKING', 'HELD', 'HELD']);
    test.step(1);
    expect([0, 1, 2].map((index) => test.order(index).state)).toEqual(['FILLED', 'WORKING', 'WORKING']);
    test.stepToClose(1);
    expect([0, 1, 2].map((index) => test.order(index).state)).toEqual(['FILLED', 'CANCELLED', 'FILLED']);
    expect(test.events.filter((event) => event.type === 'cancel')).toMatchObject([
      { orderId: test.order(1).orderId, by: 'oca' },
    ]);
    expect(held(test)).toBe('0');
  });

  it('lets the stop win when a bar touches both legs', () => {
    const test = exchangeOf([flat, [100, 120, 90, 115]]);
    test.place(entry, stop('95'), target('110'));
    test.stepToClose(1);
    expect(fills(test)).toEqual([
      ['BUY', '100.1'],
      ['SELL', '94.9'],
    ]);
    expect(test.order(2).state).toBe('CANCELLED');
  });

  it('walks on from where an entry filled: a low after it counts', () => {
    const test = exchangeOf([[100, 111, 94, 105]]);
    test.place({ ...entry, orderType: 'LMT', price: '99' }, stop('95'), target('110'));
    test.stepToClose(0);
    expect(fills(test)).toEqual([
      ['BUY', '99'],
      ['SELL', '94.9'],
    ]);
  });

  it('walks on from where an entry filled: a low before it does not count', () => {
    const test = exchangeOf([[100, 111, 94, 105]]);
    test.place({ ...entry, orderType: 'STP', price: '104' }, stop('95'), target('110'));
    test.stepToClose(0);
    expect(fills(test)).toEqual([
      ['BUY', '104.11'],
      ['SELL', '110'],
    ]);
  });

  it('fills a leg at once that the price of its entry has passed already', () => {
    const test = exchangeOf([[100, 111, 94, 105]]);
    test.place({ ...entry, orderType: 'LMT', price: '97' }, stop('98'), target('110'));
    test.stepToClose(0);
    // 97 × 0.999 = 96.903
    expect(fills(test)[1]).toEqual(['SELL', '96.9']);
  });

  it('prefers the stop when both legs could trade at once, whichever came first', () => {
    const test = exchangeOf([flat]);
    test.place(entry, target('99'), stop('101'));
    expect(fills(test)[1]).toEqual(['SELL', '99.9']);
    expect(test.order(1).state).toBe('CANCELLED');
  });

  it('sells no more than an entry that was made smaller has bought', () => {
    const test = exchangeOf([flat, [100, 101, 90, 95]]);
    test.stepToClose(0);
    test.place(entry, stop('95'));
    test.modify(test.order(0).orderId, '5', null);
    test.stepToClose(1);
    expect(test.order(1)).toMatchObject({ state: 'FILLED', quantity: '5', reason: null });
    expect(held(test)).toBe('0');
  });

  it('ends its legs when the entry expires or is cancelled', () => {
    for (const end of ['expire', 'cancel'] as const) {
      const test = exchangeOf([flat]);
      test.place({ ...entry, orderType: 'LMT', price: '90' }, stop('85'), target('110'));
      if (end === 'cancel') test.cancel(test.order(0).orderId);
      else test.stepToClose(0);
      expect([1, 2].map((index) => test.order(index).state)).toEqual(['CANCELLED', 'CANCELLED']);
      expect(test.state.open.size).toBe(0);
    }
  });

  it('keeps its parent when a leg is refused', () => {
    const test = exchangeOf([flat]);
    const result = test.place(entry, stop('95.001'), target('110'));
    expect(result).toMatchObject({
      placed: true,
      rows: [
        { accepted: true },
        { accepted: false, text: expect.stringContaining('minimum price variation') as string },
        { accepted: true },
      ],
    });
  });
});

describe('a cash account', () => {
  it('refuses a buy above its free cash, open orders counted', () => {
    const test = exchangeOf([flat]);
    expect(test.place({ orderType: 'LMT', price: '90', quantity: '100' }).placed).toBe(true);
    expect(test.place({ quantity: '10' }).placed).toBe(false);
    expect(test.place({ quantity: '9' }).placed).toBe(true);
  });

  it('refuses a sale of shares that are not there or already offered', () => {
    const test = exchangeOf([flat]);
    expect(test.place({ side: 'SELL' }).placed).toBe(false);
    test.place({});
    expect(test.place({ side: 'SELL', orderType: 'LMT', price: '110' }).placed).toBe(true);
    expect(test.place({ side: 'SELL', quantity: '1' }).placed).toBe(false);
  });

  it('ends an accepted order that it cannot pay at the open', () => {
    const test = exchangeOf([flat, [200, 201, 199, 200]]);
    test.stepToClose(0);
    test.place({ ...entry, quantity: '99' }, { ...stop('95'), quantity: '99' });
    test.step(1);
    expect(test.order(0)).toMatchObject({
      state: 'REJECTED',
      reason: expect.stringContaining('USD needed') as string,
    });
    expect(test.order(1).state).toBe('CANCELLED');
    expect(cash(test)).toBe('10000');
  });

  it('keeps average cost with commissions and realizes the rest', () => {
    const test = exchangeOf([flat, [110, 111, 109, 110]]);
    test.place({ orderType: 'LMT', price: '100', quantity: '10' });
    test.step(1);
    test.place({ side: 'SELL', orderType: 'LMT', price: '110', quantity: '4' });
    expect(holdingOf(accountOf(test.state, ACCOUNT), CONID)).toEqual({
      quantity: '6',
      cost: '600.6',
      // 440 − 1.00 − 400.40
      realizedPnl: '38.6',
    });
  });
});

describe('orders that cannot be', () => {
  it.each([
    [{ quantity: '0' }, 'whole number of shares'],
    [{ quantity: '1.5' }, 'whole number of shares'],
    [{ quantity: '-3' }, 'whole number of shares'],
    [{ orderType: 'LMT', price: null }, 'needs a price'],
    [{ orderType: 'LMT', price: '100.005' }, 'minimum price variation'],
    [{ orderType: 'STP', price: '0' }, 'minimum price variation'],
    [{ conid: 99 }, 'not known'],
    [{ parent: 'elsewhere' }, 'not in the request'],
    [{ cOID: 'with space' }, 'cOID must be'],
  ] as const)('are refused in words: %j', (draft, words) => {
    const test = exchangeOf([flat]);
    expect(test.place(draft)).toEqual({ placed: false, text: expect.stringContaining(words) as string });
    expect(test.state.orders.size).toBe(0);
  });

  it('are refused when their client order id was used, whatever became of that order', () => {
    const test = exchangeOf([flat]);
    test.place({ cOID: 'once', orderType: 'LMT', price: '50' });
    test.cancel(test.order(0).orderId);
    expect(test.place({ cOID: 'once' })).toEqual({
      placed: false,
      text: "Order couldn't be submitted: Local order ID=once is already registered.",
    });
  });

  it('are refused after the last bar of the instrument', () => {
    const test = exchangeOf([flat]);
    test.stepToClose(0);
    expect(test.place({})).toEqual({ placed: false, text: 'TEST does not trade on 2014-07-08' });
  });
});

describe('a modified order', () => {
  it('trades on its new terms, at once where it can', () => {
    const test = exchangeOf([flat]);
    test.place({ orderType: 'LMT', price: '90' });
    expect(test.modify(test.order(0).orderId, '20', '100')).toBeNull();
    expect(test.state.executions).toMatchObject([{ quantity: '20', price: '100' }]);
  });

  it('is checked like a new one, its own reserve given back first', () => {
    const test = exchangeOf([flat]);
    test.place({ orderType: 'LMT', price: '90', quantity: '100' });
    expect(test.modify(test.order(0).orderId, '105', '90')).toBeNull();
    expect(test.modify(test.order(0).orderId, '200', '90')).toContain('cash');
    expect(test.order(0).quantity).toBe('105');
  });
});

describe('time', () => {
  it('passes years without visiting a session while nothing is open', () => {
    const test = exchangeOf([flat]);
    test.step('2024-01-02T15:00:00.000Z');
    expect(test.events.at(-1)).toEqual({ type: 'step', at: '2024-01-02T15:00:00.000Z', step: 2 });
    expect(test.events).toHaveLength(3);
  });

  it('carries a GTC order through sessions and a DAY order through none', () => {
    const quiet = sessions.slice(0, 30).map(() => flat);
    const test = exchangeOf([...quiet, [100, 101, 80, 100]]);
    test.place({ orderType: 'LMT', price: '85', tif: 'GTC' });
    test.place({ orderType: 'LMT', price: '85', quantity: '1' });
    const { orderId } = test.order(1);
    test.stepToClose(30);
    expect(test.order(0).state).toBe('FILLED');
    const ends = test.events.filter(({ type }) => type === 'expire');
    expect(ends).toMatchObject([{ orderId, at: sessions[0]?.close }]);
  });
});
