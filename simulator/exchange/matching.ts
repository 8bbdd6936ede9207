// Which order fills next, and at what price. Pure; called by filling.ts for the open of a session, for an order that
// arrives while one is on, along the walk of a bar, and for the auctions at open and close.
import type { Price } from '../../domain/money/decimal.js';
import { price, quantize } from '../../domain/money/decimal.js';
import { quoted, reachOf, slipped } from './costs.js';
import type { Costs, Order, SessionBar } from './types.js';
import { PRICE_INCREMENT } from './types.js';

export interface Fill {
  readonly order: Order;
  readonly price: Price;
}

const stops = ['STP', 'STOP_LIMIT', 'TRAIL', 'TRAILLMT'];
const trailing = ['TRAIL', 'TRAILLMT'];
/** Stops that become limit orders, when it is noted that they were touched. */
const limited = ['STOP_LIMIT', 'TRAILLMT'];
export const becomesLimit = (order: Order): boolean => limited.includes(order.orderType);
export const isStop = (order: Order): boolean => stops.includes(order.orderType);

/** Auctions are for these alone. */
const atCloseOnly = (order: Order): boolean => order.orderType === 'MOC' || order.orderType === 'LOC';

/** What it trades as now: a stop that was touched is a market order, a stop-limit a limit order. */
function actsAs(order: Order): 'MKT' | 'LMT' | 'STP' {
  if (order.orderType === 'MKT' || order.orderType === 'MOC') return 'MKT';
  if (order.orderType === 'LMT' || order.orderType === 'LOC') return 'LMT';
  if (!order.triggered) return 'STP';
  return becomesLimit(order) ? 'LMT' : 'MKT';
}

/** The price at which a stop is touched; null for a trailing one that has seen no price. */
function stopOf(order: Order): string | null {
  if (order.orderType === 'STOP_LIMIT') return order.auxPrice ?? null;
  return trailing.includes(order.orderType) ? order.trailedTo : order.price;
}

/** The limit as it stands: that of a trailing order keeps its distance to the stop. Null where there is none. */
export function limitOf({ orderType, price: at, auxPrice, trailedTo: stop }: Order): string | null {
  if (orderType !== 'TRAILLMT' || at === null || auxPrice === undefined || stop === null) return at;
  const moved = price(price(at).plus(stop).minus(auxPrice));
  return moved.gt(0) ? moved.toString() : PRICE_INCREMENT;
}

/** Edges that were worked out: an order that changes is another object, and most are asked about again and again. */
const edges = new WeakMap<Costs, WeakMap<Order, number | null>>();

/** The price of the market at which the order begins to trade or its stop is touched; null where none counts. */
function edgeOf(order: Order, costs: Costs): number | null {
  let known = edges.get(costs);
  if (known === undefined) edges.set(costs, (known = new WeakMap()));
  let edge = known.get(order);
  if (edge === undefined) known.set(order, (edge = edgeAnew(order, costs)));
  return edge;
}

function edgeAnew(order: Order, costs: Costs): number | null {
  if (atCloseOnly(order) || order.tif === 'OPG') return null;
  const kind = actsAs(order);
  if (kind === 'STP') {
    const stop = stopOf(order);
    return stop === null ? null : Number(stop);
  }
  return kind === 'LMT' ? reachOf(limitOf(order) ?? '0', order.side, costs) : null;
}

/** True when the order trades, or its stop is touched, while the market stands at a price. */
export function reached(order: Order, at: number, costs: Costs): boolean {
  if (atCloseOnly(order) || order.tif === 'OPG') return false;
  const kind = actsAs(order);
  if (kind === 'MKT') return true;
  const edge = edgeOf(order, costs);
  if (edge === null) return false;
  return (kind === 'LMT') === (order.side === 'BUY') ? at <= edge : at >= edge;
}

/** Stops come before the rest, so that of a bracket's legs the stop wins; then the order of arrival. */
const byPriority = (a: Order, b: Order): number =>
  Number(isStop(b)) - Number(isStop(a)) || a.orderId - b.orderId;

/**
 * The first order that fills while the market stands at a price: limits at the ask or bid, which is theirs or better,
 * markets and stops (also those the market has gapped through) with spread and slippage.
 */
export function fillAt(orders: readonly Order[], at: number, costs: Costs): Fill | null {
  const order = orders
    .filter((candidate) => !isUntouchedStopLimit(candidate) && reached(candidate, at, costs))
    .sort(byPriority)[0];
  if (order === undefined) return null;
  const fill = actsAs(order) === 'LMT' ? quoted(at, order.side, costs) : slipped(at, order.side, costs);
  return { order, price: fill };
}

const isUntouchedStopLimit = (order: Order): boolean => becomesLimit(order) && !order.triggered;

/** Stops that the market touches at a price and that are not yet known to be. */
export const touchedAt = (orders: readonly Order[], at: number, costs: Costs): Order[] =>
  orders.filter((order) => isStop(order) && !order.triggered && reached(order, at, costs)).sort(byPriority);

/** The first price on the way from one to another at which something happens; what happens at `from` itself is past. */
export function nextEdge(orders: readonly Order[], from: number, to: number, costs: Costs): number | null {
  const edges = orders
    .filter((order) => !reached(order, from, costs) && reached(order, to, costs))
    .flatMap((order) => edgeOf(order, costs) ?? []);
  return edges.sort((a, b) => Math.abs(a - from) - Math.abs(b - from))[0] ?? null;
}

/** The first order of an auction that trades at its price; no spread and no slippage, since all trade at one price. */
export function auctionFill(orders: readonly Order[], at: number): Fill | null {
  const order = orders
    .filter((candidate) => {
      if (actsAs(candidate) === 'MKT') return true;
      const limit = Number(candidate.price);
      return candidate.side === 'BUY' ? at <= limit : at >= limit;
    })
    .sort((a, b) => a.orderId - b.orderId)[0];
  return order === undefined ? null : { order, price: price(String(at)) };
}

/** At which price a stop was last seen to stay: it is asked about with each order that comes while the market stands there. */
const stays = new WeakMap<Order, number>();

/** Where a trailing stop goes while the market stands at a price; null when it stays. It never moves away. */
export function trailedTo(order: Order, at: number): string | null {
  const { trail, side, trailedTo: known } = order;
  if (!trailing.includes(order.orderType) || trail === undefined || order.triggered) return null;
  if (stays.get(order) === at) return null;
  const market = price(String(at));
  const distance = trail.by === 'amt' ? price(trail.size) : price(market.times(trail.size).div(100));
  const exact = side === 'SELL' ? market.minus(distance) : market.plus(distance);
  const stop = quantize(exact, PRICE_INCREMENT, side === 'SELL' ? 'down' : 'up');
  if (stop.lte(0)) return null;
  const moves = known === null || (side === 'SELL' ? stop.gt(known) : stop.lt(known));
  if (moves) return stop.toString();
  stays.set(order, at);
  return null;
}

/**
 * The turning points of a bar's walk: open, the extreme that is worse for the position, the other extreme, close. There
 * are no shorts here, so every position is or becomes a long, and the low is the worse extreme.
 */
export const walkOf = (bar: SessionBar): readonly number[] => [bar.open, bar.low, bar.high, bar.close];
