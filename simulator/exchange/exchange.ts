// The exchange: market replay, matching and time. Data in, events out, no I/O: the caller makes the events durable
// before anybody hears of them. Called by engine.ts.
import type { Calendar, Session } from '../../domain/market/calendarTypes.js';
import { auction, expire, settleLegs, standAt, walk } from './filling.js';
import type { Exchange } from './command.js';
import { walkOf } from './matching.js';
import { legsOf } from './remaining.js';
import { openOrders } from './state.js';
import type { Instrument, Order } from './types.js';

/**
 * Plays the market from the clock to an instant: at each open splits, the opening auction, and resting orders that trade
 * there; at each close the walk of the session's bar, the closing auction, and the end of what was good for the session.
 * Sessions in which nothing is open and nothing splits are not visited. Moving the clock itself is the caller's event.
 */
export function playTo(exchange: Exchange, to: string): void {
  const { market, state } = exchange;
  const calendars = [...new Set(market.instruments.map(({ conid }) => market.calendarOf(conid)))];
  const places = new Map(calendars.map((calendar) => [calendar, state.now]));
  for (;;) {
    const edges = [...places].flatMap(([calendar, now]) => nextOf(exchange, calendar, now) ?? []);
    const edge = edges.sort((a, b) => (a.at < b.at ? -1 : 1))[0];
    if (edge === undefined || edge.at > to) return;
    if (edge.kind === 'open') atOpen(exchange, edge.calendar, edge.session);
    else atClose(exchange, edge.calendar, edge.session);
    places.set(edge.calendar, edge.at);
  }
}

interface Edge {
  readonly kind: 'open' | 'close';
  readonly at: string;
  readonly calendar: Calendar;
  readonly session: Session;
}

/** The next open or close at which something may happen by a calendar; null when nothing does. */
function nextOf({ market, state }: Exchange, calendar: Calendar, now: string): Edge | null {
  const isOpen = [...state.openByConid.keys()].some((conid) => market.calendarOf(conid) === calendar);
  if (isOpen) {
    const on = calendar.openAt(now);
    if (on !== null) return { kind: 'close', at: on.close, calendar, session: on };
    const session = calendar.nextOpen(now);
    return { kind: 'open', at: session.open, calendar, session };
  }
  const next = market.instruments
    .filter(({ conid }) => market.calendarOf(conid) === calendar)
    .flatMap(({ splits }) => splits.flatMap(({ date }) => calendar.session(date) ?? []))
    .filter(({ open }) => open > now)
    .sort((a, b) => (a.open < b.open ? -1 : 1))[0];
  return next === undefined ? null : { kind: 'open', at: next.open, calendar, session: next };
}

/** Lets the orders of an instrument trade at the price that is known now; for orders that arrive during a session. */
export function settleNow(exchange: Exchange, conid: number): void {
  const { market, state } = exchange;
  const quote = market.quote(conid, state.now);
  const session = market.calendarOf(conid).openAt(state.now);
  if (quote?.phase !== 'open' || session === null || state.halted.has(conid)) return;
  standAt(exchange, { conid, session, at: state.now }, quote.last);
}

/** Ends an order at its customer's word, and the legs that hang on it. */
export function cancelOrder(exchange: Exchange, orderId: number): void {
  exchange.emit({ type: 'cancel', at: exchange.state.now, orderId, by: 'customer' });
  settleLegs(exchange, orderId, exchange.state.now);
}

/** Stops the trading of an instrument: no order of it fills until it is resumed. */
export function halt({ state, emit }: Exchange, conid: number): void {
  if (!state.halted.has(conid)) emit({ type: 'halt', at: state.now, conid });
}

/** Lets an instrument trade again, at once where a session is on. */
export function resume(exchange: Exchange, conid: number): void {
  if (!exchange.state.halted.has(conid)) return;
  exchange.emit({ type: 'resume', at: exchange.state.now, conid });
  settleNow(exchange, conid);
}

function atOpen(exchange: Exchange, calendar: Calendar, session: Session): void {
  const { market, state } = exchange;
  for (const instrument of market.instruments)
    if (market.calendarOf(instrument.conid) === calendar) splitAt(exchange, instrument, session);
  for (const conid of conidsOf(exchange, calendar)) {
    const bar = market.bar(conid, session.date);
    if (bar === undefined || state.halted.has(conid)) continue;
    const place = { conid, session, at: session.open };
    auction(exchange, place, bar.open, ({ tif }) => tif === 'OPG');
    standAt(exchange, place, bar.open);
  }
  for (const { orderId, tif, conid, session: first } of openOrders(state)) {
    if (tif !== 'OPG' || market.calendarOf(conid) !== calendar || first > session.date) continue;
    expire(exchange, orderId, session.open, `OPG order did not trade at the open of ${session.date}`);
  }
}

/** A bracket whose entry has filled in part ends there, so that legs and shares are counted in new shares alike. */
function splitAt(exchange: Exchange, { conid, splits }: Instrument, session: Session): void {
  const { market, state } = exchange;
  const split = splits.find(({ date }) => date === session.date);
  const bar = market.bar(conid, session.date);
  if (split === undefined || bar === undefined) return;
  for (const { orderId, filled, conid: own } of openOrders(state))
    if (own === conid && filled !== '0' && legsOf(state, orderId).length > 0)
      expire(exchange, orderId, session.open, 'An order that had filled in part ended with a split');
  const { numerator, denominator } = split;
  const at = session.open;
  exchange.emit({ type: 'split', at, conid, numerator, denominator, price: String(bar.open) });
}

const isForClose = ({ orderType }: Order): boolean => orderType === 'MOC' || orderType === 'LOC';

function atClose(exchange: Exchange, calendar: Calendar, session: Session): void {
  const { market, state } = exchange;
  for (const conid of conidsOf(exchange, calendar)) {
    const bar = market.bar(conid, session.date);
    if (bar === undefined || state.halted.has(conid)) continue;
    const place = { conid, session, at: session.close };
    walk(exchange, place, walkOf(bar));
    auction(exchange, place, bar.close, isForClose);
  }
  for (const order of openOrders(state)) {
    if (order.tif !== 'DAY' || order.session > session.date) continue;
    if (market.calendarOf(order.conid) !== calendar || !state.open.has(order.orderId)) continue;
    expire(exchange, order.orderId, session.close, `DAY order expired at the close of ${session.date}`);
  }
}

/** Contracts with open orders, that of the oldest one first. */
const conidsOf = ({ market, state }: Exchange, calendar: Calendar): number[] =>
  [...state.openByConid]
    .filter(([conid]) => market.calendarOf(conid) === calendar)
    .map(([conid, [oldest = 0]]) => ({ conid, oldest }))
    .sort((a, b) => a.oldest - b.oldest)
    .map(({ conid }) => conid);
