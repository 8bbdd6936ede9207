// What the gateway's answers must hold, as zod schemas: extra fields pass, descriptive values may be missing, the
// state of orders, fills and positions is strict. Used by the files of one noun each.
import { z } from 'zod';
import { money } from '../../domain/money/decimal.js';

/** "1,234.50" or 1234.5 as a plain decimal string, or null when it is no number. */
export function plainDecimal(value: string | number): string | null {
  const text = String(value).replaceAll(',', '').trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const exact = money(text);
  return exact.isZero() ? '0' : exact.toFixed();
}

/** A number or the text of one, as a decimal string with the wire's digits. */
const decimal = z.union([z.string(), z.number()]).transform((value, context) => {
  const text = plainDecimal(value);
  if (text !== null) return text;
  context.addIssue({ code: 'custom', message: 'is not a number' });
  return z.NEVER;
});

/** The same, where the wire leaves it out or sends an empty text: then null. */
const decimalOrNull = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? null : plainDecimal(value)));

/** A double, also where json.ts has kept the text of its digits. */
const real = z
  .union([z.number(), z.string().regex(/^-?\d[\d.]*(e[+-]?\d+)?$/i)])
  .transform(Number)
  .pipe(z.number());

/** Ids are numbers in one place and strings in another. */
const id = z.union([z.number().int(), z.string().min(1)]).transform(String);

const text = z.string().nullish();
const flag = z.boolean().nullish();

export const authStatusSchema = z.object({
  authenticated: z.boolean(),
  connected: flag,
  competing: flag,
  /** Newer builds only. */
  established: flag,
});
export type AuthStatus = z.output<typeof authStatusSchema>;

export const accountsSchema = z.object({
  accounts: z.array(z.string()),
  selectedAccount: text,
  isPaper: flag,
});

export const stocksSchema = z.record(
  z.string(),
  z.array(
    z.object({
      assetClass: text,
      contracts: z.array(z.object({ conid: id, exchange: text, isUS: flag })),
    }),
  ),
);

const increments = z.array(z.object({ lowerEdge: decimal, increment: decimal })).nullish();

export const secdefSchema = z.object({
  secdef: z.array(
    z.object({
      conid: id,
      ticker: text,
      name: text,
      listingExchange: text,
      currency: text,
      incrementRules: increments,
    }),
  ),
});

export const rulesSchema = z.object({
  incrementRules: increments,
  /** The step of prices at any price, where there are no rules. */
  increment: decimalOrNull,
});

const snapshotRow = z.object({
  conid: id.nullish(),
  /** The same, also where the other is left out. */
  conidEx: id.nullish(),
  /** Last price, with prefix and commas. */
  '31': z.union([z.string(), z.number()]).nullish(),
  /** Availability: its first letter is R for real time. */
  '6509': text,
});
export const snapshotSchema = z.array(snapshotRow);
/** Of many contracts: one that can not be read is null, and the others stand. */
export const tolerantSnapshotSchema = z.array(snapshotRow.nullable().catch(null));
export type SnapshotRow = z.output<typeof snapshotRow>;

export const historySchema = z.object({
  volumeFactor: real.pipe(z.number().positive()).nullish(),
  data: z.array(
    z.object({
      o: real,
      h: real,
      l: real,
      c: real,
      v: real,
      /** Start of the bar, milliseconds since the epoch. */
      t: z.number().int(),
    }),
  ),
});

const summaryItem = z.object({
  value: z.union([z.string(), z.number()]).nullish(),
  amount: z.union([z.number(), z.string()]).nullish(),
  currency: text,
  isNull: flag,
});
export const summarySchema = z.object({ netliquidation: summaryItem });

export const ledgerSchema = z.record(z.string(), z.looseObject({ settledcash: decimalOrNull }));

export const positionSchema = z.object({
  acctId: text,
  conid: id,
  position: decimal,
  avgCost: decimal,
  mktPrice: decimal,
  assetClass: text,
  contractDesc: text,
  /** Missing on the first read of a session. */
  ticker: text,
});

/** Whose it is and whether it holds anything, of a row that may not be one of those. */
export const positionGlanceSchema = z.object({
  acctId: text.catch(null),
  position: decimalOrNull.catch(null),
});

const side = z.enum(['BUY', 'SELL', 'B', 'S']).transform((value) => (value.startsWith('B') ? 'BUY' : 'SELL'));

export const orderRowSchema = z.object({
  acct: text,
  account: text,
  orderId: id,
  parentId: z.union([z.number(), z.string()]).nullish(),
  /** Of the exits of a bracket the order id of its parent; else of no use here. */
  ocaGroupId: z.union([z.number(), z.string()]).nullish(),
  conid: id,
  ticker: text,
  description1: text,
  side,
  orderType: z.string(),
  origOrderType: text,
  timeInForce: text,
  totalSize: decimal,
  filledQuantity: decimal,
  avgPrice: decimalOrNull,
  price: decimalOrNull,
  auxPrice: decimalOrNull,
  /** Read by orders.ts. */
  status: z.string(),
  order_ref: text,
  order_cancellation_by_system_reason: text,
});
export type OrderRow = z.output<typeof orderRowSchema>;

/** What can be read of a row that is not one of those. */
export const brokenOrderRowSchema = z.object({
  acct: text.catch(null),
  account: text.catch(null),
  orderId: id.nullish().catch(null),
  conid: id.nullish().catch(null),
  side: side.nullish().catch(null),
  status: text.catch(null),
  order_ref: text.catch(null),
});

export const ordersSchema = z.object({
  snapshot: flag,
  /** Each read for itself; left out while the list is not there yet. */
  orders: z.array(z.unknown()).nullish(),
});

export const tradeSchema = z.object({
  execution_id: z.string().min(1),
  account: text,
  accountCode: text,
  conid: id,
  symbol: text,
  contract_description_1: text,
  side,
  size: decimal,
  price: decimal,
  commission: decimalOrNull,
  order_ref: text,
  /** Newer builds only. */
  order_id: id.nullish(),
  /** Milliseconds since the epoch. */
  trade_time_r: real.pipe(z.number().int()).nullish(),
  /** `20231211-18:00:49`, UTC. */
  trade_time: text,
});
export type TradeRow = z.output<typeof tradeSchema>;

/** What can be read of a row that may not be one of those: whose it is, and of which order. */
export const brokenTradeSchema = z.object({
  execution_id: text.catch(null),
  account: text.catch(null),
  accountCode: text.catch(null),
  order_id: id.nullish().catch(null),
  order_ref: text.catch(null),
  conid: id.nullish().catch(null),
});

/** One row of an answer to an order or a reply: of any of the five shapes. */
export const placeRowSchema = z.object({
  order_id: id.nullish(),
  local_order_id: text,
  /** Of a leg: the order that it hangs on. */
  parent_order_id: id.nullish().catch(null),
  order_status: text,
  text,
  warning_message: text,
  error: z.unknown().optional(),
  id: text,
  message: z.union([z.string(), z.array(z.string())]).nullish(),
  messageIds: z.array(z.string()).nullish(),
  messageId: text,
  orderId: id.nullish(),
  prompt: flag,
});
export type PlaceRow = z.output<typeof placeRowSchema>;

export const anyObjectSchema = z.looseObject({});
