// The migration runner and `keel migrate`, against the real PostgreSQL.
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateCommand } from '../cli/commands/migrate.js';
import { migrateDown, migrateUp, migrationHistory, migrationStatus } from '../db/migrate.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';
import { tempFolder } from './support/temp.js';

let server: TestPostgres;
let directory: string;
const committed = path.join(import.meta.dirname, '../db/migrations');
const names = readdirSync(committed)
  .filter((file) => file.endsWith('.sql') && !file.endsWith('.down.sql'))
  .map((file) => file.replace('.sql', ''))
  .sort();

beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(async () => {
  await server.stop();
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Every column, constraint, index, trigger and function, in words. */
const structure = () =>
  query(`
    select 'column' as kind, c.relname || '.' || a.attname as name,
      format_type(a.atttypid, a.atttypmod) || a.attnotnull::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '') as facts
    from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
    union all
    select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 'function', proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
    order by 1, 2`);

beforeEach(async () => {
  await query('drop schema public cascade; create schema public');
  const folder = tempFolder('migrations');
  directory = path.join(folder.path, 'migrations');
  cpSync(committed, directory, { recursive: true });
});

const edit = (file: string, change: (text: string) => string): void => {
  const target = path.join(directory, file);
  writeFileSync(target, change(readFileSync(target, 'utf8')));
};

describe('migrateUp and migrateDown', () => {
  it('apply every file once, in order', async () => {
    expect(await migrateUp(server.url)).toEqual(names);
    expect(await migrateUp(server.url)).toEqual([]);
  });

  it('come back to the same database after all the way down and up', async () => {
    await migrateUp(server.url);
    const before = await structure();
    expect(await migrateDown(server.url, 99)).toEqual([...names].reverse());
    const left = (await structure()).filter(({ name }) => !String(name).startsWith('keel_migration'));
    expect(left).toEqual([]);
    await migrateUp(server.url);
    expect(await structure()).toEqual(before);
  });

  it('come back to the same database over each single step', async () => {
    await migrateUp(server.url);
    const before = await structure();
    for (let count = 1; count <= names.length; count += 1) {
      expect(await migrateDown(server.url, count)).toHaveLength(count);
      expect(await migrateUp(server.url)).toHaveLength(count);
      expect(await structure()).toEqual(before);
    }
  });

  it('give the settings and messages of the operator of before to the first admin', async () => {
    await migrateUp(server.url);
    await migrateDown(server.url, names.length - names.indexOf('0082_notifications_per_user'));
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query(`
      insert into keel_user (email, username, role, created_at) values
        ('b@example.com', 'second', 'admin', now()), ('a@example.com', 'first', 'admin', now() - interval '1 day');
      insert into notification_setting (mode, user_id, settings, updated_at) values
        ('simulated', 'operator', '{"of": "operator"}', now()), ('simulated', 'older', '{}', now() - interval '1 day');
      insert into notification (mode, key, event, title, body, facts) values ('simulated', 'k', 'test', 't', 'b', '{}');
      insert into notification_delivery (key, mode, notification_id, user_id, channel)
        select told.key, 'simulated', id, told.user_id, 'inbox'
        from notification, (values ('d', 'operator'), ('e', 'older')) told (key, user_id)`);
    await migrateUp(server.url);
    const { rows } = await client.query(`
      select u.username, s.settings, d.key from keel_user u
      join notification_setting s on s.user_id = u.id::text join notification_delivery d on d.user_id = u.id::text`);
    expect(rows).toEqual([{ username: 'first', settings: { of: 'operator' }, key: 'd' }]);
    const { rows: left } = await client.query('select from notification_setting');
    expect(left).toHaveLength(1);
    await client.end();
  });

  const monthly = '0105_monthly';
  const backTo = (name: string) => migrateDown(server.url, names.length - names.indexOf(name));
  /** What a run on days, weeks and months leaves behind, as far as the checks of timeframes see it. */
  const readByMonths = (run: string) =>
    query(`
      insert into strategy (id, name, mode, version) values ('${run}', 'By months', 'simulated', 1);
      insert into strategy_version (strategy_id, version, mode, workflow_id, settings, created_by)
        values ('${run}', 1, 'simulated', 'three-timeframes', '{}', 'tester');
      insert into run (id, workflow_id, mode, strategy_id, strategy_version, symbol, session, slot, definition_id, definition_version)
        values ('${run}', '${run}', 'simulated', '${run}', 1, 'SPX', '2015-06-30', 'after-close', 'three-timeframes', 1);
      insert into market_data (run_id, timeframe, mode, object_key, object_sha256, object_bytes, bar_count, first_bar, last_bar, source)
        select '${run}', timeframe, 'simulated', 'k', repeat('a', 64), 1, 1, now(), now(), 's'
        from unnest(array['daily', 'weekly', 'monthly']) timeframe;
      insert into chart (run_id, timeframe, mode, object_key, object_sha256, object_bytes, width, height)
        values ('${run}', 'monthly', 'simulated', 'k', repeat('a', 64), 1, 1, 1);
      insert into analysis (run_id, timeframe, mode, analyst, score, parts, close, last_bar, bar_count, reasons)
        values ('${run}', 'monthly', 'simulated', 'openai', 0, '{}', 1, now(), 1, '[]');
      insert into rules_opinion (run_id, mode, part, version, score, reasons)
        values ('${run}', 'simulated', 'monthly', '2', 0, '[]')`);

  it('take months back after a run that has read them: what it left stays, and no more is let in', async () => {
    await migrateUp(server.url);
    const before = await structure();
    await readByMonths('first');
    expect((await backTo(monthly)).at(-1)).toBe(monthly);
    const kept = await query(`
      select (select count(*) from market_data) || ' ' || (select count(*) from chart) || ' ' ||
        (select count(*) from analysis) || ' ' || (select count(*) from rules_opinion) as rows,
        (select count(*) from workflow_version where workflow_id = 'three-timeframes') as definitions`);
    expect(kept).toEqual([{ rows: '3 1 1 1', definitions: '1' }]);
    for (const [table, column] of [
      ['market_data', 'timeframe'],
      ['chart', 'timeframe'],
      ['analysis', 'timeframe'],
      ['rules_opinion', 'part'],
    ] as const) {
      const another = query(`
        insert into ${table} select (jsonb_populate_record(kept, '{"run_id": "nobody"}')).* from ${table} kept
        where ${column} = 'monthly'`);
      await expect(another, table).rejects.toThrow(`${table}_${column}_check`);
    }
    await migrateUp(server.url);
    expect(await structure()).toEqual(before);
    await readByMonths('second');
  });

  it('take months back with the definition that nobody used, and leave the one that somebody made', async () => {
    const definition = () => query(`select name from workflow where id = 'three-timeframes'`);
    await migrateUp(server.url);
    await backTo(monthly);
    expect(await definition()).toEqual([]);
    await query(`
      with made as (insert into workflow (id, name, version) values ('three-timeframes', 'Mine', 1) returning id)
      insert into workflow_version (workflow_id, version, steps, timeframes, analyst, gates, limits, created_by)
        select id, 1, '[]', '["daily"]', 'auto', '[]', '{}', 'tester' from made`);
    await migrateUp(server.url);
    await backTo(monthly);
    expect(await definition()).toEqual([{ name: 'Mine' }]);
  });

  it('send a new urgent event where settings send its like, and take it back', async () => {
    const matrices = async () =>
      (await query(`select settings -> 'matrix' as matrix from notification_setting order by user_id`)).map(
        ({ matrix }) => matrix,
      );
    await migrateUp(server.url);
    await backTo('0112_legs_over');
    await query(`
      insert into notification_setting (mode, user_id, settings) values
        ('simulated', 'a', '{"matrix": {"run.unprotected": ["inbox", "webhook"], "test": ["inbox"]}}'),
        ('simulated', 'b', '{"matrix": {"test": ["inbox"]}}')`);
    const before = await matrices();
    await migrateUp(server.url);
    const channels = ['inbox', 'webhook'];
    expect(await matrices()).toEqual([
      { 'run.unprotected': channels, 'position.unprotected': channels, test: ['inbox'] },
      { test: ['inbox'] },
    ]);
    await backTo('0112_legs_over');
    expect(await matrices()).toEqual(before);
  });

  it('know the way back of before where it was mended, and take the mended one', async () => {
    const head = `-- Refused where something was read by months or a strategy names the definition: evidence is not thrown away.
delete from workflow where id = 'three-timeframes' and owner_id is null;
`;
    edit(
      `${monthly}.down.sql`,
      (now) => head + now.slice(now.indexOf('alter table')).replaceAll(' not valid', ''),
    );
    await migrateUp(server.url, { directory });
    await readByMonths('first');
    const toMonthly = names.length - names.indexOf(monthly);
    await expect(migrateDown(server.url, toMonthly, { directory })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
    });
    expect((await migrationStatus(server.url)).find(({ name }) => name === monthly)?.appliedAt).toBeTruthy();
    expect(await migrateUp(server.url)).toEqual(names.slice(names.indexOf(monthly) + 1));
    expect((await backTo(monthly)).at(-1)).toBe(monthly);
  });

  it('leave each other alone: of two at once, one applies and the other finds nothing to do', async () => {
    const both = await Promise.all([migrateUp(server.url), migrateUp(server.url)]);
    expect(both.map((applied) => applied.length).sort()).toEqual([0, names.length]);
  });

  it('give up when another migration holds the lock too long', async () => {
    const holder = new Client({ connectionString: server.url });
    await holder.connect();
    await holder.query('select pg_advisory_lock(7308613710938664)');
    await expect(migrateUp(server.url, { lockTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'MIGRATION_RUNNING',
      errorClass: 'retryable',
    });
    await holder.end();
    expect(await migrateUp(server.url)).toEqual(names);
  });

  it.each(['.sql', '.down.sql'])('refuse an applied file whose %s has changed, by its name', async (end) => {
    await migrateUp(server.url, { directory });
    edit(`${names[1] ?? ''}${end}`, (text) => `${text}-- a harmless word\n`);
    for (const act of [migrateUp, (url: string) => migrateDown(url, 1, { directory })]) {
      await expect(act(server.url, { directory })).rejects.toMatchObject({
        code: 'MIGRATION_CHANGED',
        message: expect.stringContaining(names[1] ?? '') as string,
      });
    }
    await expect(migrationStatus(server.url, { directory })).rejects.toMatchObject({
      code: 'MIGRATION_CHANGED',
    });
  });

  it('roll a failing file back whole, and keep those before it', async () => {
    edit(`${names[2] ?? ''}.sql`, (text) => `${text}\nselect 1 / 0;\n`);
    await expect(migrateUp(server.url, { directory })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining(names[2] ?? '') as string,
    });
    expect(
      (await migrationStatus(server.url, { directory })).map((state) => state.appliedAt !== null),
    ).toEqual(names.map((_, index) => index < 2));
    expect(await query(`select to_regclass('order_intent') as table`)).toEqual([{ table: null }]);
  });

  it('refuse a database that a newer Keel has migrated', async () => {
    await migrateUp(server.url);
    const last = names.at(-1) ?? '';
    rmSync(path.join(directory, `${last}.sql`));
    rmSync(path.join(directory, `${last}.down.sql`));
    await expect(migrateUp(server.url, { directory })).rejects.toMatchObject({
      code: 'MIGRATION_UNKNOWN',
      message: expect.stringContaining(last) as string,
    });
  });

  it('refuse a new file that comes before an applied one', async () => {
    await migrateUp(server.url, { directory });
    writeFileSync(path.join(directory, '0000_late.sql'), 'select 1;');
    writeFileSync(path.join(directory, '0000_late.down.sql'), 'select 1;');
    await expect(migrateUp(server.url, { directory })).rejects.toMatchObject({ code: 'MIGRATION_ORDER' });
  });

  it.each([
    ['a file without its way back', '0009_lonely.sql', /0009_lonely\.down\.sql is missing/],
    ['a misnamed file', 'Nine.sql', /not named/],
    ['a number used twice', '0001_again.sql', /same number/],
  ])('refuse %s', async (_what, file, words) => {
    writeFileSync(path.join(directory, file), 'select 1;');
    await expect(migrateUp(server.url, { directory })).rejects.toThrow(words);
    expect(await structure()).toEqual([]);
  });

  it('say in one sentence that PostgreSQL is away, without the password', async () => {
    const url = 'postgres://keel:very-secret@127.0.0.1:1/keel';
    const error: unknown = await migrateUp(url).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'DATABASE_AWAY', errorClass: 'retryable' });
    expect(String(error)).toContain('127.0.0.1:1/keel');
    expect(JSON.stringify(error) + String(error)).not.toContain('very-secret');
  });
});

