import { describe, expect, it } from 'vitest';
import type { BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';
import { appleContract, sentIntent, workingOrder } from './testing/orders.js';
import { unprotectedPositions } from './unprotectedPositions.js';

const { conid, symbol } = appleContract;
const stop = (change: Partial<BrokerOrder> = {}): BrokerOrder => ({
  ...workingOrder,
  ...{ side: 'SELL', type: 'STP', timeInForce: 'GTC', quantity: '100' },
  ...change,
});

/** The account holds 100 of AAPL, whose stop is over, and these orders. */
async function found(orders: readonly BrokerOrder[], held = '100', open: readonly IntentRow[] = []) {
  const asked: string[][] = [];
  const intents = {
    listUnstopped: (_mode: string, _accountId: string, conids: readonly string[]) => {
      asked.push([...conids]);
      return Promise.resolve([sentIntent]);
    },
  };
  const positions = [{ conid, symbol, quantity: held, averageCost: '95', marketPrice: '96' }];
  const snapshot = { positions, orders } as unknown as BrokerSnapshot;
  const bare = await unprotectedPositions({ mode: 'paper', accountId: 'DU1', intents }, snapshot, open);
  return { bare, asked };
}

describe('shares whose stop is over', () => {
  it('are told with how much of them is held, and how much other stops would sell', async () => {
    const told = { clientOrderId: 'mine', symbol, held: '100' };
    expect(await found([])).toEqual({ bare: [{ ...told, stopped: '0' }], asked: [[conid]] });
    const some = [stop({ quantity: '30' }), stop({ type: 'OTHER', quantity: '50', filledQuantity: '20' })];
    expect((await found(some)).bare).toEqual([{ ...told, stopped: '60' }]);
  });

  it('are covered by a stop that a person has placed in its place', async () => {
    expect((await found([stop()])).bare).toEqual([]);
    expect((await found([stop({ type: 'OTHER' })])).bare).toEqual([]);
    expect((await found([stop({ quantity: '40' }), stop({ quantity: '60' })])).bare).toEqual([]);
  });

  it.each([
    ['is over', { status: 'CANCELLED' }],
    ['is a limit', { type: 'LMT' }],
    ['buys', { side: 'BUY' }],
    ['is of another symbol', { conid: '2' }],
  ] as const)('are not covered by an order that %s', async (_what, change) => {
    expect((await found([stop(change)])).bare).toHaveLength(1);
  });

  it('are not asked about where nothing is held, the position is short, or a sell is closing it', async () => {
    const sell: IntentRow = { ...sentIntent, side: 'SELL' };
    for (const [held, open] of [
      ['0', []],
      ['-5', []],
      ['100', [sell]],
    ] as const) {
      expect(await found([], held, open)).toEqual({ bare: [], asked: [] });
    }
  });
});
