// Monitors and notifications on a whole Keel: schedules on a real Temporal, their looks in a real PostgreSQL, what a run
// tells people, a real SMTP server and a plain HTTP receiver, and a worker that is killed between sending and noting it.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../adapters/notify/channels.js';
import { loadConfig } from '../config/load.js';
import { delivery, deliveryList, notificationSettingsAnswer } from '../contracts/http/notification.js';
import { detailedHealth, migrationsRun, migrationsStatus } from '../contracts/http/status.js';
import { monitorNames, type MonitorName } from '../contracts/wire/monitor.js';
import { monitorScheduleId, orderWorkflowId } from '../contracts/wire/names.js';
import type { MonitorRow } from '../ports/monitors.js';
import { ensureMonitors } from '../worker/monitors.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import { processLocks } from '../adapters/ibkr/testing/connect.js';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { tokens } from '../contracts/http/auth.js';
import { askApi, good } from './support/client.js';
import { makeUser, type TestUser } from './support/access.js';
import { startApi, type ApiProcess } from './support/api.js';
import { withinOneDay } from './support/day.js';
import { demoSettings, startStack, type TestStack } from './support/stack.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const secret = 'a-secret-of-the-webhook';
const botToken = '4242:a-token-of-the-bot';
let temporal: TestTemporal;
let stack: TestStack;
let api: ApiProcess;
let trader: TestUser;
let passwordHash: string;
let adminToken: string;
let traderToken: string;
let receiver: Server;
let mail: SMTPServer;
let worker: Awaited<ReturnType<TestStack['startWorker']>>;
const hooks: Received[] = [];
const letters: string[] = [];
/** Of the receiver; null never answers. */
let receiverStatus: number | null = 204;
/** What the mail server says to an address; null takes the letter. */
let mailRefuses: { readonly code: number; readonly text: string } | null = null;

const portOf = (server: { address(): string | AddressInfo | null }): number =>
  (server.address() as AddressInfo).port;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      hooks.push({ url: request.url ?? '', headers: request.headers, body });
      if (receiverStatus !== null) response.writeHead(receiverStatus).end();
    });
  }).listen(0, '127.0.0.1');
  mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, callback) => {
      const refusal = mailRefuses;
      callback(
        refusal === null ? null : Object.assign(new Error(refusal.text), { responseCode: refusal.code }),
      );
    },
    onData: (stream, _session, callback) => {
      let text = '';
      stream.on('data', (part: Buffer) => (text += part.toString()));
      stream.on('end', () => {
        letters.push(text);
        callback();
      });
    },
  });
  const listening = mail.listen(0, '127.0.0.1');
  await Promise.all([once(receiver, 'listening'), once(listening, 'listening')]);
  process.env.KEEL_MONITORS = 'on';
  process.env.KEEL_NOTIFIER_PRIVATE_ADDRESSES = 'allowed';
  process.env.KEEL_TELEGRAM_URL = `http://127.0.0.1:${portOf(receiver)}/telegram`;
  process.env.KEEL_TELEGRAM_TOKEN = botToken;
  process.env.KEEL_SMTP_URL = `smtp://127.0.0.1:${portOf(listening)}`;
  temporal = await startTemporal();
  stack = await startStack(temporal);
  // Not by createStrategy: the histories of its runs are not recorded.
  const watched = { id: 'watched', name: 'watched', settings: demoSettings };
  await stack.market.stores.strategies.create(watched, 'test');
  passwordHash = await createPasswordHasher().hash(password);
  await makeUser(stack.market.stores, 'watcher', 'admin', passwordHash);
  trader = await makeUser(stack.market.stores, 'trader', 'trader', passwordHash);
  const allowed = { KEEL_NOTIFIER_PRIVATE_ADDRESSES: 'allowed' };
  api = await startApi({ ...stack.settings, ...allowed, KEEL_MONITORS: 'on' });
  adminToken = await logIn('watcher');
  traderToken = await logIn('trader');
});

afterAll(async () => {
  await api.stop();
  await stack.stop();
  await temporal.stop();
  receiver.closeAllConnections();
  receiver.close();
  mail.close();
  for (const name of [
    ...['KEEL_MONITORS', 'KEEL_NOTIFIER_PRIVATE_ADDRESSES', 'KEEL_SMTP_URL'],
    ...['KEEL_TELEGRAM_URL', 'KEEL_TELEGRAM_TOKEN'],
  ]) {
    Reflect.deleteProperty(process.env, name);
  }
});

