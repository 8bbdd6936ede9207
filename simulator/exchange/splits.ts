// What a split does to what an account holds and to the orders that rest: more shares at a lower price, fractions of a share
// paid out. Called by state.ts, so that a replay of the ledger does the same.
import type { Decimal } from 'decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Account, ExchangeEvent, Order } from './types.js';
import { PRICE_INCREMENT } from './types.js';

type SplitEvent = Extract<ExchangeEvent, { type: 'split' }>;

const times = (units: Decimal, { numerator, denominator }: SplitEvent): Decimal =>
  units.times(numerator).div(denominator);

/** Whole shares stay whole; a fraction of one, or less than the smallest fraction, is paid in cash, rounded down. */
export function splitHolding(account: Account, event: SplitEvent): void {
  const held = account.holdings.get(event.conid);
  if (held === undefined) return;
  const before = quantity(held.quantity);
  if (before.isZero()) return;
  const after = quantize(times(before, event), before.isInteger() ? '1' : '0.0001', 'down');
  // Multiplied first and divided last: a third of a share times three cents is a whole cent.
  const rest = before.times(event.numerator).minus(after.times(event.denominator));
  const worth = notional(price(event.price), quantity(rest)).div(event.denominator);
  const paid = quantize(worth, '0.01', 'down');
  account.cash = money(account.cash).plus(paid).toString();
  account.holdings.set(event.conid, {
    quantity: after.toString(),
    // Nothing held costs nothing: what was paid out beside it is gain or loss.
    cost: after.isZero() ? '0' : held.cost,
    realizedPnl: money(held.realizedPnl)
      .plus(paid)
      .minus(after.isZero() ? held.cost : '0')
      .toString(),
  });
}

/** New terms of an order that rests; what it has filled stays as it was. Null when less than a share is left. */
export function splitOrder(order: Order, event: SplitEvent): Order | null {
  const filled = quantity(order.filled);
  const rest = quantize(times(quantity(order.quantity).minus(filled), event), '1', 'down');
  if (rest.lte(0)) return null;
  const scaled = (at: string): string => {
    const exact = price(at).times(event.denominator).div(event.numerator);
    const rounded = quantize(exact, PRICE_INCREMENT, 'nearest');
    return (rounded.isZero() ? price(PRICE_INCREMENT) : rounded).toString();
  };
  const { trail, auxPrice } = order;
  return {
    ...order,
    quantity: filled.plus(rest).toString(),
    price: order.price === null ? null : scaled(order.price),
    trailedTo: order.trailedTo === null ? null : scaled(order.trailedTo),
    ...(auxPrice === undefined ? {} : { auxPrice: scaled(auxPrice) }),
    ...(trail?.by === 'amt' ? { trail: { by: trail.by, size: scaled(trail.size) } } : {}),
    changedAt: event.at,
  };
}
