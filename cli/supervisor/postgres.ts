// The embedded PostgreSQL: a real server from npm, in a process group of its own. Started and stopped by the
// supervisor, by `keel verify` (for reading only) and by the tests.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KeelError } from '../../ports/errors.js';
import { findBinaries } from './postgresBinaries.js';
import type { Binaries } from './postgresBinaries.js';
import { explainExit } from './postgresExit.js';
import { launch, openLog, runToEnd, writeServerFile } from './postgresProcess.js';
import { readyOrEnded } from './postgresReady.js';
import { candidates, choosePlace, isRoot, sharedRoot } from './postgresPlace.js';
import type { Place } from './postgresPlace.js';
import { identify, isAlive, signalProcess } from './processTable.js';
import type { ProcessId } from './processTable.js';
import { poll } from './wait.js';

export interface Cluster {
  /** Where PostgreSQL's files really are. */
  readonly databaseDir: string;
  /** True when `databaseDir` is not inside the data directory. */
  readonly moved: boolean;
  readonly place: Place;
  readonly binaries: Binaries;
}

export interface RunningPostgres {
  readonly pid: number;
  readonly port: number;
  /** With user and password: never printed. */
  readonly url: string;
  readonly databaseDir: string;
  /** Fast shutdown (SIGINT), and SIGKILL of the group when that takes longer than `graceMs`. Resolves once it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface StartOptions {
  readonly port: number;
  /** Every transaction of every client starts read-only. */
  readonly readOnly?: boolean;
}

const databaseName = 'keel';
const startDeadlineMs = 60_000;

/**
 * Makes the cluster when it is missing; one that is there is left as it is.
 * @param options.dataDir Keel's data directory; the cluster is its `postgres`, or lies under /var/lib/keel
 * @param options.log is told what a person should know: a user that is made, a directory that is chosen
 * @throws KeelError DATA_DIR_READ_ONLY, FOREIGN_DIRECTORY, NO_POSTGRES_USER, POSTGRES_PROGRAMS, POSTGRES_VERSION,
 * POSTGRES_CORRUPT, DATABASE_FULL
 */
export async function ensureCluster(options: {
  readonly dataDir: string;
  readonly log: (message: string) => void;
}): Promise<Cluster> {
  const place = choosePlace(options.dataDir, options.log);
  const binaries = findBinaries(place.user, options.log);
  const cluster = { databaseDir: place.directory, moved: place.moved, place, binaries };
  if (!existsSync(dataOf(cluster))) await initialize(cluster);
  checkVersion(cluster);
  return cluster;
}

/** Starts the server on loopback and answers once a connection has been made to Keel's database. */
export async function startPostgres(cluster: Cluster, options: StartOptions): Promise<RunningPostgres> {
  const leftover = livingServer(cluster.databaseDir);
  if (leftover !== null) throw alreadyRuns(cluster.databaseDir, leftover.process.pid);
  // Before the launch: a server whose password is lost must not be left running.
  readPassword(cluster.databaseDir);
  rmSync(join(dataOf(cluster), 'postmaster.pid'), { force: true });
  const running = await poll(10_000, 250, () => attempt(cluster, options));
  if (running !== null) return running;
  throw new KeelError(
    'POSTGRES_RUNNING',
    `PostgreSQL processes of an earlier start still use ${cluster.databaseDir}. Wait a moment, or end them.`,
    { facts: { databaseDir: cluster.databaseDir } },
  );
}

/** The server that runs on this cluster already, such as one that a killed supervisor has left; null when none does. */
export function runningPostgres(cluster: Cluster): RunningPostgres | null {
  const living = livingServer(cluster.databaseDir);
  return living === null ? null : handle(cluster.databaseDir, living.process, living.port);
}

/** Deletes the cluster, wherever it lies. The server must have been stopped. */
export function resetCluster(dataDir: string): void {
  const { inside, outside } = candidates(dataDir);
  for (const directory of isRoot() ? [inside, outside] : [inside]) {
    const living = livingServer(directory);
    if (living !== null) throw alreadyRuns(directory, living.process.pid);
    rmSync(directory, { recursive: true, force: true });
  }
  const shared = dirname(outside);
  if (isRoot() && dirname(shared) === sharedRoot) rmSync(shared, { recursive: true, force: true });
}

const dataOf = ({ databaseDir }: Pick<Cluster, 'databaseDir'>): string => join(databaseDir, 'data');

