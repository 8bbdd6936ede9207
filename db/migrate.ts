// Applies and takes back the SQL files of db/migrations, and those of the simulator in its own schema. Called by the supervisor,
// `keel migrate`, the simulator and the tests.
// The files are the truth: schema.ts follows them, and a test compares both.
import { Client } from 'pg';
import type { ClientBase } from 'pg';
import { KeelError } from '../ports/errors.js';
import { describeUrl } from './connect.js';
import { databaseError } from './errors.js';
import { committedMigrations, isSame, readMigrations } from './migrationFiles.js';
import type { MigrationFile } from './migrationFiles.js';

export interface MigrationOptions {
  /** Directory of the SQL files; the committed ones unless a test says otherwise. */
  readonly directory?: string;
  /** Schema for tables and history, made when it is not there: lower case letters and _. The database's own when left out. */
  readonly schema?: string;
  readonly connectTimeoutMs?: number;
  /** How long to wait for another migration that runs. */
  readonly lockTimeoutMs?: number;
}

export interface MigrationState {
  readonly name: string;
  readonly sha256: string;
  /** ISO 8601 UTC; null while it is pending. */
  readonly appliedAt: string | null;
}

export interface MigrationEvent {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly sha256: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** Chosen once: every Keel that migrates the same database must take the same lock. */
const lockKey = '7308613710938664';
const tableSql = `
  create table if not exists keel_migration (
    id bigint generated always as identity primary key,
    name text not null,
    direction text not null check (direction in ('up', 'down')),
    sha256 text not null,
    applied_at timestamptz(3) not null default clock_timestamp()
  )`;

/** Applies what is pending, each file in a transaction. @returns the names applied now. */
export const migrateUp = (url: string, options: MigrationOptions = {}): Promise<readonly string[]> =>
  withClient(url, options, async (client) => {
    const files = await readMigrations(options.directory ?? committedMigrations());
    return locked(client, options, async () => {
      const pending = plan(files, await applied(client)).filter((state) => state.appliedAt === null);
      const names: string[] = [];
      for (const { name } of pending) {
        const file = files.find((candidate) => candidate.name === name);
        if (file !== undefined) await apply(client, file, 'up');
        names.push(name);
      }
      return names;
    });
  });

/** Takes back the last `count` migrations, newest first. @returns their names. */
export const migrateDown = (
  url: string,
  count: number,
  options: MigrationOptions = {},
): Promise<readonly string[]> =>
  withClient(url, options, async (client) => {
    const files = await readMigrations(options.directory ?? committedMigrations());
    return locked(client, options, async () => {
      const names = plan(files, await applied(client)).filter((state) => state.appliedAt !== null);
      const back = names.slice(Math.max(0, names.length - count)).reverse();
      for (const { name } of back) {
        const file = files.find((candidate) => candidate.name === name);
        if (file !== undefined) await apply(client, file, 'down');
      }
      return back.map((state) => state.name);
    });
  });

/** Every migration file and when it was applied. Changes nothing. */
export const migrationStatus = (
  url: string,
  options: MigrationOptions = {},
): Promise<readonly MigrationState[]> =>
  withClient(url, options, async (client) =>
    plan(await readMigrations(options.directory ?? committedMigrations()), await applied(client)),
  );

/** Everything that was ever applied or taken back, oldest first. Changes nothing. */
export const migrationHistory = (
  url: string,
  options: MigrationOptions = {},
): Promise<readonly MigrationEvent[]> => withClient(url, options, history);

/**
 * Applies what is pending within a transaction of the caller, so that it can be taken back with the rest.
 * @param names of those that are wanted; all when left out
 */
export async function migrateWithin(client: ClientBase, names?: ReadonlySet<string>): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${lockKey})`);
  await client.query(tableSql);
  const files = await readMigrations(committedMigrations());
  const standing = await applied(client);
  const wanted = ({ name }: MigrationFile): boolean => !standing.has(name) && (names?.has(name) ?? true);
  for (const file of files.filter(wanted)) {
    await client.query(file.up);
    await record(client, file, 'up');
  }
}

/** What the applied migrations have made, as their texts say ("table run", "function audit_hash"), and their own table. */
export async function partsMade(client: ClientBase): Promise<ReadonlySet<string>> {
  const standing = await applied(client);
  const files = (await readMigrations(committedMigrations())).filter(({ name }) => standing.has(name));
  const made = files.flatMap(({ up }) =>
    [...up.matchAll(/^create (?:or replace )?(?:unlogged )?(table|function) "?([a-z_]+)"?/gim)].map(
      ([, kind = '', name = '']) => `${kind.toLowerCase()} ${name}`,
    ),
  );
  return new Set([...made, 'table keel_migration']);
}

async function withClient<T>(
  url: string,
  options: MigrationOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const where = describeUrl(url);
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    query_timeout: 300_000,
    statement_timeout: 290_000,
    keepAlive: true,
    application_name: 'keel-migrate',
    options: `-c TimeZone=UTC -c DateStyle=ISO${options.schema === undefined ? '' : ` -c search_path=${options.schema}`}`,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw databaseError(error, where);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function locked<T>(client: Client, options: MigrationOptions, work: () => Promise<T>): Promise<T> {
  await client.query(`set lock_timeout = ${String(Math.round(options.lockTimeoutMs ?? 60_000))}`);
  try {
    await client.query(`select pg_advisory_lock(${lockKey})`);
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    throw new KeelError('MIGRATION_RUNNING', 'Another migration holds the lock. Wait until it has ended.', {
      errorClass: 'retryable',
      cause: error,
    });
  }
  if (options.schema !== undefined) await client.query(`create schema if not exists "${options.schema}"`);
  await client.query(tableSql);
  return work();
}

async function apply(client: Client, file: MigrationFile, direction: 'up' | 'down'): Promise<void> {
  try {
    await client.query('begin');
    await client.query(direction === 'up' ? file.up : file.down);
    await record(client, file, direction);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    const cause = databaseError(error, 'this database');
    if (cause.errorClass === 'retryable') throw error;
    const which = direction === 'up' ? `${file.name}.sql` : `${file.name}.down.sql`;
    throw new KeelError(
      'MIGRATION_FAILED',
      `Migration ${which} failed and was rolled back: ${error instanceof Error ? error.message : String(error)}.`,
      { facts: { migration: file.name, direction }, cause: error },
    );
  }
}

async function record(client: ClientBase, file: MigrationFile, direction: 'up' | 'down'): Promise<void> {
  await client.query('insert into keel_migration (name, direction, sha256) values ($1, $2, $3)', [
    file.name,
    direction,
    file.sha256,
  ]);
}

async function history(client: ClientBase): Promise<readonly MigrationEvent[]> {
  const found = await client.query<{ there: boolean }>(
    `select to_regclass('keel_migration') is not null as there`,
  );
  if (found.rows[0]?.there !== true) return [];
  const { rows } = await client.query<{
    name: string;
    direction: 'up' | 'down';
    sha256: string;
    applied_at: Date;
  }>('select name, direction, sha256, applied_at from keel_migration order by id');
  return rows.map(({ name, direction, sha256, applied_at }) => ({
    name,
    direction,
    sha256,
    at: applied_at.toISOString(),
  }));
}

/** What stands now: the last event of each name, where that is an `up`. */
async function applied(client: ClientBase): Promise<ReadonlyMap<string, MigrationEvent>> {
  const standing = new Map<string, MigrationEvent>();
  for (const event of await history(client)) {
    if (event.direction === 'up') standing.set(event.name, event);
    else standing.delete(event.name);
  }
  return standing;
}

/** @throws KeelError when files and database contradict each other. */
function plan(
  files: readonly MigrationFile[],
  standing: ReadonlyMap<string, MigrationEvent>,
): readonly MigrationState[] {
  for (const name of standing.keys()) {
    if (!files.some((file) => file.name === name)) {
      throw new KeelError(
        'MIGRATION_UNKNOWN',
        `This database has migration ${name}, which this Keel does not know. Use the newer Keel that applied it.`,
        { facts: { migration: name } },
      );
    }
  }
  let gap: string | null = null;
  return files.map((file) => {
    const event = standing.get(file.name);
    if (event === undefined) {
      gap ??= file.name;
      return { name: file.name, sha256: file.sha256, appliedAt: null };
    }
    if (gap !== null) {
      throw new KeelError(
        'MIGRATION_ORDER',
        `Migration ${gap} is not applied, but the later ${file.name} is. Give the new file the next free number.`,
        { facts: { migration: gap } },
      );
    }
    if (!isSame(file, event.sha256)) {
      throw new KeelError(
        'MIGRATION_CHANGED',
        `Migration ${file.name} was changed after it was applied at ${event.at}. Restore the file and put the change into a new one.`,
        { facts: { migration: file.name } },
      );
    }
    return { name: file.name, sha256: file.sha256, appliedAt: event.at };
  });
}
