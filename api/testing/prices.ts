// Prices that a test sets. Used by memory.ts and by tests of the API.
import { KeelError } from '../../ports/errors.js';
import type { Price, PricesPort } from '../../ports/prices.js';

export const priceOf = (symbol: string, changes: Partial<Price> = {}): Price => ({
  symbol,
  price: '95.97',
  currency: 'USD',
  at: '2014-07-07T20:00:00.000Z',
  previousClose: '94.03',
  volume: 56_468_000,
  marketCap: null,
  source: 'replay',
  fetchedAt: '2026-01-05T10:00:00.000Z',
  ageMs: 1_800_999,
  ofMarket: true,
  freshness: 'live',
  reason: null,
  ...changes,
});

export function pricesOf(known: ReadonlyMap<string, Price>): PricesPort {
  const price = (symbol: string): Promise<Price> => {
    const found = known.get(symbol);
    return found === undefined
      ? Promise.reject(new KeelError('PRICE_UNKNOWN_SYMBOL', `There is no symbol ${symbol}.`))
      : Promise.resolve(found);
  };
  return {
    price,
    memory: () => [],
    batch: (symbols) =>
      Promise.resolve({
        prices: symbols.flatMap((symbol) => known.get(symbol) ?? []),
        problems: symbols
          .filter((symbol) => !known.has(symbol))
          .map((symbol) => ({
            symbol,
            code: 'PRICE_UNKNOWN_SYMBOL',
            detail: `There is no symbol ${symbol}.`,
          })),
      }),
  };
}
