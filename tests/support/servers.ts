// The servers that the whole-run tests of one file share: one Temporal, and one PostgreSQL in which every stack gets a
// database of its own.
import { afterAll, beforeAll } from 'vitest';
import { startOwnPostgres } from './postgres.js';
import { startTemporal, type TestTemporal } from './temporal.js';

/** Starts them before the file's tests and ends them after. @returns the Temporal server, for use inside tests */
export function sharedServers(): () => TestTemporal {
  let temporal: TestTemporal | null = null;
  let stopPostgres = (): Promise<void> => Promise.resolve();
  beforeAll(async () => {
    temporal = await startTemporal();
    const given = process.env.DATABASE_URL;
    if (given !== undefined && given !== '') return;
    const postgres = await startOwnPostgres();
    process.env.DATABASE_URL = postgres.url;
    stopPostgres = async () => {
      delete process.env.DATABASE_URL;
      await postgres.stop();
    };
  });
  afterAll(async () => {
    await temporal?.stop();
    await stopPostgres();
  });
  return () => {
    if (temporal === null) throw new Error('the servers start before the tests');
    return temporal;
  };
}
