// What the parts of one Keel are started with: ports, services that were given, and the environment of the children.
// Everything that can be wrong with the configuration is found here, before anything is started.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { ConfigError, type Problem } from '../../config/problems.js';
import { withSecretFiles } from '../../config/secretFiles.js';
import type { Config } from '../../config/schema.js';
import type { PortChoice } from './ports.js';
import { choosePorts } from './ports.js';
import { authSecret } from './secret.js';

export type PortName =
  | 'api'
  | 'temporal'
  | 'temporalUi'
  | 'simulator'
  | 'simulatorAdmin'
  | 'simulatorApi'
  | 'simulatorOauth'
  | 'postgres';

export interface Settings {
  readonly config: Config;
  /** 0 for a part that is not started. */
  readonly ports: Readonly<Record<PortName, PortChoice>>;
  /** Of every child; services that are up add what they found out. */
  readonly env: NodeJS.ProcessEnv;
  readonly given: { readonly database: boolean; readonly temporal: boolean; readonly minio: boolean };
  /** Opens the simulator's admin port; made anew at each start. */
  readonly adminToken: string;
  /** What the API signs with. */
  readonly authSecret: string;
}

export const embeddedPorts = { temporal: 7233, temporalUi: 8233, postgres: 5432 };

/**
 * @param environment of the supervisor
 * @param asOf the date that was asked for; null for none
 * @throws ConfigError with every problem of the configuration, and of a date where the market has its own
 */
export async function readSettings(
  environment: NodeJS.ProcessEnv,
  dataDir: string,
  asOf: string | null = null,
): Promise<Settings> {
  // Read once here: the children get the values. Named before a stand-in takes the place of what can not be read.
  const { env, problems } = withSecretFiles(environment);
  if (problems.length > 0) throw new ConfigError(problems);
  const adminToken = randomBytes(24).toString('base64url');
  const secret = env['KEEL_AUTH_SECRET'] || authSecret(dataDir);
  const config = loadConfig(withStandIns({ ...env, KEEL_AUTH_SECRET: secret }, dataDir), {
    // In simulated mode the broker's are those of the simulator, which makes them.
    files: isSimulated(env) ? ['temporal'] : ['temporal', 'broker'],
    found: (mode) => (mode === 'simulated' || asOf === null ? [] : [dateOutside(asOf, String(mode))]),
  });
  const given = {
    database: Boolean(env['DATABASE_URL']),
    temporal: Boolean(env['TEMPORAL_ADDRESS']),
    minio: Boolean(env['MINIO_ENDPOINT']),
  };
  const ports = { ...noPorts, ...(await choosePorts(portsOf(config, given))) };
  return {
    config,
    ports,
    env: {
      ...env,
      KEEL_DATA_DIR: dataDir,
      KEEL_API_PORT: String(ports.api.port),
      KEEL_SIMULATOR_PORT: String(ports.simulator.port),
      KEEL_SIMULATOR_ADMIN_PORT: String(ports.simulatorAdmin.port),
      KEEL_SIMULATOR_API_PORT: String(ports.simulatorApi.port),
      KEEL_SIMULATOR_OAUTH_PORT: String(ports.simulatorOauth.port),
      KEEL_SIMULATOR_ADMIN_TOKEN: adminToken,
    },
    given,
    adminToken,
    authSecret: secret,
  };
}

const noPort: PortChoice = { port: 0, insteadOf: null };
const noPorts: Settings['ports'] = {
  api: noPort,
  temporal: noPort,
  temporalUi: noPort,
  simulator: noPort,
  simulatorAdmin: noPort,
  simulatorApi: noPort,
  simulatorOauth: noPort,
  postgres: noPort,
};

/** The ports that are wished for, of the parts that are started. */
function portsOf(
  { mode, api, simulator }: Config,
  { database, temporal }: Settings['given'],
): Record<string, number> {
  const ofSimulator = {
    simulator: simulator.port,
    simulatorAdmin: simulator.adminPort,
    simulatorApi: simulator.apiPort,
    ...(simulator.oauth === 'on' ? { simulatorOauth: simulator.oauthPort } : {}),
  };
  return {
    api: api.port,
    ...(mode === 'simulated' ? ofSimulator : {}),
    ...(temporal ? {} : { temporal: embeddedPorts.temporal, temporalUi: embeddedPorts.temporalUi }),
    ...(database ? {} : { postgres: embeddedPorts.postgres }),
  } satisfies Partial<Record<PortName, number>>;
}

const dateOutside = (asOf: string, mode: string): Problem => ({
  path: '--as-of',
  given: asOf,
  from: null,
  problem: `belongs to the simulated market, and this is ${mode} mode: its date is the machine's`,
  fix: 'leave it out',
});

const isSimulated = ({ KEEL_MODE: mode = '' }: NodeJS.ProcessEnv): boolean =>
  mode === '' || mode === 'simulated';

/** The environment as the children will have it, with stand-ins for what only running services know. */
export function withStandIns(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv {
  const standIns = {
    DATABASE_URL: 'postgres://embedded',
    TEMPORAL_ADDRESS: 'embedded',
    ...(isSimulated(env)
      ? {
          IBKR_BASE_URL: 'https://127.0.0.1/v1/api',
          IBKR_CA_FILE: 'embedded',
          IBKR_CERT_SHA256: '0'.repeat(64),
          KEEL_SIMULATOR_ADMIN_URL: 'http://127.0.0.1',
        }
      : {}),
  };
  // Empty counts as not set for a service that npm start brings; a safety limit that is empty has to be refused.
  const set = Object.entries(env).filter(
    ([name, value]) => value !== undefined && !(value === '' && name in standIns),
  );
  return { ...standIns, ...Object.fromEntries(set), KEEL_DATA_DIR: dataDir };
}

/** Reads `.env` of a directory into the environment; variables that are set already win. */
export function readDotEnv(directory: string): void {
  const file = join(directory, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}
