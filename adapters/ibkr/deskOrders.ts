// Orders beside the entry with its bracket: preview, change, and groups of which one cancels the others. Called by
// desk.ts, which sends what writes through place.ts: once, under the lock of the login, its questions answered.
import { z } from 'zod';
import type { Contract } from '../../domain/market/contract.js';
import { labelOf, parseShape } from './client.js';
import type { IbkrClient } from './client.js';
import { clean, refusalOf } from './errors.js';
import type { Exchange } from './errors.js';
import { parseJson } from '../../domain/money/parseJson.js';
import { orderIdOf } from './orderStatus.js';
import { invalid, placeEndpoint, wireNumber } from './place.js';
import type { OrderWrite } from './place.js';
import { plainDecimal } from './schemas.js';

const previewEndpoint = { method: 'POST', path: '/iserver/account/{accountId}/orders/whatif' } as const;
const modifyEndpoint = { method: 'POST', path: '/iserver/account/{accountId}/order/{orderId}' } as const;

export interface DeskOrder {
  readonly contract: Pick<Contract, 'conid' | 'symbol'>;
  readonly side: 'BUY' | 'SELL';
  readonly type: 'MKT' | 'LMT' | 'STP' | 'STOP_LIMIT' | 'TRAIL' | 'TRAILLMT' | 'MOC' | 'LOC';
  readonly timeInForce: 'DAY' | 'GTC' | 'IOC' | 'OPG';
  readonly quantity: string;
  /** Limit, stop of STP, first stop of TRAIL; null where the type has none. */
  readonly price: string | null;
  /** Stop of STOP_LIMIT, first stop of TRAILLMT. */
  readonly stop?: string;
  /** How far the stop of TRAIL and TRAILLMT follows the market: an amount of the currency, or percent. */
  readonly trail?: { readonly by: 'amt' | '%'; readonly size: string };
}

export type GroupLeg = DeskOrder & { readonly clientOrderId: string };

const unpriced: readonly DeskOrder['type'][] = ['MKT', 'MOC'];
const stopped: readonly DeskOrder['type'][] = ['STOP_LIMIT', 'TRAILLMT'];
const trailing: readonly DeskOrder['type'][] = ['TRAIL', 'TRAILLMT'];

/** @throws KeelError ORDER_INVALID (final). */
function wireOrder(accountId: string, order: DeskOrder, name: string): Record<string, unknown> {
  const { contract, type, price, stop, trail } = order;
  if (!/^[1-9]\d*$/.test(contract.conid)) throw invalid('its conid is no positive integer', name);
  // A trailing stop may begin wherever the market stands.
  if (type !== 'TRAIL' && (price === null) !== unpriced.includes(type))
    throw invalid(`a price does not fit the type ${type}`, name);
  if ((stop === undefined) === stopped.includes(type))
    throw invalid('a stop belongs to STOP_LIMIT and TRAILLMT', name);
  if ((trail === undefined) === trailing.includes(type))
    throw invalid('a trailing amount belongs to TRAIL and TRAILLMT', name);
  return {
    acctId: accountId,
    conid: Number(contract.conid),
    secType: `${contract.conid}:STK`,
    orderType: type,
    side: order.side,
    tif: order.timeInForce,
    quantity: wireNumber(order.quantity, 'the quantity', name),
    ...(price === null ? {} : { price: wireNumber(price, 'the price', name) }),
    ...(stop === undefined ? {} : { auxPrice: wireNumber(stop, 'the stop', name) }),
    ...(trail === undefined
      ? {}
      : { trailingType: trail.by, trailingAmt: wireNumber(trail.size, 'the trailing amount', name) }),
    outsideRTH: false,
    listingExchange: 'SMART',
    ticker: contract.symbol,
  };
}

/** Each order carries an id of its own, so that each can be found again. */
export function groupWrite(accountId: string, orders: readonly GroupLeg[]): OrderWrite {
  const [first] = orders;
  const name = first?.clientOrderId ?? '';
  return {
    endpoint: placeEndpoint,
    path: { accountId },
    clientOrderId: name,
    body: () => {
      const ids = new Set(orders.map(({ clientOrderId }) => clientOrderId));
      if (orders.length < 2 || ids.size < orders.length)
        throw invalid('a group needs two orders and two ids', name);
      return {
        orders: orders.map((order) => {
          const { clientOrderId } = order;
          if (!/^[A-Za-z0-9_-]{1,64}$/.test(clientOrderId))
            throw invalid('its id does not fit the wire', clientOrderId);
          return { ...wireOrder(accountId, order, clientOrderId), cOID: clientOrderId, isSingleGroup: true };
        }),
      };
    },
  };
}

/** The whole order, not wrapped in a list. */
export const modifyWrite = (accountId: string, brokerOrderId: string, order: DeskOrder): OrderWrite => ({
  endpoint: modifyEndpoint,
  path: { accountId, orderId: orderIdOf(brokerOrderId) },
  clientOrderId: brokerOrderId,
  body: () => wireOrder(accountId, order, brokerOrderId),
});

const text = z.string().nullish();
const change = z.object({ current: text, change: text, after: text }).nullish();
const previewSchema = z.object({
  amount: z.object({ amount: text, commission: text, total: text }).nullish(),
  equity: change,
  initial: change,
  maintenance: change,
  position: change,
  warn: text,
  error: text,
});

/** USD and shares as decimal strings; null where IBKR does not say, or says a range. */
export interface OrderPreview {
  readonly amount: string | null;
  readonly commission: string | null;
  readonly total: string | null;
  readonly equityAfter: string | null;
  readonly initialMarginAfter: string | null;
  readonly maintenanceMarginAfter: string | null;
  readonly positionAfter: string | null;
  readonly warning: string | null;
  /** Why the order would be refused; null when nothing is known against it. */
  readonly refusal: string | null;
}

/** "1,977.60 USD (10 Shares)" is 1977.60. */
const amountOf = (words: string | null | undefined): string | null => {
  const [, digits = ''] = /^\s*([-+\d.,]+)(?: [A-Z]{3})?(?: \(.*\))?\s*$/.exec(words ?? '') ?? [];
  return digits === '' ? null : plainDecimal(digits);
};

const wordsOf = (words: string | null | undefined): string | null => (words ? clean(words) : null);

export async function previewOrder(
  client: IbkrClient,
  accountId: string,
  order: DeskOrder,
): Promise<OrderPreview> {
  const body = { orders: [wireOrder(accountId, order, 'preview')] };
  const found = await client.exchange(previewEndpoint, { path: { accountId }, body });
  const { amount, ...rest } = readPreview(found);
  return {
    amount: amountOf(amount?.amount),
    commission: amountOf(amount?.commission),
    total: amountOf(amount?.total),
    equityAfter: amountOf(rest.equity?.after),
    initialMarginAfter: amountOf(rest.initial?.after),
    maintenanceMarginAfter: amountOf(rest.maintenance?.after),
    positionAfter: amountOf(rest.position?.after),
    warning: wordsOf(rest.warn),
    refusal: wordsOf(rest.error),
  };
}

/** An order that would be refused comes with status 200 and the reason beside the figures: that is an answer too. */
function readPreview(answer: Exchange): z.output<typeof previewSchema> {
  const label = labelOf(previewEndpoint);
  const body = parseJson(answer.text);
  const isPreview = typeof body === 'object' && body !== null && 'amount' in body;
  const refusal = isPreview && answer.status === 200 ? null : refusalOf(label, answer);
  if (refusal !== null) throw refusal;
  return parseShape(label, previewSchema, body);
}
