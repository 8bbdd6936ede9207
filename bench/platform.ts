// The platform's own speed: /health beside bare Express in the same run, a cached price, notifications through the
// outbox to a receiver on loopback. Called by the runner.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNotificationActivities } from '../activities/notifications.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import {
  createLogChannel,
  createSlackChannel,
  createTelegramChannel,
  createWebhookChannel,
} from '../adapters/notify/channels.js';
import { createEmailChannel } from '../adapters/notify/email.js';
import { defaultNotificationSettings } from '../contracts/wire/notification.js';
import { connect } from '../db/connect.js';
import { createNotificationStore } from '../db/notifications.js';
import { createStores } from '../db/stores.js';
import { benchAccess, type AccessTiming } from './access.js';
import { makeKey } from '../api/services/apiKeys.js';
import type { Servers } from './servers.js';

export interface PlatformTiming {
  /** Requests a second. */
  readonly health: number;
  readonly bareExpress: number;
  /** Milliseconds on the wall. */
  readonly cachedPriceP95Ms: number;
  readonly notificationsPerMinute: number;
  readonly access: AccessTiming;
}

const entry = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const connections = 8;
const turns = 6;
const turnMs = 500;
const news = 2000;
const adminToken = 'a-token-for-the-benchmark-only';

const limits = { poolSize: 20, connectTimeoutMs: 5000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };

interface Load {
  readonly perSecond: number;
  readonly ms: readonly number[];
}

/** As many requests as go through in `forMs`, over so many connections that are kept. */
async function load(url: string, atOnce: number, forMs: number, key?: string): Promise<Load> {
  const headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const ms: number[] = [];
  const end = performance.now() + forMs;
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const begunAt = performance.now();
      get(url, { agent, headers }, (response) => {
        response.resume();
        response.once('end', () => {
          ms.push(performance.now() - begunAt);
          if (response.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${String(response.statusCode)}`));
        });
      }).once('error', reject);
    });
  const work = async (): Promise<void> => {
    while (performance.now() < end) await ask();
  };
  const begunAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, work));
  agent.destroy();
  return { perSecond: (ms.length * 1000) / (performance.now() - begunAt), ms };
}

const p95 = (ms: readonly number[]): number =>
  ms.toSorted((a, b) => a - b)[Math.floor(ms.length * 0.95)] ?? NaN;

/** The key of a user who may read prices; made in the database, as an admin would. */
async function readerKey(databaseUrl: string): Promise<string> {
  const db = connect({ url: databaseUrl, ...limits });
  try {
    const { users, apiKeys } = createStores(db, 'simulated');
    const about = { email: 'bench@example.com', username: 'bench', role: 'viewer' as const };
    // No password has this hash.
    const none = { mustChangePassword: false, passwordHash: '$argon2id$none' };
    const user = await users.create({ ...about, ...none }, 'bench');
    const { key, prefix, hash } = makeKey();
    const scopes = ['read'] as const;
    await apiKeys.create({ userId: user.id, name: 'bench', prefix, hash, scopes, days: 1 }, 'bench');
    return key;
  } finally {
    await db.close();
  }
}

/** In turns, because what a millisecond is worth changes on a busy machine. */
async function benchHttp(
  servers: Servers,
  api: string,
): Promise<Omit<PlatformTiming, 'notificationsPerMinute' | 'access'>> {
  const bare = await servers.startNode('api', entry('./bareExpress.js'), [], process.env);
  try {
    const urls = { health: `${api}/health`, bareExpress: `${String(bare.facts['url'])}/health` };
    const sums = { health: 0, bareExpress: 0 };
    for (const url of Object.values(urls)) await load(url, connections, turnMs);
    for (let turn = 0; turn < turns; turn += 1) {
      sums.health += (await load(urls.health, connections, turnMs)).perSecond / turns;
      sums.bareExpress += (await load(urls.bareExpress, connections, turnMs)).perSecond / turns;
    }
    const price = `${api}/api/v1/stocks/AAPL`;
    const key = await readerKey(servers.databaseUrl);
    // A server in use: Node has compiled a path only after some four thousand requests.
    await load(price, 1, 4 * turns * turnMs, key);
    const { ms } = await load(price, 1, turns * turnMs, key);
    return { ...sums, cachedPriceP95Ms: p95(ms) };
  } finally {
    await bare.stop();
  }
}

async function benchOutbox(databaseUrl: string): Promise<number> {
  const clock = createMachineClock();
  let received = 0;
  const receiver = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      received += 1;
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/`;
  const db = connect({ url: databaseUrl, ...limits });
  const post = { timeoutMs: 5000, allowPrivateAddresses: true };
  try {
    const store = createNotificationStore(db, 'simulated');
    const about = { email: 'told@example.com', username: 'told', role: 'admin' as const };
    const none = { mustChangePassword: false, passwordHash: '$argon2id$none' };
    const told = await createStores(db, 'simulated').users.create({ ...about, ...none }, 'bench');
    const settings = {
      ...defaultNotificationSettings,
      webhook: { url, secret: 'a-secret-of-the-benchmark' },
      matrix: { 'broker.lost': ['webhook' as const] },
    };
    await store.putSettings(told.id, settings, about);
    const activities = createNotificationActivities({
      notifications: store,
      channels: {
        webhook: createWebhookChannel(post, () => clock.now()),
        log: createLogChannel(() => undefined),
        slack: createSlackChannel(post),
        telegram: createTelegramChannel(post, url, ''),
        email: createEmailChannel({ smtpUrl: '', from: '', timeoutMs: 1000 }),
      },
      clock,
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      stopping: () => received >= news,
      outboxLookMs: 20,
      leaseMs: 60_000,
    });
    const begunAt = performance.now();
    const writing = (async () => {
      for (let index = 0; index < news; index += 1) {
        const facts = { index };
        await store.add({
          key: `bench/${String(index)}`,
          event: 'broker.lost',
          title: 'bench',
          body: '',
          facts,
        });
      }
    })();
    await Promise.all([writing, activities.sendNotifications({ forMs: 120_000 })]);
    if (received < news) throw new Error(`${String(received)} of ${String(news)} notifications arrived`);
    return (news * 60_000) / (performance.now() - begunAt);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
    await db.close();
  }
}

export async function benchPlatform(servers: Servers): Promise<PlatformTiming> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    KEEL_ENV: 'testing',
    KEEL_MODE: 'simulated',
    KEEL_LOG_LEVEL: 'info',
    KEEL_DATA_DIR: join(servers.folder, 'platform'),
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporal.address,
    KEEL_SIMULATOR_ADMIN_TOKEN: adminToken,
  };
  const simulator = await servers.startNode('simulator', entry('../simulator/main.js'), [], env);
  const adminUrl = String(simulator.facts['adminUrl']);
  const api = await servers.startNode('api', entry('../api/main.js'), [], {
    ...env,
    KEEL_SIMULATOR_ADMIN_URL: adminUrl,
    KEEL_AUTH_SECRET: randomBytes(32).toString('hex'),
    KEEL_API_CALLS_PER_MINUTE: '100000000',
  });
  try {
    const step = await fetch(`${adminUrl}/clock/step`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({ to: '2014-07-07T20:30:00.000Z' }),
    });
    if (!step.ok) throw new Error(`the simulated market can not be stepped: ${String(step.status)}`);
    const http = await benchHttp(servers, String(api.facts['url']));
    const access = await benchAccess(String(api.facts['url']), servers.databaseUrl);
    return { ...http, access, notificationsPerMinute: await benchOutbox(servers.databaseUrl) };
  } finally {
    await api.stop();
    await simulator.stop();
  }
}
