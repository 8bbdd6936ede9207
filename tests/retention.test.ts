// What the retention deletes and what it leaves, on the real PostgreSQL and real files; its schedule on the real Temporal server.
import { readdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putBytes } from '../activities/objects.js';
import { lookAtRetention, retentionLock, sweepOnce, type RetentionDeps } from '../activities/retention.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { writeBackup } from '../cli/backup/write.js';
import { retentionCommand } from '../cli/commands/retention.js';
import { monitorScheduleId } from '../contracts/wire/names.js';
import { connect, type Database } from '../db/connect.js';
import { createLocks } from '../db/locks.js';
import { claimMode } from '../db/mode.js';
import { createRetentionStore } from '../db/retention.js';
import { createStores, type Stores } from '../db/stores.js';
import { ensureRetention } from '../worker/retention.js';
import { Client as PgClient } from 'pg';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { demoSettings } from './support/stack.js';
import { tempFolder } from './support/temp.js';
import { startTemporal } from './support/temporal.js';

const folder = tempFolder('retention');
const directory = path.join(folder.path, 'objects');
const objects = createFilesystemObjectStore({ directory });
const off = { chartDays: 0, answerDays: 0, rowDays: 0, orphanHours: 0 };
const run = { actor: 'test', dryRun: false, limit: 1000, batch: 50 };
let server: TestPostgres;
let db: Database;
let stores: Stores;

const deps = (rules: Partial<RetentionDeps['retentionRules']>): RetentionDeps => ({
  retention: createRetentionStore(db),
  retentionRules: { ...off, ...rules },
  objects,
  locks: createLocks(db),
  audit: stores.audit,
  clock: { now: () => Date.now() },
});

const put = (text: string) =>
  putBytes(objects, 'charts', new TextEncoder().encode(text), { extension: 'png', contentType: 'image/png' });

/** Put two days ago. */
async function putOld(own: typeof objects, at: string, text: string) {
  const object = await putBytes(own, 'charts', new TextEncoder().encode(text), {
    extension: 'png',
    contentType: 'image/png',
  });
  const past = new Date(Date.now() - 48 * 3_600_000);
  utimesSync(path.join(at, object.key), past, past);
  return object;
}

/** A run with a chart; `daysAgo` null leaves it open. */
async function makeRun(id: string, daysAgo: number | null, chart: string): Promise<string> {
  await db.pool.query(
    `insert into run (id, workflow_id, mode, strategy_id, strategy_version, symbol, session, slot)
     values ($1, $1, 'simulated', 'demo', 1, $2, '2014-07-07', 'after-close')`,
    [id, id.toUpperCase()],
  );
  const { key, sha256, bytes } = await put(chart);
  await db.pool.query(
    `insert into chart (run_id, timeframe, mode, object_key, object_sha256, object_bytes, width, height)
     values ($1, 'daily', 'simulated', $2, $3, $4, 10, 10)`,
    [id, key, sha256, bytes],
  );
  if (daysAgo !== null) {
    await db.pool.query(
      `update run set status = 'ended', outcome = 'HOLD', ended_at = now() - make_interval(days => $2) where id = $1`,
      [id, daysAgo],
    );
    await db.pool.query(`update chart set created_at = now() - make_interval(days => $2) where run_id = $1`, [
      id,
      daysAgo,
    ]);
  }
  return key;
}

async function ask(id: string, picture: string): Promise<{ prompt: string; answer: string }> {
  const [prompt, answer] = [await put(`prompt of ${id}`), await put(`answer of ${id}`)];
  await db.pool.query(
    `insert into agent_conversation (id, run_id, mode, strategy_id, purpose, turn, content_key, state, profile, api,
       model_asked, prompts, prompt_key, prompt_sha256, prompt_bytes, input_sha256, pictures, parameters, numbers_only,
       reserved_usd, price_date, answer_key, answer_sha256, answer_bytes, outcome, started_at)
     values ($1, $1, 'simulated', 'demo', 'decide', 0, $2, 'answered', 'p', 'chat', 'm', '[]', $3, $2, 1, $2, $4, '{}',
       false, 0, '2025-01-01', $5, $2, 1, 'ok', now() - interval '60 days')`,
    [id, prompt.sha256, prompt.key, JSON.stringify([{ key: picture }]), answer.key],
  );
  return { prompt: prompt.key, answer: answer.key };
}

