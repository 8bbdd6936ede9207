// A gateway of the tests that owes nothing to the simulator: https, one paper account, one stock, bars up to today, in the
// types and with the habits that IBKR's documents and other clients report. The market is the machine's.
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { dailyBars, monthlyBars, weeklyBars } from './gatewayBars.js';

export const gatewayAccount = 'DU7654321';
const conid = 265598;

interface Order {
  readonly id: number;
  readonly parent: number | null;
  readonly wire: Readonly<Record<string, string | number | boolean>>;
  readonly filled: boolean;
}

interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

export interface Gateway {
  readonly baseUrl: string;
  readonly caFile: string;
  readonly certSha256: string;
  /** `POST /iserver/accounts` and so on, in the order they came. */
  readonly seen: string[];
  /** Orders taken, legs too. */
  readonly orders: Order[];
  /** Answers the next request of a route in place of the gateway, once. `drop` breaks the connection. */
  next(route: string, answer: Answer | 'drop'): void;
  /** What the brokerage session is from now on. */
  session: 'up' | 'idle' | 'gone';
  close(): Promise<void>;
}

const html = '<html><body><h1>Resource not found</h1></body></html>';

/** What the session has seen; a new one begins with nothing. */
interface Memory {
  accounts: boolean;
  orders: boolean;
  trades: boolean;
  snapshot: boolean;
}

const fresh = (): Memory => ({ accounts: false, orders: false, trades: false, snapshot: false });

type Handler = (facts: { readonly query: URLSearchParams; readonly body: string }) => Answer;

const ok = (body: unknown): Answer => ({ body });
const refuse = (status: number, error: string): Answer => ({ status, body: { error, statusCode: status } });

function lastPrice(): { readonly text: string; readonly value: number } {
  const now = Date.now();
  const value = dailyBars(now, 2).at(-1)?.c ?? 0;
  const open = createNyseCalendar().openAt(new Date(now).toISOString()) !== null;
  return { text: `${open ? '' : 'C'}${value}`, value };
}

function orderRow({ id, parent, wire, filled }: Order, price: number) {
  const size = Number(wire['quantity']);
  const names: Record<string, string> = { MKT: 'Market', LMT: 'Limit', STP: 'Stop' };
  const type = names[String(wire['orderType'])] ?? String(wire['orderType']);
  return {
    acct: gatewayAccount,
    account: gatewayAccount,
    orderId: id,
    conid,
    conidex: String(conid),
    ticker: 'AAPL',
    secType: 'STK',
    side: wire['side'],
    orderType: type,
    origOrderType: type.toUpperCase(),
    price: wire['price'] === undefined ? '' : String(wire['price']),
    timeInForce: wire['tif'] === 'DAY' ? 'CLOSE' : wire['tif'],
    totalSize: size,
    filledQuantity: filled ? size : 0,
    remainingQuantity: filled ? 0 : size,
    ...(filled ? { avgPrice: String(price) } : {}),
    status: filled ? 'Filled' : 'PreSubmitted',
    ...(wire['cOID'] === undefined ? {} : { order_ref: wire['cOID'] }),
    ...(parent === null ? {} : { parentId: parent }),
  };
}

