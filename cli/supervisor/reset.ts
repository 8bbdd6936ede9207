// `--reset`: PostgreSQL, Temporal, objects and simulator are cleared together, so that none remembers what another
// has forgotten. Called before anything is started, with the data directory locked.
import { readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Config } from '../../config/schema.js';
import { keptNames, StartError } from './dataDir.js';
import { resetCluster } from './postgres.js';
import type { Settings } from './settings.js';

export interface Cleared extends Pick<Settings, 'given'> {
  readonly config: {
    readonly objectStore: Config['objectStore'];
    readonly simulator: Pick<Config['simulator'], 'directory' | 'databaseUrl'>;
  };
}

/**
 * @throws StartError when a part lies outside the data directory or was given by the environment: what Keel did not
 * make, it does not delete
 */
export function resetData(dataDir: string, { config, given }: Cleared): void {
  const foreign = [
    given.database ? 'DATABASE_URL' : null,
    given.temporal ? 'TEMPORAL_ADDRESS' : null,
    given.minio ? 'MINIO_ENDPOINT' : null,
    config.objectStore.kind === 'filesystem' && outside(dataDir, config.objectStore.directory)
      ? 'KEEL_OBJECT_DIR'
      : null,
    outside(dataDir, config.simulator.directory) ? 'KEEL_SIMULATOR_DIR' : null,
    // Its tables would be those of a ledger that is gone, and the simulator refuses them.
    config.simulator.databaseUrl === '' ? null : 'KEEL_SIMULATOR_DATABASE_URL',
  ].filter((name) => name !== null);
  if (foreign.length > 0) {
    throw new StartError(
      `--reset clears only what lies in ${dataDir}, and ${foreign.join(', ')} says that a part is elsewhere: unset it, or clear that part yourself`,
    );
  }
  resetCluster(dataDir);
  for (const name of readdirSync(dataDir)) {
    if (keptNames.some((kept) => kept.test(name)))
      rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

/** A directory of Keel's is a folder directly below the data directory, by one of the names it keeps there. */
const outside = (dataDir: string, directory: string): boolean => {
  const path = relative(dataDir, directory);
  return !keptNames.some((kept) => kept.test(path));
};
