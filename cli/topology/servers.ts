// The servers of docker-compose.yml that are not Keel's own, as they can be had on this machine. Called by start.ts.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { awaitReady, startChild } from '../supervisor/child.js';
import { endProcess } from '../supervisor/leftovers.js';
import { ensureCluster, runningPostgres, startPostgres } from '../supervisor/postgres.js';
import { makePrivate } from '../supervisor/privacy.js';
import { identify } from '../supervisor/processTable.js';
import { temporalService } from '../supervisor/temporal.js';
import type { ComposeFile } from './compose.js';
import type { Places, TopologyOptions } from './plan.js';
import { planEnvironment } from './plan.js';

type Undo = (() => Promise<void>)[];

/** The embedded PostgreSQL in place of the container's. */
export async function startPostgresServer(
  { dataDir, say }: TopologyOptions,
  port: number,
  undo: Undo,
): Promise<{ readonly url: string }> {
  // Open for a moment, so that its user may pass afterwards, and nobody else.
  chmodSync(dataDir, 0o755);
  makePrivate(dataDir);
  const log = (message: string): void => {
    say(`  · ${message}`);
  };
  const cluster = await ensureCluster({ dataDir, log });
  await runningPostgres(cluster)?.stop();
  const running = await startPostgres(cluster, { port });
  undo.push(async () => {
    await endProcess({ role: 'postgres', ...identify(running.pid) }, { graceMs: 20_000 });
  });
  say(`  ✓ postgres     embedded, on port ${String(port)}`);
  return { url: running.url };
}

/** The development server: one process with a file, not Temporal on PostgreSQL. */
export async function startTemporalServer(
  { dataDir, temporalCli, env, say }: TopologyOptions,
  port: number,
  uiPort: number,
  undo: Undo,
): Promise<{ readonly address: string; readonly uiUrl: string }> {
  const logs = join(dataDir, 'logs', 'temporal');
  const service = temporalService({
    ...{ cli: temporalCli, dataDir, logs, port, uiPort, env },
    namespace: 'default',
  });
  const words = await service.run({
    launch: async (spec) => {
      const child = await startChild(spec);
      undo.push(async () => {
        await endProcess(child, { graceMs: 10_000 });
      });
      return child;
    },
    adopt: () => undefined,
  });
  say(`  ✓ temporal     its development server (not on PostgreSQL): ${words}`);
  return { address: `127.0.0.1:${String(port)}`, uiUrl: `http://127.0.0.1:${String(uiPort)}` };
}

/** MinIO with the container's command and secrets. False where there is none: objects are files then. */
export async function startObjectStore(
  { dataDir, env, say }: TopologyOptions,
  file: ComposeFile,
  places: Places,
  port: number,
  undo: Undo,
): Promise<boolean> {
  const command = onPath('minio', env);
  if (command === null) {
    say('  · minio        is not on PATH: objects are files in the data directory');
    return false;
  }
  const data = join(dataDir, 'minio');
  mkdirSync(data, { recursive: true });
  const address = `127.0.0.1:${String(port)}`;
  const child = await startChild({
    role: 'simulator',
    command,
    args: ['server', data, '--quiet', '--address', address],
    env: { PATH: env['PATH'], HOME: dataDir, ...planEnvironment(file, 'minio', places, env) },
    logs: join(dataDir, 'logs', 'minio'),
  });
  undo.push(async () => {
    await endProcess(child, { graceMs: 10_000 });
  });
  await awaitReady(child, 30_000, async () => {
    const answer = await fetch(`http://${address}/minio/health/cluster`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => null);
    return answer?.ok === true ? true : null;
  });
  say(`  ✓ minio        on port ${String(port)}`);
  return true;
}

/** Redis with the container's password. False where there is none: each process keeps a cache of its own then. */
export async function startCache(
  { dataDir, env, say }: TopologyOptions,
  secrets: string,
  port: number,
  undo: Undo,
): Promise<boolean> {
  const command = onPath('redis-server', env);
  if (command === null) {
    say('  · redis        is not on PATH: each process keeps a cache of its own');
    return false;
  }
  const password = readFileSync(join(secrets, 'redis-password'), 'utf8').trim();
  const child = await startChild({
    role: 'simulator',
    command,
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      ...['--dir', join(dataDir, 'tmp'), '--requirepass', password],
    ],
    env: { PATH: env['PATH'] },
    logs: join(dataDir, 'logs', 'redis'),
  });
  undo.push(async () => {
    await endProcess(child, { graceMs: 5000 });
  });
  await awaitReady(child, 20_000, () => pings(port));
  say(`  ✓ redis        on port ${String(port)}`);
  return true;
}

/** It answers, if only that it wants a password. */
const pings = (port: number): Promise<true | null> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer: true | null) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', end(true));
    socket.once('error', end(null));
    socket.setTimeout(1000, end(null));
  });

function onPath(program: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, program);
    if (folder === '' || !existsSync(file)) continue;
    try {
      accessSync(file, constants.X_OK);
    } catch {
      continue;
    }
    if (spawnSync(file, ['--version'], { timeout: 10_000 }).status === 0) return file;
  }
  return null;
}
