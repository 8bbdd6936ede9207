// What the chain keeps of its answers in the cache: a symbol's price for a minute, its last price for a day, and that nobody
// knows it. What a Keel of another mode, or of other sources, has put there is not there. Used by chain.ts.
import { z } from 'zod';
import type { Mode } from '../../contracts/wire/names.js';
import type { CachePort } from '../../ports/cache.js';
import type { PriceSourceName } from '../../ports/prices.js';

interface KeptOptions {
  readonly mode: Mode;
  readonly cache: CachePort;
  /** Of the chain. */
  readonly sources: readonly PriceSourceName[];
  /** A price is given from the cache for so long, and kept as the last known one for so long, milliseconds. */
  readonly freshMs: number;
  readonly keepMs: number;
}

export interface KeptPrices {
  readonly fresh: (symbol: string) => Promise<Kept | null>;
  readonly last: (symbol: string) => Promise<Kept | null>;
  readonly put: (kept: Omit<Kept, 'mode'>) => Promise<void>;
  /** @returns the words in which the same sources said a moment ago that there is no such symbol; else null */
  readonly unknown: (symbol: string, step: number) => Promise<string | null>;
  readonly putUnknown: (symbol: string, step: number, message: string) => Promise<void>;
}

/** Of two Keels on one Redis the one of another mode has prices of another market: of a replay, perhaps. */
const mode = z.enum(['simulated', 'paper', 'live']);
const keptSchema = z.object({
  mode,
  price: z.object({
    symbol: z.string(),
    price: z.string(),
    currency: z.string(),
    at: z.string(),
    previousClose: z.string().nullable(),
    volume: z.number().nullable(),
    marketCap: z.string().nullable(),
    source: z.enum(['yahoo', 'alphavantage', 'broker', 'replay']),
    fetchedAt: z.string(),
  }),
  /** The market clock's step when it was fetched: a step ends every price. */
  step: z.number(),
});
export type Kept = z.infer<typeof keptSchema>;
/** That no source of this chain knows a symbol, for as long as a price would count. */
const unknownSchema = z.object({ mode, message: z.string(), sources: z.array(z.string()), step: z.number() });

export function createKeptPrices({ mode, cache, sources, freshMs, keepMs }: KeptOptions): KeptPrices {
  /** A price of another mode, or of a source that this chain does not have, is another Keel's on the same Redis. */
  const read = async (key: string): Promise<Kept | null> => {
    const kept = parsed(keptSchema, await cache.get(key));
    return kept?.mode === mode && sources.includes(kept.price.source) ? kept : null;
  };
  return {
    fresh: (symbol) => read(keyOf(symbol)),
    last: (symbol) => read(`${keyOf(symbol)}:last`),
    put: async (kept) => {
      const text = JSON.stringify({ mode, ...kept } satisfies Kept);
      const name = keyOf(kept.price.symbol);
      await cache.set(name, text, freshMs);
      await cache.set(`${name}:last`, text, keepMs);
    },
    unknown: async (symbol, step) => {
      const known = parsed(unknownSchema, await cache.get(`${keyOf(symbol)}:unknown`));
      const isOurs = known?.mode === mode && known.sources.join() === sources.join();
      return isOurs && known.step === step ? known.message : null;
    },
    putUnknown: (symbol, step, message) =>
      cache.set(`${keyOf(symbol)}:unknown`, JSON.stringify({ mode, message, sources, step }), freshMs),
  };
}

/** What was written by another version, or by somebody else, is not there. */
function parsed<T>(schema: z.ZodType<T>, text: string | null): T | null {
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const keyOf = (symbol: string): string => `stock:${symbol}`;
