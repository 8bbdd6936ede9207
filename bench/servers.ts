// The servers that both phases of the benchmark share: an embedded PostgreSQL and a Temporal dev server in memory, with
// everything in a folder that goes with them. Called by the benchmark runner.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { awaitReady, readyLine, startChild } from '../cli/supervisor/child.js';
import type { Child } from '../cli/supervisor/child.js';
import { endProcess } from '../cli/supervisor/leftovers.js';
import { choosePorts } from '../cli/supervisor/ports.js';
import { ensureCluster, resetCluster, startPostgres } from '../cli/supervisor/postgres.js';
import { identify, signalProcess } from '../cli/supervisor/processTable.js';
import type { Role } from '../cli/supervisor/records.js';
import { connectTemporal } from '../cli/supervisor/temporal.js';
import { searchAttributes } from '../contracts/wire/names.js';
import { migrateUp } from '../db/migrate.js';

const namespace = 'default';
const readyMs = 60_000;

export interface NodeProcess extends Child {
  /** Its line of readiness. */
  readonly facts: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface Servers {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly postgresPid: number;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly pid: number };
  readonly client: Client;
  /** Starts one of our own processes and waits for its line of readiness. */
  startNode(role: Role, file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<NodeProcess>;
  stop(): Promise<void>;
}

/** @param say is told what the embedded PostgreSQL has to say */
export async function startServers(temporalCli: string, say: (line: string) => void): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'keel-bench-'));
  // The server runs as another user when this one is root.
  chmodSync(folder, 0o755);
  const groups = new Set<number>();
  process.once('exit', () => {
    for (const pid of groups) signalProcess(pid, 'SIGKILL', true);
    rmSync(folder, { recursive: true, force: true });
  });
  const logs = join(folder, 'logs');
  const ports = await choosePorts({ postgres: 0, temporal: 0, ui: 0 });

  const start = async (role: Role, command: string, args: readonly string[], env: NodeJS.ProcessEnv) => {
    const child = await startChild({ role, command, args, env, logs });
    groups.add(child.pid);
    const stop = async (): Promise<void> => {
      await endProcess(child, { graceMs: 20_000 });
      groups.delete(child.pid);
    };
    return { ...child, stop };
  };

  const cluster = await ensureCluster({ dataDir: folder, log: say });
  const postgres = await startPostgres(cluster, { port: ports.postgres.port });
  groups.add(postgres.pid);
  await migrateUp(postgres.url);
  const address = `127.0.0.1:${String(ports.temporal.port)}`;
  const temporal = await start(
    'temporal',
    temporalCli,
    [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal.port)],
      ...['--ui-port', String(ports.ui.port), '--log-level', 'error'],
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    process.env,
  );
  const connect = () => connectTemporal(address, namespace, 2000);
  const client = await awaitReady(temporal, readyMs, () => connect().catch(() => null));
  return {
    folder,
    databaseUrl: postgres.url,
    postgresPid: postgres.pid,
    temporal: { address, namespace, pid: temporal.pid },
    client,
    startNode: async (role, file, args, env) => {
      const child = await start(role, process.execPath, [file, ...args], env);
      const facts = await awaitReady(child, readyMs, () => readyLine(child.output()));
      return { ...child, facts };
    },
    stop: async () => {
      await client.connection.close();
      await temporal.stop();
      await endProcess({ role: 'postgres', ...identify(postgres.pid) }, { graceMs: 20_000 });
      groups.delete(postgres.pid);
      resetCluster(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
