// The embedded PostgreSQL as a process: started, stopped, killed, frozen, unreachable; and the pool that lives through it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureCluster, resetCluster, runningPostgres, startPostgres } from '../cli/supervisor/postgres.js';
import type { Cluster, RunningPostgres } from '../cli/supervisor/postgres.js';
import { unreachableParent } from '../cli/supervisor/postgresPlace.js';
import { isAlive, identify } from '../cli/supervisor/processTable.js';
import { poll } from '../cli/supervisor/wait.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { KeelError } from '../ports/errors.js';
import { freePort } from './support/ports.js';
import { tempFolder } from './support/temp.js';

const root = process.getuid?.() === 0;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const dataDir = (mode = 0o755): string => {
  const folder = tempFolder('postgres');
  chmodSync(folder.path, mode);
  cleanups.push(() => {
    resetCluster(folder.path);
    folder.remove();
  });
  return folder.path;
};

const start = async (
  cluster: Cluster,
  options: { port?: number; readOnly?: boolean } = {},
): Promise<RunningPostgres> => {
  const server = await startPostgres(cluster, { port: options.port ?? (await freePort()), ...options });
  cleanups.push(() => server.stop());
  return server;
};

let template: string | null = null;

/** A cluster that is new for the test: the first is made by initdb, the others are copies of it. */
const make = async (directory = dataDir()): Promise<{ cluster: Cluster; said: string[] }> => {
  const said: string[] = [];
  const place = path.join(directory, 'postgres');
  if (template !== null && !existsSync(place) && isOpen(directory)) {
    execFileSync('cp', ['-a', path.join(template, 'postgres'), place]);
  }
  const cluster = await ensureCluster({ dataDir: directory, log: (message) => said.push(message) });
  return { cluster, said };
};

const isOpen = (directory: string): boolean =>
  existsSync(directory) && (statSync(directory).mode & 0o001) !== 0;

beforeAll(async () => {
  const folder = tempFolder('postgres-template');
  chmodSync(folder.path, 0o755);
  await make(folder.path);
  template = folder.path;
  return () => {
    folder.remove();
  };
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const failure = async (work: Promise<unknown>): Promise<KeelError> => {
  const error: unknown = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof KeelError)) throw new Error(`no KeelError: ${String(error)}`);
  expect(error.message).not.toContain('\n');
  return error;
};

const pool = (url: string): Database => {
  const db = connect({
    url,
    poolSize: 4,
    connectTimeoutMs: 3000,
    statementTimeoutMs: 3000,
    lockTimeoutMs: 1500,
  });
  cleanups.push(() => db.close());
  return db;
};
const ping = (db: Database): Promise<unknown> => db.guard(() => db.pool.query('select 1'));

describe('the embedded PostgreSQL', () => {
  it('serves Keel on loopback, with a password, durable and in its own process group', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    expect(server.url).toMatch(/^postgres:\/\/keel:[\w-]{32}@127\.0\.0\.1:\d+\/keel$/);
    const wanted = {
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      TimeZone: 'UTC',
      password_encryption: 'scram-sha-256',
    };
    for (const [name, value] of Object.entries(wanted)) {
      expect(await query(server.url, `select current_setting('${name}') as value`)).toEqual([{ value }]);
    }
    const wrong = server.url.replace(/keel:[^@]+@/, 'keel:wrong@');
    await expect(query(wrong, 'select 1')).rejects.toThrow(/password authentication failed/);
    expect(Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(server.pid)], { encoding: 'utf8' }))).toBe(
      server.pid,
    );
    expect(statSync(path.join(server.databaseDir, 'password')).mode & 0o777).toBe(0o600);
    expect(statSync(server.databaseDir).mode & 0o777).toBe(0o700);
  });

  it('keeps its data and password over a stop and a start, and stops with clients connected', async () => {
    const directory = dataDir();
    const { cluster } = await make(directory);
    const first = await start(cluster);
    const client = new Client({ connectionString: first.url });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('create table kept as select 42 as answer');
    await first.stop();
    expect(isAlive(identify(first.pid))).toBe(false);
    await client.end();
    const again = await start((await make(directory)).cluster);
    expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('refuses writes when it is started for reading only', async () => {
    const { cluster } = await make();
    const writable = await start(cluster);
    await query(writable.url, 'create table kept as select 42 as answer');
    await writable.stop();
    const server = await start(cluster, { readOnly: true });
    expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    const db = pool(server.url);
    const error = await failure(db.guard(() => db.pool.query('insert into kept values (1)')));
    expect(error.code).toBe('DATABASE_READ_ONLY');
  });

  it('starts again at once after a SIGKILL, with everything committed', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    await query(server.url, 'create table kept as select 42 as answer');
    process.kill(-server.pid, 'SIGKILL');
    expect(existsSync(path.join(cluster.databaseDir, 'data', 'postmaster.pid'))).toBe(true);
    await poll(60_000, 5, () => (isAlive(identify(server.pid)) ? null : true));
    const again = await start(cluster);
    expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('is not deceived by a leftover postmaster.pid whose pid another program has now', async () => {
    const { cluster } = await make();
    const other = spawn('sleep', ['60']);
    await once(other, 'spawn');
    cleanups.push(() => {
      other.kill('SIGKILL');
    });
    const data = path.join(cluster.databaseDir, 'data');
    writeFileSync(path.join(data, 'postmaster.pid'), `${String(other.pid)}\n${data}\n0\n5432\n\n\n`);
    expect(runningPostgres(cluster)).toBeNull();
    const server = await start(cluster);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(isAlive(identify(other.pid ?? 0))).toBe(true);
  });

  it('finds a server that an earlier start has left, refuses a second one, and can stop it', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    expect((await failure(startPostgres(cluster, { port: await freePort() }))).code).toBe('POSTGRES_RUNNING');
    expect(() => {
      resetCluster(path.dirname(cluster.databaseDir));
    }).toThrow(/runs on/);
    const found = runningPostgres(cluster);
    expect(found).toMatchObject({ pid: server.pid, port: server.port, url: server.url });
    await found?.stop();
    expect(runningPostgres(cluster)).toBeNull();
  });

  it('is killed when it does not stop in time', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    process.kill(server.pid, 'SIGSTOP');
    await server.stop(200);
    expect(isAlive(identify(server.pid))).toBe(false);
  });
});

