// The owner of a login over more than half an hour of its life, by a clock that goes on while the owner sleeps: the real workflow
// on a real Temporal server, the IBKR adapter against the simulator over https, what it tells in PostgreSQL and at the API.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrokerSessionActivities } from '../activities/brokerSession.js';
import { createIbkrGateway } from '../adapters/ibkr/gateway.js';
import { processLocks } from '../adapters/ibkr/testing/connect.js';
import { detailedHealth } from '../contracts/http/status.js';
import { workflowTypes } from '../contracts/wire/names.js';
import { connect } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import { sessionRules } from '../domain/brokerSession/rules.js';
import { startSimulator } from '../simulator/server.js';
import { createActivityInterceptors } from '../worker/interceptors.js';
import { makeUser } from './support/access.js';
import { startApi } from './support/api.js';
import { startTestPostgres } from './support/postgres.js';
import {
  AAPL,
  ACCOUNT,
  OPEN_PLUS_5,
  TOKEN,
  admin,
  get,
  optionsFor,
  post,
  request,
  step,
} from './support/simulator.js';
import { tempFolder } from './support/temp.js';
import { startTemporal } from './support/temporal.js';
import { until } from './support/until.js';

/** A minute of sleep is a second and a half here, for the owner and for the broker alike. */
const FACTOR = 40;
const minute = 60_000;
const login = 'someone';
const limits = { poolSize: 4, connectTimeoutMs: 20_000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };

const undo: (() => unknown)[] = [];
const day = 24 * 60 * minute;
/**
 * The next noon UTC, the morning of New York, and what was jumped over since: less than a day from now, because the simulator's
 * certificate is valid from a day before its clock.
 */
const noon = (Math.floor(Date.now() / day - 0.5) + 1.5) * day;
/** What the owner has slept, and what was jumped over: what a slow machine takes for a look is no time of the story. */
let passed = 0;
const clock = { now: () => noon + passed };
/** Waits while the owner sleeps so long. */
const sleep = (ms: number): Promise<true> => {
  const end = clock.now() + ms;
  return until(() => Promise.resolve(clock.now() >= end ? true : null));
};
let story: Awaited<ReturnType<typeof begin>>;

async function begin() {
  const folder = tempFolder('broker-session');
  undo.push(folder.remove);
  const [temporal, postgres] = await Promise.all([startTemporal(), startTestPostgres()]);
  undo.push(
    () => temporal.stop(),
    () => postgres.stop(),
  );
  const simulator = await startSimulator({ ...optionsFor(folder.path), clock, midnightReset: true });
  undo.push(() => simulator.close());
  await step(simulator, OPEN_PLUS_5);
  const db = connect({ url: postgres.url, ...limits });
  undo.push(() => db.close());
  const stores = createStores(db, 'simulated');
  const reader = await makeUser(stores, 'reader', 'trader');
  const lane = temporal.takeLane();
  const { namespace } = lane;
  undo.push(() => {
    lane.release();
  });
  const api = await startApi({
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: namespace,
    KEEL_DATA_DIR: folder.path,
    KEEL_SIMULATOR_ADMIN_URL: simulator.adminUrl,
    KEEL_SIMULATOR_ADMIN_TOKEN: TOKEN,
  });
  undo.push(() => api.stop());
  const health = async () => {
    const headers = { authorization: `Bearer ${reader.key}` };
    const answer = await fetch(`${api.url}/health/detailed`, { headers });
    return detailedHealth.parse(await answer.json()).parts.find(({ name }) => name === 'brokerLogin');
  };
  const gateway = createIbkrGateway({
    baseUrl: simulator.baseUrl,
    ca: readFileSync(simulator.caFile, 'utf8'),
    certSha256: [simulator.certSha256],
    timeoutMs: 20_000,
    accountId: ACCOUNT,
    login,
    locks: processLocks,
    suppressMessageIds: ['o163'],
    mode: 'simulated',
    clock: { now: () => Date.now() },
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
    open: () => {
      opened.push(clock.now());
      return gateway.login.open();
    },
  };
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
        sessionRules: sessionRules(1, false),
        clock,
        pause: async (ms) => {
          await Context.current().sleep(ms / FACTOR);
          passed += ms;
        },
        stopping: () => stopping,
      }),
      interceptors: { activity: [createActivityInterceptors(65_536, clock)] },
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
  const { workflow } = new Client({ connection, namespace });
  const workflowId = 'broker-session';
  await workflow.start(workflowTypes.brokerSession, { taskQueue: 'broker-session', workflowId });
  return { simulator, db, stores, opened, health, startWorker, handle: workflow.getHandle(workflowId) };
}

beforeAll(async () => {
  story = await begin();
});
afterAll(async () => {
  for (const each of undo.reverse()) await each();
});