const poll = { timeout: 60_000, interval: 100 };
const password = 'gradient obelisk forty-two';

/** Where alarms go is for logins alone. */
const logIn = async (login: string): Promise<string> =>
  (await good(tokens, askApi(api.url, 'POST', '/auth/login', null, { login, password }))).accessToken;

const call = async (method: string, path: string, body?: object, bearer = adminToken) => {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : (JSON.parse(text) as unknown) };
};
const health = async () => detailedHealth.parse((await call('GET', '/health/detailed')).json);
const lookOf = async (name: MonitorName): Promise<MonitorRow | null> =>
  stack.market.stores.monitors.get(name);
const described = (name: MonitorName) =>
  stack.client.schedule.getHandle(monitorScheduleId('simulated', name)).describe();
const deliveries = async (query = '', bearer = adminToken) =>
  deliveryList.parse((await call('GET', `/api/v1/notifications${query}`, undefined, bearer)).json).deliveries;
const query = async <T extends object = object>(
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> => {
  const client = new Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
};
const fateOf = async (key: string) => (await deliveries('?limit=200')).find((each) => each.key === key);

describe('without a worker', () => {
  it('the platform is down and says so, while the process lives', async () => {
    expect((await call('GET', '/health')).status).toBe(200);
    expect((await call('GET', '/api/v1/health/detailed')).status).toBe(503);
    const state = await health();
    expect(state.status).toBe('down');
    expect(state.parts.find(({ name }) => name === 'worker')).toMatchObject({
      status: 'down',
      detail: 'nobody works on keel-simulated: start a worker',
    });
    expect(state.parts.find(({ name }) => name === 'broker')?.status).toBe('down');
    expect(state.monitors.map(({ status, late }) => [status, late])).toEqual(
      monitorNames.map(() => ['never', true]),
    );
    worker = await stack.startWorker();
  });
});

describe('the monitors', () => {
  it('are schedules that skip overlaps and catch up for a stated time, and all of them look', async () => {
    for (const name of monitorNames) {
      const { spec, policies } = await described(name);
      expect([name, spec.intervals?.map(({ every }) => every), policies]).toMatchObject([
        name,
        [2000],
        { overlap: 'SKIP', catchupWindow: 60_000 },
      ]);
      await expect.poll(() => lookOf(name), poll).not.toBeNull();
    }
    await expect.poll(async () => (await lookOf('health'))?.status, poll).toBe('ok');
    expect((await lookOf('prices'))?.facts).toMatchObject({
      symbols: 1,
      missing: ['AAPL PRICE_UNKNOWN_SYMBOL'],
    });
  });

  it('are made once by however many workers, changed with the configuration, and taken away', async () => {
    const config = loadConfig(stack.env, { without: ['auth'] });
    const { monitors } = config;
    const before = (await described('prices')).info.createdAt;
    await Promise.all([ensureMonitors(stack.client, config), ensureMonitors(stack.client, config)]);
    expect((await described('prices')).info.createdAt).toEqual(before);
    const slower = { ...monitors, everyMs: { ...monitors.everyMs, prices: 600_000 }, catchUpMs: 30_000 };
    await ensureMonitors(stack.client, { mode: 'simulated', monitors: slower });
    expect(await described('prices')).toMatchObject({
      spec: { intervals: [{ every: 600_000 }] },
      policies: { catchupWindow: 30_000 },
    });
    const off = { ...monitors, state: 'off' as const };
    await ensureMonitors(stack.client, { mode: 'simulated', monitors: off });
    await expect(described('prices')).rejects.toThrow(/not found/i);
    await ensureMonitors(stack.client, config);
    expect((await described('prices')).spec.intervals).toMatchObject([{ every: 2000 }]);
  });
});

describe('the price of the broker', () => {
  const stockOf = async (url: string, symbol: string) => {
    const response = await fetch(`${url}/api/v1/stocks/${symbol}`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    return (await response.json()) as Record<string, unknown>;
  };

  it('is asked for by the API through the worker, which alone speaks to the broker', async () => {
    const other = await startApi({ ...stack.settings, KEEL_PRICE_CHAIN: 'broker' });
    try {
      await stack.market.stepThrough(['2014-07-02T20:00:00.000Z']);
      const answers = await Promise.all([1, 2].map(() => stockOf(other.url, 'SPX')));
      for (const answer of answers) {
        expect(answer).toMatchObject({ source: 'broker', at: '2014-07-02T20:00:00.000Z', freshness: 'live' });
      }
      const { price } = await stockOf(api.url, 'SPX');
      expect(answers[0]?.['price']).toBe(price);
      expect(await stockOf(other.url, 'ZZZZ')).toMatchObject({ status: 404, code: 'PRICE_UNKNOWN_SYMBOL' });
    } finally {
      await other.stop();
    }
  });
});

describe('the state of the platform', () => {
  it('tells every part, every monitor with its age, and the versions', async () => {
    await expect
      .poll(async () => (await health()).parts.every(({ status }) => status === 'ok'), poll)
      .toBe(true);
    const state = await health();
    expect(state.parts.map(({ name }) => name)).toEqual([
      'postgres',
      'temporal',
      'worker',
      'objectStore',
      'broker',
      'brokerLogin',
      'cache',
    ]);
    expect(state.parts.find(({ name }) => name === 'postgres')?.version).toMatch(/^\d+/);
    expect(state.monitors.map(({ name, everySeconds }) => [name, everySeconds])).toEqual(
      monitorNames.map((name) => [name, 2]),
    );
    expect(state.versions.node).toBe(process.versions.node);
  });

  it('shows the configuration without its secrets', async () => {
    const { status, json } = await call('GET', '/api/v1/config/status');
    expect(status).toBe(200);
    const text = JSON.stringify(json);
    expect(text).toContain('"freshMs":60000');
    expect(text).not.toContain('a-token-for-tests-only');
    expect(text).toContain(':****@');
    expect(text).not.toContain(stack.databaseUrl);
  });

  it('shows the migrations, and applies none twice', async () => {
    const state = migrationsStatus.parse((await call('GET', '/api/v1/migrations/status')).json);
    expect(state.pending).toBe(0);
    expect(state.migrations.length).toBeGreaterThan(4);
    const answers = await Promise.all([1, 2].map(() => call('POST', '/api/v1/migrations/run')));
    for (const { status, json } of answers) {
      expect([status, migrationsRun.parse(json).applied]).toEqual([200, []]);
    }
    const said = (action: string) => query(`select actor, facts from audit where action = '${action}'`);
    const twice = (facts: object) => [1, 2].map(() => ({ actor: 'user:watcher', facts }));
    expect(await said('migrations.begin')).toEqual(twice({ pending: [] }));
    expect(await said('migrations.run')).toEqual(twice({ applied: [] }));
  });
});

describe('what people are told', () => {
  const hook = () => ({ url: `http://127.0.0.1:${portOf(receiver)}/`, secret });
  const settings = (change: object = {}) => ({
    webhook: hook(),
    email: { address: 'operator@example.com' },
    slack: null,
    telegram: null,
    matrix: {
      'run.ended': ['inbox', 'webhook'],
      'order.unfollowed': ['inbox'],
      'position.unprotected': ['inbox'],
      test: ['inbox'],
    },
    quietHours: null,
    ...change,
  });

  it('is set by the person, whose secrets never come back', async () => {
    const { status, json } = await call('PUT', '/api/v1/notifications/settings', settings());
    expect([status, notificationSettingsAnswer.parse(json).webhook]).toEqual([
      200,
      { url: hook().url, secretSet: true },
    ]);
    expect(JSON.stringify(json)).not.toContain(secret);
    // The secret stays with its address, and goes to no other.
    const same = settings({ webhook: { url: hook().url } });
    expect((await call('PUT', '/api/v1/notifications/settings', same)).status).toBe(200);
    const other = settings({ webhook: { url: 'https://example.com/' } });
    expect((await call('PUT', '/api/v1/notifications/settings', other)).status).toBe(422);
    const noHour = settings({ quietHours: { from: '07:00', to: '07:00', zone: 'UTC' } });
    const refusedHours = await call('PUT', '/api/v1/notifications/settings', noHour);
    expect([refusedHours.status, JSON.stringify(refusedHours.json)]).toEqual([
      422,
      expect.stringContaining('is the same as from'),
    ]);
    const nowhere = settings({ quietHours: { from: '22:00', to: '07:00', zone: 'Mars/Olympus' } });
    expect((await call('PUT', '/api/v1/notifications/settings', nowhere)).status).toBe(422);
  });

  it('can be read, changed in one cell and sent back, and keeps the secrets that were not sent', async () => {
    const path = '/api/v1/notifications/settings';
    const slack = { url: `http://127.0.0.1:${portOf(receiver)}/slack/kept` };
    const quietHours = { from: '22:00', to: '07:00', zone: 'America/New_York' };
    const all = settings({ slack, telegram: { chatId: '-1' }, quietHours });
    expect((await call('PUT', path, all)).status).toBe(200);
    const shown = notificationSettingsAnswer.parse((await call('GET', path)).json);
    expect(shown).toMatchObject({ webhook: { secretSet: true }, slack: { urlSet: true }, quietHours });
    const matrix = { ...shown.matrix, 'broker.lost': ['inbox', 'slack'] };
    expect(await call('PUT', path, { ...shown, matrix })).toMatchObject({
      status: 200,
      json: { ...shown, matrix },
    });
    const [row] = await query<{ settings: unknown }>(
      `select settings from notification_setting s join keel_user u on u.id::text = s.user_id
       where username = 'watcher'`,
    );
    const stored = { ...all, matrix, webhook: { url: hook().url, secret } };
    expect(row?.settings).toEqual(stored);
    // What is read only gives nobody a secret that is not there.
    const none = settings({ slack: null });
    expect((await call('PUT', path, none)).status).toBe(200);
    expect((await call('PUT', path, { ...none, slack: { urlSet: true } })).status).toBe(422);
    // Nobody loses the way back: what Keel sets by itself can be sent too.
    const fresh = notificationSettingsAnswer.parse((await call('GET', path, undefined, traderToken)).json);
    expect((await call('PUT', path, fresh, traderToken)).status).toBe(200);
    expect((await call('PUT', path, settings())).status).toBe(200);
  });

  it('goes to no address that nothing is ever sent to, and names the field', async () => {
    const put = (change: object) => call('PUT', '/api/v1/notifications/settings', settings(change));
    // Private addresses are allowed here; unit tests of adapters/notify have those that are not.
    expect((await put({ webhook: { url: 'ftp://example.com/x', secret } })).status).toBe(422);
    expect((await put({ webhook: { url: 'https://', secret } })).status).toBe(422);
  });

  it('stays what it was for one who has lost a role, and says what is not used', async () => {
    const { id } = await makeUser(stack.market.stores, 'demoted', 'trader', passwordHash);
    const token = await logIn('demoted');
    const path = '/api/v1/notifications/settings';
    const email = { address: 'demoted@example.com' };
    const chosen = settings({ email, telegram: { chatId: '-1' } });
    expect(await call('PUT', path, chosen, token)).toMatchObject({ status: 200, json: { notUsed: [] } });
    await stack.market.stores.users.change(id, { role: 'viewer' }, 'test');
    const { json } = await call('GET', path, undefined, token);
    expect(json).toMatchObject({ notUsed: ['webhook', 'telegram'], webhook: { secretSet: true }, email });
    const shown = notificationSettingsAnswer.parse(json);
    const matrix = { ...shown.matrix, 'run.failed': ['inbox' as const] };
    expect(await call('PUT', path, { ...shown, matrix }, token)).toMatchObject({
      status: 200,
      json: { ...shown, matrix },
    });
    for (const other of [
      { webhook: { url: 'https://example.com/', secret } },
      { webhook: { ...hook(), secret } },
    ]) {
      expect(await call('PUT', path, { ...shown, ...other }, token)).toMatchObject({ status: 403 });
    }
    await stack.market.stores.users.change(id, { role: 'trader' }, 'test');
    expect((await call('GET', path, undefined, token)).json).toMatchObject({ notUsed: [] });
  });

  it('tells of a changed e-mail at the address that it was, and in the inbox', async () => {
    const { id } = await makeUser(stack.market.stores, 'moving', 'viewer', passwordHash);
    const token = await logIn('moving');
    const change = { email: 'moved@example.com' };
    expect((await call('PATCH', `/api/v1/users/${id}`, change)).status).toBe(200);
    const told = async () =>
      (await deliveries('?limit=50', token)).map(({ event, channel, state }) => [event, channel, state]);
    await expect
      .poll(async () => (await told()).sort(), poll)
      .toEqual([
        ['account.email', 'email', 'sent'],
        ['account.email', 'inbox', 'sent'],
      ]);
    const letter = letters.find((text) => text.includes('The e-mail of moving'));
    expect(letter).toMatch(/^To: moving@example.com$/m);
    expect(letter).not.toContain('moved@');
  });

  it('goes to no address that a viewer chooses', async () => {
    await makeUser(stack.market.stores, 'looker', 'viewer', passwordHash);
    const token = await logIn('looker');
    const path = '/api/v1/notifications/settings';
    const none = { webhook: null, email: { address: 'looker@example.com' }, matrix: { test: ['email'] } };
    for (const far of [
      { webhook: hook() },
      { slack: { url: 'https://example.com/x' } },
      { telegram: { chatId: '1' } },
    ]) {
      const refused = await call('PUT', path, settings({ ...none, ...far }), token);
      expect(refused).toMatchObject({ status: 403, json: { code: 'ROLE_TOO_LOW' } });
    }
    expect(
      (await call('PUT', path, settings({ ...none, email: { address: 'other@example.com' } }), token)).status,
    ).toBe(422);
    expect((await call('PUT', path, settings(none), token)).status).toBe(200);
    const tried = await call('POST', '/api/v1/notifications/test', { channel: 'email' }, token);
    expect(tried).toMatchObject({ status: 403, json: { code: 'ROLE_TOO_LOW' } });
  });

  it('is each one of his own, and set by him alone, under his own name', async () => {
    const mine = { webhook: null, matrix: { 'run.ended': ['inbox', 'email'] } };
    const hears = settings({ ...mine, email: { address: 'trader@example.com' } });
    const path = '/api/v1/notifications/settings';
    const withKey = await call('PUT', path, hears, trader.key);
    expect(withKey).toMatchObject({ status: 403, json: { code: 'LOGIN_NEEDED' } });
    // Only an admin may have Keel write to somebody else.
    const relayed = await call('PUT', path, settings(mine), traderToken);
    expect(relayed).toMatchObject({ status: 422, json: { code: 'INVALID_INPUT' } });
    expect((await call('PUT', path, hears, traderToken)).status).toBe(200);
    const shown = async (bearer: string) =>
      notificationSettingsAnswer.parse((await call('GET', path, undefined, bearer)).json);
    expect((await shown(traderToken)).matrix).toEqual({ 'run.ended': ['inbox', 'email'] });
    expect((await shown(adminToken)).webhook).not.toBeNull();
    const rows = await query(
      `select actor, subject, facts from audit where action = 'notifications.settings' order by id`,
    );
    expect(rows.at(0)).toMatchObject({
      actor: 'user:watcher',
      facts: { webhookHost: `127.0.0.1:${portOf(receiver)}` },
    });
    expect(rows.at(-1)).toMatchObject({ actor: 'user:trader', subject: 'user:trader' });
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('goes out signed and with its key: the end of a run, once', async () => {
    const run = await stack.startRun('watched', '2014-07-03T17:00:00.000Z');
    const result = await stack.drive(run);
    await expect.poll(async () => (await deliveries('?channel=webhook'))[0]?.state, poll).toBe('sent');
    const [sent] = await deliveries('?channel=webhook');
    const mine = hooks.filter(({ headers }) => headers['idempotency-key'] === sent?.key);
    expect(mine).toHaveLength(1);
    const { headers, body } = mine[0] ?? { url: '', headers: {}, body: '' };
    expect(JSON.parse(body)).toMatchObject({
      id: sent?.key,
      event: 'run.ended',
      facts: { symbol: 'AAPL', outcome: result?.outcome },
    });
    const timestamp = String(headers['keel-timestamp']);
    expect(headers['keel-signature']).toBe(`sha256=${signatureOf(secret, timestamp, body)}`);
    // News of the platform may be there too: on a machine under load a monitor is late.
    const unread = async () =>
      (await deliveries('?channel=inbox&unread=true')).find(({ event }) => event === 'run.ended');
    // One channel waits for no other.
    await expect.poll(async () => (await unread())?.state, poll).toBe('sent');
    const inbox = await unread();
    expect(delivery.parse(inbox)).toMatchObject({ state: 'sent', readAt: null });
    expect((await call('POST', `/api/v1/notifications/${inbox?.key ?? ''}/read`)).status).toBe(204);
    expect(
      (await deliveries('?channel=inbox&unread=true')).filter(({ event }) => event === 'run.ended'),
    ).toEqual([]);
    expect((await call('POST', '/api/v1/notifications/none/read')).status).toBe(404);
    // The run is not the trader's, so he is not told of it, and another's message is not there for him.
    expect(await deliveries('', traderToken)).toEqual([]);
    const read = `/api/v1/notifications/${inbox?.key ?? ''}/read`;
    expect((await call('POST', read, undefined, traderToken)).status).toBe(404);
  });

  it('of a run goes to its owner too, by his own settings', async () => {
    const mine = { id: 'traders', name: 'traders', settings: demoSettings };
    await stack.market.stores.strategies.create({ ...mine, ownerId: trader.id }, 'test');
    await stack.startRun('traders', '2014-07-03T17:00:00.000Z').then((run) => stack.drive(run));
    const told = async (bearer: string) =>
      (await deliveries('?limit=200', bearer))
        .filter(({ facts }) => facts['strategyId'] === 'traders')
        .map(({ channel }) => channel)
        .sort();
    await expect.poll(() => told(traderToken), poll).toEqual(['email', 'inbox']);
    await expect.poll(() => told(adminToken), poll).toEqual(['inbox', 'webhook']);
    await expect.poll(() => letters.some((text) => text.includes('traders')), poll).toBe(true);
  });

  const test = async (channel: string): Promise<string> => {
    const { status, json } = await call('POST', '/api/v1/notifications/test', { channel });
    expect(status).toBe(202);
    return (json as { key: string }).key;
  };

  it('can be tried on every channel, and says why one does not work', async () => {
    const [email, log, telegram] = [await test('email'), await test('log'), await test('telegram')];
    await expect.poll(async () => (await fateOf(email))?.state, poll).toBe('sent');
    expect(letters.filter((text) => text.includes(`<${email}@keel>`))).toHaveLength(1);
    await expect.poll(async () => (await fateOf(log))?.state, poll).toBe('sent');
    await expect.poll(async () => (await fateOf(telegram))?.state, poll).toBe('failed');
    expect((await fateOf(telegram))?.lastError).toMatch(/^NOTIFY_OFF/);
  });

  it('reaches Slack and Telegram in the form that each reads', async () => {
    const slack = { url: `http://127.0.0.1:${portOf(receiver)}/slack/a-secret-path` };
    const both = settings({ slack, telegram: { chatId: '-1001' } });
    expect((await call('PUT', '/api/v1/notifications/settings', both)).status).toBe(200);
    const [toSlack, toTelegram] = [await test('slack'), await test('telegram')];
    for (const key of [toSlack, toTelegram]) {
      await expect.poll(async () => (await fateOf(key))?.state, poll).toBe('sent');
    }
    const bodiesAt = (url: string) =>
      hooks
        .filter((hook) => hook.url === url)
        .map(({ headers, body }) => [headers['content-type'], JSON.parse(body) as unknown]);
    const textOf = (channel: string, key: string) =>
      `Keel: a test\nThis is a test of the channel ${channel}. Nothing has happened.\nref ${key}`;
    expect(bodiesAt('/slack/a-secret-path')).toEqual([
      ['application/json', { text: textOf('slack', toSlack) }],
    ]);
    expect(bodiesAt(`/telegram/bot${botToken}/sendMessage`)).toEqual([
      ['application/json', { chat_id: '-1001', text: textOf('telegram', toTelegram) }],
    ]);
    const shown =
      JSON.stringify(await deliveries('?limit=200')) + api.log() + readFileSync(worker.logFile, 'utf8');
    expect(shown).not.toContain(botToken);
    expect(shown).not.toContain('a-secret-path');
    // As if the quarter of an hour were over in which ten tests are the limit.
    await query('delete from access_attempt');
  });

  it('waits in the outbox until quiet hours are over, but for what is urgent', async () => {
    const minuteOf = (hoursLater: number) =>
      new Date(Date.now() + hoursLater * 3_600_000).toISOString().slice(11, 16);
    const to = minuteOf(2);
    const quiet = settings({
      matrix: { 'run.ended': ['inbox', 'webhook'], 'broker.lost': ['webhook'] },
      quietHours: { from: minuteOf(-1), to, zone: 'UTC' },
    });
    expect((await call('PUT', '/api/v1/notifications/settings', quiet)).status).toBe(200);
    const news = (key: string, event: 'run.ended' | 'broker.lost') =>
      stack.market.stores.notifications.add({ key, event, title: key, body: 'b', facts: {} });
    await news('calm', 'run.ended');
    await news('alarm', 'broker.lost');
    const mine = async (title: string, channel: string) =>
      (await deliveries('?limit=200')).find((each) => each.title === title && each.channel === channel);
    await expect.poll(async () => (await mine('alarm', 'webhook'))?.state, poll).toBe('sent');
    await expect.poll(async () => (await mine('calm', 'inbox'))?.state, poll).toBe('sent');
    const waiting = await mine('calm', 'webhook');
    expect([waiting?.state, waiting?.notBefore.slice(11, 16)]).toEqual(['pending', to]);
    const received = () => hooks.filter(({ headers }) => headers['idempotency-key'] === waiting?.key);
    expect(received()).toEqual([]);
    // As if the two hours were over.
    await query('update notification_delivery set not_before = now() where key = $1', [waiting?.key]);
    await expect.poll(async () => (await mine('calm', 'webhook'))?.state, poll).toBe('sent');
    expect(received()).toHaveLength(1);
    expect((await call('PUT', '/api/v1/notifications/settings', settings())).status).toBe(200);
  });

  it('waits for a receiver that is away, under the same key', async () => {
    receiverStatus = 503;
    const key = await test('webhook');
    await expect.poll(async () => (await fateOf(key))?.lastError ?? '', poll).toMatch(/^NOTIFY_AWAY.*503/);
    receiverStatus = 204;
    await expect.poll(async () => (await fateOf(key))?.state, poll).toBe('sent');
    expect(hooks.filter(({ headers }) => headers['idempotency-key'] === key)).toHaveLength(2);
  });

  it('waits no longer than stated for a receiver that hangs, and holds up nobody else', async () => {
    receiverStatus = null;
    const [key, other] = [await test('webhook'), await test('log')];
    await expect.poll(async () => (await fateOf(other))?.state, poll).toBe('sent');
    await expect
      .poll(async () => (await fateOf(key))?.lastError ?? '', poll)
      .toMatch(/^NOTIFY_AWAY: the webhook brought no answer within 5000 ms/);
    receiverStatus = 204;
    await expect.poll(async () => (await fateOf(key))?.state, poll).toBe('sent');
  });

  it('tries again where the mail server says later, gives up where it says no, and repeats no word of it', async () => {
    mailRefuses = { code: 451, text: 'come back later, planted-word' };
    const later = await test('email');
    await expect.poll(async () => (await fateOf(later))?.lastError ?? '', poll).toMatch(/^NOTIFY_AWAY.*451/);
    mailRefuses = { code: 550, text: 'no such person, planted-word' };
    const never = await test('email');
    await expect.poll(async () => (await fateOf(never))?.state, poll).toBe('failed');
    mailRefuses = null;
    await expect.poll(async () => (await fateOf(later))?.state, poll).toBe('sent');
    expect((await fateOf(never))?.lastError).toMatch(/^NOTIFY_REFUSED.*550/);
    expect(JSON.stringify(await deliveries('?limit=200'))).not.toContain('planted-word');
    expect(letters.filter((text) => text.includes(`<${later}@keel>`))).toHaveLength(1);
  });

  it('says in the inbox what was given up on, once a day and channel, and never of that news itself', async () => {
    await withinOneDay();
    const told = async () =>
      (await deliveries('?limit=200'))
        .filter(({ event }) => event === 'notification.failed')
        .map(({ channel, state, facts }) => [channel, state, facts['channel']]);
    const matrix = { 'run.failed': ['email'], 'notification.failed': ['webhook', 'email'] };
    expect((await call('PUT', '/api/v1/notifications/settings', settings({ matrix }))).status).toBe(200);
    mailRefuses = { code: 550, text: 'no such person, planted-word' };
    receiverStatus = 404;
    const lose = (key: string) =>
      stack.market.stores.notifications.add({ key, event: 'run.failed', title: key, body: 'b', facts: {} });
    await lose('lost-1');
    await expect.poll(async () => (await told()).length, poll).toBe(2);
    await expect
      .poll(async () => (await told()).map(([, state]) => state).sort(), poll)
      .toEqual(['failed', 'sent']);
    await lose('lost-2');
    const fate = async (title: string) =>
      (await deliveries('?limit=200')).find((each) => each.title === title);
    await expect.poll(async () => (await fate('lost-2'))?.state, poll).toBe('failed');
    mailRefuses = null;
    receiverStatus = 204;
    // The webhook that failed with the news of the first loss has made no news, nor has the second loss.
    expect((await told()).sort()).toEqual([
      ['inbox', 'sent', 'email'],
      ['webhook', 'failed', 'email'],
    ]);
    const news = await query<{ body: string }>(
      `select body from notification where event = 'notification.failed'`,
    );
    expect(news.map(({ body }) => body.includes('"lost-1"'))).toEqual([true]);
    expect(JSON.stringify(news)).not.toContain('planted-word');
    expect((await call('PUT', '/api/v1/notifications/settings', settings())).status).toBe(200);
  });

  it('names a monitor that does not look any more, once, and says when all is well again', async () => {
    const matrix = { 'platform.degraded': ['inbox'], 'platform.well': ['inbox'] };
    expect((await call('PUT', '/api/v1/notifications/settings', settings({ matrix }))).status).toBe(200);
    const kpis = stack.client.schedule.getHandle(monitorScheduleId('simulated', 'kpis'));
    const told = async () =>
      (await deliveries('?channel=inbox&limit=200'))
        .filter(({ event, facts }) => event.startsWith('platform.') && JSON.stringify(facts).includes('kpis'))
        .map(({ event }) => event);
    await kpis.pause('the test stops it');
    await expect.poll(told, poll).toEqual(['platform.degraded']);
    await kpis.unpause();
    await expect.poll(told, poll).toEqual(['platform.well', 'platform.degraded']);
    expect((await call('PUT', '/api/v1/notifications/settings', settings())).status).toBe(200);
  });

  it.each([
    ['taken and not sent', 'after:sendNotifications:claim', 1],
    ['sent and not noted', 'before:sendNotifications:sent', 2],
  ])('survives a worker that dies when it is %s', async (_when, fault, times) => {
    await worker.stop();
    const key = await test('webhook');
    const dying = await stack.startWorker(fault);
    await dying.ended;
    worker = await stack.startWorker();
    await expect.poll(async () => (await fateOf(key))?.state, poll).toBe('sent');
    // Twice on the wire, once for whoever looks at the key.
    expect(hooks.filter(({ headers }) => headers['idempotency-key'] === key)).toHaveLength(times);
  });

  it('names an order that nobody follows, and sends none', async () => {
    await stack.startRun('watched', '2014-07-07T20:00:00.000Z').then((run) => stack.drive(run));
    const [intent] = await stack.market.stores.intents.listOpen('simulated', 'DU1234567');
    const id = intent?.clientOrderId ?? '';
    const orders = stack.ledger().filter(({ type }) => type === 'order').length;
    await stack.client.workflow.getHandle(orderWorkflowId('simulated', id)).terminate('the test loses it');
    await expect
      .poll(async () => (await deliveries('?channel=inbox')).map(({ event }) => event), poll)
      .toContain('order.unfollowed');
    // The alarm goes out before its look is stored.
    await expect.poll(async () => (await lookOf('reconciliation'))?.facts['alarmed'], poll).toEqual([id]);
    const figures = () => stack.market.stores.equity.latest('DU1234567');
    await expect.poll(async () => Number((await figures())?.exposure ?? 0), poll).toBeGreaterThan(0);
    expect(await figures()).toMatchObject({ closedTrades: 0, winRate: null });
    expect(stack.ledger().filter(({ type }) => type === 'order')).toHaveLength(orders);
  });

  it('tells of shares whose stop was ended at the broker, and sends none', async () => {
    const intent = await stack.market.stores.intents.byRun('watched-2014-07-07');
    const { clientOrderId = '', filledQuantity: held = '', legs = [] } = intent ?? {};
    const stop = legs.find(({ role }) => role === 'stop')?.brokerOrderId ?? '';
    const orders = stack.ledger().filter(({ type }) => type === 'order').length;
    const elsewhere = createIbkrGateway({
      ...{ mode: 'simulated', source: 'simulator', accountId: 'DU1234567', login: 'a person' },
      ...{
        baseUrl: stack.settings.IBKR_BASE_URL ?? '',
        timeoutMs: 5000,
        pacingFactor: 1,
        clock: createMachineClock(),
      },
      ...{ ca: readFileSync(stack.settings.IBKR_CA_FILE ?? '', 'utf8'), locks: processLocks },
      certSha256: [stack.settings.IBKR_CERT_SHA256 ?? ''],
    });
    await elsewhere.broker.cancelOrder('DU1234567', stop);
    elsewhere.close();
    const told = async () =>
      (await deliveries('?channel=inbox')).filter(({ event }) => event === 'position.unprotected');
    await expect
      .poll(told, poll)
      .toMatchObject([{ facts: { clientOrderId, symbol: 'AAPL', held, stopped: '0' } }]);
    await expect
      .poll(async () => await lookOf('reconciliation'), poll)
      .toMatchObject({
        status: 'warning',
        message: expect.stringContaining('no stop covers AAPL') as string,
      });
    expect(stack.ledger().filter(({ type }) => type === 'order')).toHaveLength(orders);
  });
});
