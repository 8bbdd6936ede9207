// Prices over HTTP: one symbol, or many. Mounted by api/app.ts.
import { Router, type Response } from 'express';
import { z } from 'zod';
import { symbol } from '../../contracts/http/fields.js';
import { stock, stockBatch, stockBatchRequest } from '../../contracts/http/stock.js';
import type { Price, PricesPort } from '../../ports/prices.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parse, parseBody, pathParameter } from './http.js';

export interface StockRouteDeps {
  readonly prices: Pick<PricesPort, 'price' | 'batch'>;
}

const askerOf = (response: Response): string => principalOf(response).user.id;

const stockOf = ({ ageMs, ...price }: Price) => ({ ...price, ageSeconds: Math.floor(ageMs / 1000) });

export function stockRoutes({ prices }: StockRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/stocks/batch')
    .post(async (request, response) => {
      const { symbols } = parseBody(stockBatchRequest, request);
      const found = await prices.batch(symbols, askerOf(response));
      answer(response, 200, stockBatch, { stocks: found.prices.map(stockOf), problems: found.problems });
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/stocks/*symbol')
    .get(async (request, response) => {
      const asked = { symbol: pathParameter(request, 'symbol') };
      const given = parse(z.object({ symbol }), 'path', asked);
      answer(response, 200, stock, stockOf(await prices.price(given.symbol, askerOf(response))));
    })
    .all(onlyMethods('GET'));
  return router;
}
