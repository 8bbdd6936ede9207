// The locks of orders among processes, on the real PostgreSQL: one holder, gone with its connection, refused when away.
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../adapters/ibkr/testing/connect.js';
import { makeCertificate, startTestGateway } from '../adapters/ibkr/testing/gateway.js';
import { createBrokerSessionStore } from '../db/brokerSession.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createLocks } from '../db/locks.js';
import { createSharedPacing } from '../db/pacing.js';
import { migrateUp } from '../db/migrate.js';
import type { SharedPacing, SharedPlace } from '../ports/pacing.js';
import { startingState } from '../domain/brokerSession/rules.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';

const limits = { poolSize: 2, connectTimeoutMs: 20_000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
let server: TestPostgres;
let one: Database;
let other: Database;

beforeAll(async () => {
  server = await startTestPostgres();
  one = connect({ url: server.url, ...limits });
  other = connect({ url: server.url, ...limits });
});
afterAll(async () => {
  await one.close();
  await other.close();
  await server.stop();
});

test('keeps the login of each name, and what it has told, newest first', async () => {
  await migrateUp(server.url);
  const sessions = createBrokerSessionStore(one, 'paper');
  expect(await sessions.get('login')).toBeNull();
  const state = startingState(Date.parse('2026-11-27T12:00:00.000Z'));
  const checkedAt = '2026-11-27T12:00:15.000Z';
  expect(await sessions.take('login', 'first')).toBeNull();
  expect(await sessions.save({ login: 'login', state, checkedAt }, [], 'first')).toBe(true);
  const up = { ...state, phase: 'up' as const, epoch: 1 };
  const told = [
    { kind: 'lost', reason: 'no answer' },
    { kind: 'up', reason: null },
  ] as const;
  expect(await sessions.save({ login: 'login', state: up, checkedAt }, told, 'first')).toBe(true);
  // A second watch takes the login; what the first one saves from then on, and tells, is nothing.
  expect(await sessions.take('login', 'second')).toEqual({ login: 'login', state: up, checkedAt });
  expect(await sessions.save({ login: 'login', state, checkedAt }, told, 'first')).toBe(false);
  expect(await sessions.save({ login: 'login', state: up, checkedAt }, [], 'second')).toBe(true);
  expect(await sessions.get('login')).toEqual({ login: 'login', state: up, checkedAt });
  expect(await sessions.events('login', 10)).toEqual([
    { at: checkedAt, kind: 'up', reason: null },
    { at: checkedAt, kind: 'lost', reason: 'no answer' },
  ]);
  expect(await createBrokerSessionStore(one, 'live').get('login')).toBeNull();
});

test('hands the turns of a limit out one by one, whichever process asks, and stops all of them', async () => {
  const [ours, theirs] = [one, other].map((db) => createSharedPacing(db, 'https://gateway/v1/api'));
  if (ours === undefined || theirs === undefined) throw new Error('two are made');
  const turns = await Promise.all(
    [ours, theirs, ours, theirs].map((each) => each.take('orders', 60_000, 600_000)),
  );
  const waits = turns.map(({ waitMs }) => Math.round((waitMs ?? Infinity) / 60_000)).sort();
  expect(waits).toEqual([0, 1, 2, 3]);
  expect(turns.map(({ stopMs }) => stopMs)).toEqual([0, 0, 0, 0]);
  expect((await createSharedPacing(other, 'https://another/v1/api').take('orders', 60_000, 0)).waitMs).toBe(
    0,
  );
  await ours.stop(900_000);
  await theirs.stop(1000);
  const { stopMs } = await theirs.take('all requests', 150, 1_000_000);
  expect(stopMs).toBeGreaterThan(800_000);
});

test('lets one of many claim a limit, whichever process asks, and says to the others when it is free', async () => {
  const [ours, theirs] = [one, other].map((db) => createSharedPacing(db, 'https://claims/v1/api'));
  if (ours === undefined || theirs === undefined) throw new Error('two are made');
  const claims = await Promise.all(
    [ours, theirs, ours, theirs, ours, theirs].map((each) => each.claim('orders', 60_000)),
  );
  expect(claims.filter(({ taken }) => taken)).toEqual([{ taken: true, waitMs: 60_000 }]);
  const later = await theirs.claim('orders', 60_000);
  expect(later.taken).toBe(false);
  expect(Math.ceil(later.waitMs / 60_000)).toBe(1);
  expect(await theirs.claim('trades', 0)).toEqual({ taken: true, waitMs: 0 });
  expect(await ours.claim('trades', 0)).toEqual({ taken: true, waitMs: 0 });
});

test('takes no turn for a caller who cannot wait for it', async () => {
  const shared = createSharedPacing(one, 'https://waiting/v1/api');
  await shared.take('orders', 60_000, 0);
  for (let tries = 0; tries < 5; tries += 1) {
    expect(await shared.take('orders', 60_000, 1000)).toEqual({ waitMs: null, stopMs: 0 });
  }
  const { waitMs } = await shared.take('orders', 60_000, 61_000);
  expect(Math.ceil((waitMs ?? 0) / 60_000)).toBe(1);
  await shared.stop(900_000);
  const stopped = await shared.take('all requests', 150, 30_000);
  expect(stopped.waitMs).toBeNull();
  expect(stopped.stopMs).toBeGreaterThan(800_000);
});

test('keeps the limits of one gateway, however its address is written', async () => {
  const written = ['https://gw:443/v1/api', 'https://gw/v1/api/', 'HTTPS://GW/v1/api//'];
  const claims = [];
  for (const address of written)
    claims.push((await createSharedPacing(one, address).claim('orders', 60_000)).taken);
  expect(claims).toEqual([true, false, false]);
  expect((await createSharedPacing(one, 'https://gw:5000/v1/api').claim('orders', 60_000)).taken).toBe(true);
});

test('gives turns, claims and places on where the clock of the database was set back by an hour', async () => {
  const shared = createSharedPacing(one, 'https://late/v1/api');
  await shared.take('all requests', 20_000, 30_000);
  await shared.claim('orders', 60_000);
  for (let place = 0; place < 4; place += 1) await shared.enterPlace('history', 4, 41_000);
  const ahead = `update gateway_limit set free_at = free_at + interval '1 hour' where gateway = 'https://late/v1/api'`;
  await one.pool.query(ahead);
  expect(await shared.take('all requests', 20_000, 30_000)).toEqual({ waitMs: 0, stopMs: 0 });
  expect((await shared.take('all requests', 20_000, 30_000)).waitMs).toBeGreaterThan(0);
  expect(await shared.claim('orders', 60_000)).toEqual({ taken: true, waitMs: 60_000 });
  expect((await shared.claim('orders', 60_000)).taken).toBe(false);
  for (let place = 0; place < 4; place += 1)
    expect(await shared.enterPlace('history', 4, 41_000)).not.toBeNull();
  expect(await shared.enterPlace('history', 4, 41_000)).toBeNull();
});

test('has as many holders of a limit at once as it has places, and gives back what ended by itself', async () => {
  const [ours, theirs] = [one, other].map((db) => createSharedPacing(db, 'https://places/v1/api'));
  if (ours === undefined || theirs === undefined) throw new Error('two are made');
  const held: SharedPlace[] = [];
  while (held.length < 4) {
    const asked = await Promise.all(
      [ours, theirs, ours, theirs].map((each) => each.enterPlace('history', 4, 60_000)),
    );
    held.push(...asked.filter((place) => place !== null));
  }
  expect(new Set(held.map(({ name }) => name)).size).toBe(4);
  expect(held).toHaveLength(4);
  expect(await theirs.enterPlace('history', 4, 60_000)).toBeNull();
  expect(await createSharedPacing(one, 'https://others/v1/api').enterPlace('history', 4, 0)).not.toBeNull();
  const [first] = held;
  if (first === undefined) throw new Error('four are held');
  await ours.leavePlace(first);
  const ended = await theirs.enterPlace('history', 4, 1);
  expect(ended?.name).toBe(first.name);
  // It ends after a millisecond, as that of a process that died would; then it is another's.
  await expect.poll(() => ours.enterPlace('history', 4, 60_000)).toMatchObject({ name: first.name });
  if (ended !== null) await theirs.leavePlace(ended);
  await ours.leavePlace(first);
  expect(await theirs.enterPlace('history', 4, 60_000)).toBeNull();
});

test('lets four histories be read at once at a gateway, whichever process reads them', async () => {
  const gateway = await startTestGateway(await makeCertificate());
  const bar = { o: 1, h: 2, l: 0.5, c: 1, v: 3, t: Date.UTC(2020, 0, 6, 14, 30) };
  let atOnce = 0;
  let most = 0;
  let refused = 0;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reads = 6;
  const route = 'GET /iserver/marketdata/history';
  /** An answer that is under way from the moment it is looked up until it is written. */
  const answers = Array.from({ length: 2 * reads }, () => ({
    json: { volumeFactor: 1, data: [bar] },
    get after() {
      most = Math.max(most, (atOnce += 1));
      return opened.then(() => void (atOnce -= 1));
    },
  }));
  gateway.on(route, ...answers);
  const clients = [one, other].map((db) => {
    const shared = createSharedPacing(db, gateway.baseUrl);
    const counted: SharedPacing = {
      ...shared,
      enterPlace: async (...asked) => {
        const place = await shared.enterPlace(...asked);
        if (place === null) refused += 1;
        return place;
      },
    };
    return connectTo(gateway, { sharedPacing: counted, pacingFactor: 100, timeoutMs: 20_000 });
  });
  const asked = clients.flatMap(({ marketData }) =>
    Array.from({ length: reads }, () => marketData.history({ conid: '265598', symbol: 'AAPL' }, 'daily')),
  );
  // The four have been at work for as long as every other one has asked and been refused, and more.
  await expect.poll(() => refused).toBeGreaterThan(8);
  // Who has a place has it before his question arrives.
  await expect.poll(() => gateway.to(route).length).toBe(4);
  open();
  expect(await Promise.all(asked)).toHaveLength(2 * reads);
  expect(most).toBe(4);
  for (const client of clients) client.close();
  await gateway.close();
});

test('has one holder at a time among processes, whoever asks', async () => {
  let inside = 0;
  let most = 0;
  const hold = (db: Database) =>
    createLocks(db).withLock('login', 10_000, async () => {
      most = Math.max(most, (inside += 1));
      await new Promise(setImmediate);
      inside -= 1;
    });
  await Promise.all([one, other, one, other, one, other].map(hold));
  expect(most).toBe(1);
});

test('is refused after the wait, and free again once its holder is done or has failed', async () => {
  await createLocks(one).withLock('login', 100, async () => {
    const refused = createLocks(other).withLock('login', 50, () => Promise.resolve('inside'));
    await expect(refused).rejects.toMatchObject({ code: 'LOCK_BUSY', errorClass: 'retryable' });
    expect(await createLocks(other).withLock('another login', 50, () => Promise.resolve('inside'))).toBe(
      'inside',
    );
  });
  const failing = createLocks(one).withLock('login', 100, () => Promise.reject(new Error('the work failed')));
  await expect(failing).rejects.toThrow('the work failed');
  expect(await createLocks(other).withLock('login', 50, () => Promise.resolve('inside'))).toBe('inside');
});

test('is known to be lost when its connection breaks', async () => {
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  await createLocks(one).withLock('login', 100, async (lock) => {
    expect(lock.held()).toBe(true);
    await admin.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()`,
    );
    await expect.poll(() => lock.held()).toBe(false);
  });
  await admin.end();
  expect(await createLocks(other).withLock('login', 20_000, () => Promise.resolve('inside'))).toBe('inside');
});

test('cannot be had where PostgreSQL does not answer, and the work never begins', async () => {
  const nowhere = connect({ url: 'postgres://keel@127.0.0.1:1/keel', ...limits });
  let begun = false;
  const refused = createLocks(nowhere).withLock('login', 100, () => {
    begun = true;
    return Promise.resolve();
  });
  await expect(refused).rejects.toMatchObject({ code: 'LOCK_AWAY', errorClass: 'retryable' });
  expect(begun).toBe(false);
  await nowhere.close();
});