const intentOf = (id: string, state: string): Promise<unknown> =>
  db.pool
    .query(
      `insert into order_intent (client_order_id, mode, account_id, run_id, symbol, conid, side, quantity, reserved_cash, valid_until)
       values ($1, 'simulated', 'DU1', $1, 'AAPL', '1', 'BUY', 1, 0, now())`,
      [id],
    )
    .then(() =>
      state === 'INTENT'
        ? null
        : db.pool.query('update order_intent set state = $2 where client_order_id = $1', [id, state]),
    );

const keys = new Map<string, string>();

/** The buy that a panel is given, which no other row names yet. */
async function propose(runId: string): Promise<void> {
  const [proposal, input] = [
    await putOld(objects, directory, 'proposal'),
    await putOld(objects, directory, 'input'),
  ];
  await stores.evidence.putProposed(runId, { proposal, input });
  keys.set('proposal', proposal.key).set('its input', input.key);
}

const keyOf = (name: string): string => keys.get(name) ?? '';
const has = (name: string): Promise<boolean> => objects.has(keyOf(name));

beforeAll(async () => {
  server = await startTestPostgres();
  db = connect({
    url: server.url,
    poolSize: 5,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 5000,
  });
  await claimMode(db, 'simulated');
  await objects.ensureBucket();
  stores = createStores(db, 'simulated');
  await stores.strategies.create({ id: 'demo', name: 'demo', settings: demoSettings }, 'test');
  keys.set('old', await makeRun('old', 40, 'old'));
  keys.set('young', await makeRun('young', 20, 'young'));
  keys.set('open', await makeRun('open', null, 'open'));
  keys.set('shared', await makeRun('shared-old', 40, 'shared'));
  await makeRun('shared-young', 5, 'shared');
  keys.set('living order', await makeRun('living', 40, 'living'));
  await intentOf('living', 'INTENT');
  keys.set('asked', await makeRun('asked', 40, 'asked'));
  const { prompt, answer } = await ask('asked', keyOf('asked'));
  keys.set('prompt', prompt).set('answer', answer);
  await propose('young');
});

afterAll(async () => {
  await db.close();
  await server.stop();
  folder.remove();
});

