// What the socket has told, merged by id, only to know whether a frame is news. Nothing of it is ever stored or traded on.
// Called by feed.ts.
import { z } from 'zod';

type Row = Readonly<Record<string, unknown>>;

/** The gateway sends what it likes; no more than this is kept. */
const mostRows = 2000;

/** What of an order matters. */
const orderFields = [
  'status',
  'totalSize',
  'filledQuantity',
  'remainingQuantity',
  'sizeAndFills',
  'avgPrice',
  'price',
] as const;

const idSchema = z.union([z.number().int(), z.string().min(1).max(40)]).transform(String);
const rowsSchema = z.array(z.looseObject({}));

function keep<T>(book: Map<string, T>, key: string, value: T): void {
  // What was touched last goes last.
  book.delete(key);
  book.set(key, value);
  const oldest = book.keys().next();
  if (book.size > mostRows && oldest.done !== true) book.delete(oldest.value);
}

/** The rows of a frame that have an id, by it; none where the frame is of another shape. */
function rowsOf(args: unknown, id: string): (readonly [string, Row])[] {
  const rows = rowsSchema.safeParse(args);
  if (!rows.success) return [];
  return rows.data.flatMap((row) => {
    const key = idSchema.safeParse(row[id]);
    return key.success ? [[key.data, row] as const] : [];
  });
}

export interface Book {
  /** Takes the rows of a frame. @returns whether something is different now */
  take(args: unknown): boolean;
}

/** `sor`: rows come whole at first, then with their id and what has changed. */
export function createOrderBook(): Book {
  const book = new Map<string, string>();
  const known = new Map<string, Row>();
  return {
    take: (args) =>
      rowsOf(args, 'orderId')
        .map(([key, delta]) => {
          const row = { ...known.get(key), ...Object.fromEntries(pick(delta)) };
          keep(known, key, row);
          const text = JSON.stringify(orderFields.map((field) => row[field] ?? null));
          const news = book.get(key) !== text;
          keep(book, key, text);
          return news;
        })
        .some((news) => news),
  };
}

const pick = (row: Row): (readonly [string, unknown])[] =>
  orderFields.flatMap((field) => (row[field] === undefined ? [] : [[field, row[field]] as const]));

/** `str`: an execution is news once. */
export function createTradeBook(): Book {
  const seen = new Map<string, true>();
  return {
    take: (args) =>
      rowsOf(args, 'execution_id')
        .map(([key]) => {
          const news = !seen.has(key);
          keep(seen, key, true);
          return news;
        })
        .some((news) => news),
  };
}

export type QuoteFields = Readonly<Record<string, string | number>>;

const quoteSchema = z.looseObject({ conidEx: idSchema.optional(), conid: idSchema.optional() });

/** `smd`: the fields of a contract, of which each frame has those that changed. */
export function createQuoteBook() {
  const book = new Map<string, QuoteFields>();
  return {
    /** @returns the contract and all of its fields, or null where the frame is of another shape */
    take(frame: unknown): { readonly conid: string; readonly fields: QuoteFields } | null {
      const read = quoteSchema.safeParse(frame);
      const conid = read.data?.conidEx ?? read.data?.conid;
      if (!read.success || conid === undefined) return null;
      const told = Object.entries(read.data).filter(
        (entry): entry is [string, string | number] =>
          /^\d+(_raw)?$/.test(entry[0]) && (typeof entry[1] === 'string' || typeof entry[1] === 'number'),
      );
      const fields = { ...book.get(conid), ...Object.fromEntries(told) };
      keep(book, conid, fields);
      return { conid, fields };
    },
    forget(conid: string): void {
      book.delete(conid);
    },
  };
}
