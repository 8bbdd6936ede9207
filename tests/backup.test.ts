// `keel backup` and `keel restore`: a round trip of a real run that `keel verify` proves, and backups that are refused before
// anything is touched. Real PostgreSQL.
import { chmodSync, cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../activities/objects.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { readManifest, sha256Of, type Manifest } from '../cli/backup/manifest.js';
import { plainProgress } from '../cli/progress.js';
import { checkBackup, restoreBackup } from '../cli/backup/restore.js';
import { backupCommand, restoreCommand } from '../cli/commands/backup.js';
import { writeBackup } from '../cli/backup/write.js';
import { ensureCluster, resetCluster, startPostgres } from '../cli/supervisor/postgres.js';
import { checkAudit } from '../db/auditChain.js';
import { connect } from '../db/connect.js';
import { migrateDown, migrateUp, migrationStatus } from '../db/migrate.js';
import { claimMode } from '../db/mode.js';
import { createStores } from '../db/stores.js';
import { readRows, readShapes } from '../db/tableCopy.js';
import { freePort } from './support/ports.js';
import { startOwnPostgres, type TestPostgres } from './support/postgres.js';
import { demoSettings } from './support/stack.js';
import { keel, npmStart } from './support/start.js';
import { tempFolder } from './support/temp.js';

const limits = { poolSize: 2, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 5000 };

const walk = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('.'))
    .sort();

describe('a run that was backed up, lost and restored', () => {
  const folder = tempFolder('backup-run');
  const dataDir = path.join(folder.path, 'keel');
  const backup = path.join(folder.path, 'backup');
  const out = path.join(folder.path, 'out.json');
  const at = ['--data-dir', dataDir];
  const words = ({ out: said, err }: { out: readonly string[]; err: readonly string[] }): string =>
    [...said, ...err].join('\n');
  afterAll(() => {
    resetCluster(dataDir);
    folder.remove();
  });

  it('is proved by keel verify and an audit trail that ends where it did', async () => {
    chmodSync(folder.path, 0o755);
    const run = await npmStart(['--once', ...at, '--json', out]);
    expect(run.code, words(run)).toBe(0);
    const made = await keel(['backup', backup, ...at]);
    expect(made.code, words(made)).toBe(0);
    const objects = walk(path.join(dataDir, 'objects'));
    expect(objects.length).toBeGreaterThan(5);
    expect(walk(path.join(backup, 'objects'))).toEqual(objects);
    expect(
      walk(backup)
        .map((name) => readFileSync(path.join(backup, name), 'latin1'))
        .join('\n'),
    ).not.toMatch(new RegExp(readFileSync(path.join(dataDir, 'auth.secret'), 'utf8').trim()));

    resetCluster(dataDir);
    rmSync(path.join(dataDir, 'objects'), { recursive: true });
    expect((await keel(['verify', out])).code).toBe(1);

    const restored = await keel(['restore', backup, ...at]);
    expect(restored.code, words(restored)).toBe(0);
    const proof = await keel(['verify', out]);
    expect(proof.code, words(proof)).toBe(0);
    const again = await keel(['restore', backup, ...at]);
    expect(again.code).toBe(1);
    expect(words(again)).toMatch(/not empty .* Nothing was changed/);

    const server = await startPostgres(await ensureCluster({ dataDir, log: () => undefined }), {
      port: await freePort(),
    });
    const db = connect({ url: server.url, ...limits });
    const trail = await checkAudit(db);
    await db.close();
    await server.stop();
    expect(trail).toEqual({ head: readManifest(backup).audit, fault: null });
  });
});

