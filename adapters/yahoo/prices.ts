// Prices from Yahoo's chart endpoint: the last price and its time from the answer's `meta`. Made by the composition
// roots; called by adapters/prices.
import axios from 'axios';
import { z } from 'zod';
import { quantize } from '../../domain/money/decimal.js';
import type { SourcePrice } from '../../contracts/wire/price.js';
import { KeelError, type ErrorClass } from '../../ports/errors.js';
import { awayFacts, type PriceSource } from '../../ports/prices.js';

export interface YahooOptions {
  /** Such as https://query2.finance.yahoo.com */
  readonly baseUrl: string;
  readonly timeoutMs: number;
}

/** A limit of Yahoo's lasts minutes; it says no figure. */
const restMs = 5 * 60_000;
/** A chart of one day has about 50 KB. */
const largestBytes = 1_000_000;

const metaSchema = z.object({
  symbol: z.string(),
  currency: z.string().nullish(),
  regularMarketPrice: z.number().positive().nullish(),
  regularMarketTime: z.number().int().positive().nullish(),
  regularMarketVolume: z.number().nonnegative().nullish(),
  chartPreviousClose: z.number().positive().nullish(),
  previousClose: z.number().positive().nullish(),
  priceHint: z.number().int().min(0).max(8).nullish(),
});
const errorSchema = z.object({ code: z.string(), description: z.string().nullish() });
const chartSchema = z.object({
  chart: z.object({
    result: z.array(z.object({ meta: metaSchema })).nullish(),
    error: errorSchema.nullish(),
  }),
});

const failure = (
  symbol: string,
  code: string,
  words: string,
  errorClass: ErrorClass,
  facts: Record<string, string | number> = {},
): KeelError => new KeelError(code, `Yahoo: ${words}`, { errorClass, facts: { symbol, ...facts } });

/** Yahoo writes BRK.B as BRK-B and BTC/USD as BTC-USD. */
export const yahooSymbol = (symbol: string): string =>
  symbol.replace(/\.([A-Z])$/, '-$1').replaceAll('/', '-');

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask({ baseUrl, timeoutMs }: YahooOptions, symbol: string): Promise<Answer> {
  const path = `/v8/finance/chart/${encodeURIComponent(yahooSymbol(symbol))}`;
  try {
    const { status, data } = await axios.get<string>(`${baseUrl.replace(/\/+$/, '')}${path}`, {
      params: { range: '1d', interval: '1d' },
      // Without a browser's name every request is answered with 429.
      headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64)', Accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      maxRedirects: 0,
      maxContentLength: largestBytes,
      proxy: false,
      responseType: 'text',
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
    });
    return { status, text: data };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreachable';
    throw failure(symbol, 'PRICE_AWAY', `no answer for ${symbol} (${code}).`, 'retryable', awayFacts(code));
  }
}

function parse(symbol: string, { status, text }: Answer): z.output<typeof chartSchema>['chart'] {
  const limited = (rest: number): KeelError =>
    failure(symbol, 'PRICE_LIMITED', 'too many requests; it is left alone for a while.', 'retryable', {
      restMs: rest,
    });
  // Plain text in place of JSON, at times with another status.
  if (status === 429 || /too many requests/i.test(text.slice(0, 200))) throw limited(restMs);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const words = `status ${status} with ${text.length} characters that are no JSON, for ${symbol}.`;
    throw failure(symbol, 'PRICE_UNREADABLE', words, 'retryable');
  }
  const read = chartSchema.safeParse(body);
  if (read.success) return read.data.chart;
  const where = read.error.issues[0]?.path.map(String).join('.') ?? '';
  throw failure(
    symbol,
    'PRICE_UNREADABLE',
    `an answer of an unknown form for ${symbol} (${where}).`,
    'retryable',
  );
}

function priceOf(symbol: string, meta: z.output<typeof metaSchema>): SourcePrice {
  const { regularMarketPrice: last, regularMarketTime: seconds, currency } = meta;
  if (meta.symbol.toUpperCase() !== yahooSymbol(symbol).toUpperCase()) {
    throw failure(symbol, 'PRICE_UNREADABLE', `asked for ${symbol}, and got another symbol.`, 'retryable');
  }
  if (last == null || seconds == null || !currency) {
    const missing = last == null ? 'price' : seconds == null ? 'time' : 'currency';
    throw failure(symbol, 'PRICE_UNREADABLE', `no ${missing} for ${symbol}.`, 'retryable');
  }
  const step = `1e-${meta.priceHint ?? 4}`;
  const close = meta.previousClose ?? meta.chartPreviousClose ?? null;
  return {
    symbol,
    price: quantize(last, step, 'nearest').toFixed(),
    currency,
    at: new Date(seconds * 1000).toISOString(),
    previousClose: close === null ? null : quantize(close, step, 'nearest').toFixed(),
    volume: meta.regularMarketVolume ?? null,
    marketCap: null,
  };
}

export const createYahooPrices = (options: YahooOptions): PriceSource => ({
  name: 'yahoo',
  price: async (symbol) => {
    const answer = await ask(options, symbol);
    const { result, error } = parse(symbol, answer);
    const meta = result?.[0]?.meta;
    if (meta !== undefined) return priceOf(symbol, meta);
    if (answer.status === 404 || error?.code === 'Not Found') {
      throw failure(symbol, 'PRICE_UNKNOWN_SYMBOL', `there is no symbol ${symbol}.`, 'final');
    }
    const words = `status ${answer.status} and no result for ${symbol}.`;
    throw failure(symbol, 'PRICE_UNREADABLE', words, 'retryable');
  },
});
