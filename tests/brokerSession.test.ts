// The owner of a login over more than half an hour of its life, all times 40 times as fast as IBKR's: the real workflow on a
// real Temporal server, the IBKR adapter against the simulator over https, PostgreSQL for what it has seen and told.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrokerSessionActivities } from '../activities/brokerSession.js';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import { processLocks } from '../adapters/ibkr/testing/connect.js';
import { lookAtLogin } from '../api/probes.js';
import { workflowTypes } from '../contracts/wire/names.js';
import { connect } from '../db/connect.js';
import { migrateUp } from '../db/migrate.js';
import { createStores } from '../db/stores.js';
import { sessionRules } from '../domain/brokerSession/rules.js';
import { startSimulator } from '../simulator/server.js';
import { startTestPostgres } from './support/postgres.js';
import {
  ACCOUNT,
  AAPL,
  OPEN_PLUS_5,
  admin,
  get,
  optionsFor,
  post,
  request,
  step,
} from './support/simulator.js';
import { tempFolder } from './support/temp.js';
import { startTemporal } from './support/temporal.js';

/** A minute of the broker is a second and a half here. */
const FACTOR = 40;
const MINUTE_MS = 60_000 / FACTOR;
const login = 'someone';
const limits = { poolSize: 4, connectTimeoutMs: 2000, statementTimeoutMs: 5000, lockTimeoutMs: 5000 };

const undo: (() => unknown)[] = [];
/** Noon of a Friday in New York, and what was added to it. */
let ahead = Date.parse('2026-06-05T16:00:00.000Z') - Date.now();
const broker = { now: () => Date.now() + ahead };
let story: Awaited<ReturnType<typeof begin>>;

async function begin() {
  const folder = tempFolder('broker-session');
  undo.push(folder.remove);
  const [temporal, postgres] = await Promise.all([startTemporal(), startTestPostgres()]);
  undo.push(
    () => temporal.stop(),
    () => postgres.stop(),
  );
  const simulator = await startSimulator({
    ...optionsFor(folder.path),
    clock: broker,
    clockFactor: FACTOR,
    midnightReset: true,
  });
  undo.push(() => simulator.close());
  await step(simulator, OPEN_PLUS_5);
  await migrateUp(postgres.url);
  const db = connect({ url: postgres.url, ...limits });
  undo.push(() => db.close());
  const stores = createStores(db, 'simulated');
  const clock = { now: () => Date.now() };
  const gateway = createIbkrGateway({
    baseUrl: simulator.baseUrl,
    ca: readFileSync(simulator.caFile, 'utf8'),
    certSha256: [simulator.certSha256],
    timeoutMs: 2000,
    accountId: ACCOUNT,
    login,
    locks: processLocks,
    suppressMessageIds: ['o163'],
    mode: 'simulated',
    clock,
    pacingFactor: 1000,
    source: 'simulator',
    opensSession: false,
  });
  undo.push(() => {
    gateway.close();
  });
  const opened: number[] = [];
  const brokerLogin = {
    ...gateway.login,
    open: async () => {
      opened.push(Date.now());
      return gateway.login.open();
    },
  };
  const lane = temporal.takeLane();
  const { namespace } = lane;
  undo.push(() => {
    lane.release();
  });
  const startWorker = async () => {
    let stopping = false;
    const connection = await NativeConnection.connect({ address: temporal.address });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: 'broker-session',
      workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflows/bundle.js', import.meta.url)) },
      activities: createBrokerSessionActivities({
        login,
        brokerLogin,
        brokerSessions: stores.brokerSessions,
        notifications: stores.notifications,
        sessionRules: sessionRules(FACTOR, false),
        clock,
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
        stopping: () => stopping,
      }),
      shutdownGraceTime: 2000,
      stickyQueueScheduleToStartTimeout: '1 second',
    });
    const running = worker.run();
    return async () => {
      stopping = true;
      worker.shutdown();
      await running;
      await connection.close();
    };
  };
  const connection = await Connection.connect({ address: temporal.address });
  undo.push(() => connection.close());
  const client = new Client({ connection, namespace });
  const handle = await client.workflow.start(workflowTypes.brokerSession, {
    taskQueue: 'broker-session',
    workflowId: 'broker-session',
  });
  return { simulator, db, stores, opened, handle, startWorker };
}

beforeAll(async () => {
  story = await begin();
});
afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

const kinds = async (): Promise<string[]> =>
  (await story.stores.brokerSessions.events(login, 50)).map(({ kind }) => kind).reverse();
