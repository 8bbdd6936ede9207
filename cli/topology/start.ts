// Starts the processes of docker-compose.yml on this machine, without containers: two workers and two APIs among them.
// Called by main.ts and by tests/topology.test.ts. What differs from Compose: PostgreSQL is the embedded one, Temporal is
// its development server and not Temporal on PostgreSQL, MinIO and Redis run where they are on PATH, and every process is
// of the same user.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Say } from '../say.js';
import { duration } from '../say.js';
import { compiled } from '../supervisor/boot.js';
import type { Child } from '../supervisor/child.js';
import { awaitReady, readyLine, startChild } from '../supervisor/child.js';
import { StartError } from '../supervisor/dataDir.js';
import { endProcess } from '../supervisor/leftovers.js';
import { choosePorts } from '../supervisor/ports.js';
import { signalProcess } from '../supervisor/processTable.js';
import type { Role } from '../supervisor/records.js';
import { readCompose } from './compose.js';
import type { ComposeFile } from './compose.js';
import type { Plan, Places, TopologyOptions } from './plan.js';
import { moveAddresses, planOf } from './plan.js';
import { startCache, startObjectStore, startPostgresServer, startTemporalServer } from './servers.js';

export interface TopologyProcess {
  readonly name: string;
  readonly pid: number;
  /** SIGKILL, as a machine that fails would. */
  kill(): void;
}

export interface Topology {
  readonly apis: readonly (TopologyProcess & { readonly url: string })[];
  readonly workers: readonly TopologyProcess[];
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  readonly simulator: {
    readonly adminUrl: string;
    readonly adminToken: string;
    readonly adminTokenFile: string;
    readonly ledgerFile: string;
  };
  /** Stops everything, in the order of dependence. */
  stop(): Promise<void>;
}

const readyMs = 60_000;
const root = join(compiled(''), '..');

/** @throws StartError, or Error with the last words of a process that did not start */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return await open(options, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  options: TopologyOptions,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Topology> {
  const { dataDir, say, env } = options;
  const secrets = makeSecrets(dataDir);
  const ports = await freePorts();
  const file = readCompose(join(root, 'docker-compose.yml'), {
    ...env,
    SECRETS_DIR: secrets,
    KEEL_MODE: 'simulated',
    KEEL_TEMPORAL_UI_URL: `http://127.0.0.1:${String(ports.temporalUi)}`,
  });
  const postgres = await startPostgresServer(options, ports.postgres, undo);
  const temporal = await startTemporalServer(options, ports.temporal, ports.temporalUi, undo);
  const addresses = {
    'postgres:5432': `127.0.0.1:${String(ports.postgres)}`,
    'temporal:7233': `127.0.0.1:${String(ports.temporal)}`,
    'minio:9000': `127.0.0.1:${String(ports.minio)}`,
    'redis:6379': `127.0.0.1:${String(ports.redis)}`,
    'simulator:5000': `127.0.0.1:${String(ports.simulator)}`,
    'simulator:5001': `127.0.0.1:${String(ports.simulatorAdmin)}`,
  };
  const places: Places = {
    addresses,
    folders: {
      '/run/secrets': secrets,
      '/data': dataDir,
      '/broker': join(dataDir, 'simulator'),
      '/tmp': join(dataDir, 'tmp'),
    },
  };
  moveSecrets(secrets, places);
  // The embedded server has its own user and password.
  writeSecret(secrets, 'database-url', postgres.url);
  const absent = [
    ...((await startObjectStore(options, file, places, ports.minio, undo)) ? [] : [/^MINIO_/]),
    ...((await startCache(options, secrets, ports.redis, undo)) ? [] : [/^REDIS_/]),
  ];
  const launch = launcher({ options, file, places, absent, undo });
  runSetup(planOf(file, 'setup', places, env), absent, say);
  const simulator = await launch('simulator', 'simulator', {
    KEEL_SIMULATOR_PORT: ports.simulator,
    KEEL_SIMULATOR_ADMIN_PORT: ports.simulatorAdmin,
    KEEL_SIMULATOR_API_PORT: ports.simulatorApi,
  });
  const apiPorts = [ports.api1, ports.api2];
  const metrics = [ports.metrics1, ports.metrics2];
  await launch('market', 'simulator', {});
  const [workers, apis] = await Promise.all([
    Promise.all(metrics.map((port) => launch('worker', 'worker', { KEEL_WORKER_METRICS_PORT: port }))),
    Promise.all(
      apiPorts.map((port, index) =>
        launch('api', 'api', {
          KEEL_API_PORT: port,
          KEEL_API_METRICS_PORT: index === 0 ? ports.metrics3 : ports.metrics4,
        }),
      ),
    ),
  ]);
  const tokenFile = join(secrets, 'simulator-token');
  return {
    apis: apis.map((child, index) => ({
      ...asProcess(child, `api ${String(index + 1)}`),
      url: `http://127.0.0.1:${String(apiPorts[index] ?? 0)}`,
    })),
    workers: workers.map((child, index) => asProcess(child, `worker ${String(index + 1)}`)),
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    simulator: {
      adminUrl: `http://${addresses['simulator:5001']}`,
      adminToken: readFileSync(tokenFile, 'utf8').trim(),
      adminTokenFile: tokenFile,
      ledgerFile: String(readyLine(simulator.output())?.['ledgerFile']),
    },
    stop,
  };
}

async function freePorts() {
  const names = [
    'postgres',
    'temporal',
    'temporalUi',
    'minio',
    'redis',
    'simulator',
    'simulatorAdmin',
  ] as const;
  const own = ['simulatorApi', 'api1', 'api2', 'metrics1', 'metrics2', 'metrics3', 'metrics4'] as const;
  const all = [...names, ...own];
  type Name = (typeof all)[number];
  const wishes = Object.fromEntries(all.map((name) => [name, 0])) as Record<Name, number>;
  const chosen = await choosePorts<Name>(wishes);
  return Object.fromEntries(all.map((name) => [name, chosen[name].port])) as Record<Name, number>;
}

/** With the script that an operator runs. */
function makeSecrets(dataDir: string): string {
  const secrets = join(dataDir, 'secrets');
  mkdirSync(join(dataDir, 'tmp'), { recursive: true });
  const script = join(root, 'deploy', 'compose', 'prepare.sh');
  const { status, stderr } = spawnSync('sh', [script, secrets], { encoding: 'utf8', timeout: 30_000 });
  if (status === 0) return secrets;
  throw new StartError(`${script} failed: ${stderr.trim()}`);
}

function writeSecret(secrets: string, name: string, text: string): void {
  writeFileSync(join(secrets, name), `${text}\n`);
}

function moveSecrets(secrets: string, places: Places): void {
  for (const entry of readdirSync(secrets, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(secrets, entry.name), 'utf8').trim();
    writeSecret(secrets, entry.name, moveAddresses(text, places));
  }
}

/** What a process needs of this machine, and nothing that the file does not give it. */
const machine = (): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: process.env.HOME });

