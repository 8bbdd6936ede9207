// Reading and cancelling orders. Called by broker.ts.
import type { BrokerOrderStatus } from '../../contracts/wire/order.js';
import type { BrokerOrder, BrokerOrders, UnreadableOrder } from '../../ports/broker.js';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { labelOf } from './client.js';
import { clean, errorText, noSuchOrder, refusalOf } from './errors.js';
import { parseJson } from '../../domain/money/parseJson.js';
import { readOrderStatus } from './orderStatus.js';
import { anyObjectSchema, brokenOrderRowSchema, orderRowSchema, ordersSchema } from './schemas.js';
import type { OrderRow } from './schemas.js';
import type { SessionMemory } from './session.js';

const ordersEndpoint = { method: 'GET', path: '/iserver/account/orders', gate: 'orders' } as const;
const cancelEndpoint = { method: 'DELETE', path: '/iserver/account/{accountId}/order/{orderId}' } as const;

/** Reads after which a list that is never complete is given up. */
const maximumReads = 4;

/** IBKR has no "Rejected": a refused order is Inactive, which its documents call no longer active. */
const statuses: Readonly<Record<string, BrokerOrderStatus>> = {
  PendingSubmit: 'PENDING',
  WarnState: 'PENDING',
  /** Accepted and held by IBKR until its time or trigger comes: stops and legs of a bracket wait in it. */
  PreSubmitted: 'WORKING',
  Submitted: 'WORKING',
  PendingCancel: 'PENDING_CANCEL',
  PreCancelled: 'PENDING_CANCEL',
  Filled: 'FILLED',
  Cancelled: 'CANCELLED',
  Inactive: 'REJECTED',
};

/** Null for a state that Keel does not know: it is nothing to guess about. */
const orderStatus = (given: string | null | undefined): BrokerOrderStatus | null =>
  typeof given === 'string' && Object.hasOwn(statuses, given) ? (statuses[given] ?? null) : null;

/** A row with its state read. */
type ReadRow = Omit<OrderRow, 'status'> & { readonly status: BrokerOrderStatus };

type RowReading = { readonly row: ReadRow } | { readonly unreadable: UnreadableOrder };

/** @returns null for a row of another account */
function readRow(accountId: string, given: unknown): RowReading | null {
  const broken = brokenOrderRowSchema.safeParse(given).data;
  if (!mine(accountId, broken?.acct, broken?.account)) return null;
  const read = orderRowSchema.safeParse(given);
  const status = orderStatus(broken?.status);
  if (read.success && status !== null) return { row: { ...read.data, status } };
  const [issue] = read.success ? [] : read.error.issues;
  const problem =
    issue === undefined
      ? `its state "${clean(broken?.status ?? '')}"`
      : `${issue.path.join('.')}: ${issue.message}`;
  return {
    unreadable: {
      brokerOrderId: broken?.orderId ?? null,
      clientOrderId: broken?.order_ref || null,
      conid: broken?.conid ?? null,
      side: broken?.side ?? null,
      status,
      problem: clean(problem),
    },
  };
}

function readList(accountId: string, list: readonly unknown[], snapshot: unknown): BrokerOrders {
  const readings = list.map((given) => readRow(accountId, given)).filter((reading) => reading !== null);
  const rows = readings.flatMap((reading) => ('row' in reading ? [reading.row] : []));
  return {
    orders: rows.map((row) => toOrder(row, rows)),
    unreadable: readings.flatMap((reading) => ('unreadable' in reading ? [reading.unreadable] : [])),
    complete: snapshot === true || readings.length > 0,
  };
}

function orderType(row: ReadRow): BrokerOrder['type'] {
  const name = (row.origOrderType || row.orderType).toUpperCase().replace(/[ _]/g, '');
  if (name === 'MARKET' || name === 'MKT') return 'MKT';
  if (name === 'LIMIT' || name === 'LMT') return 'LMT';
  return name === 'STOP' || name === 'STP' ? 'STP' : 'OTHER';
}

export const positiveId = (value: string | number | null | undefined): string | null => {
  const text = String(value ?? '');
  return /^[1-9]\d*$/.test(text) ? text : null;
};

/** The parent by its order id; some builds name it by our id, or only the group of the exits by its order id. */
function parentOf(row: ReadRow, rows: readonly ReadRow[]): string | null {
  const named = row.parentId ? rows.find(({ order_ref: ref }) => ref === String(row.parentId)) : undefined;
  return positiveId(row.parentId) ?? named?.orderId ?? positiveId(row.ocaGroupId);
}

