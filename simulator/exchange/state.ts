// The state of the exchange as the fold of its events: the one place that changes it. Used live (each event as it
// happens) and at start (the whole ledger).
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Account, ExchangeEvent, ExchangeState, Holding, Order, OrderState } from './types.js';

/** An exchange without accounts, its clock at an instant. */
export const emptyState = (now: string): ExchangeState => ({
  now,
  step: 0,
  accounts: new Map(),
  users: new Map(),
  orders: new Map(),
  open: new Set(),
  clientOrderIds: new Set(),
  executions: [],
});

/**
 * Applies one event in place.
 * @throws RangeError when the event speaks of an account or order that does not exist: the ledger is then damaged
 */
export function apply(state: ExchangeState, event: ExchangeEvent): void {
  if (event.at < state.now) throw new RangeError(`an event at ${event.at} is before the clock, ${state.now}`);
  state.now = event.at;
  switch (event.type) {
    case 'account':
      state.accounts.set(event.account, { id: event.account, cash: event.cash, holdings: new Map() });
      return;
    case 'user': {
      const { userId, email, account, keyHash, expiresAt } = event;
      accountOf(state, account);
      state.users.set(keyHash, { userId, email, account, keyHash, expiresAt });
      return;
    }
    case 'order':
      accept(state, event);
      return;
    case 'modify': {
      const order = orderOf(state, event.orderId);
      const { quantity: units, price: at } = event;
      state.orders.set(order.orderId, { ...order, quantity: units, price: at, changedAt: event.at });
      return;
    }
    case 'execution':
      execute(state, event);
      return;
    case 'cancel':
      change(state, event.orderId, 'CANCELLED', event.at);
      return;
    case 'expire':
      change(state, event.orderId, 'EXPIRED', event.at, event.reason);
      return;
    case 'reject':
      change(state, event.orderId, 'REJECTED', event.at, event.reason);
      return;
    case 'step':
      state.step = event.step;
      return;
    case 'run':
    case 'tick':
    case 'stop':
      return;
  }
}

/** @throws RangeError when there is no such account. */
export function accountOf(state: ExchangeState, id: string): Account {
  const account = state.accounts.get(id);
  if (account === undefined) throw new RangeError(`there is no account ${id}`);
  return account;
}

/** @throws RangeError when there is no such order. */
export function orderOf(state: ExchangeState, orderId: number): Order {
  const order = state.orders.get(orderId);
  if (order === undefined) throw new RangeError(`there is no order ${orderId}`);
  return order;
}

/** Orders that are HELD or WORKING, oldest first. */
export const openOrders = (state: ExchangeState): Order[] =>
  [...state.open].sort((a, b) => a - b).map((orderId) => orderOf(state, orderId));

const nothing: Holding = { quantity: '0', cost: '0', realizedPnl: '0' };

/** What an account holds of an instrument; zeros when it never held any. */
export const holdingOf = (account: Account, conid: number): Holding => account.holdings.get(conid) ?? nothing;

function accept(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'order' }>): void {
  accountOf(state, event.account);
  if (state.orders.has(event.orderId)) throw new RangeError(`order ${event.orderId} was accepted twice`);
  const { at, held } = event;
  state.orders.set(event.orderId, {
    orderId: event.orderId,
    account: event.account,
    conid: event.conid,
    symbol: event.symbol,
    side: event.side,
    orderType: event.orderType,
    tif: event.tif,
    quantity: event.quantity,
    price: event.price,
    cOID: event.cOID,
    parentId: event.parentId,
    ocaGroup: event.ocaGroup,
    session: event.session,
    placedAt: at,
    state: held ? 'HELD' : 'WORKING',
    averagePrice: null,
    changedAt: at,
    reason: null,
  });
  state.open.add(event.orderId);
  if (event.cOID !== null) state.clientOrderIds.add(event.cOID);
}

function execute(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'execution' }>): void {
  const order = orderOf(state, event.orderId);
  const account = accountOf(state, event.account);
  change(state, event.orderId, 'FILLED', event.at, null, event.price);
  // To the cent: of a fraction of a share a buyer pays the rest of a cent, a seller leaves it.
  const exact = notional(price(event.price), quantity(event.quantity));
  const value = money(quantize(exact, '0.01', event.side === 'BUY' ? 'up' : 'down'));
  const commission = money(event.commission);
  const held = holdingOf(account, event.conid);
  const cash = money(account.cash).minus(commission);
  if (event.side === 'BUY') {
    account.cash = cash.minus(value).toString();
    account.holdings.set(event.conid, {
      quantity: quantity(held.quantity).plus(event.quantity).toString(),
      cost: money(held.cost).plus(value).plus(commission).toString(),
      realizedPnl: held.realizedPnl,
    });
  } else {
    account.cash = cash.plus(value).toString();
    account.holdings.set(event.conid, afterSale(held, event.quantity, value.minus(commission).toString()));
  }
  // Named one by one: an event read from the ledger carries the line's own fields as well.
  state.executions.push({
    executionId: event.executionId,
    orderId: event.orderId,
    account: event.account,
    conid: event.conid,
    symbol: event.symbol,
    side: event.side,
    quantity: event.quantity,
    price: event.price,
    commission: event.commission,
    cOID: event.cOID,
    at: event.at,
  });
  for (const child of openOrders(state)) {
    if (child.parentId !== order.orderId || child.state !== 'HELD') continue;
    state.orders.set(child.orderId, { ...child, state: 'WORKING', changedAt: event.at });
  }
}

/** Takes sold shares at average cost, to the cent; the last share takes what cost is left. */
function afterSale(held: Holding, sold: string, proceeds: string): Holding {
  const left = quantity(held.quantity).minus(sold);
  const share = left.isZero()
    ? money(held.cost)
    : quantize(money(held.cost).times(sold).div(held.quantity), '0.01', 'nearest');
  return {
    quantity: left.toString(),
    cost: money(held.cost).minus(share).toString(),
    realizedPnl: money(held.realizedPnl).plus(proceeds).minus(share).toString(),
  };
}

function change(
  state: ExchangeState,
  orderId: number,
  to: OrderState,
  at: string,
  reason: string | null = null,
  averagePrice: string | null = null,
): void {
  const order = orderOf(state, orderId);
  if (!state.open.delete(orderId))
    throw new RangeError(`order ${orderId} has ended already (${order.state})`);
  state.orders.set(orderId, { ...order, state: to, changedAt: at, reason, averagePrice });
}
