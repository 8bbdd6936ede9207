// Orders of Keel's that a list of the broker's lacks although they may be there: the list may be empty, of the evening or of a
// session that has just begun, while they live on. Called by brokerState.ts.
import { isAlive } from '../contracts/wire/order.js';
import type { Mode } from '../contracts/wire/names.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import type { BrokerOrder, BrokerOrders, BrokerPort } from '../ports/broker.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { BrokerStateStore, IntentRow, IntentStore } from '../ports/stores.js';

export interface MissingOrdersDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'orders' | 'orderNow'>;
  readonly intents: Pick<IntentStore, 'listOpen'>;
  readonly brokerState: Pick<BrokerStateStore, 'latest'>;
  readonly calendar: Pick<Calendar, 'openAt'>;
  readonly clock: Clock;
}

/** How long a list is waited for that does not have what was just taken; after it, such a list is believed. */
const listedWithinMs = 5 * 60_000;
/** How long a protective leg is held for alive, of an open market, that nothing of the broker's knows any more. */
const heldForMs = 10 * 60_000;
/** Each is a request of its own, in the turn of all others: more would make the poll too old to be used. */
const mostAsked = 10;

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
  const taken = open.find((intent) => !list.complete && isJustTaken(intent, marketNow, deps.clock.now()));
  if (taken !== undefined) {
    throw new KeelError(
      'ORDERS_NOT_LISTED',
      `The broker lists no orders and does not say that there are none, but it has taken order ${taken.brokerOrderId ?? ''}. It is asked again; until it lists that, no order goes out.`,
      { errorClass: 'retryable', facts: { clientOrderId: taken.clientOrderId } },
    );
  }
  const missing = await missingFrom(deps, list, open);
  const found: BrokerOrder[] = [];
  for (const { unlistedSince, ...order } of missing.slice(0, mostAsked)) {
    const now = await broker.orderNow(accountId, order);
    const held = now ?? heldLeg(deps, order, list, unlistedSince ?? marketNow, marketNow);
    if (held !== null) found.push(held);
  }
  // Who was asked for stands last, so that the others are asked for next.
  return { ...list, orders: [...list.orders, ...missing.slice(mostAsked), ...found] };
}

/**
 * A protective leg that IBKR has no more, as it was: of another session it may be in no list, and unknown by its id, of the
 * evening or right after a login. Null once that proves that it is over. An entry needs no holding: its lifecycle waits
 * until it can be valid no more.
 */
function heldLeg(
  { calendar }: Pick<MissingOrdersDeps, 'calendar'>,
  order: BrokerOrder,
  list: BrokerOrders,
  since: string,
  marketNow: string,
): BrokerOrder | null {
  if (order.parentBrokerOrderId === null) return null;
  if (calendar.openAt(marketNow) === null) return order;
  if (list.complete || Date.parse(marketNow) - Date.parse(since) >= heldForMs) return null;
  return { ...order, unlistedSince: since };
}

/** A broker lists the orders of its session whatever became of them. Legs that were never seen came with it. */
function isJustTaken(
  { brokerOrderId, state, legs, validUntil, updatedAt }: IntentRow,
  marketNow: string,
  now: number,
): boolean {
  const unseen = state === 'ACKNOWLEDGED' || legs.length === 0;
  const isNew = now - Date.parse(updatedAt) < listedWithinMs;
  return brokerOrderId !== null && unseen && isNew && marketNow < validUntil;
}

/** As the snapshot before has them. An entry that it does not have was never listed: it is asked for as it was sent. */
async function missingFrom(
  { mode, accountId, brokerState }: MissingOrdersDeps,
  { orders, unreadable }: BrokerOrders,
  open: readonly IntentRow[],
): Promise<readonly BrokerOrder[]> {
  const there = new Set([...orders, ...unreadable].map(({ brokerOrderId }) => brokerOrderId));
  const wanted = new Set(open.flatMap(aliveIds).filter((id) => !there.has(id)));
  if (wanted.size === 0) return [];
  const before = (await brokerState.latest(mode, accountId))?.orders ?? [];
  const listed = new Set(before.map(({ brokerOrderId }) => brokerOrderId));
  return [
    ...before.filter(({ brokerOrderId, status }) => wanted.has(brokerOrderId) && isAlive(status)),
    ...open.flatMap(entryOf).filter(({ brokerOrderId: id }) => wanted.has(id) && !listed.has(id)),
  ];
}

function entryOf(intent: IntentRow): readonly BrokerOrder[] {
  const { state, brokerOrderId, clientOrderId, conid, symbol, side, quantity, limit } = intent;
  if (state !== 'ACKNOWLEDGED' || brokerOrderId === null) return [];
  const { filledQuantity, averagePrice } = intent;
  const terms = {
    conid,
    symbol,
    side,
    quantity,
    price: limit,
    type: limit === null ? 'MKT' : 'LMT',
  } as const;
  const known = { brokerOrderId, clientOrderId, parentBrokerOrderId: null, timeInForce: 'DAY' };
  return [{ ...known, ...terms, filledQuantity, averagePrice, status: 'WORKING', reason: null }];
}

const aliveIds = ({ state, brokerOrderId, legs }: IntentRow): readonly string[] => [
  ...(state === 'ACKNOWLEDGED' && brokerOrderId !== null ? [brokerOrderId] : []),
  ...legs.filter(({ status }) => isAlive(status)).map((leg) => leg.brokerOrderId),
];
