// Prices of symbols over HTTP. Used by api/routes/stocks.ts and the OpenAPI document.
import { z } from 'zod';
import { decimal, instant, symbol } from './fields.js';

export const stock = z
  .strictObject({
    symbol,
    price: decimal,
    currency: z.string().meta({ description: 'ISO 4217.', example: 'USD' }),
    at: instant.meta({ description: 'When the price was made, by the clock of its source.' }),
    ageSeconds: z
      .int()
      .nonnegative()
      .meta({
        description:
          'Time since `at`, by the clock of its source: that of the market for replay and broker, the machine’s for yahoo and ' +
          'alphavantage.',
      }),
    ofMarket: z.boolean().meta({
      description:
        'False for a price of today beside a simulated market of another time: nothing there may be valued or sized by it. ' +
        'It is given only where the sources of that market have no price of the symbol.',
    }),
    freshness: z.enum(['live', 'old', 'stale']).meta({
      description:
        'live: of the session that is on, or of the last one when none is. old: of an earlier session. ' +
        'stale: no source answers now; this is the last price that one gave.',
    }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why it is not live, or not of the market; null when it is both.' }),
    source: z.string().meta({ example: 'replay' }),
    fetchedAt: instant.meta({
      description: 'Wall time of the answer; for a minute it comes from the cache.',
    }),
    previousClose: decimal.nullable(),
    volume: z.number().nonnegative().nullable(),
    marketCap: decimal.nullable(),
  })
  .meta({ id: 'Stock' });

export const stockBatchRequest = z
  .strictObject({ symbols: z.array(symbol).min(1).max(100) })
  .meta({ id: 'StockBatchRequest' });

export const stockBatch = z
  .strictObject({
    stocks: z.array(stock),
    problems: z
      .array(z.strictObject({ symbol, code: z.string(), detail: z.string() }))
      .meta({ description: 'Symbols without a price, each with its reason.' }),
  })
  .meta({ id: 'StockBatch' });
