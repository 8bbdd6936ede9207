// The state of the exchange: as it begins, and what is looked up in it. Only apply.ts changes it.
import type { Account, ExchangeState, Holding, Order } from './types.js';

/**
 * An exchange without accounts, its clock at an instant.
 * @param keepsAll true where nothing is forgotten, which is how it is shown that nobody sees a difference
 */
export const emptyState = (now: string, keepsAll = false): ExchangeState => ({
  now,
  keepsAll,
  step: 0,
  prices: 'replay',
  accounts: new Map(),
  users: new Map(),
  orders: new Map(),
  orderCount: 0,
  lastOrderId: 0,
  executionCount: 0,
  open: new Set(),
  openByConid: new Map(),
  openByAccount: new Map(),
  legs: new Map(),
  clientOrderIds: new Set(),
  executions: [],
  halted: new Set(),
  traded: new Map(),
});

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

/** Orders that are HELD or WORKING, oldest first: ids rise, and a set keeps the order in which they came. */
export const openOrders = (state: ExchangeState): Order[] => ordersOf(state, state.open);
/** The same of one contract, and of one account. */
export const openOfConid = (state: ExchangeState, conid: number): Order[] =>
  ordersOf(state, state.openByConid.get(conid) ?? []);
export const openOfAccount = (state: ExchangeState, account: string): Order[] =>
  ordersOf(state, state.openByAccount.get(account) ?? []);

/** Orders by their ids. */
export const ordersOf = (state: ExchangeState, ids: Iterable<number>): Order[] =>
  Array.from(ids, (orderId) => orderOf(state, orderId));

const nothing: Holding = { quantity: '0', cost: '0', realizedPnl: '0' };

/** What an account holds of an instrument; zeros when it never held any. */
export const holdingOf = (account: Account, conid: number): Holding => account.holdings.get(conid) ?? nothing;
