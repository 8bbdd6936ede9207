// Legs of a bracket whose entry or other leg has changed: they never claim more than the bracket still holds.
import { describe, expect, it } from 'vitest';
import { ACCOUNT, CONID, exchangeOf } from '../testing/exchange.js';
import type { TestExchange } from '../testing/exchange.js';
import { accountOf, holdingOf } from './state.js';

const held = (test: TestExchange): string => holdingOf(accountOf(test.state, ACCOUNT), CONID).quantity;
const fills = (test: TestExchange): [string, string, string][] =>
  test.state.executions.map(({ side, quantity, price }) => [side, quantity, price]);

const entry = { cOID: 'entry', tif: 'GTC', quantity: '100', orderType: 'LMT' } as const;
const leg = { parent: 'entry', side: 'SELL', tif: 'GTC', quantity: '100' } as const;
const stop = { ...leg, orderType: 'STP', price: '90' } as const;
const target = { ...leg, orderType: 'LMT', price: '110' } as const;

/**
 * Of an entry of 100 half has filled and is still open; the target has sold 30 of them, since 20 more that were bought took
 * the rest of the session's volume, and is cancelled.
 */
function targetCancelled(): TestExchange {
  const test = exchangeOf(
    [
      [100, 101, 99, 100],
      [105, 111, 104, 108],
      [89, 90, 88, 89],
    ],
    '1000000',
    { volumeShare: '0.05' },
  );
  test.place({ ...entry, price: '100' }, stop, target);
  test.place({ quantity: '20', tif: 'GTC' });
  test.stepToClose(1);
  expect(fills(test)).toEqual([
    ['BUY', '50', '100'],
    ['BUY', '20', '105.11'],
    ['SELL', '30', '110'],
  ]);
  test.cancel(test.order(2).orderId);
  return test;
}

describe('after a leg that has sold a part was cancelled', () => {
  it('the other sells the rest of what the entry has filled, while that is open', () => {
    const test = targetCancelled();
    test.step(2);
    expect(fills(test)[3]).toEqual(['SELL', '20', '88.91']);
    expect(test.order(1).reason).toBeNull();
  });

  it('the other keeps that size when the entry ends', () => {
    const test = targetCancelled();
    test.cancel(test.order(0).orderId);
    expect(test.order(1)).toMatchObject({ quantity: '20', state: 'WORKING' });
    test.step(2);
    expect(fills(test)[3]).toEqual(['SELL', '20', '88.91']);
    expect(held(test)).toBe('20');
  });
});

it('legs follow an entry that was made smaller before it filled', () => {
  const test = exchangeOf([
    [100, 101, 99, 100],
    [100, 101, 89, 90],
  ]);
  test.place(
    { ...entry, quantity: '90', price: '99.5' },
    { ...stop, quantity: '90' },
    { ...target, quantity: '90' },
  );
  expect(test.modify(test.order(0).orderId, '60', '99.5')).toBeNull();
  test.stepToClose(0);
  expect([0, 1, 2].map((index) => test.order(index).quantity)).toEqual(['60', '60', '60']);
  test.stepToClose(1);
  expect([0, 1, 2].map((index) => test.order(index).state)).toEqual(['FILLED', 'FILLED', 'CANCELLED']);
  expect(held(test)).toBe('0');
});
