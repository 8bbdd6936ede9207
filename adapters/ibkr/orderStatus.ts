// One order as IBKR's answer to its id tells it. Called by orders.ts, desk.ts and deskOrders.ts.
import { z } from 'zod';
import { KeelError } from '../../ports/errors.js';
import type { IbkrClient } from './client.js';
import { noSuchOrder } from './errors.js';
import { invalid } from './place.js';
import { plainDecimal } from './schemas.js';

const statusEndpoint = { method: 'GET', path: '/iserver/account/order/status/{orderId}' } as const;

/** @throws KeelError ORDER_INVALID (final): the id -1 means every order. */
export function orderIdOf(brokerOrderId: string): string {
  if (/^[1-9]\d*$/.test(brokerOrderId)) return brokerOrderId;
  throw invalid('only a positive order id names one order', brokerOrderId);
}

const decimalText = z.union([z.string(), z.number()]).nullish();
const statusSchema = z.object({
  order_id: z.union([z.number(), z.string()]).transform(String),
  order_status: z.string(),
  /** What remains. */
  size: decimalText,
  total_size: decimalText,
  cum_fill: decimalText,
  average_price: decimalText,
  order_not_editable: z.boolean().nullish(),
  cannot_cancel_order: z.boolean().nullish(),
});

export interface OrderStatus {
  readonly brokerOrderId: string;
  /** In IBKR's own words. */
  readonly status: string;
  readonly quantity: string | null;
  readonly remaining: string | null;
  readonly filled: string | null;
  readonly averagePrice: string | null;
  readonly canModify: boolean;
  readonly canCancel: boolean;
}

/** Null where IBKR no longer knows the order. */
export async function readOrderStatus(
  client: IbkrClient,
  brokerOrderId: string,
): Promise<OrderStatus | null> {
  const path = { orderId: orderIdOf(brokerOrderId) };
  const found = await client.call(statusEndpoint, { path }, statusSchema).catch((error: unknown) => {
    if (!(error instanceof KeelError)) throw error;
    const { text } = error.facts;
    if (error.code === 'IBKR_NOT_LISTED' || (typeof text === 'string' && noSuchOrder.test(text))) return null;
    throw error;
  });
  if (found === null) return null;
  const plain = (value: string | number | null | undefined): string | null =>
    value === null || value === undefined ? null : plainDecimal(value);
  return {
    brokerOrderId: found.order_id,
    status: found.order_status,
    quantity: plain(found.total_size),
    remaining: plain(found.size),
    filled: plain(found.cum_fill),
    averagePrice: plain(found.average_price),
    canModify: found.order_not_editable !== true,
    canCancel: found.cannot_cancel_order !== true,
  };
}
