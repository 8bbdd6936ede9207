// Prices of symbols for people and valuations: who answers, how old it is, what could not be had. An order is never
// weighed on them; admission takes the broker's own quote (ports/broker.ts).
import type { SourcePrice } from '../contracts/wire/price.js';
import { KeelError } from './errors.js';

export type PriceSourceName = 'yahoo' | 'alphavantage' | 'broker' | 'replay';

/** The clock that a source's prices are of: the world's, or that of the market that Keel trades on, which may be a replay's. */
export const sourceClocks: Readonly<Record<PriceSourceName, 'machine' | 'market'>> = {
  yahoo: 'machine',
  alphavantage: 'machine',
  broker: 'market',
  replay: 'market',
};

/** A source that did not answer in time is left alone for so long, wall milliseconds: it is away for every symbol. */
export const sourceAwayMs = 10_000;

/** That nobody is reached at the source. All else of an HTTP library is about one answer, such as one that is too large. */
const unreachable: readonly string[] = [
  // The time of the request was over.
  'ERR_CANCELED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
];

/** The rest of a source after a failure of its transport, as facts: none where it concerns one symbol alone. */
export const awayFacts = (code: string): { readonly restMs?: number } =>
  unreachable.includes(code) ? { restMs: sourceAwayMs } : {};

/** One attempt, one timeout. */
export interface PriceSource {
  readonly name: PriceSourceName;
  /**
   * @param asker who causes the question, where one of many does: nobody has a whole source for himself
   * @throws KeelError PRICE_UNKNOWN_SYMBOL (final), PRICE_LIMITED (retryable; facts.restMs tells for how long),
   *   PRICE_SHARE (retryable: this asker's part of the source's budget is used up, others may go on),
   *   PRICE_REFUSED (final), PRICE_UNREADABLE (retryable), PRICE_AWAY (retryable; facts.restMs when it is away for all),
   *   PRICE_HALTED (retryable: trading is halted, and how old the last price is can not be told)
   */
  price(symbol: string, asker?: string): Promise<SourcePrice>;
  /** Where a source can be asked for many at once: each symbol's price, or its own error of those above. Rejects with none of them. */
  readonly prices?: (symbols: readonly string[], asker?: string) => Promise<SourceBatch>;
}

export type SourceBatch = ReadonlyMap<string, SourcePrice | KeelError>;

/** A price as the chain gives it. */
export interface Price extends SourcePrice {
  readonly source: PriceSourceName;
  /** Wall time of the answer, ISO 8601 UTC. */
  readonly fetchedAt: string;
  /** Time since `at` by the clock of its source, milliseconds. */
  readonly ageMs: number;
  /** False for a price of today beside a simulated market of another time: `forMarket` refuses it. */
  readonly ofMarket: boolean;
  /**
   * By the clock of its source. live: of the session that is on, or of the last one when none is · old: of an earlier session ·
   * stale: no source answers now.
   */
  readonly freshness: 'live' | 'old' | 'stale';
  /** Why it is not live, or not of the market, in words; null when it is both. */
  readonly reason: string | null;
}

/**
 * The same price, for whoever values or sizes anything by it.
 * @throws KeelError PRICE_OF_OTHER_TIME (final) when the market that Keel trades on is of another time
 */
export function forMarket(price: Price): Price {
  if (price.ofMarket) return price;
  const { symbol, source, at, reason } = price;
  const words = `${symbol} is not valued by the price that ${source} gives: ${reason ?? `it is of ${at}.`}`;
  throw new KeelError('PRICE_OF_OTHER_TIME', words, { facts: { symbol, source, at } });
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
  /** The source is not asked before this, because it has set a limit or did not answer; null when it may be asked. */
  readonly restsUntil: string | null;
}

export interface PricesPort {
  /**
   * @param asker the user for whom it is asked; none for what Keel asks by itself
   * @throws KeelError PRICE_UNKNOWN_SYMBOL (final) when no source knows it, PRICES_AWAY (retryable) when none answers,
   *   PRICE_SHARE (retryable) when this asker has had his part of the budget of each that could.
   */
  price(symbol: string, asker?: string): Promise<Price>;
  /**
   * Every symbol once, in the order asked. What can not be had stands among the problems, and so does what was not
   * begun within the time of a batch (PRICES_LATE).
   */
  batch(symbols: readonly string[], asker?: string): Promise<PriceBatch>;
  memory(): readonly SourceMemory[];
}
