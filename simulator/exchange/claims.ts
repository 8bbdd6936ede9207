// What the working orders of an account have claimed of its cash and its shares. Asked for with every order and every look at the
// account, so what an order claims is worked out once: one that changes is another object. Called by accounts.ts.
import type { Decimal } from 'decimal.js';
import { estimateOf } from './costs.js';
import type { Market } from './market.js';
import { openParentOf, remainingOf } from './remaining.js';
import { openOfAccount } from './state.js';
import type { Account, Costs, ExchangeState, Order } from './types.js';

/** What an order that is about to come frees: the order it replaces, and the others of its group, which only one can fill. */
export interface Freed {
  readonly replaces: number | null;
  readonly group: string | null;
}

/** Claims are counted in ten-thousandths of a dollar or share, the finest there are (a finer one would count as a whole): sums of whole numbers are cheap. */
const PARTS = 10_000;
const partsOf = (amount: Decimal): bigint => BigInt(amount.times(PARTS).ceil().toFixed());

/** By what it costs to trade: a claim, and the price for which it holds; null where the order names its own. */
const estimates = new WeakMap<
  Costs,
  WeakMap<Order, { readonly last: number | null; readonly parts: bigint }>
>();
const rests = new WeakMap<Order, bigint>();

/** Ten-thousandths of a dollar that an account's working buys have set aside. */
export function claimedCash(
  market: Market,
  costs: Costs,
  state: ExchangeState,
  account: Account,
  freed: Freed,
): bigint {
  const lasts = new Map<number, number>();
  const lastOf = (conid: number): number => {
    const last = lasts.get(conid) ?? market.quote(conid, state.now)?.last ?? 0;
    lasts.set(conid, last);
    return last;
  };
  const claim = (order: Order): bigint =>
    estimate(state, order, order.price === null ? lastOf(order.conid) : null, costs);
  return sumOfGroups(working(state, account, freed, 'BUY'), claim);
}

/** Ten-thousandths of a share of a contract that an account's working sells have claimed. */
export const claimedShares = (state: ExchangeState, account: Account, conid: number, freed: Freed): bigint =>
  sumOfGroups(
    working(state, account, freed, 'SELL').filter((order) => order.conid === conid),
    (order) => rest(state, order),
  );

const working = (
  state: ExchangeState,
  account: Account,
  { replaces, group }: Freed,
  side: Order['side'],
): Order[] =>
  openOfAccount(state, account.id).filter(
    (order) =>
      order.side === side &&
      order.state === 'WORKING' &&
      order.orderId !== replaces &&
      (group === null || order.ocaGroup !== group),
  );

/** Of the orders of one group only one can fill, so the largest amount counts. */
function sumOfGroups(orders: readonly Order[], claimOf: (order: Order) => bigint): bigint {
  const largest = new Map<string, bigint>();
  let sum = 0n;
  for (const order of orders) {
    const claim = claimOf(order);
    if (order.ocaGroup === null) {
      sum += claim;
      continue;
    }
    const known = largest.get(order.ocaGroup) ?? 0n;
    if (claim > known) largest.set(order.ocaGroup, claim);
  }
  for (const claim of largest.values()) sum += claim;
  return sum;
}

/** @param last price of an order that names none; null for the others */
function estimate(state: ExchangeState, order: Order, last: number | null, costs: Costs): bigint {
  const anew = (): bigint =>
    partsOf(estimateOf(order, last ?? 0, costs, remainingOf(state, order).toString()));
  // What such a leg has left changes with its entry and the other legs.
  if (openParentOf(state, order) !== null) return anew();
  let known = estimates.get(costs);
  if (known === undefined) estimates.set(costs, (known = new WeakMap()));
  const before = known.get(order);
  if (before?.last === last) return before.parts;
  const parts = anew();
  known.set(order, { last, parts });
  return parts;
}

function rest(state: ExchangeState, order: Order): bigint {
  if (openParentOf(state, order) !== null) return partsOf(remainingOf(state, order));
  let parts = rests.get(order);
  if (parts === undefined) rests.set(order, (parts = partsOf(remainingOf(state, order))));
  return parts;
}

/** Dollars or shares of so many parts. */
export const amountOfParts = (parts: bigint): string => {
  const text = parts.toString().padStart(5, '0');
  return `${text.slice(0, -4)}.${text.slice(-4)}`;
};
