// Which order fills next, and at what price. Pure; called by exchange.ts for the open of a session, for an order that
// arrives while one is on, and along the walk of a bar.
import { price } from '../../domain/money/decimal.js';
import type { Price } from '../../domain/money/decimal.js';
import { slipped } from './costs.js';
import type { Order, SessionBar } from './types.js';

export interface Fill {
  readonly order: Order;
  readonly price: Price;
}

/** True when the order trades at once while the market stands at a price: stops by touch, limits at or better. */
function marketable(order: Order, at: number): boolean {
  if (order.orderType === 'MKT') return true;
  const own = Number(order.price);
  const below = (order.orderType === 'LMT') === (order.side === 'BUY');
  return below ? at <= own : at >= own;
}

/** Stops come before the rest, so that of a bracket's legs the stop wins; then the order of arrival. */
const byPriority = (a: Order, b: Order): number =>
  Number(b.orderType === 'STP') - Number(a.orderType === 'STP') || a.orderId - b.orderId;

/**
 * The first order that fills while the market stands at a price: limits at that price, which is theirs or better,
 * markets and stops (also those the market has gapped through) at that price with slippage.
 */
export function fillAt(orders: readonly Order[], at: number, slippage: string): Fill | null {
  const order = orders.filter((candidate) => marketable(candidate, at)).sort(byPriority)[0];
  if (order === undefined) return null;
  return { order, price: order.orderType === 'LMT' ? price(String(at)) : slipped(at, order.side, slippage) };
}

/**
 * The first order that fills on the way from one price to another, and where: limits at their price, stops at theirs
 * with slippage. Orders that fill at `from` itself are fillAt's.
 */
export function fillBetween(
  orders: readonly Order[],
  from: number,
  to: number,
  slippage: string,
): (Fill & { readonly at: number }) | null {
  const distance = (order: Order): number => Math.abs(Number(order.price) - from);
  const order = orders
    .filter((candidate) => !marketable(candidate, from) && marketable(candidate, to))
    .sort((a, b) => distance(a) - distance(b) || byPriority(a, b))[0];
  if (order === undefined) return null;
  const at = Number(order.price);
  const exact = price(String(at));
  return { order, at, price: order.orderType === 'LMT' ? exact : slipped(at, order.side, slippage) };
}

/**
 * The turning points of a bar's walk: open, the extreme that is worse for the position, the other extreme, close. There
 * are no shorts here, so every position is or becomes a long, and the low is the worse extreme.
 */
export const walkOf = (bar: SessionBar): readonly number[] => [bar.open, bar.low, bar.high, bar.close];