/** Filled orders are named Filled; nothing else decides. */
function toOrder(row: ReadRow, rows: readonly ReadRow[]): BrokerOrder {
  const reason = row.order_cancellation_by_system_reason;
  return {
    brokerOrderId: row.orderId,
    parentBrokerOrderId: parentOf(row, rows),
    clientOrderId: row.order_ref || null,
    conid: row.conid,
    symbol: row.ticker || row.description1 || `conid ${row.conid}`,
    side: row.side,
    type: orderType(row),
    // Day orders are listed as CLOSE.
    timeInForce: row.timeInForce === 'CLOSE' ? 'DAY' : (row.timeInForce ?? ''),
    quantity: row.totalSize,
    filledQuantity: row.filledQuantity,
    averagePrice: row.avgPrice === '0' ? null : row.avgPrice,
    price: row.price ?? row.auxPrice,
    status: row.status,
    reason: reason ? clean(reason) : null,
  };
}

/** Rows of orders name their account twice, and not always alike: one of ours that is missed would be an order lost. */
function mine(accountId: string, ...named: readonly (string | null | undefined)[]): boolean {
  const names = named.filter(Boolean);
  return names.length === 0 || names.includes(accountId);
}

/**
 * The orders of the session. The first list of a session is empty whatever there is, so it is forced once and its
 * answer thrown away; after that a list counts when it says `snapshot: true` or comes twice the same. A row that cannot be
 * read is told of beside the others.
 * @throws KeelError IBKR_ORDERS_NOT_READY (retryable) when no list is complete.
 */
export async function readOrders(
  client: IbkrClient,
  memory: SessionMemory,
  accountId: string,
): Promise<BrokerOrders> {
  if (!memory.ordersPrimed) {
    await client.call(ordersEndpoint, { query: { force: 'true', accountId } }, anyObjectSchema);
    memory.ordersPrimed = true;
  }
  let previous: string | null = null;
  for (let read = 0; read < maximumReads; read += 1) {
    const list = await client.call(ordersEndpoint, { query: { accountId } }, ordersSchema);
    if (!list.orders) continue;
    const orders = readList(accountId, list.orders, list.snapshot);
    if (list.snapshot === true) return orders;
    const text = JSON.stringify(orders);
    if (text === previous) return orders;
    previous = text;
  }
  throw new KeelError(
    'IBKR_ORDERS_NOT_READY',
    `IBKR gave no complete list of orders in ${maximumReads} reads.`,
    {
      errorClass: 'retryable',
      facts: { accountId },
    },
  );
}

/**
 * One order by its id; null where IBKR has it no more: it is over, or older than the session.
 * @throws KeelError IBKR_BAD_SHAPE (final) for a state that Keel does not know.
 */
export async function readOrder(client: IbkrClient, known: BrokerOrder): Promise<BrokerOrder | null> {
  const found = await readOrderStatus(client, known.brokerOrderId);
  if (found === null) return null;
  const status = orderStatus(found.status);
  if (status === null) {
    const text = `IBKR calls order ${known.brokerOrderId} "${clean(found.status)}", a state that Keel does not know.`;
    throw new KeelError('IBKR_BAD_SHAPE', text, { facts: { brokerOrderId: known.brokerOrderId } });
  }
  const { quantity, filled, averagePrice } = found;
  return {
    ...known,
    status,
    quantity: quantity ?? known.quantity,
    filledQuantity: filled ?? known.filledQuantity,
    averagePrice: averagePrice === null || averagePrice === '0' ? known.averagePrice : averagePrice,
  };
}

/**
 * Asks for a cancel. It is only a request: a later list tells what became of it.
 * @throws KeelError ORDER_ID_INVALID (final): the id -1 would cancel every order of the account.
 */
export async function cancelOrder(
  client: IbkrClient,
  accountId: string,
  brokerOrderId: string,
): Promise<'asked' | 'nothing'> {
  const orderId = positiveId(brokerOrderId);
  if (orderId === null) {
    throw new KeelError('ORDER_ID_INVALID', 'Only a positive order id can be cancelled; nothing was sent.', {
      facts: { brokerOrderId: clean(brokerOrderId) },
    });
  }
  const answer = await client.exchange(cancelEndpoint, { path: { accountId, orderId }, lane: 'cancel' });
  const words = errorText(parseJson(answer.text));
  if (words !== null && noSuchOrder.test(words)) return 'nothing';
  const refusal = refusalOf(labelOf(cancelEndpoint), answer);
  if (refusal !== null) throw refusal;
  return 'asked';
}
