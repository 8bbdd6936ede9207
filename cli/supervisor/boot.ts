// Starts the parts of one Keel in the order of their needs: PostgreSQL with its migrations, simulator and Temporal side
// by side, then worker and API. Called by main.ts.
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrateUp } from '../../db/migrate.js';
import { adminLines, ensureAdmin, makeLocalKey, withStores } from '../admin.js';
import type { Say } from '../say.js';
import { duration } from '../say.js';
import { awaitReady, readyLine } from './child.js';
import { ensureCluster, runningPostgres, startPostgres } from './postgres.js';
import { identify } from './processTable.js';
import type { Settings } from './settings.js';
import { brokerEnvironment, simulatorLine } from './simulatorLine.js';
import type { SimulatorFacts } from './simulatorLine.js';
import type { Service, Stack } from './stack.js';
import type { KeelState } from './state.js';
import { connectTemporal, temporalService } from './temporal.js';

export interface BootContext {
  readonly dataDir: string;
  readonly settings: Settings;
  readonly stack: Stack;
  readonly say: Say;
}

const readyMs = 60_000;

/** Starts everything that was not given. @throws StartError, KeelError, or Error with the last words of a child */
export async function boot(context: BootContext): Promise<KeelState> {
  const { settings, dataDir } = context;
  const { config, ports } = settings;
  const temporal = temporalFacts(settings);
  const temporalReady = startTemporal(context, temporal);
  // Awaited further down; until then its failure must not count as nobody's.
  temporalReady.catch(() => undefined);
  const [database, simulator] = await Promise.all([
    startDatabase(context),
    config.mode === 'simulated' ? startSimulator(context) : null,
  ]);
  const env = childEnvironment(settings, database.url, temporal, simulator);
  const apiUrl = `http://${config.api.host}:${String(ports.api.port)}`;
  const own = { logs: join(dataDir, 'logs'), env };
  // Before the API listens: whoever asks it first has to find somebody who may answer for it.
  const apiKey = await prepareAccess(context, database.url);
  const apiEnv = { ...env, KEEL_AUTH_SECRET: settings.authSecret };
  const api = { ...own, env: apiEnv, role: 'api', ports: [ports.api.port], words: `${apiUrl}/docs` } as const;
  const worker = { ...own, role: 'worker', ports: [], words: `serves ${config.mode} runs` } as const;
  await Promise.all([
    context.stack.start(nodeService(api)),
    temporalReady.then(() => context.stack.start(nodeService(worker))),
  ]);
  return {
    ...identify(process.pid),
    mode: config.mode,
    accountId: config.broker.accountId,
    apiUrl,
    apiKey,
    databaseUrl: database.url,
    databaseDir: database.directory,
    objectDir: config.objectStore.kind === 'filesystem' ? config.objectStore.directory : null,
    temporal,
    simulator: simulator && { ...simulator, adminToken: settings.adminToken },
  };
}

/** @returns the key of the `keel` command; says the first admin's password, once */
const prepareAccess = ({ dataDir, settings, say }: BootContext, url: string): Promise<string> =>
  withStores(url, settings.config.mode, async (stores) => {
    const made = await ensureAdmin(stores, 'supervisor');
    for (const line of made === null ? [] : adminLines(made)) say(`  ! ${line}`);
    return makeLocalKey(stores, dataDir);
  });

const childEnvironment = (
  { env }: Settings,
  databaseUrl: string,
  temporal: KeelState['temporal'],
  simulator: SimulatorFacts | null,
): NodeJS.ProcessEnv => ({
  ...env,
  DATABASE_URL: databaseUrl,
  TEMPORAL_ADDRESS: temporal.address,
  KEEL_TEMPORAL_UI_URL: temporal.uiUrl,
  ...(simulator === null ? {} : brokerEnvironment(simulator)),
});

/** The folder of the compiled processes, also when this file runs from its source in a test. */
export function compiled(entry: string): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return join(root, basename(root) === 'dist' ? '' : 'dist', entry);
}