describe('the retention', () => {
  it('tells what would go and deletes nothing with dryRun', async () => {
    const before = readdirSync(directory, { recursive: true }).sort();
    const report = await sweepOnce(deps({ chartDays: 30 }), { ...run, dryRun: true });
    expect(report).toMatchObject({ charts: 1, answers: 0, orphans: 0, bytes: 3, rows: {} });
    expect(readdirSync(directory, { recursive: true }).sort()).toEqual(before);
  });

  it('deletes charts of runs that ended long ago, and no other: open runs, living orders, shared ones, asked models', async () => {
    expect(await sweepOnce(deps({ chartDays: 30 }), run)).toMatchObject({ charts: 1, bytes: 3 });
    expect(await has('old')).toBe(false);
    for (const name of ['young', 'open', 'shared', 'living order', 'asked', 'prompt', 'answer']) {
      expect([name, await has(name)]).toEqual([name, true]);
    }
    expect(await sweepOnce(deps({ chartDays: 30 }), run)).toMatchObject({ charts: 0 });
    const rows = await stores.evidence.charts('old');
    expect(rows.map(({ object }) => object.key)).toEqual([keyOf('old')]);
  });

  it('deletes what a model was asked and answered once its days are over, and then the pictures that it saw', async () => {
    expect(await sweepOnce(deps({ chartDays: 30, answerDays: 50 }), run)).toMatchObject({
      charts: 0,
      answers: 0,
    });
    expect(await sweepOnce(deps({ chartDays: 30, answerDays: 35 }), run)).toMatchObject({
      charts: 1,
      answers: 2,
    });
    for (const name of ['asked', 'prompt', 'answer']) expect([name, await has(name)]).toEqual([name, false]);
    expect((await stores.conversations.byRun('asked')).length).toBe(1);
    const { rows } = await db.pool.query<{ key: string }>(
      'select content_key as key from agent_conversation',
    );
    expect(await stores.conversations.answered(rows[0]?.key ?? '', 'young')).toBeNull();
  });

  it('lets a backup be made although rows name what is gone', async () => {
    const client = new PgClient({ connectionString: server.url });
    await client.connect();
    const source = { url: server.url, client, objects, keelVersion: '0', config: {} };
    const manifest = await writeBackup(source, path.join(folder.path, 'backup'));
    await client.end();
    expect(manifest.objects.map(({ key }) => key)).not.toContain(keyOf('old'));
    for (const name of ['young', 'proposal', 'its input']) {
      expect(manifest.objects.map(({ key }) => key)).toContain(keyOf(name));
    }
  });

  it('does nothing beside a backup', async () => {
    await createLocks(db).withLock(retentionLock, 0, async () => {
      await expect(sweepOnce(deps({ chartDays: 1 }), run)).rejects.toMatchObject({ code: 'LOCK_BUSY' });
    });
  });

  it('deletes rows of old logins and of news that was told, and keeps the rest', async () => {
    const { rows } = await db.pool.query<{ id: string }>(
      `insert into keel_user (email, username, role) values ('a@b.c', 'maria', 'viewer') returning id`,
    );
    const user = rows[0]?.id;
    await db.pool.query(
      `insert into login (user_id, created_at, expires_at) values ($1, now() - interval '90 days', now() - interval '60 days'),
         ($1, now(), now() + interval '30 days')`,
      [user],
    );
    await db.pool.query(
      `insert into access_attempt (kind, subject, address, at) values ('login', 'x', 'y', now() - interval '31 days'), ('login', 'x', 'y', now())`,
    );
    await db.pool.query(
      `update notification set fanned_out = true, created_at = now() - interval '40 days' where key = 'run/old'`,
    );
    await db.pool.query(
      `update notification set created_at = now() - interval '40 days' where key = 'run/young'`,
    );
    const dry = await sweepOnce(deps({ rowDays: 30 }), { ...run, dryRun: true });
    expect(dry.rows).toMatchObject({ access_attempt: 1, login: 1, notification: 1 });
    expect((await sweepOnce(deps({ rowDays: 30 }), run)).rows).toEqual(dry.rows);
    expect((await sweepOnce(deps({ rowDays: 30 }), run)).rows).toMatchObject({
      access_attempt: 0,
      login: 0,
      notification: 0,
    });
  });

  it('deletes objects that no row names once their grace is over, and leaves what is not its own', async () => {
    const [old, fresh] = [await put('orphan'), await put('fresh orphan')];
    await objects.put('other/readme.txt', new TextEncoder().encode('x'), 'text/plain');
    const past = new Date(Date.now() - 48 * 3_600_000);
    for (const key of [old.key, 'other/readme.txt', keyOf('young')])
      utimesSync(path.join(directory, key), past, past);
    expect(await sweepOnce(deps({ orphanHours: 24 }), run)).toMatchObject({ orphans: 1, bytes: 6 });
    expect(await objects.has(old.key)).toBe(false);
    for (const key of [
      fresh.key,
      'other/readme.txt',
      keyOf('young'),
      keyOf('open'),
      keyOf('proposal'),
      keyOf('its input'),
    ])
      expect(await objects.has(key)).toBe(true);
  });

  it('deletes no orphan where most objects are: they are those of another database', async () => {
    const past = new Date(Date.now() - 48 * 3_600_000);
    for (let index = 0; index < 60; index += 1) {
      utimesSync(path.join(directory, (await put(`foreign ${index}`)).key), past, past);
    }
    const before = readdirSync(directory, { recursive: true }).length;
    await expect(sweepOnce(deps({ orphanHours: 24 }), run)).rejects.toMatchObject({
      code: 'ORPHANS_TOO_MANY',
    });
    expect(readdirSync(directory, { recursive: true }).length).toBe(before);
  });

  it('deletes no orphan where a tenth of the objects are orphans, as where two Keels share a bucket', async () => {
    const own = createFilesystemObjectStore({ directory: path.join(folder.path, 'shared') });
    await own.ensureBucket();
    const named: string[] = [];
    for (let index = 0; index < 300; index += 1) {
      const { key } = await putOld(own, path.join(folder.path, 'shared'), `of one or the other ${index}`);
      if (index >= 51) named.push(key);
    }
    await stores.audit.append({ actor: 'test', action: 'name', subject: 'keys', facts: { named } });
    const shared = { ...deps({ orphanHours: 24 }), objects: own };
    await expect(sweepOnce(shared, run)).rejects.toMatchObject({ code: 'ORPHANS_TOO_MANY' });
    let left = 0;
    for await (const object of own.list()) left += object.bytes > 0 ? 1 : 0;
    expect(left).toBe(300);
  });

  it('is written to the audit by whom it was asked, with what it deleted', async () => {
    const { rows } = await db.pool.query<{ actor: string; facts: { charts: number } }>(
      `select actor, facts from audit where action = 'retention.delete' order by id limit 1`,
    );
    expect(rows[0]).toMatchObject({ actor: 'test', facts: { charts: 1, rules: { chartDays: 30 } } });
  });

  it('looks by itself with its own limit, and tells in one sentence', async () => {
    const look = await lookAtRetention(deps({ chartDays: 30 }));
    expect(look).toMatchObject({ status: 'ok', facts: { charts: 0, orphans: 0 } });
    expect(look.message).toMatch(/^deleted 0 charts, 0 prompts and answers, 0 rows, 0 orphans/);
  });

  it('is the command keel retention', async () => {
    const lines: string[] = [];
    const env = { DATABASE_URL: server.url, KEEL_DATA_DIR: folder.path, KEEL_RETENTION_CHART_DAYS: '10' };
    expect(await retentionCommand(['--dry-run'], (line) => lines.push(line), env)).toBe(0);
    expect(lines).toEqual([expect.stringMatching(/^Would delete 1 charts, /)]);
    expect(await retentionCommand(['--json'], (line) => lines.push(line), env)).toBe(0);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ dryRun: false, charts: 1 });
    expect(await has('young')).toBe(false);
    expect(
      await retentionCommand([], (line) => lines.push(line), { ...env, KEEL_RETENTION_CHART_DAYS: '0' }),
    ).toBe(0);
    expect(lines[2]).toMatch(/^Everything is kept/);
    const alone: string[] = [];
    const keeping = { ...env, KEEL_RETENTION_CHART_DAYS: '0' };
    expect(await retentionCommand(['--dry-run', '--json'], (line) => alone.push(line), keeping)).toBe(0);
    expect(JSON.parse(alone.join('\n'))).toMatchObject({ dryRun: true, charts: 0 });
  });
});

