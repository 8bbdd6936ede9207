// Reads what the doctor looks at: environment, configuration section by section, and the Keel that runs here, if any.
// Called by cli/commands/doctor.ts.
import { resolve } from 'node:path';
import type { ConfigSection } from '../../config/load.js';
import { loadConfig } from '../../config/load.js';
import { ConfigError } from '../../config/problems.js';
import { withSecretFiles } from '../../config/secretFiles.js';
import { withStandIns } from '../supervisor/settings.js';
import type { KeelState } from '../supervisor/state.js';
import { readState } from '../supervisor/state.js';
import type { Patient, Sections } from './types.js';

const all: readonly ConfigSection[] = [
  'log',
  'metrics',
  'tracing',
  'errorReports',
  'database',
  'temporal',
  'objectStore',
  'broker',
  'simulator',
  'api',
  'worker',
  'risk',
  'model',
  'cache',
  'notifier',
  'oidc',
];

/** @param facts of this process and this moment */
export function readPatient(
  given: NodeJS.ProcessEnv,
  facts: Pick<Patient, 'now' | 'nodeVersion' | 'fontFile'>,
): Patient {
  const dataDir = resolve(given['KEEL_DATA_DIR'] || '.keel');
  const running = readState(dataDir);
  const env = running === null ? given : { ...given, ...environmentOf(running), KEEL_DATA_DIR: dataDir };
  return {
    ...facts,
    env,
    dataDir,
    running,
    mode: modeOf(env['KEEL_MODE']),
    environment: env['KEEL_ENV'] || 'development',
    sections: Object.assign({}, ...all.map((section) => sectionOf(env, section))) as Sections,
    problems: problemsOf(env, dataDir),
  };
}

const modeOf = (text: string | undefined): Patient['mode'] =>
  text === 'paper' || text === 'live' ? text : 'simulated';

/** What the supervisor found out at its start. */
function environmentOf(state: KeelState): NodeJS.ProcessEnv {
  const { simulator } = state;
  return {
    DATABASE_URL: state.databaseUrl,
    TEMPORAL_ADDRESS: state.temporal.address,
    TEMPORAL_NAMESPACE: state.temporal.namespace,
    ...(state.privateAddresses === undefined
      ? {}
      : { KEEL_NOTIFIER_PRIVATE_ADDRESSES: state.privateAddresses }),
    ...(simulator === null
      ? {}
      : {
          KEEL_SIMULATOR_ADMIN_URL: simulator.adminUrl,
          KEEL_SIMULATOR_ADMIN_TOKEN: simulator.adminToken,
          IBKR_BASE_URL: simulator.baseUrl,
          IBKR_CA_FILE: simulator.caFile,
          IBKR_CERT_SHA256: simulator.certSha256,
        }),
  };
}

/** What npm start makes when nobody gives it. */
const madeAtStart = { KEEL_AUTH_SECRET: 'a stand-in of thirty-two characters or more' };

/** In production every service has to be given; elsewhere `npm start` brings those that are not. */
function problemsOf(given: NodeJS.ProcessEnv, dataDir: string): readonly string[] {
  // Before a stand-in takes the place of what can not be read.
  const { env, problems } = withSecretFiles(given);
  if (problems.length > 0) return new ConfigError(problems).lines;
  try {
    loadConfig(env['KEEL_ENV'] === 'production' ? env : { ...madeAtStart, ...withStandIns(env, dataDir) });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.lines;
  }
}

function sectionOf(env: NodeJS.ProcessEnv, section: ConfigSection): object {
  try {
    return { [section]: loadConfig(env, { need: [section] })[section] };
  } catch (error) {
    if (error instanceof ConfigError) return {};
    throw error;
  }
}