const events = async () => (await story.stores.brokerSessions.events(login, 50)).toReversed();
const kinds = async () => (await events()).map(({ kind }) => kind);
/** Waits for as many events, and gives their kinds. */
const told = async (count: number) => {
  await expect.poll(async () => (await kinds()).length, { timeout: 150_000, interval: 20 }).toBe(count);
  return kinds();
};
/** How long after an instant the newest event was seen, scaled milliseconds. */
const lagOf = async (since: number) => Date.parse((await events()).at(-1)?.at ?? '') - since;
const fault = (kind: string, rest: object = {}) => admin(story.simulator, '/faults', { kind, ...rest });
const clear = () => admin(story.simulator, '/faults', undefined, 'DELETE');
const logIn = () => admin(story.simulator, '/login', {});

test('keeps a login over half an hour, through every loss, with no attempt too many', async () => {
  const { simulator, opened, handle, health, startWorker } = story;
  // The simulator has waited long for its first look.
  await logIn();
  let stopWorker = await startWorker();
  undo.push(() => stopWorker());
  const start = clock.now();
  expect(await told(1)).toEqual(['up']);
  expect(await health()).toMatchObject({
    status: 'ok',
    detail: expect.stringMatching(/^up since/) as string,
  });

  // Nothing happens for eight minutes, longer than an idle session lives, and nothing is told.
  await sleep(8 * minute);
  expect(await kinds()).toEqual(['up']);

  // Lost for a moment: opened again, and prepared anew, questions left out included.
  let since = clock.now();
  await fault('session-loss', { on: 'session' });
  expect(await told(3)).toEqual(['up', 'lost', 'up']);
  expect(Date.parse((await events())[1]?.at ?? '') - since).toBeLessThan(minute);
  expect(opened).toHaveLength(1);
  expect((await request(simulator, 'GET', '/iserver/account/orders')).status).toBe(200);
  const far = { conid: AAPL, orderType: 'LMT', side: 'BUY', tif: 'DAY', quantity: 1, price: 500 };
  const placed = await post(simulator, `/iserver/account/${ACCOUNT}/orders`, { orders: [far] });
  expect(placed).toMatchObject([{ encrypt_message: '1' }]);

  // Another login takes it, and is left alone until it ends.
  since = clock.now();
  await fault('competing', { on: 'session' });
  expect(await told(4)).toMatchObject({ 3: 'competing' });
  expect(await lagOf(since)).toBeLessThan(minute);
  expect((await health())?.detail).toMatch(/^competing since .*another login/);
  await sleep(2 * minute);
  expect(opened).toHaveLength(1);
  await post(simulator, '/iserver/auth/ssodh/init', { publish: true, compete: true });
  expect(await told(5)).toMatchObject({ 4: 'up' });

  // A session that never comes up: five attempts over 21 minutes, a worker that restarts meanwhile forgets none of them.
  await fault('session-loss', { on: 'session', times: null });
  await expect.poll(() => opened.length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(2);
  await stopWorker();
  stopWorker = await startWorker();
  expect((await told(7)).slice(5)).toEqual(['lost', 'needs-login']);
  expect(await health()).toMatchObject({
    detail: expect.stringMatching(/^needs-login since .*5 attempts/) as string,
  });
  // The one from before counts: it was not up for ten minutes since.
  expect(opened).toHaveLength(5);
  await sleep(2 * minute);
  expect(opened).toHaveLength(5);
  await clear();
  await logIn();
  expect(await told(8)).toMatchObject({ 7: 'up' });
  expect(clock.now() - start).toBeGreaterThan(30 * minute);

  // Midnight in New York ends the login itself: a person has to come, however long that takes.
  passed += 17 * 60 * minute;
  expect(await told(9)).toMatchObject({ 8: 'needs-login' });
  expect(await get(simulator, '/iserver/accounts')).toMatchObject({ error: 'not authenticated' });
  await logIn();
  expect(await told(10)).toMatchObject({ 9: 'up' });
  expect(await health()).toMatchObject({ status: 'ok' });
  expect(opened).toHaveLength(5);

  // It goes on for ever: five minutes a watch, twelve of them a run of the workflow.
  const { runId, historyLength } = await handle.describe();
  expect(historyLength).toBeLessThan(200);
  const nextRun = async () => {
    passed += 5 * minute;
    return (await handle.describe()).runId !== runId;
  };
  await expect.poll(nextRun, { timeout: 60_000, interval: 300 }).toBe(true);
  expect((await handle.describe()).status.name).toBe('RUNNING');

  const { rows } = await story.db.pool.query<{ title: string }>(
    `select title from notification where event = 'broker.lost' order by id`,
  );
  expect(rows.map(({ title }) => title).slice(0, 5)).toEqual([
    'The login at the broker is lost and is opened again',
    'Another login has taken the broker',
    'The login at the broker is lost and is opened again',
    'The broker needs a person to log in',
    'The broker needs a person to log in',
  ]);
});
