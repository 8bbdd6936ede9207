// The WebSocket of the simulator and what the adapter makes of it: hints when to look, and nothing else. Every case runs over
// wss; what is true is read by REST.
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBrokerStateActivities } from '../activities/brokerState.js';
import { createMarketStepper, createSimulatedMarketClock } from '../adapters/clocks/simulated.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../adapters/ibkr/gateway.js';
import { authorizationHeader } from '../adapters/ibkr/oauth/sign.js';
import { machineTimer } from '../adapters/ibkr/timer.js';
import type { QuoteFields } from '../adapters/ibkr/socket/books.js';
import { connectSocket } from '../adapters/ibkr/socket/connection.js';
import { createPinnedAgent } from '../adapters/ibkr/tls.js';
import { testConsumer, testConsumerAtBroker } from '../adapters/ibkr/testing/oauth.js';
import type { Contract } from '../domain/market/contract.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { BrokerNews } from '../ports/brokerNews.js';
import type { BrokerSnapshot } from '../ports/stores.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator } from '../simulator/server.js';
import {
  accountId,
  adminOf,
  adminToken,
  clock,
  connect as connectGateway,
  optionsOf,
} from './support/ibkr.js';
import { tempFolder } from './support/temp.js';
import { until } from './support/until.js';

/** The heart of the simulator beats, and the adapter waits for it, so much faster. */
const clockFactor = 50;
const folder = tempFolder('socket');
let simulator: Simulator;
let contract: Contract;
const made: IbkrGateway[] = [];

const connect = (change: Partial<IbkrGatewayOptions> = {}): IbkrGateway => {
  const ibkr = connectGateway(simulator, { clockFactor, ...change });
  made.push(ibkr);
  return ibkr;
};

/** A Monday, and one session on in each call. */
const sessions = [7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21, 22, 23, 24, 25].map(
  (day) => `2014-07-${String(day).padStart(2, '0')}T13:35:00.000Z`,
);
let today = '';
const stepper = () => createMarketStepper(adminOf(simulator));
async function nextSession(): Promise<void> {
  const to = sessions.shift();
  if (to === undefined) throw new Error('give the test more sessions');
  await stepper().step(to);
  today = to;
}
/** After today's session: what is placed then waits for the next one. */
const closeMarket = () => stepper().step(today.replace('T13:35', 'T21:00'));

