// Prices of symbols for people and valuations: who answers, how old it is, what could not be had. An order is never
// weighed on them; admission takes the broker's own quote (ports/broker.ts).

export type PriceSourceName = 'yahoo' | 'alphavantage' | 'replay';

/** What one source says of one symbol. */
export interface SourcePrice {
  readonly symbol: string;
  /** Decimal string. */
  readonly price: string;
  /** ISO 4217. */
  readonly currency: string;
  /** When the price was made, ISO 8601 UTC; of the market, not of the request. */
  readonly at: string;
  readonly previousClose: string | null;
  /** Units traded in the session so far. */
  readonly volume: number | null;
  /** In `currency`, where the source knows it. */
  readonly marketCap: string | null;
}

/** One attempt, one timeout. */
export interface PriceSource {
  readonly name: PriceSourceName;
  /**
   * @throws KeelError PRICE_UNKNOWN_SYMBOL (final), PRICE_LIMITED (retryable; facts.restMs tells for how long),
   *   PRICE_REFUSED (final), PRICE_UNREADABLE (retryable), PRICE_AWAY (retryable)
   */
  price(symbol: string): Promise<SourcePrice>;
}

/** A price as the chain gives it. */
export interface Price extends SourcePrice {
  readonly source: PriceSourceName;
  /** Wall time of the answer, ISO 8601 UTC. */
  readonly fetchedAt: string;
  /** Market time since `at`, milliseconds. */
  readonly ageMs: number;
  /** live: of the session that is on, or of the last one when none is · old: of an earlier session · stale: no source answers now. */
  readonly freshness: 'live' | 'old' | 'stale';
  /** Why it is not live, in words; null when it is. */
  readonly reason: string | null;
}

export interface PriceProblem {
  readonly symbol: string;
  readonly code: string;
  readonly detail: string;
}

export interface PriceBatch {
  readonly prices: readonly Price[];
  readonly problems: readonly PriceProblem[];
}

/** What the chain remembers of a source since the process began. */
export interface SourceMemory {
  readonly source: PriceSourceName;
  /** Wall times, ISO 8601 UTC. */
  readonly answeredAt: string | null;
  readonly failedAt: string | null;
  /** Code of the last failure. */
  readonly failure: string | null;
  /** The source is not asked before this, because it has set a limit. */
  readonly restsUntil: string | null;
}

export interface PricesPort {
  /** @throws KeelError PRICE_UNKNOWN_SYMBOL (final) when no source knows it, PRICES_AWAY (retryable) when none answers. */
  price(symbol: string): Promise<Price>;
  /** Every symbol once, in the order asked. What can not be had stands among the problems. */
  batch(symbols: readonly string[]): Promise<PriceBatch>;
  memory(): readonly SourceMemory[];
}