/** Made under another name and then renamed, so that a killed initdb never looks whole. */
async function initialize(cluster: Cluster): Promise<void> {
  const { place, binaries, databaseDir } = cluster;
  const unfinished = join(databaseDir, 'data.new');
  const passwordFile = join(databaseDir, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  writeServerFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, place.user);
  await runToEnd(binaries.initdb, place, [
    ...['--pgdata', unfinished, '--username', databaseName, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
  ]);
  renameSync(unfinished, dataOf(cluster));
}

function checkVersion(cluster: Cluster): void {
  const { databaseDir, binaries } = cluster;
  let version = '';
  try {
    version = readFileSync(join(dataOf(cluster), 'PG_VERSION'), 'utf8').trim();
  } catch {
    // Reported below.
  }
  if (version === binaries.major) return;
  if (/^\d+$/.test(version)) {
    throw new KeelError(
      'POSTGRES_VERSION',
      `The data in ${databaseDir} were made by PostgreSQL ${version}, and this is ${binaries.major}. Use the Keel that made them to dump them, or start anew with --reset.`,
      { facts: { databaseDir, version, expected: binaries.major } },
    );
  }
  throw new KeelError(
    'POSTGRES_CORRUPT',
    `The data in ${databaseDir} are not whole: PG_VERSION cannot be read. Put back a copy, or start anew with --reset.`,
    { facts: { databaseDir } },
  );
}

/** Null when processes of a killed server are still about to end. */
async function attempt(cluster: Cluster, options: StartOptions): Promise<RunningPostgres | null> {
  const { place, binaries, databaseDir } = cluster;
  const output = openLog(place);
  const readOnly = options.readOnly ?? false;
  const child = await launch(binaries.postgres, place, output, [
    ...['-D', dataOf(cluster), '-p', String(options.port)],
    ...settings(readOnly).flatMap((setting) => ['-c', setting]),
  ]);
  const running = handle(databaseDir, identify(child.pid), options.port);
  try {
    const answer = await readyOrEnded(child, running.url, {
      databaseDir,
      deadlineMs: startDeadlineMs,
      readOnly,
    });
    if (answer === 'ready') return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
  const said = output.written();
  if (said.includes('pre-existing shared memory block')) return null;
  throw explainExit(said, { databaseDir, port: options.port });
}

/** For a small machine that other processes share; durability is never traded (fsync and synchronous_commit stay on). */
const settings = (readOnly: boolean): readonly string[] => [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=64MB',
  'effective_cache_size=256MB',
  'max_connections=60',
  'max_parallel_workers_per_gather=0',
  'io_method=sync',
  'jit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=256MB',
  'fsync=on',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_min_messages=warning',
  'log_min_error_statement=panic',
  ...(readOnly ? ['default_transaction_read_only=on'] : []),
];

function handle(databaseDir: string, server: ProcessId, port: number): RunningPostgres {
  const password = readPassword(databaseDir);
  const gone = (deadlineMs: number): Promise<true | null> =>
    poll(deadlineMs, 20, () => (isAlive(server) ? null : true));
  return {
    pid: server.pid,
    port,
    url: `postgres://${databaseName}:${password}@127.0.0.1:${String(port)}/${databaseName}`,
    databaseDir,
    stop: async (graceMs = 10_000) => {
      if (!isAlive(server)) return;
      signalProcess(server.pid, 'SIGINT');
      if (await gone(graceMs)) return;
      signalProcess(server.pid, 'SIGKILL', true);
      await gone(5000);
    },
  };
}

function readPassword(databaseDir: string): string {
  try {
    return readFileSync(join(databaseDir, 'password'), 'utf8').trim();
  } catch (error) {
    throw new KeelError(
      'POSTGRES_CORRUPT',
      `The password of the PostgreSQL in ${databaseDir} cannot be read. Put its file "password" back, or start anew with --reset.`,
      { facts: { databaseDir }, cause: error },
    );
  }
}

/** From postmaster.pid, which outlives a killed server: its pid counts only while it runs and names this directory. */
function livingServer(databaseDir: string): { readonly process: ProcessId; readonly port: number } | null {
  const data = join(databaseDir, 'data');
  let lines: readonly string[];
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const server = identify(Number(lines[0]));
  if (!isAlive(server) || !commandOf(server.pid).includes(data)) return null;
  return { process: server, port: Number(lines[3]) };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
  } catch {
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 }).stdout;
  }
}

const alreadyRuns = (databaseDir: string, pid: number): KeelError =>
  new KeelError(
    'POSTGRES_RUNNING',
    `PostgreSQL runs on ${databaseDir} already (process ${String(pid)}). Stop that Keel, or give another --data-dir.`,
    { facts: { databaseDir, pid } },
  );
