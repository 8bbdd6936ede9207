// Orders on the HTTP API: the stored intent of a run and the executions of the broker.
import { z } from 'zod';
import { decimal, instant } from './fields.js';

const side = z.enum(['BUY', 'SELL']);

export const orderIntent = z
  .strictObject({
    clientOrderId: z.string(),
    accountId: z.string(),
    symbol: z.string(),
    conid: z.string(),
    side,
    quantity: decimal,
    limit: decimal.nullable().meta({ description: 'The most a unit may cost; null for a market order.' }),
    stop: decimal.nullable(),
    target: decimal.nullable(),
    reservedCash: decimal.meta({ description: 'Cash a buy holds back until it is terminal.' }),
    validUntil: instant.meta({ description: 'Market instant after which the entry can no longer be valid.' }),
    state: z.enum([
      'INTENT',
      'SENT',
      'NOT_SENT',
      'ABANDONED',
      'ACKNOWLEDGED',
      'REJECTED',
      'UNKNOWN',
      'FILLED',
      'CANCELLED',
      'EXPIRED',
      'SENT_NOT_FOUND_EXPIRED',
    ]),
    brokerOrderId: z.string().nullable(),
    filledQuantity: decimal,
    averagePrice: decimal.nullable(),
    legs: z.array(
      z.strictObject({
        role: z.enum(['stop', 'target']),
        brokerOrderId: z.string(),
        status: z.enum(['PENDING', 'WORKING', 'PENDING_CANCEL', 'FILLED', 'CANCELLED', 'REJECTED']),
        quantity: decimal.optional(),
        filledQuantity: decimal,
      }),
    ),
    reason: z.string().nullable(),
    updatedAt: instant,
  })
  .meta({ id: 'OrderIntent', description: 'An order as it was decided and stored before it was sent.' });

export const execution = z
  .strictObject({
    executionId: z.string(),
    brokerOrderId: z.string().nullable(),
    clientOrderId: z.string().nullable(),
    conid: z.string(),
    symbol: z.string(),
    side,
    quantity: decimal,
    price: decimal,
    commission: decimal,
    time: instant,
  })
  .meta({ id: 'Execution' });

export const orderReport = z
  .strictObject({
    outcome: z.enum([
      'FILLED',
      'NOT_FILLED',
      'REFUSED',
      'REJECTED',
      'NOT_SENT',
      'ABANDONED',
      'UNPROTECTED',
      'SENT_NOT_FOUND_EXPIRED',
    ]),
    code: z.string(),
    message: z.string(),
    clientOrderId: z.string(),
    brokerOrderId: z.string().nullable(),
    filledQuantity: decimal,
    averagePrice: decimal.nullable(),
  })
  .meta({ id: 'OrderReport' });
