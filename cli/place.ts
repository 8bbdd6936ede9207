// The database and the objects that a command works on: those of the environment, else those of a data directory, whose
// embedded PostgreSQL is started for it when Keel does not run. Called by `keel backup`, `restore` and `retention`.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../adapters/minio/objectStore.js';
import { loadConfig } from '../config/load.js';
import { maskedConfig } from '../config/print.js';
import type { Config } from '../config/schema.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { Say } from './say.js';
import { lockDataDir, prepareDataDir, StartError } from './supervisor/dataDir.js';
import { UsageError } from './supervisor/options.js';
import { choosePorts } from './supervisor/ports.js';
import { ensureCluster, runningPostgres, startPostgres } from './supervisor/postgres.js';
import { withStandIns } from './supervisor/settings.js';
import { readState } from './supervisor/state.js';

export interface Place {
  readonly url: string;
  readonly objects: ObjectStorePort;
  /** Settings for people, masked. */
  readonly config: unknown;
  readonly mode: Config['mode'];
  readonly retention: Config['retention'];
  close(): Promise<void>;
}

/**
 * The directory of the option, else of the environment.
 * @throws UsageError when an option and DATABASE_URL name two databases: which of them is meant is not guessed
 */
export function dataDirOf(option: string | undefined, env: NodeJS.ProcessEnv): string {
  if (option !== undefined && (env['DATABASE_URL'] ?? '') !== '') {
    throw new UsageError(
      '--data-dir and DATABASE_URL (of the environment or of .env) name two databases: give one of them. Nothing was changed',
    );
  }
  return resolve(option ?? env['KEEL_DATA_DIR'] ?? '.keel');
}

const objectStoreOf = (env: NodeJS.ProcessEnv): ObjectStorePort => {
  const { objectStore } = loadConfig(env, { need: ['objectStore'] });
  return objectStore.kind === 'filesystem'
    ? createFilesystemObjectStore(objectStore)
    : createMinioObjectStore({ ...objectStore, timeoutMs: 60_000 });
};

/** The services of the environment, else those of the data directory: running ones to read, stopped ones to write. */
export async function openPlace(
  dataDir: string,
  given: NodeJS.ProcessEnv,
  out: Say,
  purpose: 'read' | 'write',
): Promise<Place> {
  const env = { ...given, KEEL_DATA_DIR: dataDir };
  // Of what every command is told: the broker's settings are the worker's, and a secret signs for the API alone.
  const settings = loadConfig(withStandIns(env, dataDir), { without: ['auth', 'broker'] });
  const { mode, retention } = settings;
  const rest = { objects: objectStoreOf(env), config: maskedConfig(settings), mode, retention };
  const url = given['DATABASE_URL'];
  const stay = (): Promise<void> => Promise.resolve();
  const running = readState(dataDir);
  if (running !== null && purpose === 'write') {
    throw new StartError(`Keel runs on ${dataDir}: stop it first. Nothing was changed`);
  }
  if (url !== undefined && url !== '') return { ...rest, url, close: stay };
  if (running !== null) return { ...rest, url: running.databaseUrl, close: stay };
  if (purpose === 'read' && !existsSync(join(dataDir, 'keel.json'))) {
    throw new StartError(
      `there is no Keel in ${dataDir}: name its directory with --data-dir, or set DATABASE_URL`,
    );
  }
  return { ...rest, ...(await startEmbedded(dataDir, out)) };
}

async function startEmbedded(
  dataDir: string,
  out: Say,
): Promise<{ url: string; close: () => Promise<void> }> {
  prepareDataDir(dataDir);
  const unlock = lockDataDir(dataDir);
  const log = (message: string): void => {
    out(`  · ${message}`);
  };
  try {
    const cluster = await ensureCluster({ dataDir, log });
    await runningPostgres(cluster)?.stop();
    const { postgres } = await choosePorts({ postgres: 0 });
    const server = await startPostgres(cluster, { port: postgres.port });
    return {
      url: server.url,
      close: async () => {
        await server.stop();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}