describe('a backup', () => {
  const folder = tempFolder('backup');
  const whole = path.join(folder.path, 'whole');
  const copy = path.join(folder.path, 'copy');
  const store = createFilesystemObjectStore({ directory: path.join(folder.path, 'objects') });
  const target = createFilesystemObjectStore({ directory: path.join(folder.path, 'target') });
  let server: TestPostgres;
  let emptyUrl: string;
  let manifest: Manifest;

  const on = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: url, options: '-c TimeZone=UTC -c DateStyle=ISO' });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  /** Every row of every table, as text. */
  const contents = (url: string): Promise<Record<string, string[]>> =>
    on(url, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `select quote_ident(relname) as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
      );
      const found: Record<string, string[]> = {};
      for (const { name } of rows) {
        const lines = await client.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
        found[name] = lines.rows.map(({ row }) => row);
      }
      return found;
    });
  /** After the restore's one mark was seen and taken off: that a run was open in the backup. */
  const restored = (url: string): Promise<Record<string, string[]>> =>
    on(url, async (client) => {
      const marked = await client.query(
        'update run set restored_at = null where restored_at is not null returning id',
      );
      expect(marked.rows).toEqual([{ id: 'r1' }]);
    }).then(() => contents(url));
  const restore = (
    directory: string,
    url: string,
    replace = false,
    mode: Manifest['mode'] = 'simulated',
  ): Promise<Manifest> =>
    on(url, (client) => restoreBackup(directory, { client, objects: target, mode, replace }));
  const makeDatabase = (name: string): Promise<string> =>
    on(server.url, async (client) => {
      await client.query(`create database ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    });
  /** Writes a manifest that fits what is there, as an attacker or a defect would. */
  const seal = (directory: string, change: (manifest: Manifest) => unknown): void => {
    const text = JSON.stringify(change(readManifest(directory)));
    writeFileSync(path.join(directory, 'manifest.json'), text);
    writeFileSync(path.join(directory, 'manifest.sha256'), sha256Of(text));
  };

  beforeAll(async () => {
    server = await startOwnPostgres();
    await store.ensureBucket();
    const db = connect({ url: server.url, ...limits });
    await claimMode(db, 'simulated');
    const stores = createStores(db, 'simulated');
    const identity = { email: 'maria@example.com', username: 'maria', role: 'trader' } as const;
    await stores.users.create(
      { ...identity, mustChangePassword: false, passwordHash: '$argon2id$x' },
      'test',
    );
    await stores.strategies.create({ id: 'demo', name: 'dé\u2028mo\n"\\', settings: demoSettings }, 'test');
    for (let index = 0; index < 1200; index += 1) {
      await stores.audit.append({ actor: 'test', action: 'count', subject: String(index), facts: { index } });
    }
    const object = await putJson(store, 'bars', { rows: [] });
    await db.pool.query(
      `insert into run (id, workflow_id, mode, strategy_id, strategy_version, symbol, session, slot)
       values ('r1', 'w1', 'simulated', 'demo', 1, 'AAPL', '2014-07-07', 'after-close')`,
    );
    await db.pool.query(
      `insert into market_data (run_id, timeframe, mode, object_key, object_sha256, object_bytes, bar_count, first_bar, last_bar, source)
       values ('r1', 'daily', 'simulated', $1, $2, $3, 0, now(), now(), 'test')`,
      [object.key, object.sha256, object.bytes],
    );
    await db.close();
    emptyUrl = await makeDatabase('keel_target');
    manifest = await on(server.url, (client) =>
      writeBackup({ url: server.url, client, objects: store, keelVersion: '0', config: {} }, whole),
    );
  });
  afterAll(async () => {
    await server.stop();
    folder.remove();
  });
  beforeEach(() => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(whole, copy, { recursive: true });
  });

  it('goes into an empty database row by row, numbers going on, objects too', async () => {
    await restore(whole, emptyUrl);
    expect(await restored(emptyUrl)).toEqual(await contents(server.url));
    expect(await target.has(manifest.objects[0]?.key ?? '')).toBe(true);
    const db = connect({ url: emptyUrl, ...limits });
    const entry = { actor: 'test', action: 'after', subject: 'restore', facts: {} };
    await createStores(db, 'simulated').audit.append(entry);
    const { head, fault } = await checkAudit(db);
    await expect(db.pool.query(`update audit set actor = 'x'`)).rejects.toThrow('only grows');
    await db.close();
    expect({ position: head.position, fault }).toEqual({
      position: manifest.audit.position + 1,
      fault: null,
    });
  });

  it('replaces what is there only when told, and never beside a Keel that runs', async () => {
    const before = await contents(emptyUrl);
    await expect(restore(whole, emptyUrl)).rejects.toThrow(/not empty .*--replace/);
    const db = connect({ url: emptyUrl, ...limits });
    await db.pool.query('select 1');
    await expect(restore(whole, emptyUrl, true)).rejects.toThrow(/stop its workers and APIs/);
    await db.close();
    expect(await contents(emptyUrl)).toEqual(before);
    await restore(whole, emptyUrl, true);
    expect(await restored(emptyUrl)).toEqual(await contents(server.url));
  });

  it('of an older Keel is brought up to date', async () => {
    await restore(whole, emptyUrl, true);
    await migrateDown(emptyUrl, 1);
    const tables: Manifest['tables'] = await on(emptyUrl, async (client) => {
      await client.query('begin');
      const written: Manifest['tables'] = [];
      for (const { name, columns } of await readShapes(client)) {
        const lines: string[] = [];
        for await (const page of readRows(client, { name, columns })) lines.push(...page);
        const text = lines.map((line) => `${line}\n`).join('');
        const file = { path: `tables/${name}.jsonl`, sha256: sha256Of(text), bytes: Buffer.byteLength(text) };
        writeFileSync(path.join(copy, file.path), text);
        written.push({ name, columns: [...columns], rows: lines.length, file });
      }
      return written;
    });
    seal(copy, (given) => ({ ...given, migrations: given.migrations.slice(0, -1), tables }));
    await restore(copy, emptyUrl, true);
    const pending = (await migrationStatus(emptyUrl)).filter(({ appliedAt }) => appliedAt === null);
    expect(pending).toEqual([]);
    expect((await contents(emptyUrl))['audit']).toEqual((await contents(server.url))['audit']);
  });

  it('of a Keel that had not yet a migration below its last is brought up to date too', async () => {
    // The one that made nothing but a table: as if it had come later than the one after it.
    const late = '0070_purged_objects';
    const history = 'tables/keel_migration.jsonl';
    const lines = readFileSync(path.join(copy, history), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.includes(late));
    const text = lines.map((line) => `${line}\n`).join('');
    writeFileSync(path.join(copy, history), text);
    const file = { path: history, sha256: sha256Of(text), bytes: Buffer.byteLength(text) };
    seal(copy, (given) => ({
      ...given,
      migrations: given.migrations.filter(({ name }) => name !== late),
      tables: given.tables
        .filter(({ name }) => name !== 'purged_object')
        .map((each) => (each.name === 'keel_migration' ? { ...each, file, rows: lines.length } : each)),
    }));
    await restore(copy, emptyUrl, true);
    const states = await migrationStatus(emptyUrl);
    expect(states.filter(({ appliedAt }) => appliedAt === null)).toEqual([]);
    expect((await contents(emptyUrl))['audit']).toEqual((await contents(server.url))['audit']);
  });

  const table = 'tables/audit.jsonl';
  const damages: readonly (readonly [string, () => void, RegExp])[] = [
    [
      'a changed byte in a table',
      () => {
        flip(table);
      },
      /audit\.jsonl has changed/,
    ],
    [
      'a table cut off',
      () => {
        truncateSync(path.join(copy, table), 100);
      },
      /has 100 bytes in place of/,
    ],
    [
      'a missing table',
      () => {
        rmSync(path.join(copy, table));
      },
      /audit\.jsonl is missing/,
    ],
    [
      'a changed object',
      () => {
        flip(`objects/${manifest.objects[0]?.key ?? ''}`);
      },
      /objects\/bars\/.* has changed/,
    ],
    [
      'a changed manifest',
      () => {
        flip('manifest.json');
      },
      /manifest\.json has changed/,
    ],
    [
      'no manifest, as a backup that was cut off',
      () => {
        rmSync(path.join(copy, 'manifest.json'));
      },
      /manifest\.json cannot be read/,
    ],
    [
      'a newer format',
      () => {
        seal(copy, (given) => ({ ...given, format: 2 }));
      },
      /has format 2/,
    ],
    [
      'a newer migration',
      () => {
        seal(copy, (given) => ({
          ...given,
          migrations: [...given.migrations, { name: '9999_later', sha256: '0'.repeat(64) }],
        }));
      },
      /newer Keel .*9999_later/,
    ],
    [
      'another text of a migration',
      () => {
        seal(copy, (given) => ({
          ...given,
          migrations: given.migrations.map((each, index) =>
            index === 0 ? { ...each, sha256: '0'.repeat(64) } : each,
          ),
        }));
      },
      /another migration 0001/,
    ],
    [
      'a path that leaves it',
      () => {
        seal(copy, (given) => ({ ...given, config: { ...given.config, path: 'objects/../../x' } }));
      },
      /cannot be understood/,
    ],
  ];
  const flip = (file: string): void => {
    const bytes = readFileSync(path.join(copy, file));
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    writeFileSync(path.join(copy, file), bytes);
  };

  it.each(damages)('with %s is refused before anything is touched', async (_what, damage, why) => {
    const before = await contents(emptyUrl);
    damage();
    await expect(checkBackup(copy)).rejects.toThrow(why);
    await expect(restore(copy, emptyUrl, true)).rejects.toThrow(why);
    expect(await contents(emptyUrl)).toEqual(before);
  });

  it('that fails half-way leaves the database as it was', async () => {
    const before = await contents(emptyUrl);
    seal(copy, (given) => {
      const file = path.join(copy, table);
      const lines = readFileSync(file, 'utf8').replace('"simulated"', '"sideways"');
      writeFileSync(file, lines);
      return {
        ...given,
        tables: given.tables.map((each) =>
          each.name === 'audit'
            ? { ...each, file: { ...each.file, bytes: Buffer.byteLength(lines), sha256: sha256Of(lines) } }
            : each,
        ),
      };
    });
    await expect(restore(copy, emptyUrl, true)).rejects.toThrow(/audit_mode_check/);
    expect(await contents(emptyUrl)).toEqual(before);
  });

  it('is not made over another, nor of an object that is damaged', async () => {
    const make = (directory: string) =>
      on(server.url, (client) =>
        writeBackup({ url: server.url, client, objects: store, keelVersion: '0', config: {} }, directory),
      );
    await expect(make(whole)).rejects.toThrow('is there already');
    const key = manifest.objects[0]?.key ?? '';
    const bytes = await store.get(key);
    await store.put(key, new TextEncoder().encode('something else'), 'text/plain');
    const other = path.join(folder.path, 'other');
    await expect(make(other)).rejects.toThrow(/is damaged/);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('other'))).toEqual([]);
    await store.put(key, bytes, 'application/json');
  });

  it('replaces no database of another mode, and is not put back by a process of another mode', async () => {
    const liveUrl = await makeDatabase('keel_live');
    await migrateUp(liveUrl);
    const live = connect({ url: liveUrl, ...limits });
    await claimMode(live, 'live');
    await live.close();
    for (const [url, mode, why] of [
      [liveUrl, 'simulated', /of mode simulated, and this database of mode live/],
      [emptyUrl, 'paper', /of mode simulated, and KEEL_MODE is paper/],
    ] as const) {
      const before = await contents(url);
      await expect(restore(whole, url, true, mode)).rejects.toThrow(why);
      expect(await contents(url)).toEqual(before);
    }
  });

  it.each([
    ['function', 'function customer() returns int language sql as $$ select 1 $$'],
    ['type', `type customer as enum ('a')`],
    ['table', 'sequence customer'],
    ['extension', 'extension btree_gin'],
  ])('does not take with it a %s that is not of Keel: create %s', async (kind, what) => {
    await on(emptyUrl, (client) => client.query(`create ${what}`));
    const [, sql = '', name = ''] = /^(\w+) (\w+)/.exec(what) ?? [];
    const words = new RegExp(`not this Keel's \\(${kind === 'table' ? '' : `${kind} `}${name}\\)`);
    await expect(restore(whole, emptyUrl, true)).rejects.toThrow(words);
    await on(emptyUrl, (client) => client.query(`drop ${sql} ${name}`));
    await restore(whole, emptyUrl, true);
  });

  it('that was made while the retention was no more kept away is thrown away', async () => {
    const lost = path.join(folder.path, 'lost');
    let asked = 0;
    const held = (): boolean => (asked += 1) < 2;
    await expect(
      on(server.url, (client) =>
        writeBackup({ url: server.url, client, objects: store, keelVersion: '0', config: {}, held }, lost),
      ),
    ).rejects.toThrow(/make it again/);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('lost'))).toEqual([]);
  });

  it('ends the logins that are open in it: one that was ended since would be good again', async () => {
    const ownUrl = await makeDatabase('keel_logins');
    await migrateUp(ownUrl);
    const db = connect({ url: ownUrl, ...limits });
    await claimMode(db, 'simulated');
    const stores = createStores(db, 'simulated');
    const identity = { email: 'nadia@example.com', username: 'nadia', role: 'admin' } as const;
    const made = await stores.users.create(
      { ...identity, mustChangePassword: false, passwordHash: '$argon2id$x' },
      'test',
    );
    const opening = { userId: made.id, checkedHash: null, days: 30, proof: 'none' } as const;
    const open = await stores.logins.open({ ...opening, refreshHash: 'a'.repeat(64) }, 'test');
    const over = await stores.logins.open({ ...opening, refreshHash: 'b'.repeat(64) }, 'test');
    await stores.logins.end(over ?? '', 'test');
    expect(await stores.logins.good(open ?? '')).not.toBeNull();
    await db.close();
    const directory = path.join(folder.path, 'logins');
    const { audit } = await on(ownUrl, (client) =>
      writeBackup({ url: ownUrl, client, objects: store, keelVersion: '0', config: {} }, directory),
    );
    await restore(directory, ownUrl, true);
    const after = connect({ url: ownUrl, ...limits });
    expect(await createStores(after, 'simulated').logins.good(open ?? '')).toBeNull();
    const { rows } = await after.pool.query(
      `select actor, action, subject, facts ->> 'reason' as reason from audit where position > $1`,
      [audit.position],
    );
    expect(rows).toEqual([
      { actor: 'restore', action: 'login.end', subject: 'user:nadia', reason: 'restore' },
    ]);
    expect((await checkAudit(after)).fault).toBeNull();
    await after.close();
  });

  it.each(['table customer (id int)', 'view customer as select 1 as id'])(
    'does not take with it a %s that is not of Keel, beside its own tables or alone',
    async (what) => {
      const foreignUrl = await makeDatabase(`keel_foreign_${what.slice(0, 4)}`);
      for (const url of [foreignUrl, emptyUrl]) {
        await on(url, (client) => client.query(`create ${what}`));
        const before = await contents(url);
        await expect(restore(whole, url, true)).rejects.toThrow(/not this Keel's \(customer\)/);
        expect(await contents(url)).toEqual(before);
        await on(url, (client) => client.query(`drop ${what.split(' ')[0] ?? ''} customer`));
      }
      await restore(whole, emptyUrl, true);
    },
  );

  it('is not made of, nor put into, a database that DATABASE_URL and --data-dir name differently', async () => {
    const said: string[] = [];
    const out = (line: string): unknown => said.push(line);
    const env = { DATABASE_URL: emptyUrl };
    const at = ['--data-dir', path.join(folder.path, 'elsewhere')];
    const before = await contents(emptyUrl);
    await expect(restoreCommand([whole, '--replace', ...at], out, env)).rejects.toThrow(/two databases/);
    const other = path.join(folder.path, 'of-which');
    await expect(backupCommand([other, ...at], out, env)).rejects.toThrow(/two databases/);
    expect(await contents(emptyUrl)).toEqual(before);
    expect(said).toEqual([]);
  });

  it('names what rows name and the store does not have, ends with 1, and is whole but for that', async () => {
    const looksLikeOne = (letter: string): string => `charts/${letter.repeat(64)}.png`;
    const db = connect({ url: server.url, ...limits });
    const entry = { actor: 'test', action: 'note', subject: 'text', facts: { text: looksLikeOne('a') } };
    await createStores(db, 'simulated').audit.append(entry);
    await db.pool.query(
      `insert into notification_setting (mode, user_id, settings) values ('simulated', '1', $1)`,
      [JSON.stringify({ webhook: `https://example.com/${looksLikeOne('b')}` })],
    );
    await db.close();
    const key = manifest.objects[0]?.key ?? '';
    const bytes = await store.get(key);
    await store.delete(key);
    const partial = path.join(folder.path, 'partial');
    const said: string[] = [];
    const env = { DATABASE_URL: server.url, KEEL_OBJECT_DIR: path.join(folder.path, 'objects') };
    const told: string[] = [];
    const progress = plainProgress((line) => told.push(line));
    expect(await backupCommand([partial], (line) => said.push(line), env, progress)).toBe(1);
    const { tables } = manifest;
    expect(told).toContain(`tables: ${String(tables.length)} of ${String(tables.length)}`);
    await store.put(key, bytes, 'application/json');
    const missing = [key, looksLikeOne('a')].sort();
    expect((await checkBackup(partial)).missing).toEqual(missing);
    expect(said.join('\n')).toContain(`2 objects are named by rows and were not in the store`);
    for (const each of missing) expect(said.join('\n')).toContain(each);
    await restore(partial, emptyUrl, true);
    expect(await restored(emptyUrl)).toEqual(await contents(server.url));
  });
});
