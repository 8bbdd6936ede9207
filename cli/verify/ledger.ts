// Reads the simulator's ledger as a file, without the simulator: its own account of what it accepted and filled.
// Called by `keel verify`. The format is described in simulator/ledger.ts.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const line = z.looseObject({ seq: z.number(), type: z.string(), left: z.number() });
const order = z.looseObject({
  orderId: z.number(),
  account: z.string(),
  symbol: z.string(),
  side: z.enum(['BUY', 'SELL']),
  orderType: z.enum(['MKT', 'LMT', 'STP', 'STOP_LIMIT', 'TRAIL', 'TRAILLMT', 'MOC', 'LOC']),
  quantity: z.string(),
  price: z.string().nullable(),
  cOID: z.string().nullable(),
  parentId: z.number().nullable(),
});
const execution = z.looseObject({
  orderId: z.number(),
  side: z.enum(['BUY', 'SELL']),
  quantity: z.string(),
  price: z.string(),
});
const account = z.looseObject({ account: z.string() });

export interface LedgerFacts {
  readonly accounts: readonly string[];
  readonly orders: readonly z.infer<typeof order>[];
  readonly executions: readonly z.infer<typeof execution>[];
}

/**
 * Reads whole writes only: what a crash left unfinished at the end does not count.
 * @throws Error naming the line that cannot be read
 */
export function readLedger(file: string): LedgerFacts {
  const texts = readFileSync(file, 'utf8').split('\n');
  const kept: { type: string; value: unknown }[] = [];
  let write: { type: string; value: unknown }[] = [];
  texts.forEach((text, index) => {
    // The last piece is what follows the last line feed: nothing, or half a line.
    if (index === texts.length - 1) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Error(`${file} line ${String(index + 1)} is no JSON`);
    }
    const { type, left, seq } = line.parse(value);
    if (seq !== index + 1) throw new Error(`${file} line ${String(index + 1)} has number ${String(seq)}`);
    write.push({ type, value });
    if (left > 0) return;
    kept.push(...write);
    write = [];
  });
  const of = <T>(type: string, schema: z.ZodType<T>): T[] =>
    kept.filter((each) => each.type === type).map(({ value }) => schema.parse(value));
  return {
    accounts: of('account', account).map((each) => each.account),
    orders: of('order', order),
    executions: of('execution', execution),
  };
}
