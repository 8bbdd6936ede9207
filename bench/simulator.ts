// The simulator under mixed trading of a thousand accounts through both of its fronts: what goes through at most, and how long
// requests take that come at a steady rate. Called by the runner.
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NodeProcess, Servers } from './servers.js';

export interface SimulatorTiming {
  /** Requests a second that go through over eight connections. */
  readonly perSecond: number;
  /** Milliseconds on the wall from the moment a request was due, at a steady 200 a second. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly accounts: number;
}

export const accountId = 'DU1234567';
const aapl = 265_598;
const accounts = 1000;
const rate = 200;
const steadyMs = 15_000;
const fullMs = 8000;
const connections = 8;
const openPlusFive = '2014-07-07T13:35:00.000Z';
const simulatorToken = 'a-token-for-the-benchmark-only';

/** A simulator of its own in a directory of that name; `limitsFactor` 1 is the broker's own pacing. */
export const startSimulatorIn = (
  servers: Servers,
  name: string,
  limitsFactor: number,
): Promise<NodeProcess> =>
  servers.startNode('simulator', fileURLToPath(new URL('../simulator/main.js', import.meta.url)), [], {
    ...process.env,
    KEEL_ENV: 'testing',
    KEEL_DATA_DIR: join(servers.folder, name),
    KEEL_SIMULATOR_PORT: '0',
    KEEL_SIMULATOR_ADMIN_PORT: '0',
    KEEL_SIMULATOR_API_PORT: '0',
    KEEL_SIMULATOR_ADMIN_TOKEN: simulatorToken,
    KEEL_SIMULATOR_LIMITS_FACTOR: String(limitsFactor),
  });

/** The same with its market open. */
export async function startMarket(
  servers: Servers,
  name: string,
  limitsFactor: number,
): Promise<NodeProcess> {
  const simulator = await startSimulatorIn(servers, name, limitsFactor);
  await admin(simulator, '/clock/step', { to: openPlusFive });
  return simulator;
}

async function admin({ facts }: NodeProcess, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${String(facts['adminUrl'])}${path}`, {
    headers: { Authorization: `Bearer ${simulatorToken}` },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`the simulator refused ${path}: ${await response.text()}`);
  return response.json();
}

/** How many requests a simulator has answered with 429, as it counts them itself. */
export async function rateRefusals(simulator: NodeProcess): Promise<number> {
  const health = (await admin(simulator, '/health')) as { readonly rateRefusals?: unknown };
  if (typeof health.rateRefusals !== 'number') throw new Error('the simulator tells no count of its 429');
  return health.rateRefusals;
}

type Send = (method: string, path: string, body?: object) => Promise<string>;

/** One front over connections that are kept. */
function sender(base: string, agent: HttpAgent, headers: Readonly<Record<string, string>> = {}): Send {
  const isTls = base.startsWith('https:');
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const length = method === 'POST' ? { 'Content-Length': String(Buffer.byteLength(text)) } : {};
      const call = (isTls ? httpsRequest : httpRequest)(
        `${base}${path}`,
        { method, agent, headers: { ...headers, ...length } },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (part: string) => (answer += part));
          response.once('end', () => {
            const status = response.statusCode ?? 0;
            // A refusal of the broker is a 200 with an error.
            if (status < 300 && !answer.startsWith('{"error"')) resolve(answer);
            else reject(new Error(`${method} ${path} answered ${String(status)}: ${answer}`));
          });
        },
      );
      call.once('error', reject);
      call.end(text);
    });
}

/** One request after the other of what customers do, by turns. */
function customers(portal: Send, traders: readonly Send[]): () => Promise<void> {
  const open: string[] = [];
  let orders = 0;
  let turn = 0;
  const orderOf = (rest: object) => ({ acctId: accountId, conid: aapl, side: 'BUY', quantity: 1, ...rest });
  const place = async (rest: object): Promise<string> => {
    orders += 1;
    const body = { orders: [orderOf({ cOID: `bench-${String(orders)}`, tif: 'DAY', ...rest })] };
    const answer = await portal('POST', `/iserver/account/${accountId}/orders`, body);
    const [, id] = /"order_id":"(\d+)"/.exec(answer) ?? [];
    if (id === undefined) throw new Error(`the simulator took no order: ${answer}`);
    return id;
  };
  const trade = (action: 'buy' | 'sell', price: number, index: number): Promise<unknown> => {
    const body = { ticker: 'AAPL', action, quantity: 1, price };
    return (traders[index % traders.length] ?? portal)('POST', '/api/v1/trade', body);
  };
  const next = async (): Promise<void> => {
    turn += 1;
    const cycle = Math.floor(turn / 10);
    switch (turn % 10) {
      case 0:
        // By turns, so that the cash lasts; what is sold was bought long before.
        await place({ orderType: 'MKT', side: cycle > 20 && cycle % 2 === 0 ? 'SELL' : 'BUY' });
        return;
      case 1:
      case 2:
        open.push(await place({ orderType: 'LMT', price: 2, tif: 'GTC' }));
        return;
      case 3: {
        const id = open.length > 20 ? open.shift() : undefined;
        if (id === undefined) await portal('GET', `/portfolio/${accountId}/ledger`);
        else await portal('DELETE', `/iserver/account/${accountId}/order/${id}`);
        return;
      }
      case 4:
        await portal('GET', `/iserver/account/orders?accountId=${accountId}`);
        return;
      case 5:
        await portal('GET', `/iserver/marketdata/snapshot?conids=${String(aapl)}&fields=31,84,86`);
        return;
      case 6:
        await portal('GET', `/portfolio/${accountId}/positions/0`);
        return;
      case 7:
      case 8:
        await trade('buy', 95, cycle);
        return;
      default:
        await (traders[cycle % traders.length] ?? portal)('GET', '/api/v1/portfolio');
    }
  };
  return next;
}

const quantile = (ms: readonly number[], share: number): number =>
  ms.toSorted((a, b) => a - b)[Math.floor(ms.length * share)] ?? NaN;

/** Each request goes out when it is due, whatever became of the ones before it. @throws where one fails */
async function steadily(next: () => Promise<void>): Promise<number[]> {
  const begunAt = performance.now();
  const ms: number[] = [];
  const errors: unknown[] = [];
  const sent: Promise<void>[] = [];
  for (let index = 0; index < (rate * steadyMs) / 1000; index += 1) {
    const due = begunAt + (index * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    sent.push(
      next().then(
        () => void ms.push(performance.now() - due),
        (error: unknown) => void errors.push(error),
      ),
    );
  }
  await Promise.all(sent);
  if (errors.length > 0)
    throw new Error(`${String(errors.length)} requests to the simulator failed`, { cause: errors[0] });
  return ms;
}

/** A simulator with its users, and what they do. */
async function opened(servers: Servers): Promise<{ simulator: NodeProcess; next: () => Promise<void> }> {
  const simulator = await startMarket(servers, 'market', 100_000);
  const { facts } = simulator;
  const pool = { keepAlive: true, maxSockets: 32 };
  const secure = new HttpsAgent({ ...pool, ca: readFileSync(String(facts['caFile'])) });
  const plain = new HttpAgent(pool);
  const portal = sender(String(facts['baseUrl']), secure);
  const traders: Send[] = [];
  for (let index = 0; index < accounts; index += 1) {
    const user = await admin(simulator, '/users', { email: `trader${String(index)}@example.com` });
    const { apiKey } = user as { readonly apiKey: string };
    traders.push(sender(String(facts['apiUrl']), plain, { Authorization: `Bearer ${apiKey}` }));
  }
  await portal('GET', '/iserver/accounts');
  await portal('GET', '/iserver/account/orders?force=true');
  return { simulator, next: customers(portal, traders) };
}

export async function benchSimulator(servers: Servers): Promise<SimulatorTiming> {
  const { simulator, next } = await opened(servers);
  try {
    for (let index = 0; index < 500; index += 1) await next();
    const ms = await steadily(next);
    let served = 0;
    const begunAt = performance.now();
    const work = async (): Promise<void> => {
      for (; performance.now() < begunAt + fullMs; served += 1) await next();
    };
    await Promise.all(Array.from({ length: connections }, work));
    return {
      perSecond: (served * 1000) / (performance.now() - begunAt),
      p50Ms: quantile(ms, 0.5),
      p99Ms: quantile(ms, 0.99),
      accounts: accounts + 1,
    };
  } finally {
    await simulator.stop();
  }
}
