// Prices from Alpha Vantage's GLOBAL_QUOTE. It answers 200 whatever happens, and its texts repeat the key, so none of
// them leaves this file. Made by the composition roots when there is a key; called by adapters/prices.
import axios from 'axios';
import { z } from 'zod';
import type { SourcePrice } from '../../contracts/wire/price.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import { price as exactPrice } from '../../domain/money/decimal.js';
import type { Clock } from '../../ports/clocks.js';
import { KeelError, type ErrorClass } from '../../ports/errors.js';
import { awayFacts, type PriceSource } from '../../ports/prices.js';

export interface AlphaVantageOptions {
  /** Such as https://www.alphavantage.co */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly calendar: Calendar;
  /** The machine's: it tells of today, whatever market Keel trades on. */
  readonly clock: Clock;
}

/** The free tier counts by the day, other tiers by the minute; the text does not say which one was used up. */
const restMs = 15 * 60_000;
const largestBytes = 100_000;
/** The answer names no currency; these are the symbols of US listings. */
const usSymbol = /^[A-Z]{1,5}([.-][A-Z])?$/;

const decimal = z.string().regex(/^\d+(\.\d+)?$/);
const quoteSchema = z.object({
  '01. symbol': z.string(),
  '05. price': decimal,
  '06. volume': z.string().regex(/^\d+$/).optional(),
  '07. latest trading day': z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  '08. previous close': decimal.optional(),
});

const failure = (
  symbol: string,
  code: string,
  words: string,
  errorClass: ErrorClass,
  facts: Record<string, string | number> = {},
): KeelError => new KeelError(code, `Alpha Vantage: ${words}`, { errorClass, facts: { symbol, ...facts } });

async function ask(options: AlphaVantageOptions, symbol: string): Promise<Record<string, unknown>> {
  const { baseUrl, apiKey, timeoutMs } = options;
  let status: number;
  let text: string;
  try {
    const response = await axios.get<string>(`${baseUrl.replace(/\/+$/, '')}/query`, {
      params: { function: 'GLOBAL_QUOTE', symbol: symbol.replace(/\.([A-Z])$/, '-$1'), apikey: apiKey },
      signal: AbortSignal.timeout(timeoutMs),
      maxRedirects: 0,
      maxContentLength: largestBytes,
      proxy: false,
      responseType: 'text',
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
    });
    status = response.status;
    text = response.data;
  } catch (error) {
    // The error of the HTTP library holds the URL, and with it the key: only its code goes on.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreachable';
    throw failure(symbol, 'PRICE_AWAY', `no answer for ${symbol} (${code}).`, 'retryable', awayFacts(code));
  }
  if (status === 429) throw limited(symbol);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    const words = `status ${status} with ${text.length} characters that are no JSON object, for ${symbol}.`;
    throw failure(symbol, 'PRICE_UNREADABLE', words, 'retryable');
  }
}

const limited = (symbol: string): KeelError =>
  failure(symbol, 'PRICE_LIMITED', 'the limit of this key is used up, or the key is no key.', 'retryable', {
    restMs,
  });

/** The answer dates its price to a day: the close of that session, or now while it is on. */
function timeOf(day: string, { calendar, clock }: AlphaVantageOptions): string {
  const known = day >= calendar.first && day <= calendar.last;
  const session = known ? calendar.session(day) : null;
  const now = new Date(clock.now()).toISOString();
  if (session === null) return `${day}T00:00:00.000Z`;
  return now < session.close ? now : session.close;
}

function priceOf(symbol: string, body: unknown, options: AlphaVantageOptions): SourcePrice {
  const read = quoteSchema.safeParse(body);
  if (!read.success) {
    const where = read.error.issues[0]?.path.map(String).join('.') ?? '';
    const words = `an answer of an unknown form for ${symbol} (${where}).`;
    throw failure(symbol, 'PRICE_UNREADABLE', words, 'retryable');
  }
  const quote = read.data;
  if (quote['01. symbol'].replaceAll('-', '.') !== symbol.replaceAll('-', '.')) {
    throw failure(symbol, 'PRICE_UNREADABLE', `asked for ${symbol}, and got another symbol.`, 'retryable');
  }
  const price = exactPrice(quote['05. price']);
  if (price.lte(0)) throw failure(symbol, 'PRICE_UNREADABLE', `no price for ${symbol}.`, 'retryable');
  const volume = quote['06. volume'];
  const close = quote['08. previous close'];
  return {
    symbol,
    price: price.toFixed(),
    currency: 'USD',
    at: timeOf(quote['07. latest trading day'], options),
    previousClose: close === undefined ? null : exactPrice(close).toFixed(),
    volume: volume === undefined ? null : Number(volume),
    marketCap: null,
  };
}

export const createAlphaVantagePrices = (options: AlphaVantageOptions): PriceSource => ({
  name: 'alphavantage',
  price: async (symbol) => {
    if (!usSymbol.test(symbol)) {
      const words = `${symbol} is no symbol of a US listing, and it names no currency of others.`;
      throw failure(symbol, 'PRICE_UNKNOWN_SYMBOL', words, 'final');
    }
    const body = await ask(options, symbol);
    if (body['Information'] !== undefined || body['Note'] !== undefined) throw limited(symbol);
    if (body['Error Message'] !== undefined) {
      throw failure(symbol, 'PRICE_REFUSED', `the request for ${symbol} was refused.`, 'final');
    }
    const quote = z.record(z.string(), z.unknown()).safeParse(body['Global Quote']);
    if (quote.success && Object.keys(quote.data).length === 0) {
      throw failure(symbol, 'PRICE_UNKNOWN_SYMBOL', `there is no symbol ${symbol}.`, 'final');
    }
    return priceOf(symbol, body['Global Quote'], options);
  },
});
