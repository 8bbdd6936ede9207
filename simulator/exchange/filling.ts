// Lets orders trade: while the market stands at a price, along the walk of a bar, and in the auctions at open and close. Every
// fill is checked against cash, shares, and the volume that there is. Called by exchange.ts.
import type { Session } from '../../domain/market/calendarTypes.js';
import type { Quantity } from '../../domain/money/decimal.js';
import { money, price, quantity, quantize } from '../../domain/money/decimal.js';
import { settledCash } from './accounts.js';
import { beyondBounds } from './bounds.js';
import { amountOf, commissionOf, costOf } from './costs.js';
import type { Exchange } from './command.js';
import type { Fill } from './matching.js';
import { auctionFill, becomesLimit, fillAt, nextEdge, reached, touchedAt, trailedTo } from './matching.js';
import { closedBy, legsOf, remainingOf } from './remaining.js';
import { accountOf, holdingOf, openOfAccount, openOfConid, orderOf } from './state.js';
import type { Execution, Order, Side } from './types.js';

/** Where and when something trades. */
export interface Place {
  readonly conid: number;
  readonly session: Session;
  readonly at: string;
}

/** Lets all trade that does while the market stands at a price, legs activated here included. */
export function standAt(exchange: Exchange, place: Place, level: number): void {
  const { costs } = exchange;
  follow(exchange, place, level);
  for (;;) {
    touch(exchange, place, level);
    // Most orders are not reached: what they have left need not be known.
    const fill = fillAt(
      fillable(exchange, place, (order) => reached(order, level, costs)),
      level,
      costs,
    );
    if (fill === null) return;
    execute(exchange, place, fill);
    follow(exchange, place, level);
  }
}

/** Walks from price to price, stopping wherever an order trades or its stop is touched. */
export function walk(exchange: Exchange, place: Place, points: readonly number[]): void {
  let [level = 0] = points;
  standAt(exchange, place, level);
  for (const target of points.slice(1)) {
    for (;;) {
      const edge = nextEdge(working(exchange, place), level, target, exchange.costs);
      if (edge === null) break;
      level = edge;
      standAt(exchange, place, level);
    }
    level = target;
    standAt(exchange, place, level);
  }
}

/** Trades orders of an auction at its price, as far as limits and volume allow. */
export function auction(
  exchange: Exchange,
  place: Place,
  level: number,
  takesPart: (order: Order) => boolean,
): void {
  for (;;) {
    const fill = auctionFill(fillable(exchange, place, takesPart), level);
    if (fill === null) return;
    execute(exchange, place, fill);
  }
}

/** Ends an open order for a reason of the exchange's own, and what depends on it. */
export function expire(exchange: Exchange, orderId: number, at: string, reason: string): void {
  exchange.emit({ type: 'expire', at, orderId, reason });
  settleLegs(exchange, orderId, at);
}

/** Once a parent has ended: legs that wait end too, and those that work keep what has filled and nothing more. */
export function settleLegs(exchange: Exchange, parentId: number, at: string): void {
  const { state } = exchange;
  const { filled } = orderOf(state, parentId);
  const closed = closedBy(state, parentId);
  for (const leg of legsOf(state, parentId)) {
    if (leg.state === 'HELD') {
      exchange.emit({ type: 'cancel', at, orderId: leg.orderId, by: 'parent' });
      continue;
    }
    const most = quantity(filled).minus(closed).plus(leg.filled);
    if (most.lt(leg.quantity)) resize(exchange, leg, quantity(most), at);
  }
}

/** From when on what a sale brings can be spent: the open of the session that many sessions later. */
export function settlementOf(
  { market, costs }: Exchange,
  conid: number,
  side: Side,
  date: string,
): Pick<Execution, 'settles'> {
  if (side === 'BUY' || costs.settlementSessions === 0) return {};
  if (market.instrument(conid)?.kind === 'crypto') return {};
  let session = market.calendar.next(date);
  for (let count = 1; count < costs.settlementSessions; count += 1)
    session = market.calendar.next(session.date);
  return { settles: session.open };
}

const working = ({ state }: Exchange, { conid, session }: Place): Order[] =>
  openOfConid(state, conid).filter((order) => order.state === 'WORKING' && order.session <= session.date);

/** Working orders of a kind for which there is something left to trade. */
const fillable = (exchange: Exchange, place: Place, takesPart: (order: Order) => boolean): Order[] => {
  const left = volumeLeft(exchange, place);
  if (left?.isZero() === true) return [];
  return working(exchange, place)
    .filter(takesPart)
    .filter((order) => remainingOf(exchange.state, order).gt(0));
};