interface NodeServiceOptions {
  readonly role: 'worker' | 'api' | 'simulator';
  readonly ports: readonly number[];
  readonly words: string;
  readonly logs: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One of Keel's own processes, ready with its JSON line. */
function nodeService(
  { role, ports, words, logs, env }: NodeServiceOptions,
  onReady: (line: Record<string, unknown>) => void = () => undefined,
): Service {
  return {
    role,
    ports,
    run: async ({ launch }) => {
      const args = [compiled(`${role}/main.js`)];
      const child = await launch({ role, command: process.execPath, args, env, logs });
      const line = await awaitReady(child, readyMs, () => readyLine(child.output()));
      onReady(line);
      return words;
    },
  };
}

async function startSimulator({ settings, dataDir, stack }: BootContext): Promise<SimulatorFacts> {
  const { ports, env } = settings;
  let facts: SimulatorFacts | null = null;
  const options = {
    role: 'simulator',
    ports: [
      ports.simulator.port,
      ports.simulatorAdmin.port,
      ports.simulatorApi.port,
      ...(settings.config.simulator.oauth === 'on' ? [ports.simulatorOauth.port] : []),
    ],
    words: `https://${settings.config.simulator.host}:${String(ports.simulator.port)}`,
    logs: join(dataDir, 'logs'),
    env,
  } as const;
  await stack.start(
    nodeService(options, (line) => {
      facts = simulatorLine.parse(line);
    }),
  );
  return simulatorLine.parse(facts);
}

async function startDatabase(context: BootContext): Promise<{ url: string; directory: string | null }> {
  const { settings, stack, say, dataDir } = context;
  if (settings.given.database) {
    const { url } = settings.config.database;
    say('  · postgres               given by DATABASE_URL');
    await migrate(url, say);
    return { url, directory: null };
  }
  const { port } = settings.ports.postgres;
  const log = (message: string): void => {
    say(`  · ${message}`);
  };
  const cluster = await ensureCluster({ dataDir, log });
  // One that an earlier start has left without a record of it.
  await runningPostgres(cluster)?.stop();
  let url = '';
  await stack.start({
    role: 'postgres',
    ports: [port],
    run: async ({ adopt }) => {
      const running = await startPostgres(cluster, { port });
      url = running.url;
      adopt(identify(running.pid));
      return `127.0.0.1:${String(port)}, data in ${cluster.databaseDir}`;
    },
  });
  await migrate(url, say);
  return { url, directory: cluster.databaseDir };
}

async function migrate(url: string, say: Say): Promise<void> {
  const began = performance.now();
  const applied = await migrateUp(url);
  const words = applied.length === 0 ? 'up to date' : `${String(applied.length)} applied`;
  say(`  ✓ migrations ${duration(performance.now() - began).padStart(8)}   ${words}`);
}

const securityOf = ({
  tlsCaFile,
  tlsCertFile,
  tlsKeyFile,
  tlsServerName,
  apiKey,
}: Settings['config']['temporal']): KeelState['temporal']['security'] => ({
  tlsCaFile,
  tlsCertFile,
  tlsKeyFile,
  tlsServerName,
  apiKey,
});

function temporalFacts({ config, given, ports }: Settings): KeelState['temporal'] {
  const { namespace, address, uiUrl } = config.temporal;
  if (given.temporal) return { address, namespace, uiUrl, security: securityOf(config.temporal) };
  return {
    address: `127.0.0.1:${String(ports.temporal.port)}`,
    namespace,
    uiUrl: `http://127.0.0.1:${String(ports.temporalUi.port)}`,
  };
}

async function startTemporal(
  { settings, stack, say, dataDir }: BootContext,
  { address, namespace }: KeelState['temporal'],
): Promise<void> {
  const { config, given, ports, env } = settings;
  if (given.temporal) {
    const client = await connectTemporal(
      address,
      namespace,
      config.temporal.connectTimeoutMs,
      config.temporal,
    );
    await client.connection.close();
    say(`  · temporal               given by TEMPORAL_ADDRESS: ${address}`);
    return;
  }
  await stack.start(
    temporalService({
      cli: env['TEMPORAL_CLI_PATH'],
      dataDir,
      logs: join(dataDir, 'logs'),
      port: ports.temporal.port,
      uiPort: ports.temporalUi.port,
      namespace,
      env,
    }),
  );
}
