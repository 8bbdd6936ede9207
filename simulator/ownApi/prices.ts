// The price of an instrument for the simulator's own API: of the replay, or of the chain of sources, with who made it, when, and
// how old it is. Called by routes.ts.
import type { Response } from 'express';
import { KeelError } from '../../ports/errors.js';
import type { PriceSourceName } from '../../ports/prices.js';
import type { Engine } from '../engine.js';
import type { Instrument } from '../exchange/types.js';
import type { Live } from '../live/live.js';
import { sendProblem } from './problems.js';

export interface PriceView {
  /** USD. */
  readonly price: number;
  readonly market: 'open' | 'shut' | 'halted';
  readonly source: PriceSourceName;
  /** When it was made: market time, ISO 8601 UTC. */
  readonly at: string;
  readonly ageSeconds: number;
  readonly freshness: 'live' | 'old' | 'stale';
}

/** The price as it is known now; null where none is. */
export function priceKnown(
  engine: Engine,
  live: Live | null,
  { conid, symbol }: Instrument,
): PriceView | null {
  const { market, state } = engine;
  const quote = market.quote(conid, state.now);
  if (quote === null) return null;
  const view = { price: quote.last, market: quote.phase };
  const known = live?.prices.known(symbol) ?? null;
  if (known !== null) {
    const { at, ageMs, source, freshness } = known;
    return { ...view, source, at, ageSeconds: Math.round(ageMs / 1000), freshness };
  }
  const session = market.calendarOf(conid).session(quote.bar.time.slice(0, 10));
  // In a session only its open is known: the price was made then.
  const at = session !== null && session.close <= state.now ? session.close : quote.bar.time;
  const ageSeconds = Math.round((Date.parse(state.now) - Date.parse(at)) / 1000);
  return { ...view, source: 'replay', at, ageSeconds, freshness: 'live' };
}

const statusOf: Readonly<Record<string, readonly [status: number, code: string]>> = {
  PRICE_UNKNOWN_SYMBOL: [404, 'UNKNOWN_TICKER'],
  PRICE_CURRENCY: [422, 'PRICE_CURRENCY'],
  PRICE_TOO_SMALL: [422, 'PRICE_TOO_SMALL'],
};

/** Where prices are live, has the chain asked. @returns false once a problem has been sent */
export async function priceAsked(
  live: Live | null,
  { symbol }: Instrument,
  response: Response,
): Promise<boolean> {
  if (live === null) return true;
  try {
    await live.prices.ask(symbol);
    return true;
  } catch (error) {
    return sendPriceProblem(error, response);
  }
}

/** @returns false once it has been sent. @throws what is no problem of a price */
export function sendPriceProblem(error: unknown, response: Response): false {
  if (!(error instanceof KeelError)) throw error;
  const [status, code] = statusOf[error.code] ?? [503, 'PRICES_AWAY'];
  sendProblem(response, status, code, error.message);
  return false;
}
