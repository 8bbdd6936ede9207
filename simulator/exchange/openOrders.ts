// Which orders are open, also by contract and by account, so that no command looks at all of them. Called by state.ts alone.
import type { ExchangeState, Order } from './types.js';

/** Notes an order as open, and as the leg of its parent. */
export function open(state: ExchangeState, { orderId, conid, account, parentId }: Order): void {
  state.open.add(orderId);
  addTo(state.openByConid, conid, orderId);
  addTo(state.openByAccount, account, orderId);
  if (parentId !== null) state.legs.set(parentId, [...(state.legs.get(parentId) ?? []), orderId]);
}

function addTo<K>(index: Map<K, Set<number>>, key: K, orderId: number): void {
  const ids = index.get(key);
  if (ids === undefined) index.set(key, new Set([orderId]));
  else ids.add(orderId);
}

/** @returns false where it had ended already */
export function close(state: ExchangeState, { orderId, conid, account }: Order): boolean {
  removeFrom(state.openByConid, conid, orderId);
  removeFrom(state.openByAccount, account, orderId);
  return state.open.delete(orderId);
}

function removeFrom<K>(index: Map<K, Set<number>>, key: K, orderId: number): void {
  const ids = index.get(key);
  ids?.delete(orderId);
  if (ids?.size === 0) index.delete(key);
}
