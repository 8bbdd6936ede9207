// Accepting, changing and cancelling orders: a customer's wish in, a refusal in words or events out. Called by engine.ts.
import { money, price, quantity, quantize } from '../../domain/money/decimal.js';
import { freeShares, reservedCash } from './accounts.js';
import { estimateOf } from './costs.js';
import type { Exchange } from './exchange.js';
import { settleNow } from './exchange.js';
import { sessionFor } from './market.js';
import { accountOf, orderOf } from './state.js';
import type { Account, Order, OrderTerms, TradeWish } from './types.js';
import { PRICE_INCREMENT } from './types.js';

export interface OrderDraft extends OrderTerms {
  /** The client order id of the parent in the same request; null for a parent or a single order. */
  readonly parent: string | null;
}

/** One order of a request: accepted as it stands at that moment, or refused while its parent lives. */
export type PlacedRow =
  { readonly accepted: true; readonly order: Order } | { readonly accepted: false; readonly text: string };

export type PlaceResult =
  | { readonly placed: true; readonly rows: readonly PlacedRow[] }
  | { readonly placed: false; readonly text: string };

/** Order ids look like the broker's and never repeat. */
const FIRST_ORDER_ID = 1_100_000_001;
const MOST_SHARES = 1_000_000_000;

/**
 * Places one order, or a bracket: a parent and children that wait for its fill and cancel each other. A refused parent
 * refuses the request; a refused child leaves its parent alive, as the broker does.
 */
export function place(exchange: Exchange, accountId: string, drafts: readonly OrderDraft[]): PlaceResult {
  const account = accountOf(exchange.state, accountId);
  const [first, ...children] = drafts;
  if (first === undefined) return { placed: false, text: 'The request holds no order' };
  if (first.parent !== null)
    return { placed: false, text: `Parent order ${first.parent} is not in the request` };
  if (children.some((child) => child.parent === null || child.parent !== first.cOID))
    return {
      placed: false,
      text: 'Only one order, or one bracket of a parent and its children, can be sent',
    };
  const refusal = termsRefusal(exchange, first) ?? meansRefusal(exchange, account, first, null);
  if (refusal !== null) return { placed: false, text: refusal };
  const parent = accept(exchange, accountId, first, null);
  const rows: PlacedRow[] = [{ accepted: true, order: parent }];
  for (const child of children) {
    const text = termsRefusal(exchange, child) ?? childRefusal(first, child);
    rows.push(
      text === null
        ? { accepted: true, order: accept(exchange, accountId, child, parent) }
        : { accepted: false, text },
    );
  }
  settleNow(exchange, first.conid);
  return { placed: true, rows };
}

/** Why an order would be refused now; null when it would be taken. Changes nothing. */
export const refusalOf = (exchange: Exchange, accountId: string, draft: OrderTerms): string | null =>
  termsRefusal(exchange, draft) ?? meansRefusal(exchange, accountOf(exchange.state, accountId), draft, null);

/** Changes quantity and price of an open order. @returns null when done, else the refusal in words */
export function modify(
  exchange: Exchange,
  orderId: number,
  change: { readonly quantity: string; readonly price: string | null },
): string | null {
  const order = orderOf(exchange.state, orderId);
  const account = accountOf(exchange.state, order.account);
  const terms = { ...order, ...change };
  const refusal =
    numbersRefusal(terms) ??
    (order.state === 'HELD' ? null : meansRefusal(exchange, account, terms, order.orderId));
  if (refusal !== null) return refusal;
  exchange.emit({ type: 'modify', at: exchange.state.now, orderId, ...change });
  settleNow(exchange, order.conid);
  return null;
}

function accept(exchange: Exchange, account: string, draft: OrderDraft, parent: Order | null): Order {
  const { state, market } = exchange;
  const orderId = FIRST_ORDER_ID + state.orders.size;
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
    cOID: draft.cOID,
    parentId: parent?.orderId ?? null,
    ocaGroup: parent === null ? null : String(parent.orderId),
    held: parent !== null,
    session: sessionFor(market.calendar, state.now).date,
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
    null,
  );

/** What is wrong with the order itself, whoever sends it. */
function termsRefusal(exchange: Exchange, terms: OrderTerms): string | null {
  const { market, state } = exchange;
  const instrument = market.instrument(terms.conid);
  if (instrument === undefined) return `Contract ${terms.conid} is not known`;
  if (terms.cOID !== null && state.clientOrderIds.has(terms.cOID))
    return `Order couldn't be submitted: Local order ID=${terms.cOID} is already registered.`;
  if (terms.cOID !== null && !/^[A-Za-z0-9_-]{1,64}$/.test(terms.cOID))
    return 'cOID must be 1 to 64 characters of A-Z, a-z, 0-9, - and _';
  const session = sessionFor(market.calendar, state.now).date;
  if (market.quote(terms.conid, state.now) === null || !market.tradesFrom(terms.conid, session))
    return `${instrument.symbol} does not trade on ${session}`;
  return numbersRefusal(terms);
}

function numbersRefusal(terms: OrderTerms): string | null {
  const units = quantity(terms.quantity);
  if (!units.isInteger() || units.lte(0) || units.gt(MOST_SHARES))
    return `Quantity ${terms.quantity} is not a whole number of shares from 1 to ${MOST_SHARES}`;
  if (terms.orderType === 'MKT') return null;
  if (terms.price === null) return `A ${terms.orderType} order needs a price`;
  const at = price(terms.price);
  if (at.lte(0) || !quantize(at, PRICE_INCREMENT, 'down').eq(at))
    return 'The price does not conform to the minimum price variation for this contract.';
  return null;
}

/** Cash for a buy, shares for a sell. */
function meansRefusal(
  exchange: Exchange,
  account: Account,
  terms: OrderTerms,
  replaces: number | null,
): string | null {
  const { market, costs, state } = exchange;
  if (terms.side === 'SELL') {
    const free = freeShares(state, account, terms.conid, replaces);
    if (free.gte(terms.quantity)) return null;
    return `YOUR ORDER IS NOT ACCEPTED. ${terms.quantity} shares to sell, ${free.toString()} are free, and this account may not sell short.`;
  }
  const last = market.quote(terms.conid, state.now)?.last ?? 0;
  const need = estimateOf(terms, last, costs);
  const free = money(account.cash).minus(reservedCash(market, costs, state, account, replaces));
  if (need.lte(free)) return null;
  return `YOUR ORDER IS NOT ACCEPTED. The order needs ${need.toFixed(2)} USD of cash, ${free.toFixed(2)} USD are available.`;
}

function childRefusal(parent: OrderTerms, child: OrderTerms): string | null {
  if (child.conid !== parent.conid) return "A child must be of its parent's contract";
  if (child.side === parent.side) return 'A child must be on the other side of its parent';
  if (quantity(child.quantity).gt(parent.quantity))
    return `A child of ${child.quantity} shares is larger than its parent of ${parent.quantity}`;
  return null;
}
