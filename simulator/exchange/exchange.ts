// The exchange: market replay, matching and time. Data in, events out, no I/O: the caller makes the events durable
// before anybody hears of them. Called by engine.ts.
import type { Session } from '../../domain/market/calendarTypes.js';
import { money, price, quantity } from '../../domain/money/decimal.js';
import { commissionOf, costOf } from './costs.js';
import type { Market } from './market.js';
import { fillAt, fillBetween, walkOf } from './matching.js';
import type { Fill } from './matching.js';
import { accountOf, apply, holdingOf, openOrders, orderOf } from './state.js';
import type { Costs, ExchangeEvent, ExchangeState, Order } from './types.js';

/** One command's view: the state it changes and where its events go. */
export interface Exchange {
  readonly market: Market;
  readonly costs: Costs;
  readonly state: ExchangeState;
  /** Applies an event to the state and keeps it for the ledger. */
  readonly emit: (event: ExchangeEvent) => void;
}

/** An exchange that collects the events of one command. */
export function collecting(
  market: Market,
  costs: Costs,
  state: ExchangeState,
): { readonly exchange: Exchange; readonly events: ExchangeEvent[] } {
  const events: ExchangeEvent[] = [];
  const emit = (event: ExchangeEvent): void => {
    apply(state, event);
    events.push(event);
  };
  return { exchange: { market, costs, state, emit }, events };
}

/**
 * Plays the market from the clock to an instant: at each open resting orders that trade there, at each close the walk of
 * the session's bar and the end of DAY orders. Without open orders no session is visited. Moving the clock itself is the
 * caller's event.
 */
export function playTo(exchange: Exchange, to: string): void {
  const { calendar } = exchange.market;
  let now = exchange.state.now;
  while (exchange.state.open.size > 0) {
    const on = calendar.openAt(now);
    const session = on ?? calendar.nextOpen(now);
    const edge = on === null ? session.open : session.close;
    if (edge > to) return;
    if (on === null) atOpen(exchange, session);
    else atClose(exchange, session);
    now = edge;
  }
}

/** Lets the orders of an instrument trade at the price that is known now; for orders that arrive during a session. */
export function settleNow(exchange: Exchange, conid: number): void {
  const quote = exchange.market.quote(conid, exchange.state.now);
  const session = exchange.market.calendar.openAt(exchange.state.now);
  if (quote?.phase !== 'open' || session === null) return;
  standAt(exchange, conid, session, quote.last, exchange.state.now);
}

/** Ends an order at its customer's word, and the children that wait for it. */
export function cancelOrder(exchange: Exchange, orderId: number): void {
  exchange.emit({ type: 'cancel', at: exchange.state.now, orderId, by: 'customer' });
  cancelHeldChildren(exchange, orderId, exchange.state.now);
}

function atOpen(exchange: Exchange, session: Session): void {
  for (const conid of conidsOf(exchange)) {
    const bar = exchange.market.bar(conid, session.date);
    if (bar !== undefined) standAt(exchange, conid, session, bar.open, session.open);
  }
}

function atClose(exchange: Exchange, session: Session): void {
  for (const conid of conidsOf(exchange)) {
    const points = exchange.market.bar(conid, session.date);
    if (points !== undefined) walk(exchange, conid, session, walkOf(points));
  }
  for (const order of openOrders(exchange.state)) {
    if (order.tif !== 'DAY' || order.session > session.date) continue;
    if (!exchange.state.open.has(order.orderId)) continue;
    const reason = `DAY order expired at the close of ${session.date}`;
    exchange.emit({ type: 'expire', at: session.close, orderId: order.orderId, reason });
    cancelHeldChildren(exchange, order.orderId, session.close);
  }
}

function walk(exchange: Exchange, conid: number, session: Session, points: readonly number[]): void {
  const at = session.close;
  let [level = 0] = points;
  standAt(exchange, conid, session, level, at);
  for (const target of points.slice(1)) {
    for (;;) {
      const working = workingOrders(exchange, conid, session);
      const fill = fillBetween(working, level, target, exchange.costs.slippage);
      if (fill === null) break;
      level = fill.at;
      execute(exchange, fill, at);
      // A leg that this fill activated takes part from here on, and first at this very price.
      standAt(exchange, conid, session, level, at);
    }
    level = target;
  }
}

/** Fills all that trades while the market stands at a price, children activated here included. */
function standAt(exchange: Exchange, conid: number, session: Session, level: number, at: string): void {
  for (;;) {
    const fill = fillAt(workingOrders(exchange, conid, session), level, exchange.costs.slippage);
    if (fill === null) return;
    execute(exchange, fill, at);
  }
}

const conidsOf = (exchange: Exchange): number[] => [
  ...new Set(openOrders(exchange.state).map((order) => order.conid)),
];

const workingOrders = (exchange: Exchange, conid: number, session: Session): Order[] =>
  openOrders(exchange.state).filter(
    (order) => order.conid === conid && order.state === 'WORKING' && order.session <= session.date,
  );

function execute(exchange: Exchange, fill: Fill, at: string): void {
  const { order } = fill;
  const refusal = refusalOf(exchange, fill);
  if (refusal !== null) {
    exchange.emit({ type: 'reject', at, orderId: order.orderId, reason: refusal });
    cancelHeldChildren(exchange, order.orderId, at);
    return;
  }
  const number = exchange.state.executions.length + 1;
  exchange.emit({
    type: 'execution',
    at,
    executionId: `0000e0d5.${number.toString(16).padStart(8, '0')}.01.01`,
    orderId: order.orderId,
    account: order.account,
    conid: order.conid,
    symbol: order.symbol,
    side: order.side,
    quantity: order.quantity,
    price: fill.price.toString(),
    commission: commissionOf(order.quantity, exchange.costs.commissionPerShare).toString(),
    cOID: order.cOID,
  });
  if (order.ocaGroup === null) return;
  for (const other of openOrders(exchange.state)) {
    if (other.ocaGroup !== order.ocaGroup) continue;
    exchange.emit({ type: 'cancel', at, orderId: other.orderId, by: 'oca' });
  }
}

/** A cash account without shorts: what an accepted order can no longer do when its price comes. */
function refusalOf(exchange: Exchange, { order, price: at }: Fill): string | null {
  const account = accountOf(exchange.state, order.account);
  if (order.side === 'BUY') {
    const need = costOf(price(at), order.quantity, exchange.costs.commissionPerShare);
    if (need.lte(money(account.cash))) return null;
    return `Order rejected at execution: ${need.toFixed(2)} USD needed, ${money(account.cash).toFixed(2)} USD of cash`;
  }
  const held = quantity(holdingOf(account, order.conid).quantity);
  if (held.gte(order.quantity)) return null;
  return `Order rejected at execution: ${order.quantity} shares to sell, ${held.toString()} held, shorts are not allowed`;
}

function cancelHeldChildren(exchange: Exchange, parentId: number, at: string): void {
  for (const child of openOrders(exchange.state)) {
    if (child.parentId !== parentId || orderOf(exchange.state, child.orderId).state !== 'HELD') continue;
    exchange.emit({ type: 'cancel', at, orderId: child.orderId, by: 'parent' });
  }
}
