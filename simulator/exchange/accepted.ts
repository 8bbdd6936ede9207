// An order as it stands the moment it is accepted. Called by state.ts.
import type { ExchangeEvent, Order } from './types.js';

type OrderEvent = Extract<ExchangeEvent, { type: 'order' }>;

export function acceptedOrder(event: OrderEvent): Order {
  const { at, held } = event;
  return {
    orderId: event.orderId,
    account: event.account,
    conid: event.conid,
    symbol: event.symbol,
    side: event.side,
    orderType: event.orderType,
    tif: event.tif,
    quantity: event.quantity,
    price: event.price,
    ...(event.auxPrice === undefined ? {} : { auxPrice: event.auxPrice }),
    ...(event.trail === undefined ? {} : { trail: event.trail }),
    cOID: event.cOID,
    parentId: event.parentId,
    ocaGroup: event.ocaGroup,
    session: event.session,
    placedAt: at,
    state: held ? 'HELD' : 'WORKING',
    triggered: false,
    trailedTo: firstStop(event),
    filled: '0',
    value: '0',
    commission: '0',
    averagePrice: null,
    changedAt: at,
    reason: null,
  };
}

/** Where a trailing stop stands before it has seen a price; null where none is named. */
function firstStop({ orderType, price: at, auxPrice }: OrderEvent): string | null {
  if (orderType === 'TRAILLMT') return auxPrice ?? null;
  return orderType === 'TRAIL' ? at : null;
}
