// What the monitor of orders looks at: orders that nobody follows, and shares that no stop covers. Called by monitors.ts.
import { isAlive, type IntentState } from '../contracts/wire/order.js';
import type { MonitorResult } from '../contracts/wire/monitor.js';
import type { MonitorStore, OrderWorkflowsPort } from '../ports/monitors.js';
import type { News, NotificationStore } from '../ports/notifications.js';
import type { BrokerSnapshot, IntentRow, IntentStore } from '../ports/stores.js';
import { endLostRuns, type LostRunsDeps } from './lostRuns.js';
import { freshSnapshot, type AccountDeps } from './monitorLooks.js';
import { unprotectedPositions, type UnprotectedPosition } from './unprotectedPositions.js';

export interface OrdersLookDeps extends AccountDeps, LostRunsDeps {
  readonly intents: Pick<IntentStore, 'listOpen' | 'get' | 'listUnstopped'> & LostRunsDeps['intents'];
  readonly orderWorkflows: OrderWorkflowsPort;
  readonly monitors: Pick<MonitorStore, 'get'>;
  readonly notifications: Pick<NotificationStore, 'add'>;
}

/**
 * Ends of an intent after which nothing of its order should live or have filled: as never sent, which the broker may know better
 * after a restore, or as told of by nothing any more after its session.
 */
const nothingLeft: readonly IntentState[] = ['ABANDONED', 'NOT_SENT', 'EXPIRED'];

/**
 * Orders that nobody follows: an intent whose lifecycle is not open, and a live order at the broker under a client order id
 * that this database does not have, or one that is live or has filled and of which it has that nothing is left.
 */
async function unfollowedOrders(
  deps: Pick<OrdersLookDeps, 'intents' | 'orderWorkflows'>,
  { orders }: BrokerSnapshot,
  open: readonly IntentRow[],
): Promise<readonly string[]> {
  const unfollowed: string[] = [];
  for (const { clientOrderId } of open) {
    if (!(await deps.orderWorkflows.isOpen(clientOrderId))) unfollowed.push(clientOrderId);
  }
  const known = new Set(open.map(({ clientOrderId }) => clientOrderId));
  for (const { clientOrderId, status, filledQuantity } of orders) {
    if (clientOrderId === null || known.has(clientOrderId)) continue;
    const alive = isAlive(status);
    // What has filled under an id of this database's own is held, and its protective legs have no id of theirs.
    if (!alive && filledQuantity === '0') continue;
    const intent = await deps.intents.get(clientOrderId);
    if (intent === null ? alive : nothingLeft.includes(intent.state)) unfollowed.push(clientOrderId);
  }
  return unfollowed;
}

const unfollowedNews = (clientOrderId: string): News => ({
  key: `unfollowed/${clientOrderId}`,
  event: 'order.unfollowed',
  title: `Nobody follows order ${clientOrderId}`,
  body: 'It is open or has filled, and its lifecycle is not open. Look at this order, its protective legs and its position at the broker; Keel sends nothing for it.',
  facts: { clientOrderId },
});

const unprotectedNews = ({ clientOrderId, symbol, held, stopped }: UnprotectedPosition): News => ({
  key: `unprotected/${clientOrderId}`,
  event: 'position.unprotected',
  title: `No stop covers ${symbol} any more`,
  body: `The stop of order ${clientOrderId} is over, or is in no list any more, and has not sold: the account holds ${held} of ${symbol}, and stops that are at work would sell ${stopped}. Place a stop at the broker, or close the position; Keel sends nothing for it.`,
  facts: { clientOrderId, symbol, held, stopped },
});

/**
 * Ends runs that nobody goes on with, and finds orders that nobody follows and shares that no stop covers. An order that
 * changes at this moment looks the same, so only what was seen by two looks in a row is alarmed.
 */
export async function lookAtOrders(deps: OrdersLookDeps): Promise<MonitorResult> {
  // Needs nothing of the broker, so it is not held up where that is away.
  const lostRuns = await endLostRuns(deps);
  const snapshot = await freshSnapshot(deps);
  const open = await deps.intents.listOpen(deps.mode, deps.accountId);
  const unfollowed = await unfollowedOrders(deps, snapshot, open);
  const bare = await unprotectedPositions(deps, snapshot, open);
  const unprotected = bare.map(({ clientOrderId }) => clientOrderId);
  const before = (await deps.monitors.get('reconciliation'))?.facts ?? {};
  const seenBefore = (name: string, id: string): boolean => {
    const ids = before[name];
    return Array.isArray(ids) && ids.includes(id);
  };
  const alarmed = unfollowed.filter((id) => seenBefore('unfollowed', id));
  const bareTwice = bare.filter(({ clientOrderId }) => seenBefore('unprotected', clientOrderId));
  for (const news of [...alarmed.map(unfollowedNews), ...bareTwice.map(unprotectedNews)]) {
    await deps.notifications.add(news);
  }
  const unreadable = (snapshot.unreadable ?? [])
    .filter(({ status }) => status === null || isAlive(status))
    .map((order) => order.brokerOrderId ?? order.clientOrderId ?? 'an order of no id');
  const found = [
    ...(lostRuns.length > 0 ? [`nobody went on with ${lostRuns.join(', ')}, ended as failed`] : []),
    ...(alarmed.length > 0 ? [`nobody follows ${alarmed.join(', ')}`] : []),
    ...(bareTwice.length > 0
      ? [`no stop covers ${bareTwice.map(({ symbol }) => symbol).join(', ')} any more`]
      : []),
    ...(unreadable.length > 0 ? [`nobody can read ${unreadable.join(', ')}, made elsewhere`] : []),
  ];
  return {
    status: found.length === 0 ? 'ok' : 'warning',
    message:
      found.length === 0
        ? `${open.length} orders are open, and each is followed`
        : `${found.join('; ')}: look at these orders at the broker`,
    facts: {
      ...{ open: open.length, unfollowed, alarmed, unprotected },
      ...(lostRuns.length > 0 && { lostRuns }),
      ...(unreadable.length > 0 && { unreadable }),
    },
  };
}
