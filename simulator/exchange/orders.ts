// Accepting, changing and cancelling orders: a customer's wish in, a refusal in words or events out. Called by engine.ts.
import { price, quantity } from '../../domain/money/decimal.js';
import { freeShares, reservedCash, settledCash } from './accounts.js';
import { estimateOf } from './costs.js';
import type { Exchange } from './command.js';
import { settleNow } from './exchange.js';
import { limitOf } from './matching.js';
import { expire } from './filling.js';
import { sessionFor } from './market.js';
import { accountOf, orderOf } from './state.js';
import { termsProblem } from './terms.js';
import type { Account, Order, OrderTerms, TradeWish, Trail } from './types.js';

export interface OrderDraft extends OrderTerms {
  /** The client order id of the parent in the same request; null for a parent or a single order. */
  readonly parent: string | null;
  /** True for an order of a group of which one cancels the others. */
  readonly single?: boolean;
}

/** One order of a request: accepted as it stands at that moment, or refused while its parent lives. */
export type PlacedRow =
  { readonly accepted: true; readonly order: Order } | { readonly accepted: false; readonly text: string };

export type PlaceResult =
  | { readonly placed: true; readonly rows: readonly PlacedRow[] }
  | { readonly placed: false; readonly text: string };

/** Order ids look like the broker's and never repeat. */
const FIRST_ORDER_ID = 1_100_000_001;

/**
 * Places one order, a bracket (a parent and children that wait for its fill and cancel each other), or a group of which one
 * cancels the others. None of them is atomic: a refused child leaves its parent alive, and one refused order of a group the
 * others, as at the broker. A refused parent refuses the request.
 */
export function place(exchange: Exchange, accountId: string, drafts: readonly OrderDraft[]): PlaceResult {
  const [first] = drafts;
  if (first === undefined) return { placed: false, text: 'The request holds no order' };
  const rows =
    drafts.length > 1 && drafts.every(({ single }) => single === true)
      ? placeGroup(exchange, accountId, drafts)
      : placeBracket(exchange, accountId, first, drafts.slice(1));
  if (typeof rows === 'string') return { placed: false, text: rows };
  for (const conid of new Set(drafts.map((draft) => draft.conid))) settleNow(exchange, conid);
  for (const row of rows) if (row.accepted) endImmediate(exchange, row.order);
  return { placed: true, rows };
}

/** @returns the rows, or why the whole request is refused */
function placeBracket(
  exchange: Exchange,
  accountId: string,
  first: OrderDraft,
  children: readonly OrderDraft[],
): PlacedRow[] | string {
  if (first.parent !== null) return `Parent order ${first.parent} is not in the request`;
  if (children.some((child) => child.parent === null || child.parent !== first.cOID))
    return 'Only one order, one bracket of a parent and its children, or one group can be sent';
  const account = accountOf(exchange.state, accountId);
  const refusal = termsRefusal(exchange, first) ?? meansRefusal(exchange, account, first, null);
  if (refusal !== null) return refusal;
  const parent = accept(exchange, accountId, first, { parent: null, group: null });
  const rows: PlacedRow[] = [{ accepted: true, order: parent }];
  for (const child of children) {
    const text = termsRefusal(exchange, child) ?? childRefusal(first, child);
    const group = String(parent.orderId);
    rows.push(
      text === null
        ? { accepted: true, order: accept(exchange, accountId, child, { parent, group }) }
        : { accepted: false, text },
    );
  }
  return rows;
}

function placeGroup(
  exchange: Exchange,
  accountId: string,
  drafts: readonly OrderDraft[],
): PlacedRow[] | string {
  if (drafts.some(({ parent }) => parent !== null)) return 'Orders of a group have no parent';
  const account = accountOf(exchange.state, accountId);
  const group = `oco-${FIRST_ORDER_ID + exchange.state.orderCount}`;
  const rows = drafts.map((draft): PlacedRow => {
    const text = termsRefusal(exchange, draft) ?? meansRefusal(exchange, account, draft, null, group);
    if (text !== null) return { accepted: false, text };
    return { accepted: true, order: accept(exchange, accountId, draft, { parent: null, group }) };
  });
  const [first] = rows;
  return first?.accepted === false && rows.every((row) => !row.accepted) ? first.text : rows;
}

