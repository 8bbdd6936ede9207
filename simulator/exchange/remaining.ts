// How much of an order can still trade. The legs of a bracket whose entry has filled in part work for that part only.
import type { Quantity } from '../../domain/money/decimal.js';
import { quantity } from '../../domain/money/decimal.js';
import { orderOf } from './state.js';
import type { ExchangeState, Order } from './types.js';

const least = (a: Quantity, b: Quantity): Quantity => (a.lt(b) ? a : b);

/** Units that an order can still trade; those of a leg that waits are all of its own. */
export function remainingOf(state: ExchangeState, order: Order): Quantity {
  const own = quantity(quantity(order.quantity).minus(order.filled));
  const parent = openParentOf(state, order);
  if (parent === null) return own;
  const left = quantity(quantity(parent.filled).minus(closedBy(state, parent.orderId)));
  return least(own, left.isNegative() ? quantity('0') : left);
}

/** The entry of a leg at work, while it is open: what it has filled bounds the leg. Null for every other order. */
export function openParentOf(state: ExchangeState, { parentId, state: is }: Order): Order | null {
  if (parentId === null || is !== 'WORKING' || !state.open.has(parentId)) return null;
  return orderOf(state, parentId);
}

/** Legs of a parent that have not ended. One that has filled whole has ended its siblings too. */
export const legsOf = (state: ExchangeState, parentId: number): Order[] =>
  (state.legs.get(parentId) ?? [])
    .filter((orderId) => state.open.has(orderId))
    .map((orderId) => orderOf(state, orderId));

/** Units that the legs of a parent have sold or bought back, those included that have ended since. */
export function closedBy(state: ExchangeState, parentId: number): Quantity {
  let closed = quantity('0');
  for (const orderId of state.legs.get(parentId) ?? [])
    closed = quantity(closed.plus(state.orders.get(orderId)?.filled ?? '0'));
  return closed;
}

/** What the broker's lists call the size of an order: filled and still to trade. */
export const sizeOf = (state: ExchangeState, order: Order): Quantity =>
  state.open.has(order.orderId)
    ? quantity(quantity(order.filled).plus(remainingOf(state, order)))
    : quantity(order.quantity);
