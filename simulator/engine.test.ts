import { describe, expect, it } from 'vitest';
import { createEngine, foldInto } from './engine.js';
import type { Engine } from './engine.js';
import { emptyState } from './exchange/state.js';
import type { ExchangeEvent } from './exchange/types.js';
import { ACCOUNT, CONID, costs, marketOf } from './testing/exchange.js';

const market = marketOf([
  [100, 101, 99, 100],
  [100, 101, 99, 100],
]);

/** A disk that is full from the given write on. */
function engineOn(
  fullFrom: number,
  before: readonly ExchangeEvent[] = [],
): { engine: Engine; disk: ExchangeEvent[] } {
  const disk: ExchangeEvent[] = [...before];
  let writes = 0;
  const state = emptyState(market.firstInstant);
  before.forEach((event, index) => {
    foldInto(state)(event, index + 1);
  });
  const ledger = {
    lines: before.length,
    append: (events: readonly ExchangeEvent[]) => {
      writes += 1;
      if (writes >= fullFrom) throw new Error('no space left on device');
      disk.push(...events);
    },
    isOpen: () => true,
  };
  const accounts = [ACCOUNT];
  return { engine: createEngine({ market, costs, state, ledger, accounts, cash: '1000' }), disk };
}

const draft = {
  conid: CONID,
  side: 'BUY',
  orderType: 'MKT',
  tif: 'DAY',
  quantity: '1',
  price: null,
  cOID: 'a',
  parent: null,
} as const;

describe('the engine', () => {
  it('has written everything before it answers', () => {
    const { engine, disk } = engineOn(Infinity);
    engine.place(ACCOUNT, [draft]);
    expect(disk.map(({ type }) => type)).toEqual(['account', 'order', 'execution']);
    engine.step('2014-07-08T13:35:00.000Z');
    expect(disk.at(-1)).toEqual({ type: 'step', at: '2014-07-08T13:35:00.000Z', step: 1 });
  });

  it('tells nobody of what could not be written, and does nothing more', () => {
    const { engine, disk } = engineOn(2);
    expect(() => engine.place(ACCOUNT, [draft])).toThrow('no space left');
    expect(disk).toHaveLength(1);
    expect(() => engine.state).toThrow('no space left');
    expect(() => {
      engine.step('2014-07-08T13:35:00.000Z');
    }).toThrow('no space left');
  });

  it('goes on from its ledger, and opens its account once', () => {
    const { engine, disk } = engineOn(Infinity);
    engine.place(ACCOUNT, [draft]);
    const again = engineOn(Infinity, disk);
    expect(again.engine.state).toEqual(engine.state);
    expect(again.disk).toEqual(disk);
  });

  it('refuses a ledger whose lines contradict each other', () => {
    const { disk } = engineOn(Infinity);
    const at = market.firstInstant;
    expect(() => engineOn(Infinity, [...disk, { type: 'cancel', at, orderId: 5, by: 'customer' }])).toThrow(
      'damaged at line 2: there is no order 5',
    );
  });
});
