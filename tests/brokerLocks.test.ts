// The locks of orders among processes, on the real PostgreSQL: one holder, gone with its connection, refused when away.
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrokerSessionStore } from '../db/brokerSession.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createLocks } from '../db/locks.js';
import { createSharedPacing } from '../db/pacing.js';
import { migrateUp } from '../db/migrate.js';
import { startingState } from '../domain/brokerSession/rules.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';

const limits = { poolSize: 2, connectTimeoutMs: 2000, statementTimeoutMs: 5000, lockTimeoutMs: 5000 };
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
  expect(await createLocks(other).withLock('login', 1000, () => Promise.resolve('inside'))).toBe('inside');
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
