// Wires the chain of price sources and its cache from settings. Called by the composition roots of API and worker.
import { createAlphaVantagePrices } from '../adapters/alphavantage/prices.js';
import { createMemoryCache } from '../adapters/memory/cache.js';
import { withBudget } from '../adapters/prices/budget.js';
import { createPriceChain } from '../adapters/prices/chain.js';
import { createRedisCache } from '../adapters/redis/cache.js';
import { createReplayPrices } from '../adapters/replay/prices.js';
import { createYahooPrices } from '../adapters/yahoo/prices.js';
import type { Mode } from '../contracts/wire/names.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import type { CachePort } from '../ports/cache.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import type { PricesPort, PriceSource, PriceSourceName } from '../ports/prices.js';

/** The section `prices` of the configuration. */
export interface PriceSettings {
  readonly chain: readonly PriceSourceName[];
  readonly currency: string;
  readonly timeoutMs: number;
  readonly freshMs: number;
  readonly keepMs: number;
  /** How often a source on the internet is asked, by each process. */
  readonly perMinute: number;
  readonly alphaVantagePerMinute: number;
  readonly alphaVantagePerDay: number;
  readonly yahooUrl: string;
  readonly alphaVantageUrl: string;
  readonly alphaVantageKey: string;
}

export interface PriceParts {
  readonly mode: Mode;
  readonly cache: CachePort;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly calendar: Calendar;
  /** The broker as a source: the worker's own, or the worker asked by the API; none where this process has no broker. */
  readonly broker?: PriceSource;
  readonly simulator: { readonly adminUrl: string; readonly adminToken: string };
}

/**
 * IBKR takes ten requests a second in all; a price is up to eight, so these are at most two fifths of a minute's. Of many symbols
 * the contract of each that is looked up counts as one, and so does their snapshot.
 */
export const brokerPricesPerMinute = 30;

/** @param redisUrl empty for the memory of this process alone */
export function createCache({ redisUrl }: { readonly redisUrl: string }, clock: Clock): CachePort {
  const memory = createMemoryCache(clock);
  return redisUrl === ''
    ? memory
    : createRedisCache({ url: redisUrl, clock, fallback: memory, timeoutMs: 300 });
}

export function createPrices(settings: PriceSettings, parts: PriceParts): PricesPort {
  const { timeoutMs, currency, freshMs, keepMs } = settings;
  const { mode, broker, calendar, cache, clock, marketClock, simulator } = parts;
  const budgeted = (source: PriceSource, perMinute: number, perDay?: number): PriceSource =>
    withBudget(source, clock, { perMinute, ...(perDay !== undefined && { perDay }) });
  const makers: Record<PriceSourceName, () => PriceSource | null> = {
    yahoo: () => budgeted(createYahooPrices({ baseUrl: settings.yahooUrl, timeoutMs }), settings.perMinute),
    alphavantage: () =>
      // Without a key it would refuse every request.
      settings.alphaVantageKey === ''
        ? null
        : budgeted(
            createAlphaVantagePrices({
              baseUrl: settings.alphaVantageUrl,
              apiKey: settings.alphaVantageKey,
              timeoutMs,
              calendar,
              clock,
            }),
            settings.alphaVantagePerMinute,
            settings.alphaVantagePerDay,
          ),
    broker: () => (broker === undefined ? null : budgeted(broker, brokerPricesPerMinute)),
    replay: () =>
      createReplayPrices({ adminUrl: simulator.adminUrl, token: simulator.adminToken, timeoutMs }),
  };
  const sources = settings.chain.map((name) => makers[name]()).filter((source) => source !== null);
  return createPriceChain({ mode, sources, cache, clock, marketClock, calendar, currency, freshMs, keepMs });
}
