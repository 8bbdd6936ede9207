import { describe, expect, it } from 'vitest';
import { ACCOUNT, CONID, costs, exchangeOf } from '../testing/exchange.js';
import type { Prices, TestExchange } from '../testing/exchange.js';
import { mostUnits, mostUsd } from './bounds.js';
import { collecting } from './command.js';
import { accountOf } from './state.js';
import { trade } from './trades.js';
import type { Side } from './types.js';

const flat: Prices = [100, 100, 100, 100];
const dear: Prices = [100_000, 100_000, 100_000, 100_000];
const cheap: Prices = [0.01, 0.01, 0.01, 0.01];
const cent = { slippage: '0', commissionPerShare: '0', commissionMinimum: '0' };
const account = ({ state }: TestExchange) => structuredClone(accountOf(state, ACCOUNT));

function traded(test: TestExchange, side: Side, quantity: string) {
  const { market, state } = test;
  const instrument = market.instrument(CONID);
  if (instrument === undefined) throw new Error('the market has one instrument');
  const { exchange, events } = collecting(market, costs, state);
  const price = side === 'BUY' ? '1000000.00' : '0.01';
  return { result: trade(exchange, { account: ACCOUNT, instrument, side, quantity, price }), events };
}

describe('what the tables have no room for', () => {
  it('is no execution of an order, and changes nothing: cash that a sale would bring', () => {
    const test = exchangeOf([flat, dear], mostUsd.toFixed(), cent);
    test.place({ quantity: '10' });
    const before = account(test);
    test.step(1);
    test.place({ side: 'SELL', quantity: '10' });
    expect(test.order(1).state).toBe('REJECTED');
    expect(test.order(1).reason).toBe(
      'Order rejected at execution: an account of this simulator holds at most 9999999000000.00 USD of cash',
    );
    expect(account(test)).toEqual(before);
    // One at the price that it was bought for still fits.
    const other = exchangeOf([flat, flat], mostUsd.toFixed(), cent);
    other.place({ quantity: '10' });
    other.step(1);
    other.place({ side: 'SELL', quantity: '10' });
    expect(other.order(1).state).toBe('FILLED');
  });

  it('is no execution of an order: a holding that its commission makes too dear', () => {
    const one: Prices = [1, 1, 1, 1];
    const test = exchangeOf([one, dear], mostUsd.toFixed(), { ...cent, commissionPerShare: '5000' });
    test.place({ quantity: '1000000000' });
    test.step(1);
    test.place({ side: 'SELL', quantity: '50000000' });
    expect([test.order(0).state, test.order(1).state]).toEqual(['FILLED', 'FILLED']);
    const before = account(test);
    // 4.75 million millions that it cost before, 5.2 more, and 0.26 of commission.
    test.place({ quantity: '52000000' });
    expect(test.order(2)).toMatchObject({
      state: 'REJECTED',
      reason: expect.stringContaining('in one symbol, at what it cost') as string,
    });
    expect(account(test)).toEqual(before);
    test.place({ quantity: '49000000' });
    expect(test.order(3).state).toBe('FILLED');
  });

  it('is no trade of the own API either: too many units of one symbol, or too dear a holding', () => {
    const test = exchangeOf([cheap], mostUsd.toFixed(), cent);
    const before = account(test);
    const { result, events } = traded(test, 'BUY', mostUnits.plus(1).toFixed());
    expect(result).toMatchObject({ done: false, code: 'ACCOUNT_FULL' });
    expect([events, account(test)]).toEqual([[], before]);
    expect(traded(test, 'BUY', mostUnits.toFixed()).result.done).toBe(true);
    expect(traded(test, 'BUY', '0.0001').result).toMatchObject({ code: 'ACCOUNT_FULL' });
    expect(traded(test, 'SELL', mostUnits.toFixed()).result.done).toBe(true);
  });

  it('is no trade of the own API: what a sale would bring', () => {
    const test = exchangeOf([flat, dear], mostUsd.toFixed(), cent);
    expect(traded(test, 'BUY', '10').result.done).toBe(true);
    test.step(1);
    const before = account(test);
    const { result, events } = traded(test, 'SELL', '10');
    expect(result).toMatchObject({ done: false, code: 'ACCOUNT_FULL' });
    expect([events, account(test)]).toEqual([[], before]);
  });

  it('leaves what it lets in room in numeric(15,2), and in numeric(15,4) after a split of ten for one', () => {
    expect(mostUsd.lt('9999999999999.99')).toBe(true);
    expect(mostUnits.times(10).lt('99999999999.9999')).toBe(true);
  });
});
