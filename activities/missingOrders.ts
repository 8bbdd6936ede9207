// Orders of Keel's that a list of the broker's lacks although they must be there: the list may be empty, of the evening or of a
// session that has just begun, while they live on. Called by brokerState.ts.
import { isAlive } from '../contracts/wire/order.js';
import type { Mode } from '../contracts/wire/names.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import type { BrokerOrder, BrokerOrders, BrokerPort } from '../ports/broker.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerStateStore, IntentRow, IntentStore } from '../ports/stores.js';

export interface MissingOrdersDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'orders' | 'orderNow'>;
  readonly intents: Pick<IntentStore, 'listOpen'>;
  readonly brokerState: Pick<BrokerStateStore, 'latest'>;
  readonly calendar: Pick<Calendar, 'openAt'>;
}

/**
 * The broker's list, and what the broker tells singly of the orders that it lacks.
 * @param marketNow ISO 8601 UTC
 * @throws KeelError ORDERS_NOT_LISTED (retryable) for a list that cannot be all there is.
 */
export async function wholeList(deps: MissingOrdersDeps, marketNow: string): Promise<BrokerOrders> {
  const { mode, accountId, broker } = deps;
  // Before the list: what the broker takes meanwhile need not be in it.
  const open = await deps.intents.listOpen(mode, accountId);
  const list = await broker.orders(accountId);
  const taken = open.find((intent) => !list.complete && isOfThisSession(intent, marketNow));
  if (taken !== undefined) {
    throw new KeelError(
      'ORDERS_NOT_LISTED',
      `The broker lists no orders and does not say that there are none, but it has taken order ${taken.brokerOrderId ?? ''}. It is asked again; until it lists that, no order goes out.`,
      { errorClass: 'retryable', facts: { clientOrderId: taken.clientOrderId } },
    );
  }
  const missing = await missingFrom(deps, list, open);
  const found: BrokerOrder[] = [];
  for (const order of missing) {
    const now = await broker.orderNow(accountId, order);
    if (now !== null) found.push(now);
    // Neither says that it is over: a protective leg of another session may be in no list of the evening.
    else if (!list.complete || (isEmpty(list) && deps.calendar.openAt(marketNow) === null)) found.push(order);
  }
  return { ...list, orders: [...list.orders, ...found] };
}

const isEmpty = ({ orders, unreadable }: BrokerOrders): boolean => orders.length + unreadable.length === 0;

/** A broker lists the orders of its session whatever became of them. Legs that were never seen came with it. */
function isOfThisSession({ brokerOrderId, state, legs, validUntil }: IntentRow, marketNow: string): boolean {
  const unseen = state === 'ACKNOWLEDGED' || legs.length === 0;
  return brokerOrderId !== null && unseen && marketNow < validUntil;
}

/** As the snapshot before has them. One that it does not have was never listed. */
async function missingFrom(
  { mode, accountId, brokerState }: MissingOrdersDeps,
  { orders, unreadable }: BrokerOrders,
  open: readonly IntentRow[],
): Promise<readonly BrokerOrder[]> {
  const there = new Set([...orders, ...unreadable].map(({ brokerOrderId }) => brokerOrderId));
  const wanted = new Set(open.flatMap(aliveIds).filter((id) => !there.has(id)));
  if (wanted.size === 0) return [];
  const before = (await brokerState.latest(mode, accountId))?.orders ?? [];
  return before.filter(({ brokerOrderId, status }) => wanted.has(brokerOrderId) && isAlive(status));
}

const aliveIds = ({ state, brokerOrderId, legs }: IntentRow): readonly string[] => [
  ...(state === 'ACKNOWLEDGED' && brokerOrderId !== null ? [brokerOrderId] : []),
  ...legs.filter(({ status }) => isAlive(status)).map((leg) => leg.brokerOrderId),
];
