// Prices of a chain of sources, and what this process has last heard: the one book by which trades are done and both fronts
// value what is held. Called by the fronts; read by market.ts.
import { price as exactPrice, quantize } from '../../domain/money/decimal.js';
import { KeelError } from '../../ports/errors.js';
import { forMarket, type Price, type PricesPort } from '../../ports/prices.js';
import { PRICE_INCREMENT } from '../exchange/types.js';

export interface LivePrice {
  /** USD on the grid of the exchange, the nearest step. */
  readonly price: number;
  /** When it was made, ISO 8601 UTC. */
  readonly at: string;
  readonly ageMs: number;
  readonly source: Price['source'];
  readonly freshness: Price['freshness'];
  /** Why it is not live; null when it is. */
  readonly reason: string | null;
  readonly previousClose: number | null;
}

export interface LivePrices {
  /**
   * Asks the chain, and notes the answer.
   * @throws KeelError PRICE_UNKNOWN_SYMBOL, PRICE_CURRENCY, PRICE_TOO_SMALL or PRICE_OF_OTHER_TIME (final), PRICES_AWAY
   *   (retryable)
   */
  ask(symbol: string): Promise<LivePrice>;
  /**
   * Notes the prices of all that is held. One that can not be had now, or is below a cent, keeps what was last known.
   * @throws KeelError PRICES_AWAY (retryable) when nothing is known of one: no value is better than a made-up one;
   *   PRICE_OF_OTHER_TIME (final)
   */
  value(symbols: readonly string[]): Promise<void>;
  /** What was last noted. */
  known(symbol: string): LivePrice | null;
}

const onGrid = (text: string): number => quantize(exactPrice(text), PRICE_INCREMENT, 'nearest').toNumber();

export function createLivePrices(chain: Pick<PricesPort, 'price' | 'batch'>): LivePrices {
  const book = new Map<string, LivePrice>();
  const note = (given: Price): LivePrice => {
    const found = forMarket(given);
    const rounded = onGrid(found.price);
    if (rounded <= 0) {
      const message = `${found.symbol} stands at ${found.price} USD; the simulator trades from one cent a unit.`;
      throw new KeelError('PRICE_TOO_SMALL', message, { facts: { symbol: found.symbol } });
    }
    const { at, ageMs, source, freshness, reason, previousClose } = found;
    const before = previousClose === null ? null : onGrid(previousClose);
    const known: LivePrice = { price: rounded, at, ageMs, source, freshness, reason, previousClose: before };
    book.set(found.symbol, known);
    return known;
  };
  return {
    ask: async (symbol) => note(await chain.price(symbol)),
    value: async (symbols) => {
      if (symbols.length === 0) return;
      const { prices, problems } = await chain.batch(symbols);
      const worthless = prices.filter(({ price }) => onGrid(price) <= 0);
      for (const found of prices) if (!worthless.includes(found)) note(found);
      const tooSmall = worthless.map(({ symbol, price }) => ({
        symbol,
        detail: `it stands at ${price} USD, less than a cent.`,
      }));
      const missing = [...problems, ...tooSmall].find(({ symbol }) => !book.has(symbol));
      if (missing === undefined) return;
      const message = `There is no price of ${missing.symbol} by which to value it: ${missing.detail}`;
      throw new KeelError('PRICES_AWAY', message, {
        errorClass: 'retryable',
        facts: { symbol: missing.symbol },
      });
    },
    known: (symbol) => book.get(symbol) ?? null,
  };
}
