import { describe, expect, it } from 'vitest';
import { exchangeOf } from '../testing/exchange.js';
import type { Prices, TestExchange } from '../testing/exchange.js';
import { apply } from './apply.js';
import { emptyState } from './state.js';

const flat: Prices = [100, 101, 99, 100];
const days = (count: number): Prices[] => Array.from({ length: count }, () => flat);
const known = (test: TestExchange): (string | null)[] =>
  [...test.state.orders.values()].map(({ cOID }) => cOID);

describe('forgetting', () => {
  it('lets go of what ended more than eight days ago, and counts and numbers on', () => {
    const test = exchangeOf(days(12));
    test.place({ cOID: 'old', quantity: '1' });
    test.step(7);
    test.place({ cOID: 'new', quantity: '1' });
    expect([known(test), test.state.executions.length]).toEqual([['new'], 1]);
    expect([test.state.orderCount, test.state.executionCount]).toEqual([2, 2]);
    test.place({ cOID: 'third', quantity: '1' });
    const ids = test.events.flatMap((event) => (event.type === 'order' ? [event.orderId] : []));
    const executions = test.events.flatMap((event) =>
      event.type === 'execution' ? [event.executionId] : [],
    );
    expect([new Set(ids).size, new Set(executions).size]).toEqual([3, 3]);
  });

  it('never takes the client order id of a forgotten order again, before and after a start', () => {
    const test = exchangeOf(days(40));
    test.place({ cOID: 'old', quantity: '1' });
    test.step(30);
    expect(known(test)).toEqual([]);
    const refused = { placed: false, text: expect.stringContaining('already registered') as string };
    expect(test.place({ cOID: 'old', quantity: '1' })).toEqual(refused);
    const again = emptyState(test.market.firstInstant);
    for (const event of test.events) apply(again, event);
    expect(again).toEqual(test.state);
    expect(again.clientOrderIds.has('old')).toBe(true);
  });

  it('takes no second order of an id that is forgotten', () => {
    const test = exchangeOf(days(12));
    test.place({ quantity: '1' });
    test.step(9);
    const first = test.events.find(({ type }) => type === 'order');
    if (first === undefined) throw new Error('no order was placed');
    expect(() => {
      apply(test.state, { ...first, at: test.state.now });
    }).toThrow('accepted twice');
  });

  it('keeps what is open, and a leg that has ended while its entry is open', () => {
    const test = exchangeOf(days(16));
    const entry = { cOID: 'entry', orderType: 'LMT', price: '50', tif: 'GTC' } as const;
    const leg = { parent: 'entry', side: 'SELL', tif: 'GTC', orderType: 'LMT', price: '150' } as const;
    test.place(entry, leg, { ...leg, price: '160' });
    test.cancel(test.order(1).orderId);
    test.step(9);
    expect(known(test)).toEqual(['entry', null, null]);
    test.cancel(test.order(0).orderId);
    test.step(10);
    expect(known(test)).toEqual(['entry', null]);
    test.step(15);
    expect([known(test), test.state.legs.size]).toEqual([[], 0]);
  });

  it('lets the legs of an entry that was filled and is forgotten still cancel each other', () => {
    const test = exchangeOf([...days(12), [100, 120, 99, 118], ...days(2)]);
    const leg = { parent: 'entry', side: 'SELL', tif: 'GTC' } as const;
    test.place(
      { cOID: 'entry', quantity: '1' },
      { ...leg, orderType: 'STP', price: '90', quantity: '1' },
      { ...leg, orderType: 'LMT', price: '110', quantity: '1' },
    );
    test.step(11);
    expect(known(test)).toEqual([null, null]);
    const [stop, target] = [...test.state.orders.keys()];
    test.step(13);
    const ended = [stop, target].map((id) => test.state.orders.get(id ?? 0)?.state);
    expect(ended).toEqual(['CANCELLED', 'FILLED']);
    expect(test.state.open.size).toBe(0);
  });
});
