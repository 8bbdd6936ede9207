// Opens the pool that all stores share. Called by the composition roots; everything else takes the Database.
import { drizzle } from 'drizzle-orm/node-postgres';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Pool, types } from 'pg';
import type { CustomTypesConfig, PoolClient } from 'pg';
import { databaseError } from './errors.js';
import { tracePool } from './tracing.js';

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

export interface Database {
  readonly pool: Pool;
  readonly orm: NodePgDatabase;
  /** Host, port and name for messages; no password. */
  readonly where: string;
  readonly lockTimeoutMs: number;
  /** Runs work and turns what the driver throws into KeelError. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the pool and every connection of it, at the latest after two seconds, also when the server is frozen. */
  close(): Promise<void>;
}

const isoInstant = (text: string): string => new Date(text).toISOString();

/** timestamptz as ISO 8601 UTC, dates as YYYY-MM-DD, numeric as the driver gives it: exact text. */
const parsers = new Map<number, (text: string) => string>([
  [types.builtins.TIMESTAMPTZ, isoInstant],
  [types.builtins.DATE, (text) => text],
]);
const typeParsers: CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    parsers.get(oid) ?? (types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** Host, port and database of a connection URL, without user and password. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? '5432' : port}${pathname}`;
  } catch {
    return 'an unreadable DATABASE_URL';
  }
}

/** Connects lazily: the first query opens the first connection. */
export function connect(options: DatabaseOptions): Database {
  const where = describeUrl(options.url);
  const pool = new Pool({
    connectionString: options.url,
    max: options.poolSize,
    // One stays while the process does, so that who looks for processes of Keel sees one that is idle (keel restore).
    min: 1,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    // The client's own deadline, for a server that no longer keeps its own.
    query_timeout: options.statementTimeoutMs + 1000,
    idle_in_transaction_session_timeout: options.statementTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'keel',
    options: '-c TimeZone=UTC -c DateStyle=ISO',
    types: typeParsers,
  });
  const clients = new Set<PoolClient>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  tracePool(pool);
  // An idle connection that breaks has left the pool already; the next query opens another or says what is wrong.
  pool.on('error', () => undefined);
  return {
    pool,
    orm: drizzle(pool),
    where,
    lockTimeoutMs: options.lockTimeoutMs,
    guard: async (work) => {
      try {
        return await work();
      } catch (error) {
        throw databaseError(error, where);
      }
    },
    close: () => endPool(pool, clients),
  };
}

async function endPool(pool: Pool, clients: ReadonlySet<PoolClient>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => {
      resolve('late');
    }, 2000);
  });
  // The pool calls itself ended once it has told its connections to end: whoever looks for them would see them still.
  const gone = new Promise<void>((resolve) => {
    const look = (): void => {
      if (clients.size === 0) resolve();
    };
    pool.on('remove', look);
    look();
  });
  const ended = Promise.all([pool.end(), gone]).then(
    () => 'ended' as const,
    () => 'ended' as const,
  );
  if ((await Promise.race([ended, deadline])) === 'late') {
    for (const client of clients) {
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    }
  }
  clearTimeout(timer);
}
