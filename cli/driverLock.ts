// One driver to a market: a PostgreSQL advisory lock, taken for each turn and held by a connection of its own, so that it
// ends with its process. Used by market.ts.
import { Client } from 'pg';
import type { Mode } from '../contracts/wire/names.js';

export interface DriverLock {
  /** False when another process has the lock. @throws Error when PostgreSQL is away */
  tryTake(): Promise<boolean>;
  release(): Promise<void>;
  close(): Promise<void>;
}

/** Chosen once: every driver must ask for the same lock. The second key is the mode. */
const lockKey = 1_263_814_988;
const modeKeys: Record<Mode, number> = { simulated: 1, paper: 2, live: 3 };

/** Connects at first use, and again after the connection was lost. Not for two turns at once. */
export function createDriverLock(url: string, mode: Mode): DriverLock {
  let open: Client | null = null;

  async function connected(): Promise<Client> {
    if (open !== null) return open;
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
      statement_timeout: 10_000,
      keepAlive: true,
      application_name: 'keel-driver',
    });
    const lost = (): void => {
      if (open === client) open = null;
    };
    client.on('error', lost);
    client.on('end', lost);
    await client.connect();
    open = client;
    return client;
  }

  const keys = [lockKey, modeKeys[mode]];
  return {
    async tryTake() {
      const client = await connected();
      const { rows } = await client.query<{ got: boolean }>(
        'select pg_try_advisory_lock($1, $2) as got',
        keys,
      );
      return rows[0]?.got === true;
    },
    async release() {
      // A lost connection has lost its lock already.
      await open?.query('select pg_advisory_unlock($1, $2)', keys).catch(() => undefined);
    },
    async close() {
      await open?.end().catch(() => undefined);
    },
  };
}