/** Waits for as many events, and gives their kinds. */
const told = async (count: number): Promise<string[]> => {
  await expect.poll(async () => (await kinds()).length, { timeout: 60_000, interval: 20 }).toBe(count);
  return kinds();
};
const fault = (kind: string, rest: object = {}) => admin(story.simulator, '/faults', { kind, ...rest });
const clear = () => admin(story.simulator, '/faults', undefined, 'DELETE');
const logIn = () => admin(story.simulator, '/login', {});
const health = () => lookAtLogin({ db: story.db, mode: 'simulated', clock: { now: () => Date.now() } });

test('keeps a login over half an hour, through every loss, with no attempt too many', async () => {
  const { simulator, stores, opened, handle, startWorker } = story;
  const begun = Date.now();
  let stopWorker = await startWorker();
  undo.push(() => stopWorker());
  expect(await told(1)).toEqual(['up']);
  expect(await health()).toMatchObject({ ok: true });

  // Longer than an idle session lives: the tickles keep it.
  await new Promise((resolve) => setTimeout(resolve, 8 * MINUTE_MS));
  expect(await kinds()).toEqual(['up']);

  // Lost for a moment: told within a minute, opened again, and prepared as each new session wants it.
  const lostAt = Date.now();
  await fault('session-loss', { on: 'session' });
  expect(await told(3)).toEqual(['up', 'lost', 'up']);
  const [, lost] = await stores.brokerSessions.events(login, 2);
  expect(Date.parse(lost?.at ?? '') - lostAt).toBeLessThan(MINUTE_MS);
  expect(opened).toHaveLength(1);
  expect((await request(simulator, 'GET', '/iserver/account/orders')).status).toBe(200);
  const far = { conid: AAPL, orderType: 'LMT', side: 'BUY', tif: 'DAY', quantity: 1, price: 500 };
  const placed = await post(simulator, `/iserver/account/${ACCOUNT}/orders`, { orders: [far] });
  expect(placed).toMatchObject([{ encrypt_message: '1' }]);

  // Another login takes it, and is left alone until it ends.
  await fault('competing', { on: 'session' });
  expect(await told(4)).toMatchObject({ 3: 'competing' });
  expect((await health()).detail).toMatch(/^competing since .*another login/);
  expect(opened).toHaveLength(1);
  await post(simulator, '/iserver/auth/ssodh/init', { publish: true, compete: true });
  expect(await told(5)).toMatchObject({ 4: 'up' });

  // A session that never comes up: five attempts over 21 minutes, a worker that restarts meanwhile forgets none of them.
  await fault('session-loss', { on: 'session', times: null });
  await expect.poll(() => opened.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(2);
  await stopWorker();
  stopWorker = await startWorker();
  const events = await told(7);
  expect(events.slice(5)).toEqual(['lost', 'needs-login']);
  expect((await health()).ok).toBe(false);
  // The one from before counts: it was not up for ten minutes since.
  const attempts = opened.length;
  expect(attempts).toBe(5);
  await new Promise((resolve) => setTimeout(resolve, 2 * MINUTE_MS));
  expect(opened).toHaveLength(attempts);
  await clear();
  await logIn();
  expect(await told(8)).toMatchObject({ 7: 'up' });

  // Midnight in New York ends the login itself: a person has to come, however long that takes.
  ahead += Math.max(0, Date.parse('2026-06-06T04:00:00.000Z') - brokerTime(begun)) / FACTOR;
  expect(await told(9)).toMatchObject({ 8: 'needs-login' });
  expect(await get(simulator, '/iserver/accounts')).toMatchObject({ error: 'not authenticated' });
  await logIn();
  expect(await told(10)).toMatchObject({ 9: 'up' });
  expect(await health()).toMatchObject({ ok: true });

  expect(Date.now() - begun).toBeGreaterThan(30 * MINUTE_MS);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  const { rows } = await story.db.pool.query<{ title: string }>(
    `select title from notification where event = 'broker.lost' order by id`,
  );
  expect(rows.map(({ title }) => title)).toEqual([
    'The login at the broker is lost and is opened again',
    'Another login has taken the broker',
    'The login at the broker is lost and is opened again',
    'The broker needs a person to log in',
    'The broker needs a person to log in',
  ]);
}, 180_000);

/** The broker's wall time: it began at noon and runs by the factor. */
const brokerTime = (begun: number): number =>
  Date.parse('2026-06-05T16:00:00.000Z') + (Date.now() - begun) * FACTOR;