function environmentOf({ env }: Plan, absent: readonly RegExp[]): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !absent.some((pattern) => pattern.test(name)));
  return { ...machine(), ...Object.fromEntries(kept) };
}

/** The one-shot container: migrations, and the first admin as the guide says, once: a later start leaves his password alone. */
function runSetup(plan: Plan, absent: readonly RegExp[], say: Say): void {
  const [entry = '', ...command] = plan.args;
  for (const args of [command, ['admin', '--if-none']]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, entry), ...args], {
      encoding: 'utf8',
      timeout: 120_000,
      cwd: root,
      env: environmentOf(plan, absent),
    });
    if (status !== 0) throw new StartError(`setup ${args.join(' ')} failed: ${stderr.trim()}`);
    for (const line of args[0] === 'admin' ? stdout.trim().split('\n') : []) say(`  ! ${line}`);
  }
}

function launcher(context: {
  readonly options: TopologyOptions;
  readonly file: ComposeFile;
  readonly places: Places;
  readonly absent: readonly RegExp[];
  readonly undo: (() => Promise<void>)[];
}) {
  const { options, file, places, absent, undo } = context;
  const counts = new Map<string, number>();
  return async (service: string, role: Role, ports: Readonly<Record<string, number>>): Promise<Child> => {
    const count = (counts.get(service) ?? 0) + 1;
    counts.set(service, count);
    const plan = planOf(file, service, places, options.env, ports);
    const began = performance.now();
    const child = await startChild({
      role,
      command: process.execPath,
      args: plan.args.map((arg) =>
        arg.startsWith('dist/') || arg.startsWith('cli/') ? join(root, arg) : arg,
      ),
      env: environmentOf(plan, absent),
      logs: join(options.dataDir, 'logs', `${service}-${String(count)}`),
    });
    let stopping = false;
    undo.push(async () => {
      stopping = true;
      await endProcess(child, { graceMs: 15_000 });
    });
    await awaitReady(child, readyMs, () => readyLine(child.output()));
    child.onEnd((how) => {
      if (stopping) return;
      options.say(
        `  ✗ ${service} ${String(count)} has ended (${how}) and is not started again: see ${child.logFile}. The others go on; Ctrl-C and a new start bring it back.`,
      );
    });
    options.say(
      `  ✓ ${`${service} ${String(count)}`.padEnd(12)} ${duration(performance.now() - began).padStart(8)}   process ${String(child.pid)}`,
    );
    return child;
  };
}

const asProcess = (child: Child, name: string): TopologyProcess => ({
  name,
  pid: child.pid,
  kill: () => {
    signalProcess(child.pid, 'SIGKILL', true);
  },
});
