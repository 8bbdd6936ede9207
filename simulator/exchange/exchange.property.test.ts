import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { money, notional, price, quantity } from '../../domain/money/decimal.js';
import { ACCOUNT, CONID, costs, exchangeOf, sessions } from '../testing/exchange.js';
import type { Prices, TestExchange } from '../testing/exchange.js';
import { slipped } from './costs.js';
import type { OrderDraft } from './orders.js';
import { apply } from './apply.js';
import { accountOf, emptyState, holdingOf } from './state.js';
import { syntheticBars } from './synthetic.js';

const SESSIONS = 25;
const START_CASH = '20000';

type Command =
  | {
      readonly kind: 'place';
      readonly draft: Partial<OrderDraft>;
      readonly legs: readonly [number, number] | null;
    }
  | { readonly kind: 'cancel' | 'modify'; readonly pick: number; readonly offset: number }
  | { readonly kind: 'step'; readonly sessions: number; readonly at: 'before' | 'open' | 'noon' | 'close' };

const cents = (value: number): string => (Math.round(value * 100) / 100).toFixed(2);

const commands = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('place' as const),
      draft: fc
        .record({
          side: fc.constantFrom('BUY' as const, 'BUY' as const, 'SELL' as const),
          orderType: fc.constantFrom('MKT' as const, 'LMT' as const, 'STP' as const),
          tif: fc.constantFrom('DAY' as const, 'GTC' as const),
          units: fc.integer({ min: 1, max: 150 }),
          offset: fc.double({ min: -0.06, max: 0.06, noNaN: true }),
        })
        .map(({ units, offset, orderType, ...rest }) => ({
          ...rest,
          orderType,
          quantity: String(units),
          price: orderType === 'MKT' ? null : cents(100 * (1 + offset)),
        })),
      legs: fc.option(
        fc.tuple(fc.double({ min: 0.9, max: 1, noNaN: true }), fc.double({ min: 1, max: 1.1, noNaN: true })),
        { nil: null },
      ),
    }),
    fc.record({
      kind: fc.constantFrom('cancel' as const, 'modify' as const),
      pick: fc.nat(),
      offset: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    }),
    fc.record({
      kind: fc.constant('step' as const),
      sessions: fc.integer({ min: 0, max: 3 }),
      at: fc.constantFrom('before' as const, 'open' as const, 'noon' as const, 'close' as const),
    }),
  ),
  { minLength: 5, maxLength: 40 },
);

function play(
  seed: number,
  list: readonly Command[],
  change: (prices: Prices, index: number) => Prices = (prices) => prices,
): TestExchange {
  const shape = { seed, start: 100, drift: 0, noise: 0.03, pull: 0.05 };
  const bars = syntheticBars(sessions.slice(0, SESSIONS), shape);
  const test = exchangeOf(
    bars.map((bar, index) => change([bar.open, bar.high, bar.low, bar.close], index)),
    START_CASH,
  );
  let session = 0;
  list.forEach((command, index) => {
    if (command.kind === 'place') {
      const cOID = `order-${index}`;
      const side = command.draft.side === 'BUY' ? 'SELL' : 'BUY';
      const child = { ...command.draft, side, parent: cOID, tif: 'GTC' } as const;
      const legs = (command.legs ?? []).map((factor, leg): Partial<OrderDraft> => ({
        ...child,
        orderType: leg === 0 ? 'STP' : 'LMT',
        price: cents(100 * factor),
      }));
      test.place({ ...command.draft, cOID }, ...legs);
    } else if (command.kind === 'step') {
      session = Math.min(session + command.sessions, SESSIONS - 1);
      const { open = '', close = '' } = sessions[session] ?? {};
      const minutes = { before: -60, open: 0, noon: 180, close: 0 }[command.at];
      const to = command.at === 'close' ? close : new Date(Date.parse(open) + minutes * 60_000).toISOString();
      if (to > test.state.now) test.step(to);
    } else {
      const open = [...test.state.open];
      const orderId = open[command.pick % Math.max(open.length, 1)];
      const order = orderId === undefined ? undefined : test.state.orders.get(orderId);
      if (order === undefined) return;
      if (command.kind === 'cancel') test.cancel(order.orderId);
      else test.modify(order.orderId, order.quantity, order.price && cents(100 * command.offset));
    }
  });
  return test;
}

const property = (check: (test: TestExchange) => void): void => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), commands, (seed, list) => {
      check(play(seed, list));
    }),
    { numRuns: 150 },
  );
};

describe('over random orders and steps', { timeout: 60_000 }, () => {
  it('cash is conserved to the cent, and neither cash nor shares go below zero', () => {
    let executions = 0;
    property((test) => {
      const account = accountOf(test.state, ACCOUNT);
      let cash = money(START_CASH);
      let shares = quantity('0');
      // Of all, also those that are forgotten.
      const all = test.events.filter((event) => event.type === 'execution');
      for (const execution of all) {
        const value = notional(price(execution.price), quantity(execution.quantity));
        const sign = execution.side === 'BUY' ? -1 : 1;
        cash = money(cash.plus(value.times(sign)).minus(execution.commission));
        shares = quantity(shares.minus(quantity(execution.quantity).times(sign)));
        expect(shares.isNegative() && !shares.isZero()).toBe(false);
      }
      executions += all.length;
      expect(account.cash).toBe(cash.toString());
      expect(cash.isNegative()).toBe(false);
      expect(cash.decimalPlaces()).toBeLessThanOrEqual(2);
      expect(holdingOf(account, CONID).quantity).toBe(shares.toString());
    });
    // About 340 in 150 runs: the commands do reach the market.
    expect(executions).toBeGreaterThan(100);
  });

  it('replaying the events gives the same state', () => {
    property((test) => {
      const again = emptyState(test.market.firstInstant);
      const wire = JSON.parse(JSON.stringify(test.events)) as typeof test.events;
      for (const event of wire) apply(again, event);
      expect(again).toEqual(test.state);
    });
  });

  it('no execution is outside its bar, slippage given', () => {
    property((test) => {
      for (const execution of test.state.executions) {
        const bar = test.market.bar(CONID, execution.at.slice(0, 10));
        const { low = NaN, high = NaN } = bar ?? {};
        expect(Number(execution.price)).toBeGreaterThanOrEqual(slipped(low, 'SELL', costs).toNumber());
        expect(Number(execution.price)).toBeLessThanOrEqual(slipped(high, 'BUY', costs).toNumber());
      }
    });
  });

  it('of a bracket at most one leg fills, and no leg outlives an entry that did not fill', () => {
    property((test) => {
      const orders = [...test.state.orders.values()];
      for (const parent of orders) {
        const legs = orders.filter((order) => order.parentId === parent.orderId);
        expect(legs.filter((leg) => leg.state === 'FILLED').length).toBeLessThanOrEqual(1);
        if (['CANCELLED', 'EXPIRED', 'REJECTED'].includes(parent.state))
          expect(legs.some((leg) => test.state.open.has(leg.orderId))).toBe(false);
      }
    });
  });

  it('what has happened does not depend on prices that are still to come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), commands, (seed, list) => {
        const test = play(seed, list);
        const { now } = test.state;
        const other = play(seed, list, (prices, index) => {
          const { open = '', close = '' } = sessions[index] ?? {};
          if (close <= now) return prices;
          return open <= now ? [prices[0], 900, 1, 5] : [500, 900, 1, 5];
        });
        expect(other.events).toEqual(test.events);
      }),
      { numRuns: 100 },
    );
  });
});