describe('keel migrate', () => {
  const call = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const code = await migrateCommand(
      args,
      (line) => out.push(line),
      (line) => err.push(line),
      () => server.url,
    );
    return { code, out, err };
  };

  it('tells what is pending, what it did, and what ever happened', async () => {
    const pending = names.map((name) => `pending  ${name}`);
    expect((await call('status')).out).toEqual(['APPLIED  MIGRATION', ...pending]);
    const asJson = JSON.parse((await call('status', '--json')).out.join('')) as object;
    expect(asJson).toEqual(names.map((name) => expect.objectContaining({ name, appliedAt: null }) as object));
    expect(await call('up')).toMatchObject({ code: 0, out: names.map((name) => `applied     ${name}`) });
    expect((await call('up')).out).toEqual(['Nothing is pending.']);
    expect((await call('down')).out).toEqual([`taken back  ${names.at(-1) ?? ''}`]);
    const { out } = await call('history');
    expect(out[0]).toMatch(/^AT +WAY +MIGRATION +SHA-256$/);
    expect(out).toHaveLength(names.length + 2);
    expect(out.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT\S+Z {2}down {2}0\d{3}_\w+ +[0-9a-f]{12}$/);
    expect((await migrationHistory(server.url)).at(-1)).toMatchObject({ direction: 'down' });
  });

  it.each([[[]], [['sideways']], [['down', 'all']], [['down', '0']], [['up', '1']]])(
    'refuses %j as wrong use and touches nothing',
    async (args) => {
      await expect(call(...args)).rejects.toMatchObject({ name: 'UsageError' });
      expect(await structure()).toEqual([]);
    },
  );

  it('ends with 1 and one line when PostgreSQL is away', async () => {
    const err: string[] = [];
    const code = await migrateCommand(
      ['status'],
      () => undefined,
      (line) => err.push(line),
      () => 'postgres://keel:very-secret@127.0.0.1:1/keel',
    );
    expect(code).toBe(1);
    expect(err).toHaveLength(1);
    expect(err[0]).toMatch(/^DATABASE_AWAY: /);
    expect(err[0]).not.toContain('secret');
  });
});
