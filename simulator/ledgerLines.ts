// The lines of the simulator's ledger, ledger.jsonl. Used by ledger.ts, and by tables/ to read them again.
//
// One JSON object a line, LF at the end, in the order of `seq` (1, 2, 3, ...). Every line has
//   seq   number    counts the lines from 1
//   type  string    see below
//   at    instant   market time; never decreases
//   wall  instant   the machine's time
//   left  number    lines of the same write that still follow; a write counts only with its line of left 0
//   sum   8 digits  checksum of this line and those above (ledgerSum.ts); last of the line
// Instants are ISO 8601 UTC with milliseconds; amounts, prices and quantities are decimal strings in USD and shares.
//   prices     source chain                                     first of a ledger whose prices are not the replay's
//   account    account, cash                                    an account opens with this cash
//   user       userId, email, account, keyHash (SHA-256 of the API key), expiresAt (wall time or null)
//   order      orderId, account, conid, symbol, side BUY|SELL, orderType MKT|LMT|STP|STOP_LIMIT|TRAIL|TRAILLMT|MOC|LOC,
//              tif DAY|GTC|IOC|OPG, quantity, price (limit or stop, or null), auxPrice (stop of STOP_LIMIT, first of TRAILLMT),
//              trail (by amt|%, size; of TRAIL and TRAILLMT), cOID (the client order id, or null), parentId (order id, or null),
//              ocaGroup (or null), held (true: waits for its parent's fill), session (YYYY-MM-DD, first of validity)
//   execution  executionId, orderId, account, conid, symbol, side, quantity, price, commission, cOID; of the whole order
//              or a part of it; settles (from when on what a sale brought can be spent; left out: at once)
//   correction executionId, corrects (the id that it was told under first), and the rest as of an execution, put right; its
//              time is that of the correction
//   modify     orderId, quantity, price, auxPrice and trail (where new)  new terms of an open order; quantity counts what has filled
//   trigger    orderId                                          a stop was touched
//   trail      orderId, stop                                    a trailing stop moved
//   halt, resume  conid                                         trading stops, goes on
//   split      conid, numerator, denominator, price             one share became so many; fractions paid at the price
//   cancel     orderId, by customer|oca|parent
//   expire     orderId, reason                                  a DAY order at its session's close
//   reject     orderId, reason                                  an accepted order that could not execute
//   step       step                                             the clock was stepped to `at`; step counts these
//   run, tick, stop                                             the clock runs (speed), was at `at`, was stopped
import { z } from 'zod';

const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const common = {
  seq: z.number().int().positive(),
  at: instant,
  wall: instant,
  left: z.number().int().min(0),
  sum: z.string().optional(),
};
const orderId = z.number().int().positive();
const traded = {
  orderId,
  account: z.string(),
  conid: z.number().int(),
  symbol: z.string(),
  side: z.enum(['BUY', 'SELL']),
  quantity: amount,
  cOID: z.string().nullable(),
};

const trail = z.strictObject({ by: z.enum(['amt', '%']), size: amount });

export const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('prices'), source: z.literal('chain') }),
  z.strictObject({ ...common, type: z.literal('account'), account: z.string(), cash: amount }),
  z.strictObject({
    ...common,
    type: z.literal('user'),
    userId: z.number().int().positive(),
    email: z.string(),
    account: z.string(),
    keyHash: z.string(),
    expiresAt: instant.nullable(),
  }),
  z.strictObject({
    ...common,
    ...traded,
    type: z.literal('order'),
    orderType: z.enum(['MKT', 'LMT', 'STP', 'STOP_LIMIT', 'TRAIL', 'TRAILLMT', 'MOC', 'LOC']),
    tif: z.enum(['DAY', 'GTC', 'IOC', 'OPG']),
    price: amount.nullable(),
    auxPrice: amount.optional(),
    trail: trail.optional(),
    parentId: orderId.nullable(),
    ocaGroup: z.string().nullable(),
    held: z.boolean(),
    session: z.string(),
  }),
  z.strictObject({
    ...common,
    ...traded,
    type: z.literal('execution'),
    executionId: z.string(),
    price: amount,
    commission: amount,
    settles: instant.optional(),
  }),
  z.strictObject({
    ...common,
    ...traded,
    type: z.literal('correction'),
    executionId: z.string(),
    corrects: z.string(),
    price: amount,
    commission: amount,
  }),
  z.strictObject({ ...common, type: z.literal('trigger'), orderId }),
  z.strictObject({ ...common, type: z.literal('trail'), orderId, stop: amount }),
  z.strictObject({ ...common, type: z.enum(['halt', 'resume']), conid: z.number().int() }),
  z.strictObject({
    ...common,
    type: z.literal('split'),
    conid: z.number().int(),
    numerator: z.number().int().positive(),
    denominator: z.number().int().positive(),
    price: amount,
  }),
  z.strictObject({
    ...common,
    type: z.literal('modify'),
    orderId,
    quantity: amount,
    price: amount.nullable(),
    auxPrice: amount.optional(),
    trail: trail.optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal('cancel'),
    orderId,
    by: z.enum(['customer', 'oca', 'parent']),
  }),
  z.strictObject({ ...common, type: z.literal('expire'), orderId, reason: z.string() }),
  z.strictObject({ ...common, type: z.literal('reject'), orderId, reason: z.string() }),
  z.strictObject({ ...common, type: z.literal('step'), step: z.number().int().positive() }),
  z.strictObject({ ...common, type: z.literal('run'), speed: z.number().positive() }),
  z.strictObject({ ...common, type: z.literal('tick') }),
  z.strictObject({ ...common, type: z.literal('stop') }),
]);
export type Line = z.infer<typeof lineSchema>;

/** One line of the file, without its line break. @throws when it is no line of a ledger */
export const parseLine = (text: string): Line => lineSchema.parse(JSON.parse(text));