/** Units of the session's volume that orders may still trade; null where there is no bound. */
function volumeLeft({ market, costs, state }: Exchange, { conid, session }: Place): Quantity | null {
  if (costs.volumeShare === null) return null;
  const bar = market.bar(conid, session.date);
  const unit = market.instrument(conid)?.kind === 'crypto' ? '0.0001' : '1';
  const most = quantize(quantity(String(bar?.volume ?? 0)).times(costs.volumeShare), unit, 'down');
  const traded = state.traded.get(conid);
  const left = most.minus(traded?.date === session.date ? traded.units : '0');
  return quantity(left.isNegative() ? '0' : quantize(left, unit, 'down'));
}

/** Moves trailing stops after the market. */
function follow(exchange: Exchange, place: Place, level: number): void {
  for (const order of working(exchange, place)) {
    const stop = trailedTo(order, level);
    if (stop !== null) exchange.emit({ type: 'trail', at: place.at, orderId: order.orderId, stop });
  }
}

/**
 * Notes the stops that are touched. Those that become market orders fill in the same breath and need no note, unless the
 * volume may not be there.
 */
function touch(exchange: Exchange, place: Place, level: number): void {
  for (const order of touchedAt(working(exchange, place), level, exchange.costs)) {
    if (!becomesLimit(order) && exchange.costs.volumeShare === null) continue;
    exchange.emit({ type: 'trigger', at: place.at, orderId: order.orderId });
  }
}

function execute(exchange: Exchange, place: Place, fill: Fill): void {
  const { state, costs } = exchange;
  const { order } = fill;
  const { at } = place;
  const left = volumeLeft(exchange, place);
  const wanted = remainingOf(state, order);
  const units = (left !== null && left.lt(wanted) ? left : wanted).toString();
  const refusal = refusalOf(exchange, fill, units, at);
  if (refusal !== null) {
    exchange.emit({ type: 'reject', at, orderId: order.orderId, reason: refusal });
    settleLegs(exchange, order.orderId, at);
    return;
  }
  exchange.emit({
    type: 'execution',
    at,
    executionId: executionIdAfter(exchange),
    orderId: order.orderId,
    account: order.account,
    conid: order.conid,
    symbol: order.symbol,
    side: order.side,
    quantity: units,
    price: fill.price.toString(),
    commission: commissionOf(units, costs, order.filled, order.commission).toString(),
    cOID: order.cOID,
    ...settlementOf(exchange, order.conid, order.side, place.session.date),
  });
  shrinkGroup(exchange, order, units, at);
  // Legs may be larger than what the entry came to: either can have been modified.
  if (!state.open.has(order.orderId)) settleLegs(exchange, order.orderId, at);
}

/** The id of the next execution. */
export const executionIdAfter = ({ state }: Exchange): string =>
  `0000e0d5.${(state.executionCount + 1).toString(16).padStart(8, '0')}.01.01`;

/** What one order of a group has filled, the others no longer may: they end with it, or shrink where it filled in part. */
function shrinkGroup({ state, emit }: Exchange, order: Order, units: string, at: string): void {
  if (order.ocaGroup === null) return;
  const isOver = !state.open.has(order.orderId);
  for (const other of openOfAccount(state, order.account)) {
    if (other.ocaGroup !== order.ocaGroup || other.orderId === order.orderId) continue;
    const rest = quantity(quantity(other.quantity).minus(units));
    if (isOver || rest.lte(other.filled)) emit({ type: 'cancel', at, orderId: other.orderId, by: 'oca' });
    else
      emit({
        type: 'modify',
        at,
        orderId: other.orderId,
        quantity: rest.toString(),
        price: other.price,
      });
  }
}

function resize(exchange: Exchange, leg: Order, to: Quantity, at: string): void {
  const { orderId, price: own } = leg;
  if (to.lte(leg.filled)) exchange.emit({ type: 'cancel', at, orderId, by: 'parent' });
  else exchange.emit({ type: 'modify', at, orderId, quantity: to.toString(), price: own });
}

/** A cash account without shorts: what an accepted order can no longer do when its price comes. */
function refusalOf(
  { state, costs }: Exchange,
  { order, price: paid }: Fill,
  units: string,
  at: string,
): string | null {
  const account = accountOf(state, order.account);
  const commission = commissionOf(units, costs, order.filled, order.commission);
  if (order.side === 'BUY') {
    const need = costOf(price(paid), units, costs, order.filled, order.commission);
    const cash = settledCash(account, at);
    if (need.gt(cash))
      return `Order rejected at execution: ${need.toFixed(2)} USD needed, ${cash.toFixed(2)} USD of cash`;
  } else {
    const held = quantity(holdingOf(account, order.conid).quantity);
    if (held.lt(units))
      return `Order rejected at execution: ${units} shares to sell, ${held.toString()} held, shorts are not allowed`;
    const left = money(amountOf(price(paid), units, 'SELL').plus(account.cash).minus(commission));
    if (left.isNegative())
      return `Order rejected at execution: its commission of ${commission.toFixed(2)} USD is more than it brings and the ${account.cash} USD of cash`;
  }
  const beyond = beyondBounds(account, order.conid, order.side, units, price(paid), commission);
  return beyond === null ? null : `Order rejected at execution: ${beyond}`;
}
