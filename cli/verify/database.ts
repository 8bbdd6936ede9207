// The PostgreSQL that `keel verify` reads: the one that runs, else the embedded one started for reading only.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../db/connect.js';
import type { Mode } from '../../contracts/wire/names.js';
import { createStores } from '../../db/stores.js';
import type { Stores } from '../../db/stores.js';
import type { Say } from '../say.js';
import { lockDataDir, StartError } from '../supervisor/dataDir.js';
import { choosePorts } from '../supervisor/ports.js';
import { ensureCluster, runningPostgres, startPostgres } from '../supervisor/postgres.js';
import { readState } from '../supervisor/state.js';

export interface OpenDatabase {
  readonly stores: Stores;
  close(): Promise<void>;
}

interface Place {
  readonly dataDir: string;
  readonly databaseDir: string | null;
  readonly mode: Mode;
}

/** @throws StartError when there is none to read */
export async function openForReading(place: Place, env: NodeJS.ProcessEnv, say: Say): Promise<OpenDatabase> {
  const { url, stop } = await findServer(place, env, say);
  const database = connect({
    url,
    poolSize: 2,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 30_000,
    lockTimeoutMs: 5000,
  });
  return {
    stores: createStores(database, place.mode),
    close: async () => {
      await database.close();
      await stop();
    },
  };
}

async function findServer(
  { dataDir, databaseDir }: Place,
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const stay = (): Promise<void> => Promise.resolve();
  const running = readState(dataDir);
  if (running !== null) return { url: running.databaseUrl, stop: stay };
  if (databaseDir === null) {
    const url = env['DATABASE_URL'];
    if (url !== undefined && url !== '') return { url, stop: stay };
    throw new StartError('the run is in a PostgreSQL that was given: set DATABASE_URL to it');
  }
  if (!existsSync(join(databaseDir, 'data', 'PG_VERSION'))) {
    throw new StartError(`there is no database in ${databaseDir}: was it cleared by --reset, or moved?`);
  }
  const log = (message: string): void => {
    say(`  · ${message}`);
  };
  // Nobody else may start or clear it meanwhile.
  const unlock = lockDataDir(dataDir);
  try {
    return await embeddedServer({ dataDir, databaseDir, log, unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}

async function embeddedServer(options: {
  readonly dataDir: string;
  readonly databaseDir: string;
  readonly log: Say;
  readonly unlock: () => void;
}): Promise<{ url: string; stop: () => Promise<void> }> {
  const { dataDir, databaseDir, log, unlock } = options;
  const cluster = await ensureCluster({ dataDir, log });
  if (cluster.databaseDir !== databaseDir) {
    throw new StartError(
      `the database of ${dataDir} is in ${cluster.databaseDir}, and the file says ${databaseDir}`,
    );
  }
  const living = runningPostgres(cluster);
  if (living !== null) {
    return {
      url: living.url,
      stop: () => {
        unlock();
        return Promise.resolve();
      },
    };
  }
  const { postgres } = await choosePorts({ postgres: 0 });
  const started = await startPostgres(cluster, { port: postgres.port, readOnly: true });
  log(`PostgreSQL was started for reading only, on port ${String(started.port)}`);
  return {
    url: started.url,
    stop: async () => {
      await started.stop();
      unlock();
    },
  };
}
