// The OpenAPI document of the simulator's own API, and the page that shows it. Called by app.ts.
import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { tradeRequest } from './tradeRequest.js';

const number = z.number();
const problem = z
  .object({ type: z.string(), title: z.string(), status: z.int(), code: z.string(), detail: z.string() })
  .meta({ id: 'Problem' });

const words = {
  400: 'MALFORMED_JSON, PRICE_BELOW_MARKET, PRICE_ABOVE_MARKET, NOT_ENOUGH_CASH, NOT_ENOUGH_SHARES, ACCOUNT_FULL, PRICE_UNKNOWN',
  401: 'KEY_MISSING, KEY_UNKNOWN, KEY_EXPIRED',
  404: 'UNKNOWN_TICKER, PRICE_UNKNOWN',
  413: 'BODY_TOO_LARGE',
  422: 'INVALID_INPUT; with live prices also PRICE_CURRENCY, PRICE_TOO_SMALL',
  503: 'With live prices: PRICES_AWAY, PRICE_NOT_LIVE',
} as const;

const answers = (
  status: string,
  schema: z.ZodType,
  ...problems: (keyof typeof words)[]
): ZodOpenApiResponsesObject => ({
  [status]: { description: 'Done.', content: { 'application/json': { schema } } },
  ...Object.fromEntries(
    problems.map((code) => [
      String(code),
      { description: words[code], content: { 'application/problem+json': { schema: problem } } },
    ]),
  ),
});

const source = z.enum(['replay', 'yahoo', 'alphavantage']);
const price = z.object({
  ticker: z.string(),
  price: number,
  currency: z.string(),
  market: z.enum(['open', 'shut', 'halted']),
  source,
  at: z.string(),
  ageSeconds: number,
  freshness: z.enum(['live', 'old', 'stale']),
});
const holding = z.object({
  ticker: z.string(),
  quantity: number,
  averagePrice: number,
  currentPrice: number,
  marketValue: number,
  unrealizedPnl: number,
  priceSource: source,
  priceAgeSeconds: number,
});
const traded = z.object({
  tradeId: z.string(),
  orderId: z.int(),
  ticker: z.string(),
  action: z.enum(['buy', 'sell']),
  quantity: number,
  price: number,
  amount: number,
  cash: number,
  at: z.string(),
});

export const createApiDocument = (): object =>
  createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Keel simulator',
      version: '1',
      description:
        'Accounts with cash and holdings at a simulated broker. A buy needs a price at or above the market and enough cash, a sell a price at or below the market and enough shares. It is done at once at the market price, without commission or slippage, at any hour. Prices are those of replayed bars, or of a chain of sources, where only one of now is traded at. An account that the Client Portal API shows is the same in both: make a user of it with `keel simulator user --email E --account A`.',
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/health': { get: { security: [], responses: answers('200', z.object({ ok: z.literal(true) })) } },
      '/api/v1/balance': {
        get: {
          responses: answers('200', z.object({ email: z.string(), cash: number, currency: z.string() }), 401),
        },
      },
      '/api/v1/price/{ticker}': {
        get: {
          requestParams: { path: z.object({ ticker: z.string() }) },
          responses: answers('200', price, 401, 404, 422, 503),
        },
      },
      '/api/v1/portfolio': {
        get: {
          responses: answers(
            '200',
            z.object({
              email: z.string(),
              cash: number,
              currency: z.string(),
              holdings: z.array(holding),
              totalValue: number,
            }),
            401,
            503,
          ),
        },
      },
      '/api/v1/trade': {
        post: {
          requestBody: { content: { 'application/json': { schema: tradeRequest } } },
          responses: answers('201', traded, 400, 401, 404, 413, 422, 503),
        },
      },
    },
  });

export const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Keel simulator</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

export const docsStart = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null });
`;
