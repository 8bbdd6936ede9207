// Servers that answer as Yahoo and Alpha Vantage do, their faults included. Used by tests, which reach them by URL.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PriceServer {
  readonly url: string;
  /** Paths and queries asked so far. */
  readonly asked: string[];
  /** How the next requests are answered. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startPriceServer(): Promise<PriceServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    served.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const served: PriceServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: says(500, ''),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return served;
}

export const says =
  (status: number, body: unknown, type = 'application/json') =>
  (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** @param at seconds since the epoch */
export const yahooChart = (symbol: string, price: number | null, at: number | null, change: object = {}) => ({
  chart: {
    result: [
      {
        meta: {
          currency: 'USD',
          symbol,
          exchangeName: 'NMS',
          instrumentType: 'EQUITY',
          regularMarketTime: at,
          regularMarketPrice: price,
          regularMarketVolume: 56_468_000,
          chartPreviousClose: 94.03,
          priceHint: 2,
          dataGranularity: '1d',
          ...change,
        },
        timestamp: [at],
        indicators: { quote: [{ open: [null], close: [null], volume: [null] }] },
      },
    ],
    error: null,
  },
});

export const yahooNotFound = {
  chart: { result: null, error: { code: 'Not Found', description: 'No data found, symbol may be delisted' } },
};

export const globalQuote = (symbol: string, price: string, day: string, change: object = {}) => ({
  'Global Quote': {
    '01. symbol': symbol,
    '02. open': '95.0000',
    '05. price': price,
    '06. volume': '1234',
    '07. latest trading day': day,
    '08. previous close': '94.0300',
    '10. change percent': '0.5123%',
    ...change,
  },
});

export const limitNote = (key: string) => ({
  Information: `We have detected your API key as ${key} and our standard API rate limit is 25 requests per day.`,
});