function handlers(gateway: Gateway, memory: () => Memory): Readonly<Record<string, Handler>> {
  const price = lastPrice();
  const status = () => ({
    authenticated: gateway.session === 'up',
    competing: false,
    connected: gateway.session !== 'gone',
    message: '',
    MAC: '00:00',
  });
  const filled = () => gateway.orders.filter((order) => order.filled);
  const held = () =>
    filled().reduce((sum, { wire }) => sum + (wire['side'] === 'BUY' ? 1 : -1) * Number(wire['quantity']), 0);
  const cash = () => 100_000 - held() * price.value;
  const primed = (key: keyof Memory, first: unknown, then: () => unknown): Answer => {
    if (!memory().accounts) return { status: 500, body: { error: 'Please query /accounts first' } };
    if (memory()[key]) return ok(then());
    memory()[key] = true;
    return ok(first);
  };
  const account = `/portfolio/${gatewayAccount}`;
  return {
    'POST /iserver/auth/status': () =>
      gateway.session === 'gone' ? refuse(401, 'not authenticated') : ok(status()),
    'POST /iserver/auth/ssodh/init': () => {
      if (gateway.session === 'idle') gateway.session = 'up';
      return ok({ ...status(), passed: true });
    },
    'POST /tickle': () =>
      ok(
        gateway.session === 'gone'
          ? { error: 'no session' }
          : { session: 'bb66', hmds: { error: 'no bridge' }, iserver: { authStatus: status() } },
      ),
    'GET /iserver/accounts': () => {
      memory().accounts = true;
      return ok({ accounts: [gatewayAccount], selectedAccount: gatewayAccount, isPaper: true });
    },
    'GET /portfolio/accounts': () => ok([{ id: gatewayAccount, accountId: gatewayAccount, currency: 'USD' }]),
    [`GET ${account}/summary`]: () =>
      ok({
        netliquidation: { amount: 100_000, currency: 'USD', isNull: false, value: '100000', severity: 0 },
      }),
    [`GET ${account}/ledger`]: () => ok({ USD: { settledcash: cash(), currency: 'USD' }, BASE: {} }),
    [`POST ${account}/positions/invalidate`]: () => ok({ message: 'success' }),
    [`GET ${account}/positions/0`]: () =>
      ok(
        held() === 0
          ? []
          : [
              {
                ...{
                  acctId: gatewayAccount,
                  conid,
                  contractDesc: 'AAPL',
                  position: held(),
                  assetClass: 'STK',
                },
                ...{ mktPrice: price.value, avgCost: price.value, ticker: 'AAPL' },
              },
            ],
      ),
    [`GET ${account}/positions/1`]: () => ok([]),
    'GET /trsrv/stocks': ({ query }) =>
      ok({
        [query.get('symbols') ?? '']:
          query.get('symbols') === 'AAPL'
            ? [
                {
                  name: 'APPLE INC',
                  assetClass: 'STK',
                  contracts: [{ conid, exchange: 'NASDAQ', isUS: true }],
                },
              ]
            : [],
      }),
    'GET /trsrv/secdef': () =>
      ok({
        secdef: [
          {
            ...{ conid, ticker: 'AAPL', name: 'APPLE INC', assetClass: 'STK', currency: 'USD' },
            ...{ listingExchange: 'NASDAQ', incrementRules: [{ lowerEdge: 0, increment: 0.01 }] },
          },
        ],
      }),
    'GET /iserver/marketdata/history': ({ query }) => {
      const barsOf = { '1w': weeklyBars, '1m': monthlyBars }[query.get('bar') ?? ''] ?? dailyBars;
      const data = barsOf(Date.now(), Number.parseInt(query.get('period') ?? '2y', 10));
      return ok({ symbol: 'AAPL', volumeFactor: 100, points: data.length - 1, data });
    },
    'GET /iserver/marketdata/snapshot': () =>
      primed('snapshot', [{ conidEx: String(conid), conid }], () => [
        { conid, conidEx: String(conid), '31': price.text, '6509': 'RpB', _updated: Date.now() },
      ]),
    'GET /iserver/account/orders': ({ query }) =>
      query.get('force') === 'true'
        ? ok({ orders: [] })
        : primed('orders', { orders: [], snapshot: false }, () => ({
            orders: gateway.orders.map((order) => orderRow(order, price.value)),
            snapshot: true,
          })),
    'GET /iserver/account/trades': () =>
      primed('trades', [], () =>
        filled().map(({ id, wire }) => ({
          ...{
            execution_id: `0000e0d5.${id}.01.01`,
            symbol: 'AAPL',
            side: wire['side'] === 'BUY' ? 'B' : 'S',
          },
          ...{
            size: wire['quantity'],
            price: String(price.value),
            commission: '1.0',
            order_ref: wire['cOID'],
          },
          ...{ account: gatewayAccount, conid, order_id: id, trade_time_r: Date.now() },
        })),
      ),
    [`POST /iserver/account/${gatewayAccount}/orders`]: ({ body }) => {
      const { orders } = JSON.parse(body) as { orders: Order['wire'][] };
      const first = 1_000_000 + gateway.orders.length;
      for (const [index, wire] of orders.entries()) {
        const parent = wire['parentId'] === undefined ? null : first;
        gateway.orders.push({ id: first + index, parent, wire, filled: parent === null });
      }
      return ok(
        orders.map((wire, index) => ({
          ...{ order_id: String(first + index), order_status: 'PreSubmitted', encrypt_message: '1' },
          ...(wire['cOID'] === undefined ? {} : { local_order_id: wire['cOID'] }),
        })),
      );
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** @param folder where its certificate is written */
export async function startGateway(folder: string): Promise<Gateway> {
  const made = await generate([{ name: 'commonName', value: 'gateway' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  const caFile = `${folder}/gateway.pem`;
  writeFileSync(caFile, made.cert);
  const scripted = new Map<string, (Answer | 'drop')[]>();
  let memory = fresh();
  let session: Gateway['session'] = 'up';

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://gateway');
    const route = `${request.method ?? ''} ${url.pathname.replace('/v1/api', '')}`;
    const body = await bodyOf(request);
    gateway.seen.push(route);
    const forced = scripted.get(route)?.shift();
    if (forced === 'drop') {
      handlers(gateway, () => memory)[route]?.({ query: url.searchParams, body });
      response.socket?.destroy();
      return;
    }
    const brokerage = route.includes('/iserver/') && !route.includes('/auth/');
    const lost = brokerage && session !== 'up' ? refuse(400, 'Bad Request: no bridge') : undefined;
    const handler = handlers(gateway, () => memory)[route];
    const answer = forced ?? lost ?? handler?.({ query: url.searchParams, body });
    response.writeHead(answer?.status ?? (answer === undefined ? 404 : 200), {
      'Content-Type': answer === undefined ? 'text/html' : 'application/json',
    });
    response.end(answer === undefined ? html : JSON.stringify(answer.body));
  }

  const server = https.createServer({ key: made.private, cert: made.cert }, (request, response) => {
    void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: Gateway = {
    baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/api`,
    caFile,
    certSha256: new X509Certificate(made.cert).fingerprint256,
    seen: [],
    orders: [],
    next: (route, answer) => {
      scripted.set(route, [...(scripted.get(route) ?? []), answer]);
    },
    get session() {
      return session;
    },
    set session(next) {
      session = next;
      memory = fresh();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return gateway;
}
