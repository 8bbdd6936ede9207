// Speaks to a broker simulator as a client without any memory would: https, JSON, nothing in between. For tests.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { SimulatorOptions } from '../../simulator/server.js';

export const TOKEN = 'a-token-for-tests-only';
export const ACCOUNT = 'DU1234567';
export const AAPL = 265598;
export const OPEN_PLUS_5 = '2014-07-07T13:35:00.000Z';

export interface Facts {
  readonly baseUrl: string;
  readonly adminUrl: string;
  readonly caFile: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The parsed body; whatever its shape, matchers look at it. */
  readonly body: unknown;
}

export function request(
  simulator: Facts,
  method: string,
  where: string,
  options: {
    readonly body?: unknown;
    readonly raw?: string;
    readonly headers?: Record<string, string>;
    /** False where the answer is not what its header says. */
    readonly parse?: boolean;
    /** Hangs up when it says so. */
    readonly signal?: AbortSignal;
  } = {},
): Promise<Answer> {
  const text = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body));
  const length = text === null ? {} : { 'Content-Length': String(Buffer.byteLength(text)) };
  return new Promise((resolve, reject) => {
    const call = https.request(
      `${simulator.baseUrl}${where}`,
      {
        method,
        ca: readFileSync(simulator.caFile),
        agent: false,
        headers: { ...length, ...options.headers },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          const isJson =
            options.parse !== false && response.headers['content-type']?.includes('json') === true;
          resolve({
            status: response.statusCode ?? 0,
            text: body,
            body: isJson ? (JSON.parse(body) as unknown) : null,
          });
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(text ?? undefined);
  });
}

export const get = async (simulator: Facts, where: string): Promise<unknown> =>
  (await request(simulator, 'GET', where)).body;
export const post = async (simulator: Facts, where: string, body: unknown = {}): Promise<unknown> =>
  (await request(simulator, 'POST', where, { body })).body;

export async function admin(
  simulator: Facts,
  where: string,
  body?: unknown,
  method = body === undefined ? 'GET' : 'POST',
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${simulator.adminUrl}${where}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

export const step = (simulator: Facts, to: string) => admin(simulator, '/clock/step', { to });

export const optionsFor = (directory: string): SimulatorOptions => ({
  host: '127.0.0.1',
  port: 0,
  adminPort: 0,
  adminToken: TOKEN,
  directory,
  accountId: ACCOUNT,
  cash: '100000.00',
  slippage: '0.0005',
  commissionPerShare: '0.005',
  // Requests of these tests are not paced; those about pacing set their own.
  limitsFactor: 100_000,
  clock: { now: () => Date.now() },
  onError: () => undefined,
});

export const order = (rest: Record<string, unknown>): Record<string, unknown> => ({
  acctId: ACCOUNT,
  conid: AAPL,
  secType: `${AAPL}:STK`,
  orderType: 'MKT',
  side: 'BUY',
  tif: 'DAY',
  quantity: 10,
  outsideRTH: false,
  listingExchange: 'SMART',
  ticker: 'AAPL',
  ...rest,
});
export const bracket = (cOID: string): { orders: Record<string, unknown>[] } => ({
  orders: [
    order({ cOID }),
    order({ parentId: cOID, side: 'SELL', tif: 'GTC', orderType: 'STP', price: 90 }),
    order({ parentId: cOID, side: 'SELL', tif: 'GTC', orderType: 'LMT', price: 96.5 }),
  ],
});
export const place = (simulator: Facts, body: unknown): Promise<Answer> =>
  request(simulator, 'POST', `/iserver/account/${ACCOUNT}/orders`, { body });

/** Accounts queried, orders and trades primed: what a client does once per session. */
export async function prime(simulator: Facts): Promise<void> {
  await get(simulator, '/iserver/accounts');
  await get(simulator, '/iserver/account/orders?force=true');
  await get(simulator, '/iserver/account/trades?days=7');
}

export type Rows = Record<string, unknown>[];
export async function ordersOf(simulator: Facts): Promise<Rows> {
  return ((await get(simulator, '/iserver/account/orders')) as { orders: Rows }).orders;
}