describe('the retention beside runs that go on', () => {
  let own: typeof objects;
  let at: string;
  let round = 0;
  beforeEach(async () => {
    round += 1;
    at = path.join(folder.path, `beside-${round}`);
    own = createFilesystemObjectStore({ directory: at });
    await own.ensureBucket();
  });
  /** A store of which the first deletion is followed by something else. */
  const withFirst = (then: (deleted: string) => Promise<unknown>): RetentionDeps['objects'] => {
    let deleted = 0;
    return {
      list: () => own.list(),
      stat: (key) => own.stat(key),
      delete: async (key) => {
        await own.delete(key);
        deleted += 1;
        if (deleted === 1) await then(key);
      },
    };
  };
  const two = async (text: string): Promise<readonly [string, string]> => [
    (await putOld(own, at, `${text} one`)).key,
    (await putOld(own, at, `${text} two`)).key,
  ];
  const lastAudit = async (): Promise<unknown> =>
    (
      await db.pool.query<{ facts: unknown }>(
        `select facts from audit where action = 'retention.delete' order by id desc limit 1`,
      )
    ).rows[0]?.facts;

  it('leaves an orphan that a row names since the first was deleted', async () => {
    const pair = await two('named');
    const other = (key: string): string => pair.find((each) => each !== key) ?? '';
    const naming = withFirst((key) =>
      stores.audit.append({ actor: 'test', action: 'name', subject: 'key', facts: { key: other(key) } }),
    );
    const report = await sweepOnce({ ...deps({ orphanHours: 24 }), objects: naming }, { ...run, batch: 1 });
    expect(report.orphans).toBe(1);
    expect((await Promise.all(pair.map((key) => own.has(key)))).sort()).toEqual([false, true]);
  });

  it('leaves an orphan that was put again since: its row comes after it', async () => {
    const pair = await two('again');
    const putting = withFirst(async (key) => {
      const text = key === pair[0] ? 'again two' : 'again one';
      await own.put(pair[key === pair[0] ? 1 : 0], new TextEncoder().encode(text), 'image/png');
    });
    const report = await sweepOnce({ ...deps({ orphanHours: 24 }), objects: putting }, run);
    expect(report.orphans).toBe(1);
    expect((await Promise.all(pair.map((key) => own.has(key)))).sort()).toEqual([false, true]);
  });

  it('leaves a chart that an open run names since the first was deleted', async () => {
    const texts = ['beside one', 'beside two'];
    const charts = [
      await makeRun('beside-1', 500, 'beside one'),
      await makeRun('beside-2', 500, 'beside two'),
    ];
    const naming = withFirst((key) => makeRun('beside-open', null, texts[key === charts[0] ? 1 : 0] ?? ''));
    const report = await sweepOnce({ ...deps({ chartDays: 400 }), objects: naming }, { ...run, batch: 1 });
    expect(report.charts).toBe(1);
  });

  it('leaves a prompt or answer that an open run names since the first was deleted', async () => {
    const { prompt, answer } = await ask('asked-beside', await makeRun('asked-beside', 500, 'asked beside'));
    const naming = withFirst(async (key) => {
      await ask('asked-open', await makeRun('asked-open', null, 'asked open'));
      await db.pool.query(`update agent_conversation set prompt_key = $1 where run_id = 'asked-open'`, [
        key === prompt ? answer : prompt,
      ]);
    });
    const report = await sweepOnce({ ...deps({ answerDays: 400 }), objects: naming }, { ...run, batch: 1 });
    expect(report.answers).toBe(1);
  });

  it('stops when its lock is lost in the middle: a backup may have begun', async () => {
    const pair = await two('unlocked');
    const locks = createLocks(db);
    let held = (): boolean => true;
    const watched: RetentionDeps['locks'] = {
      withLock: (name, waitMs, work) =>
        locks.withLock(name, waitMs, (lock) => {
          held = () => lock.held();
          return work(lock);
        }),
    };
    const breaking = withFirst(async () => {
      await db.pool.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid::bigint = (hashtext($1)::bigint & 4294967295)`,
        [retentionLock],
      );
      await expect.poll(() => held()).toBe(false);
    });
    const over = { ...deps({ orphanHours: 24 }), objects: breaking, locks: watched };
    await expect(sweepOnce(over, run)).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect((await Promise.all(pair.map((key) => own.has(key)))).sort()).toEqual([false, true]);
    expect(await lastAudit()).toMatchObject({ orphans: 1 });
  });

  it('begins no deletion once its time is over, and leaves the rest to the next look', async () => {
    const pair = await two('late');
    const over = { ...deps({ orphanHours: 24 }), objects: withFirst(() => Promise.resolve()) };
    const time = { now: Date.now() };
    const late = { ...over, clock: { now: () => time.now } };
    late.objects = withFirst(() => Promise.resolve((time.now += 1000)));
    expect(await sweepOnce(late, { ...run, until: time.now + 1000 })).toMatchObject({ orphans: 1 });
    expect((await Promise.all(pair.map((key) => own.has(key)))).sort()).toEqual([false, true]);
    expect(await sweepOnce(over, run)).toMatchObject({ orphans: 1 });
  });

  it('audits what it has deleted although it fails after that', async () => {
    await two('fails');
    const before = await lastAudit();
    let calls = 0;
    const failing: RetentionDeps['objects'] = {
      ...withFirst(() => Promise.resolve()),
      delete: (key) => {
        calls += 1;
        return calls === 2 ? Promise.reject(new Error('the disk is away')) : own.delete(key);
      },
    };
    const over = { ...deps({ orphanHours: 24 }), objects: failing };
    await expect(sweepOnce(over, run)).rejects.toThrow('the disk is away');
    expect(await lastAudit()).not.toEqual(before);
    expect(await lastAudit()).toMatchObject({ orphans: 1, charts: 0, rules: { orphanHours: 24 } });
  });

  it('has said what it was about to delete before it does, so that a kill in the middle hides nothing', async () => {
    const pair = await two('killed');
    const killed = new Error('the process is gone');
    // From the second deletion on nothing of this process happens any more, its last word included.
    let calls = 0;
    const over: RetentionDeps = {
      ...deps({ orphanHours: 24 }),
      objects: {
        ...withFirst(() => Promise.resolve()),
        delete: (key) => ((calls += 1) === 2 ? Promise.reject(killed) : own.delete(key)),
      },
      audit: {
        append: (entry) =>
          entry.action === 'retention.delete' ? Promise.reject(killed) : stores.audit.append(entry),
      },
    };
    await expect(sweepOnce(over, run)).rejects.toThrow('the process is gone');
    const { rows } = await db.pool.query<{ actor: string; facts: unknown }>(
      `select actor, facts from audit where action = 'retention.begin' order by id desc limit 1`,
    );
    const names = pair.map((key) => path.basename(key).slice(0, 16)).sort();
    expect(rows[0]).toMatchObject({ actor: 'test', facts: { kind: 'orphan' } });
    expect([...(rows[0]?.facts as { objects: string[] }).objects].sort()).toEqual(names);
    // What stands there names no object: the other one goes with the next sweep.
    expect((await sweepOnce({ ...deps({ orphanHours: 24 }), objects: own }, run)).orphans).toBe(1);
  });

  it('gives the search for keys more time than a statement has otherwise', async () => {
    const hasty = connect({
      url: server.url,
      poolSize: 1,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 1500,
      lockTimeoutMs: 20_000,
    });
    const blocker = await db.pool.connect();
    try {
      await blocker.query('begin; lock table audit in access exclusive mode');
      const keys = createRetentionStore(hasty).namedKeys();
      // Longer than a statement of this connection may take, on the server and at the client.
      await blocker.query('select pg_sleep(3)');
      await blocker.query('commit');
      expect((await keys).size).toBeGreaterThan(0);
    } finally {
      blocker.release();
      await hasty.close();
    }
  });
});

describe('its schedule', () => {
  it('is there once a rule is set, and goes with the last one', async () => {
    const temporal = await startTemporal();
    const connection = await Connection.connect({ address: temporal.address });
    const client = new Client({ connection, namespace: temporal.namespace });
    const handle = client.schedule.getHandle(monitorScheduleId('simulated', 'retention'));
    const settings = (rules: object) => ({
      mode: 'simulated' as const,
      retention: { ...off, everyMs: 86_400_000, ...rules },
      monitors: { catchUpMs: 60_000 } as never,
    });
    await ensureRetention(client, settings({}));
    await expect(handle.describe()).rejects.toThrow(/not found/i);
    await ensureRetention(client, settings({ chartDays: 30 }));
    await ensureRetention(client, settings({ chartDays: 30 }));
    const { action, spec, policies } = await handle.describe();
    expect(action).toMatchObject({ workflowType: 'monitor', args: [{ name: 'retention' }] });
    expect(spec.intervals?.map(({ every }) => every)).toEqual([86_400_000]);
    expect(policies.overlap).toBe('SKIP');
    await ensureRetention(client, settings({}));
    await expect(handle.describe()).rejects.toThrow(/not found/i);
    await connection.close();
    await temporal.stop();
  });
});