const admin = (method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${simulator.adminUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${adminToken}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const acted = async (kind: string): Promise<number> => {
  const { faults } = (await (await admin('GET', '/faults')).json()) as {
    faults: { kind: string; acted: number }[];
  };
  return faults.find((fault) => fault.kind === kind)?.acted ?? 0;
};

let orders = 0;
/** An order at the market while it is shut: it fills with the next session. */
async function place(ibkr: IbkrGateway): Promise<string> {
  await closeMarket();
  const clientOrderId = `SOCKET${String((orders += 1))}`;
  await ibkr.broker.ensureSession();
  await ibkr.broker.waitForOrderSlot(clock.now() + 5000);
  const terms = { side: 'BUY', quantity: '1', limit: null, stop: null, target: null } as const;
  const order = { accountId, clientOrderId, contract, ...terms };
  const outcome = await ibkr.broker.placeOrder(order, () => undefined);
  expect(outcome.kind).toBe('accepted');
  return clientOrderId;
}

/** Waits for hints until REST shows what is wanted: a hint may come for something else. */
async function hintsUntil(news: BrokerNews, wanted: () => Promise<boolean>): Promise<void> {
  do await news.next();
  while (!(await wanted()));
}
const isFilled = (ibkr: IbkrGateway, id: string) => async (): Promise<boolean> =>
  (await ibkr.broker.orders(accountId)).orders.some(
    ({ clientOrderId, status }) => clientOrderId === id && status === 'FILLED',
  );

/** Fills an order, and waits until a hint has led to it. */
async function fillIsHinted(ibkr: IbkrGateway, news: BrokerNews): Promise<void> {
  const id = await place(ibkr);
  await nextSession();
  await hintsUntil(news, isFilled(ibkr, id));
}

beforeAll(async () => {
  simulator = await startSimulator({
    ...optionsOf(folder.path),
    clockFactor,
    oauth: { consumer: testConsumerAtBroker() },
  });
  await nextSession();
  contract = await connect().broker.resolveContract('AAPL');
});
beforeEach(async () => {
  await admin('DELETE', '/faults');
});
afterAll(async () => {
  for (const ibkr of made) ibkr.close();
  await simulator.close();
  folder.remove();
});

describe('hints', () => {
  test('come with a fill', async () => {
    const ibkr = connect();
    const news = ibkr.feed.open();
    await fillIsHinted(ibkr, news);
    news.close();
  });
  test.each(['socket-drop', 'socket-silence', 'socket-garbage'])(
    'go on after %s: it is connected and subscribed again',
    async (kind) => {
      const ibkr = connect();
      const news = ibkr.feed.open();
      await fillIsHinted(ibkr, news);
      await admin('POST', '/faults', { kind, times: 3 });
      await until(async () => ((await acted(kind)) === 3 ? true : null));
      await fillIsHinted(ibkr, news);
      news.close();
    },
  );
  test('go on after the session was lost and opened anew', async () => {
    const ibkr = connect();
    const news = ibkr.feed.open();
    await fillIsHinted(ibkr, news);
    await admin('POST', '/faults', { kind: 'session-loss', on: 'accounts' });
    await expect(connect().broker.ensureSession()).rejects.toMatchObject({ errorClass: 'retryable' });
    await ibkr.broker.ensureSession();
    await fillIsHinted(ibkr, news);
    news.close();
  });
  test('come over OAuth too, whose consumer the address must name', async () => {
    const oauth = testConsumer();
    const change = { baseUrl: simulator.oauthUrl ?? '', certSha256: [] };
    const ibkr = connect({ ...change, oauth });
    const news = ibkr.feed.open();
    await until(async () => {
      await ibkr.broker.ensureSession();
      return true;
    });
    await fillIsHinted(ibkr, news);
    news.close();
    expect(await ended({ url: `${wss(simulator.oauthUrl)}?oauth_token=somebody` })).toEqual([]);
  });
  test('never come over a connection whose certificate is not the pinned one', async () => {
    expect(await ended({ url: wss(simulator.baseUrl), pin: 'ab'.repeat(32) })).toEqual([]);
  });
  test('end where the name of the session is of one that is gone, so that the next connection asks for the new one', async () => {
    const waiting = { message: 'waiting for session' };
    expect(await ended({ url: wss(simulator.baseUrl) })).toEqual([waiting, waiting]);
  });
});

describe('a request that names no address', () => {
  const { consumerKey, accessToken, realm } = testConsumer();
  /** As the OAuth front would look at its signature. */
  const fields = {
    oauth_consumer_key: consumerKey,
    oauth_nonce: 'a-nonce-of-the-test',
    oauth_signature_method: 'RSA-SHA256',
    oauth_timestamp: String(Math.floor(clock.now() / 1000)),
    oauth_token: accessToken,
  };
  const authorization = `Authorization: ${authorizationHeader(realm, fields, 'AAAA')}`;
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade'];
  test.each([
    ['of the WebSocket', 'GET // HTTP/1.1', ['Host: broker', ...upgrade], () => simulator.baseUrl],
    ["of OAuth's WebSocket", 'GET // HTTP/1.1', ['Host: broker', ...upgrade], () => simulator.oauthUrl],
    [
      'of OAuth',
      'POST /v1/api/oauth/live_session_token HTTP/1.1',
      ['Host:', 'Content-Length: 0', 'Connection: close', authorization],
      () => simulator.oauthUrl,
    ],
  ])('%s is answered with 400, and the simulator goes on', async (_name, line, headers, url) => {
    expect(await raw(url(), [line, ...headers])).toMatch(/^HTTP\/1\.1 400 /);
    expect((await admin('GET', '/faults')).status).toBe(200);
  });
});

/** Sends a request as it stands. @returns all of the answer */
function raw(url: string | null, lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url ?? '');
  const ca = readFileSync(simulator.caFile, 'utf8');
  const stream = tls.connect({ host: hostname, port: Number(port), ca });
  stream.write(`${lines.join('\r\n')}\r\n\r\n`);
  return text(stream);
}

const wss = (url: string | null): string => `${(url ?? '').replace(/^https/, 'wss')}/ws`;

/** The frames of a connection until it ends. The name of its session is a stranger's. */
function ended({ url, pin = simulator.certSha256 }: { url: string; pin?: string }) {
  const ca = readFileSync(simulator.caFile, 'utf8');
  const agent = createPinnedAgent({ ca, certSha256: [pin], timeoutMs: 5000 }, false);
  const frames: object[] = [];
  return new Promise<object[]>((resolve) => {
    connectSocket({
      ...{ url, agent, clock, clockFactor, timer: machineTimer, handshakeMs: 5000 },
      sessionId: 'f'.repeat(32),
      cookie: `api=${'f'.repeat(32)}`,
      onFrame: (frame) => {
        frames.push(frame);
      },
      onEnd: () => {
        resolve(frames);
      },
    });
  });
}

test('quotes are followed: what did not change stays beside what did', async () => {
  const ibkr = connect();
  await ibkr.broker.ensureSession();
  const seen: QuoteFields[] = [];
  const stop = ibkr.feed.follow(contract.conid, ['31', '55', '84'], (fields) => seen.push(fields));
  await until(() => Promise.resolve(seen.at(-1) ?? null));
  const before = seen.at(-1)?.['31'];
  await nextSession();
  await until(() => Promise.resolve(seen.some((fields) => fields['31'] !== before) ? true : null));
  expect(seen.at(-1)).toMatchObject({ '55': 'AAPL', '31': expect.any(String) as string });
  stop();
});

describe('the poller', () => {
  /** A watch whose pauses last for ever: what makes it look a second time is a hint. */
  function watch(ibkr: IbkrGateway) {
    const saved: BrokerSnapshot[] = [];
    let stopping = false;
    let end = (): void => undefined;
    const paused = new Promise<void>((resolve) => {
      end = resolve;
    });
    const market = createSimulatedMarketClock(adminOf(simulator));
    const activities = createBrokerStateActivities({
      ...{ mode: 'simulated', accountId, broker: ibkr.broker, clock, marketClock: market },
      brokerNews: ibkr.feed,
      calendar: createNyseCalendar(),
      brokerState: {
        save: (snapshot) => Promise.resolve(saved.push(snapshot) > 0),
        latest: () => Promise.resolve(null),
        demand: () => Promise.resolve({ runs: false, orders: false }),
        putTrouble: () => Promise.resolve(),
      },
      intents: {
        listOpen: () => Promise.resolve([]),
        get: () => Promise.resolve(null),
        move: () => Promise.resolve(false),
        applyState: () => Promise.resolve(),
      },
      signals: { orderState: () => Promise.resolve() },
      pause: () => paused,
      freshness: { snapshotMaxAgeMs: 3_600_000 },
      pollMs: 3_600_000,
      idlePollMs: 3_600_000,
      stopping: () => stopping,
    });
    const done = activities.watchBroker({ forMs: 3_600_000 });
    return {
      saved,
      stop: async () => {
        stopping = true;
        end();
        await done;
      },
    };
  }
  const statusOf = (snapshot: BrokerSnapshot | undefined, id: string): string | undefined =>
    snapshot?.orders.find(({ clientOrderId }) => clientOrderId === id)?.status;

  test('sees a fill before its next poll would be', async () => {
    const ibkr = connect();
    const poller = watch(ibkr);
    const id = await place(ibkr);
    await until(() => Promise.resolve(statusOf(poller.saved.at(-1), id) === 'WORKING' ? true : null));
    await nextSession();
    await until(() => Promise.resolve(statusOf(poller.saved.at(-1), id) === 'FILLED' ? true : null));
    await poller.stop();
  });
  test('believes no frame: one that lies makes it look, and what it sees is the truth', async () => {
    const ibkr = connect();
    const poller = watch(ibkr);
    await until(() => Promise.resolve(poller.saved[0] ?? null));
    await admin('POST', '/faults', { kind: 'socket-lie', times: null });
    const id = await place(ibkr);
    // The first frame about it says that it has filled, and that another one has.
    await until(async () => ((await acted('socket-lie')) > 0 ? true : null));
    await until(() => Promise.resolve(statusOf(poller.saved.at(-1), id) ?? null));
    expect(statusOf(poller.saved.at(-1), id)).toBe('WORKING');
    const known = new Set(
      (await ibkr.broker.orders(accountId)).orders.map(({ brokerOrderId }) => brokerOrderId),
    );
    for (const { orders: listed } of poller.saved) {
      expect(listed.filter(({ brokerOrderId }) => !known.has(brokerOrderId))).toEqual([]);
    }
    await poller.stop();
  });
});
