// What an exchange that has run for long no longer needs to remember: orders and executions that ended before anything that
// its fronts show. The ledger keeps them, and client order ids are known for ever. Called by state.ts with each new market day.
import type { ExchangeState } from './types.js';

const DAY_MS = 86_400_000;
/** A day more than the broker's lists go back, market time. */
const DAYS_KEPT = 8;

/** Forgets in place. The leg of a bracket stays while its parent is open, because what it has sold counts. */
export function forget(state: ExchangeState): void {
  const since = new Date(Date.parse(state.now) - DAYS_KEPT * DAY_MS).toISOString();
  for (const { orderId, changedAt, parentId } of state.orders.values()) {
    if (changedAt >= since || state.open.has(orderId)) continue;
    if (parentId !== null && state.open.has(parentId)) continue;
    state.orders.delete(orderId);
    state.legs.delete(orderId);
  }
  const kept = state.executions.findIndex(({ at }) => at >= since);
  state.executions.splice(0, kept === -1 ? state.executions.length : kept);
}