describe('what can be wrong is one clear error', () => {
  it('a taken port', async () => {
    const { cluster } = await make();
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    cleanups.push(() => {
      holder.close();
    });
    const address = holder.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const error = await failure(startPostgres(cluster, { port }));
    expect(error).toMatchObject({ code: 'PORT_TAKEN', facts: { port } });
    expect(error.message).toContain(String(port));
  });

  it('the port of another PostgreSQL', async () => {
    const first = await start((await make()).cluster);
    const { cluster } = await make();
    expect((await failure(startPostgres(cluster, { port: first.port }))).code).toBe('PORT_TAKEN');
  });

  it('a corrupt cluster', async () => {
    const { cluster } = await make();
    writeFileSync(path.join(cluster.databaseDir, 'data', 'global', 'pg_control'), 'nonsense');
    const error = await failure(startPostgres(cluster, { port: await freePort() }));
    expect(error.code).toBe('POSTGRES_CORRUPT');
    expect(error.message).toContain('--reset');
  });

  it('a cluster without, or of another, version', async () => {
    const directory = dataDir();
    const { cluster } = await make(directory);
    const file = path.join(cluster.databaseDir, 'data', 'PG_VERSION');
    writeFileSync(file, '9\n');
    expect((await failure(make(directory))).code).toBe('POSTGRES_VERSION');
    rmSync(file);
    expect((await failure(make(directory))).code).toBe('POSTGRES_CORRUPT');
  });

  it('a cluster whose password is lost', async () => {
    const { cluster } = await make();
    rmSync(path.join(cluster.databaseDir, 'password'));
    const error = await failure(startPostgres(cluster, { port: await freePort() }));
    expect(error.code).toBe('POSTGRES_CORRUPT');
    expect(runningPostgres(cluster)).toBeNull();
  });

  it('a data directory that cannot be made', async () => {
    const directory = dataDir();
    writeFileSync(path.join(directory, 'file'), '');
    const error = await failure(make(path.join(directory, 'file', 'data')));
    expect(error.code).toBe('DATA_DIR_READ_ONLY');
    expect(error.message).toContain('--data-dir');
  });

  it('a directory that is a link to somewhere else', async () => {
    const directory = dataDir();
    const elsewhere = dataDir();
    execFileSync('ln', ['-s', elsewhere, path.join(directory, 'postgres')]);
    expect((await failure(make(directory))).code).toBe('FOREIGN_DIRECTORY');
    rmSync(path.join(directory, 'postgres'));
  });

  it('an initdb that was killed is begun anew', async () => {
    const directory = dataDir();
    const { cluster } = await make(directory);
    const data = path.join(cluster.databaseDir, 'data');
    renameSync(data, `${data}.new`);
    rmSync(path.join(`${data}.new`, 'global'), { recursive: true });
    const server = await start((await make(directory)).cluster);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe.runIf(root)('as root', () => {
  it('runs as another user, in the data directory where that user can reach it', async () => {
    const directory = dataDir();
    const { cluster } = await make(directory);
    expect(cluster).toMatchObject({ databaseDir: path.join(directory, 'postgres'), moved: false });
    const server = await start(cluster);
    expect(statSync(`/proc/${String(server.pid)}`).uid).not.toBe(0);
  });

  it('keeps the data of an unreachable directory under /var/lib/keel, says so, and finds them again', async () => {
    const directory = dataDir(0o700);
    const { cluster, said } = await make(directory);
    expect(cluster.moved).toBe(true);
    expect(cluster.databaseDir).toMatch(/^\/var\/lib\/keel\/[0-9a-f]{16}\/postgres$/);
    expect(said.join()).toContain(cluster.databaseDir);
    expect(said.join()).toContain(directory);
    const shared = path.dirname(cluster.databaseDir);
    expect(statSync(shared)).toMatchObject({ uid: 0 });
    expect(statSync(shared).mode & 0o022).toBe(0);
    const server = await start(cluster);
    await query(server.url, 'create table kept as select 42 as answer');
    await server.stop();
    const again = await start((await make(directory)).cluster);
    expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await again.stop();
    resetCluster(directory);
    expect(existsSync(shared)).toBe(false);
  });

  it('trusts no directory there that another user could have made', async () => {
    const directory = dataDir(0o700);
    const { cluster } = await make(directory);
    const shared = path.dirname(cluster.databaseDir);
    chownSync(shared, 65534, 65534);
    const error = await failure(make(directory));
    chownSync(shared, 0, 0);
    expect(error).toMatchObject({ code: 'FOREIGN_DIRECTORY', facts: { path: shared } });
  });

  it('sees the first directory on the way that a user may not pass', () => {
    const directory = dataDir();
    mkdirSync(path.join(directory, 'a/b/c'), { recursive: true });
    const nobody = { uid: 65534, gid: 65534 };
    expect(unreachableParent(path.join(directory, 'a/b/c'), nobody)).toBeNull();
    chmodSync(path.join(directory, 'a/b'), 0o700);
    expect(unreachableParent(path.join(directory, 'a/b/c'), nobody)).toBe(path.join(directory, 'a/b'));
    chownSync(path.join(directory, 'a/b'), 0, 65534);
    chmodSync(path.join(directory, 'a/b'), 0o701);
    expect(unreachableParent(path.join(directory, 'a/b/c'), nobody)).toBe(path.join(directory, 'a/b'));
  });
});

describe('the pool', () => {
  it('says DATABASE_AWAY within its timeouts while PostgreSQL is frozen, and works again after', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    const db = pool(server.url);
    await ping(db);
    const backends = await query(
      server.url,
      `select pid from pg_stat_activity where application_name = 'keel'`,
    );
    const frozen = [server.pid, ...backends.map(({ pid }) => Number(pid))];
    const signal = (name: NodeJS.Signals): void => {
      for (const pid of frozen) process.kill(pid, name);
    };
    signal('SIGSTOP');
    cleanups.push(() => {
      if (isAlive(identify(server.pid))) process.kill(server.pid, 'SIGCONT');
    });
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => failure(ping(db))));
    expect(performance.now() - began).toBeLessThan(18_000);
    for (const error of answers) {
      expect(error).toMatchObject({ code: 'DATABASE_AWAY', errorClass: 'retryable' });
      expect(error.message).toContain(`127.0.0.1:${String(server.port)}/keel`);
      expect(error.message).not.toContain(new URL(server.url).password);
    }
    signal('SIGCONT');
    await ping(db);
  });

  it('says DATABASE_AWAY while PostgreSQL is gone, and works again with the next one on its port', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    const db = pool(server.url);
    await Promise.all([ping(db), ping(db)]);
    const sleeping = failure(db.guard(() => db.pool.query('select pg_sleep(2.9)')));
    process.kill(-server.pid, 'SIGKILL');
    expect((await sleeping).code).toBe('DATABASE_AWAY');
    const refused = await poll(60_000, 20, async () => {
      const error = await failure(ping(db));
      expect(error.code).toBe('DATABASE_AWAY');
      return error.message.includes('ECONNREFUSED') ? error : null;
    });
    expect(refused).not.toBeNull();
    await start(cluster, { port: server.port });
    await ping(db);
  });

  it('closes in time while PostgreSQL is frozen', async () => {
    const { cluster } = await make();
    const server = await start(cluster);
    const db = pool(server.url);
    await ping(db);
    process.kill(server.pid, 'SIGSTOP');
    // Two seconds by the process's own timers, however slow the machine is.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const closed = db.close();
      await vi.advanceTimersByTimeAsync(2000);
      await closed;
    } finally {
      vi.useRealTimers();
      process.kill(server.pid, 'SIGCONT');
    }
  });

  it('ends a statement that takes too long, and tells a wrong password from a server that is away', async () => {
    const server = await start((await make()).cluster);
    const db = pool(server.url);
    expect(await failure(db.guard(() => db.pool.query('select pg_sleep(30)')))).toMatchObject({
      code: 'DATABASE_SLOW',
      errorClass: 'retryable',
    });
    const wrong = pool(server.url.replace(/keel:[^@]+@/, 'keel:wrong-word@'));
    const error = await failure(ping(wrong));
    expect(error).toMatchObject({ code: 'DATABASE_REFUSED', errorClass: 'final' });
    expect(error.message).not.toContain('wrong-word');
    const unknown = pool(server.url.replace(/\/keel$/, '/nowhere'));
    expect((await failure(ping(unknown))).code).toBe('DATABASE_REFUSED');
    const empty = await failure(db.guard(() => db.pool.query('select * from run')));
    expect(empty.code).toBe('DATABASE_NOT_MIGRATED');
    expect(readFileSync(path.join(server.databaseDir, 'log'), 'utf8')).not.toContain('select * from run');
  });
});
