// The tables of the simulator's own API in PostgreSQL: a copy of the ledger that follows it, a step behind. The ledger stays the
// truth, so nothing waits for the database: one that is away is said once, and caught up with when it answers. Called by
// server.ts.
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import pTimeout from 'p-timeout';
import { migrateUp } from '../../db/migrate.js';
import { KeelError } from '../../ports/errors.js';
import type { Engine } from '../engine.js';
import type { ExchangeEvent } from '../exchange/types.js';
import { standingOf, staleAfter } from './rows.js';
import { writeOnce } from './write.js';

export interface TablesStatus {
  /** off: there is no database · current: all is written · behind: it is on its way, or the database is away. */
  readonly state: 'off' | 'current' | 'behind';
  /** Why they are behind, in words; null while all is well. */
  readonly reason: string | null;
}

export interface Tables {
  /** The ledger has these events now. */
  heard(events: readonly ExchangeEvent[]): void;
  status(): TablesStatus;
  /** Tries once more to write what is missing, and ends the connections. */
  close(): Promise<void>;
}

export interface TablesOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly ledgerFile: string;
  readonly engine: Engine;
  /** Hears once of each outage. */
  readonly onError: (error: unknown) => void;
  /** Pause after a failed step, milliseconds. */
  readonly retryMs?: number;
}

/** Where the migrations of the tables are, and the schema that they are applied in. */
export const ofTables = (): { readonly directory: string; readonly schema: string } => ({
  directory: fileURLToPath(new URL('../migrations', import.meta.url)),
  schema: 'ibkr_simulator',
});

const LEAST_CONNECTIONS = 2;
const CONNECT_MS = 5000;
const STATEMENT_MS = 15_000;
const RETRY_MS = 2000;
const CLOSE_MS = 3000;

/**
 * Applies what migrations are pending and writes what the tables lack. A database that is away is tried again later.
 * @throws KeelError TABLES_OTHER_LEDGER, or a final error of the migrations or of PostgreSQL
 */
export async function openTables(options: TablesOptions): Promise<Tables> {
  const follower = createFollower(options, createPool(options.url));
  try {
    await follower.first();
    return follower;
  } catch (error) {
    await follower.close();
    throw error;
  }
}

function createPool(url: string): Pool {
  const pool = new Pool({
    connectionString: url,
    min: LEAST_CONNECTIONS,
    max: 10,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 1000,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'keel-simulator',
    options: `-c TimeZone=UTC -c search_path=${ofTables().schema}`,
  });
  // An idle connection that breaks has left the pool already; the next step opens another or says what is wrong.
  pool.on('error', () => undefined);
  // One that breaks in the midst of a step also fails the step, which says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Opens the least number of connections; the pool keeps them from then on. */
async function warm(pool: Pool): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: LEAST_CONNECTIONS }, () => pool.connect()));
  for (const one of opened) if (one.status === 'fulfilled') one.value.release();
}

function createFollower(
  { url, ledgerFile, engine, onError, retryMs = RETRY_MS }: TablesOptions,
  pool: Pool,
): Tables & { first(): Promise<void> } {
  let stale: Set<string> | 'all' = 'all';
  let isMigrated = false;
  let isBusy = false;
  let isClosed = false;
  let reason: string | null = null;
  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const isStale = (): boolean => stale === 'all' || stale.size > 0;

  async function step(): Promise<void> {
    if (!isMigrated) {
      await migrateUp(url, { ...ofTables(), connectTimeoutMs: CONNECT_MS });
      await warm(pool);
      isMigrated = true;
    }
    const client = await pool.connect();
    let isBroken = true;
    try {
      await writeOnce(client, ledgerFile, () => {
        const standing = standingOf(engine, stale);
        stale = new Set();
        return standing;
      });
      isBroken = false;
      reason = null;
    } catch (error) {
      // What was taken out has not arrived, or nobody knows whether it has: everything is written again.
      stale = 'all';
      throw error;
    } finally {
      client.release(isBroken);
    }
  }

  function failed(error: unknown): void {
    const told = behind(error, url);
    if (reason === null) onError(told);
    reason = told.message;
    if (!isClosed) timer = setTimeout(wake, retryMs);
  }

  async function follow(): Promise<void> {
    try {
      while (isStale() && engine.isSound()) await step();
    } catch (error) {
      failed(error);
    } finally {
      isBusy = false;
    }
  }

  function wake(): void {
    clearTimeout(timer);
    if (isBusy || isClosed) return;
    isBusy = true;
    running = follow();
  }

  return {
    first: async () => {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof KeelError) || error.errorClass === 'retryable') {
          failed(error);
          return;
        }
        // Closing then tries nothing more.
        reason = named(error.message);
        throw new KeelError(error.code, reason, { facts: error.facts, cause: error });
      }
    },
    heard: (events) => {
      if (stale !== 'all') for (const account of staleAfter(engine.state, events)) stale.add(account);
      if (isStale() && reason === null) wake();
    },
    status: () => ({ state: isStale() || isBusy ? 'behind' : 'current', reason }),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      // Not for ever: a database that is frozen must not keep the simulator from stopping.
      await pTimeout(
        running.then(() => (reason === null ? follow() : undefined)).then(() => pool.end()),
        { milliseconds: CLOSE_MS, message: false },
      );
    },
  };
}

/** Of errors that speak of Keel's own database. */
const named = (words: string): string =>
  words.replaceAll(/(?<!_)DATABASE_URL/g, 'KEEL_SIMULATOR_DATABASE_URL');

/** The driver's errors never hold the password; of the address only host, port and name are told. */
function behind(error: unknown, url: string): KeelError {
  const { hostname, port, pathname } = new URL(url);
  const words = error instanceof Error && error.message !== '' ? error.message : String(error);
  const why = named(words);
  const message = `The tables of the simulator at ${hostname}:${port}${pathname} are behind its ledger (${why}). Trading goes on; they are caught up as soon as the database takes it.`;
  return new KeelError('TABLES_BEHIND', message, { errorClass: 'retryable', cause: error });
}
