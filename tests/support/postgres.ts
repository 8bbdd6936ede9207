// A migrated database of its own for a test file: in an embedded PostgreSQL that ends with the tests, or in the server
// of DATABASE_URL.
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { Client } from 'pg';
import { ensureCluster, resetCluster, startPostgres } from '../../cli/supervisor/postgres.js';
import { migrateUp } from '../../db/migrate.js';
import { freePort } from './ports.js';
import { tempFolder } from './temp.js';

export interface TestPostgres {
  /** postgres://… with user and password. */
  readonly url: string;
  /** Of the server, where the test has started it; null with DATABASE_URL. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function ownDatabase(serverUrl: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `keel_test_${randomBytes(6).toString('hex')}`;
  await run(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(serverUrl, `drop database ${name} with (force)`) };
}

/** A server of the tests' own, even when DATABASE_URL is set: for tests that stop or freeze it. */
export async function startOwnPostgres(): Promise<TestPostgres> {
  const folder = tempFolder('postgres');
  // Else root would have to keep it elsewhere, which tests/postgres.test.ts tries on purpose.
  chmodSync(folder.path, 0o755);
  const cluster = await ensureCluster({ dataDir: folder.path, log: () => undefined });
  const server = await startPostgres(cluster, { port: await freePort() });
  const killAtExit = (): void => {
    process.kill(-server.pid, 'SIGKILL');
  };
  process.once('exit', killAtExit);
  await migrateUp(server.url);
  return {
    url: server.url,
    pid: server.pid,
    stop: async () => {
      await server.stop();
      process.off('exit', killAtExit);
      resetCluster(folder.path);
      folder.remove();
    },
  };
}

/** An empty database with all migrations applied. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const given = process.env.DATABASE_URL;
  if (given === undefined || given === '') return startOwnPostgres();
  const { url, drop } = await ownDatabase(given);
  await migrateUp(url);
  return { url, pid: null, stop: drop };
}
