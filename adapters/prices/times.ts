// What time it is for a source of prices, and so how old a price is and whether the market that Keel trades on is of that time.
// Used by chain.ts.
import type { Calendar } from '../../domain/market/calendarTypes.js';
import { isOfEarlierSession } from '../../domain/market/priceAge.js';
import type { Clock, MarketTime } from '../../ports/clocks.js';
import { sourceClocks } from '../../ports/prices.js';
import type { Price, PriceSource, PriceSourceName } from '../../ports/prices.js';
import type { Kept } from './kept.js';

interface Times {
  readonly clock: Clock;
  readonly calendar: Calendar;
}

/** Clocks differ by seconds; what is further away is of a clock or a date that is wrong, or of another time. */
const apartMs = 5 * 60_000;

/** What time it is for a source, and whether that is the time of the market. */
function timeOf(
  name: PriceSourceName,
  { clock }: Times,
  market: MarketTime,
): { readonly now: string; readonly ofMarket: boolean } {
  if (sourceClocks[name] === 'market') return { now: market.now, ofMarket: true };
  const wall = clock.now();
  return {
    now: new Date(wall).toISOString(),
    ofMarket: Math.abs(Date.parse(market.now) - wall) <= apartMs,
  };
}

/** Sources in the order to ask them, each with what time it is for it: those of the market's own time come first. */
export function inOrder(sources: readonly PriceSource[], times: Times, market: MarketTime) {
  const timed = sources.map((source) => ({ source, ...timeOf(source.name, times, market) }));
  return [...timed.filter(({ ofMarket }) => ofMarket), ...timed.filter(({ ofMarket }) => !ofMarket)];
}

/** A price as it looks now. @param failure why no source has answered just now */
export function seen(
  times: Times,
  { price }: Pick<Kept, 'price'>,
  market: MarketTime,
  failure: string | null = null,
): Price {
  const { now, ofMarket } = timeOf(price.source, times, market);
  const old = isOfEarlierSession(price.symbol, price.at, now, times.calendar);
  const oldWords = old ? `The price is of ${price.at}, and no source has a newer one.` : null;
  const reasons = [failure ?? oldWords, ofMarket ? null : otherTimeWords(now, market)];
  return {
    ...price,
    ageMs: Math.max(0, Date.parse(now) - Date.parse(price.at)),
    ofMarket,
    freshness: failure !== null ? 'stale' : old ? 'old' : 'live',
    reason: reasons.filter((words) => words !== null).join(' ') || null,
  };
}

const otherTimeWords = (now: string, market: MarketTime): string =>
  `Its clock is that of today, ${now}, and the simulated market stands at ${market.now}: nothing there may be valued or ` +
  'sized by it. Of prices.chain (KEEL_PRICE_CHAIN) only replay and broker have prices of that market.';

/** Whether a price is of a time to come. @param now by the clock of its source; both ISO 8601 UTC */
export const isAhead = (at: string, now: string): boolean => Date.parse(at) - Date.parse(now) > apartMs;