/** Immediate or cancel: what has not filled by now never will. */
function endImmediate(exchange: Exchange, { orderId, tif }: Order): void {
  const { state } = exchange;
  if (tif === 'IOC' && state.open.has(orderId))
    expire(exchange, orderId, state.now, 'IOC order: what did not fill at once was cancelled');
}

/** Why an order would be refused now; null when it would be taken. Changes nothing. */
export const refusalOf = (exchange: Exchange, accountId: string, draft: OrderTerms): string | null =>
  termsRefusal(exchange, draft) ?? meansRefusal(exchange, accountOf(exchange.state, accountId), draft, null);

/** New terms of an open order; one with a stop and a limit can also be told another stop, and a trailing one another distance. */
export interface OrderChange {
  readonly quantity: string;
  readonly price: string | null;
  readonly auxPrice?: string | undefined;
  readonly trail?: Trail | undefined;
}

/** Changes an open order. @returns null when done, else the refusal in words */
export function modify(
  exchange: Exchange,
  orderId: number,
  { trail: wanted, auxPrice, ...change }: OrderChange,
): string | null {
  const order = orderOf(exchange.state, orderId);
  const account = accountOf(exchange.state, order.account);
  // The limit of a trailing order moves with its stop, from the first one on.
  const kept = order.orderType === 'TRAILLMT' ? { ...change, price: order.price } : change;
  const trail = wanted === undefined || isSameTrail(wanted, order.trail) ? {} : { trail: wanted };
  const moves = auxPrice !== undefined && stopCanMove(order) && !price(auxPrice).eq(order.auxPrice ?? '0');
  const stop = moves ? { auxPrice } : {};
  const terms = { ...order, ...kept, ...stop, ...trail };
  if (quantity(change.quantity).lte(order.filled))
    return `Quantity ${change.quantity} is not more than the ${order.filled} that have filled`;
  const rest = quantity(change.quantity).minus(order.filled).toString();
  if (movesTrail(order, change.price))
    return 'The stop of a trailing order follows the market and cannot be set: cancel it and place it anew';
  const refusal =
    termsProblem(terms, exchange.market.instrument(order.conid)?.kind ?? 'stock') ??
    (order.state === 'HELD'
      ? null
      : meansRefusal(exchange, account, { ...terms, quantity: rest }, order.orderId, order.ocaGroup));
  if (refusal !== null) return refusal;
  exchange.emit({ type: 'modify', at: exchange.state.now, orderId, ...kept, ...stop, ...trail });
  settleNow(exchange, order.conid);
  return null;
}

/** The stop of a stop-limit order, until it was touched. */
export const stopCanMove = ({ orderType, triggered }: Order): boolean =>
  orderType === 'STOP_LIMIT' && !triggered;

const isSameTrail = (one: Trail, other: Trail | undefined): boolean =>
  one.by === other?.by && price(one.size).eq(other.size);

/** True where a price is named that is neither the trailing order's own nor where its stop, or its limit, stands. */
function movesTrail(order: Order, to: string | null): boolean {
  const { orderType, price: own, trailedTo } = order;
  if ((orderType !== 'TRAIL' && orderType !== 'TRAILLMT') || to === null) return false;
  const stands = orderType === 'TRAIL' ? trailedTo : limitOf(order);
  return ![own, stands].some((known) => known !== null && price(known).eq(to));
}

