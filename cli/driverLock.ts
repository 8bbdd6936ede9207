// One driver to a market: a PostgreSQL advisory lock, held on a connection of its own for as long as somebody drives.
// Taken by the supervisor and `keel run`.
import { Client } from 'pg';
import type { Mode } from '../contracts/wire/names.js';

export interface DriverLock {
  /** False once the connection, and with it the lock, is lost: stop driving. */
  held(): boolean;
  release(): Promise<void>;
}

/** Chosen once: every driver must ask for the same lock. The second key is the mode. */
const lockKey = 1_263_814_988;
const modeKeys: Record<Mode, number> = { simulated: 1, paper: 2, live: 3 };

/**
 * Takes the lock of a mode's driver.
 * @returns null when another driver has it
 * @throws Error when PostgreSQL is away
 */
export async function takeDriverLock(url: string, mode: Mode): Promise<DriverLock | null> {
  let held = true;
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
    statement_timeout: 10_000,
    keepAlive: true,
    application_name: 'keel-driver',
  });
  client.on('error', () => {
    held = false;
  });
  client.on('end', () => {
    held = false;
  });
  await client.connect();
  const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
    lockKey,
    modeKeys[mode],
  ]);
  if (rows[0]?.got !== true) {
    await client.end();
    return null;
  }
  return {
    held: () => held,
    release: () => client.end(),
  };
}