function accept(
  exchange: Exchange,
  account: string,
  draft: OrderDraft,
  { parent, group }: { readonly parent: Order | null; readonly group: string | null },
): Order {
  const { state, market } = exchange;
  const calendar = market.calendarOf(draft.conid);
  const orderId = FIRST_ORDER_ID + state.orderCount;
  exchange.emit({
    type: 'order',
    at: state.now,
    orderId,
    account,
    symbol: market.instrument(draft.conid)?.symbol ?? '',
    conid: draft.conid,
    side: draft.side,
    orderType: draft.orderType,
    tif: draft.tif,
    quantity: draft.quantity,
    price: draft.price,
    ...(draft.auxPrice === undefined ? {} : { auxPrice: draft.auxPrice }),
    ...(draft.trail === undefined ? {} : { trail: draft.trail }),
    cOID: draft.cOID,
    parentId: parent?.orderId ?? null,
    ocaGroup: group,
    held: parent !== null,
    // An order for the open is too late for a session that is on.
    session: (draft.tif === 'OPG' ? calendar.nextOpen(state.now) : sessionFor(calendar, state.now)).date,
  });
  return orderOf(state, orderId);
}

/** Accepts the order of a trade that is booked at once. */
export const acceptTrade = (exchange: Exchange, wish: TradeWish): Order =>
  accept(
    exchange,
    wish.account,
    {
      conid: wish.instrument.conid,
      side: wish.side,
      orderType: 'LMT',
      tif: 'DAY',
      quantity: wish.quantity,
      price: wish.price,
      cOID: null,
      parent: null,
    },
    { parent: null, group: null },
  );

/** What is wrong with the order itself, whoever sends it. */
function termsRefusal(exchange: Exchange, terms: OrderTerms): string | null {
  const { market, state } = exchange;
  if (market.noOrders !== null) return market.noOrders;
  const instrument = market.instrument(terms.conid);
  if (instrument === undefined) return `Contract ${terms.conid} is not known`;
  if (terms.cOID !== null && state.clientOrderIds.has(terms.cOID))
    return `Order couldn't be submitted: Local order ID=${terms.cOID} is already registered.`;
  if (terms.cOID !== null && !/^[A-Za-z0-9_-]{1,64}$/.test(terms.cOID))
    return 'cOID must be 1 to 64 characters of A-Z, a-z, 0-9, - and _';
  const session = sessionFor(market.calendarOf(terms.conid), state.now).date;
  if (market.quote(terms.conid, state.now) === null || !market.tradesFrom(terms.conid, session))
    return `${instrument.symbol} does not trade on ${session}`;
  return termsProblem(terms, instrument.kind);
}

/** Cash for a buy, shares for a sell. */
function meansRefusal(
  exchange: Exchange,
  account: Account,
  terms: OrderTerms,
  replaces: number | null,
  group: string | null = null,
): string | null {
  const { market, costs, state } = exchange;
  if (terms.side === 'SELL') {
    const free = freeShares(state, account, terms.conid, { replaces, group });
    if (free.gte(terms.quantity)) return null;
    return `YOUR ORDER IS NOT ACCEPTED. ${terms.quantity} shares to sell, ${free.toString()} are free, and this account may not sell short.`;
  }
  const last = market.quote(terms.conid, state.now)?.last ?? 0;
  const need = estimateOf(terms, last, costs);
  const reserved = reservedCash(market, costs, state, account, { replaces, group });
  const free = settledCash(account, state.now).minus(reserved);
  if (need.lte(free)) return null;
  return `YOUR ORDER IS NOT ACCEPTED. The order needs ${need.toFixed(2)} USD of cash, ${free.toFixed(2)} USD are available.`;
}

function childRefusal(parent: OrderTerms, child: OrderTerms): string | null {
  if (child.conid !== parent.conid) return "A child must be of its parent's contract";
  if (child.side === parent.side) return 'A child must be on the other side of its parent';
  if (child.tif !== 'DAY' && child.tif !== 'GTC') return 'A child is good for the day or until cancelled';
  if (quantity(child.quantity).gt(parent.quantity))
    return `A child of ${child.quantity} shares is larger than its parent of ${parent.quantity}`;
  return null;
}
