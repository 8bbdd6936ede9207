// The processes of the embedded PostgreSQL: launched as its user, watched until a connection answers, and their last
// words turned into one clear error. Called by postgres.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { KeelError } from '../../ports/errors.js';
import type { Place, SystemUser } from './postgresPlace.js';

const logLimitBytes = 10_000_000;

/** Readable by the server's user and root only. */
export function writeServerFile(path: string, text: string, user: SystemUser | null): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  if (user !== null) chownSync(path, user.uid, user.gid);
}

export interface ServerLog {
  readonly descriptor: number;
  /** What was written since it was opened. */
  written(): string;
  close(): void;
}

/** A file, not a pipe: the server outlives a killed supervisor in peace. Begins anew when it has grown too long. */
export function openLog(place: Place): ServerLog {
  const path = join(place.directory, 'log');
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  // O_NOFOLLOW is missing on Windows.
  const descriptor = openSync(
    path,
    O_APPEND | O_CREAT | O_WRONLY | ((O_NOFOLLOW as number | undefined) ?? 0),
    0o600,
  );
  if (place.user !== null) fchownSync(descriptor, place.user.uid, place.user.gid);
  if (fstatSync(descriptor).size > logLimitBytes) ftruncateSync(descriptor);
  const start = fstatSync(descriptor).size;
  return {
    descriptor,
    written: () => readFileSync(path).subarray(start).toString('utf8'),
    close: () => {
      closeSync(descriptor);
    },
  };
}

/** Only what the server needs: no secret of ours reaches its environment. */
const environment = (place: Place): NodeJS.ProcessEnv => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: place.directory,
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(process.platform === 'win32' ? { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot } : {}),
});

const asUser = ({ user }: Place): { uid?: number; gid?: number } =>
  user === null ? {} : { uid: user.uid, gid: user.gid };

export interface Launched {
  readonly pid: number;
  /** Resolves once the process has ended. */
  readonly ended: Promise<'ended'>;
}

/** Starts the server as the leader of its own process group. @throws KeelError POSTGRES_PROGRAMS (final) */
export async function launch(
  program: string,
  place: Place,
  output: ServerLog,
  args: readonly string[],
): Promise<Launched> {
  const child = spawn(program, args, {
    cwd: place.directory,
    env: environment(place),
    detached: true,
    stdio: ['ignore', output.descriptor, output.descriptor],
    ...asUser(place),
  });
  const ended = new Promise<'ended'>((resolve) => {
    child.once('exit', () => {
      resolve('ended');
    });
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw cannotRun(program, error);
  } finally {
    output.close();
  }
  child.unref();
  return { pid: child.pid ?? 0, ended };
}

const cannotRun = (program: string, cause: unknown): KeelError =>
  new KeelError(
    'POSTGRES_PROGRAMS',
    `${program} cannot be run (${cause instanceof Error ? cause.message : String(cause)}). Run npm ci, or set DATABASE_URL.`,
    { cause },
  );

/** Runs a program to its end. @throws KeelError when it fails or takes longer than two minutes. */
export async function runToEnd(program: string, place: Place, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    cwd: place.directory,
    env: environment(place),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
    ...asUser(place),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let code: unknown;
  try {
    [code] = (await once(child, 'close')) as unknown[];
  } catch (error) {
    throw cannotRun(program, error);
  }
  if (code !== 0) throw explainExit(said, { databaseDir: place.directory });
}

/** True once the server with this pid says in its own file that it takes connections. */
function saysReady(databaseDir: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(databaseDir, 'data', 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/**
 * Waits for a real connection to Keel's database, which is made when it is missing. Another server may answer on the
 * port on which ours is about to fail, so ours has to say first that it is ready.
 * @returns `ended` when the process has ended instead
 * @throws KeelError POSTGRES_START when neither happens in time, or the password is refused
 */
export async function readyOrEnded(
  server: Launched,
  url: string,
  options: { readonly databaseDir: string; readonly deadlineMs: number; readonly readOnly: boolean },
): Promise<'ready' | 'ended'> {
  const begun = performance.now();
  for (;;) {
    const answer = saysReady(options.databaseDir, server.pid)
      ? await Promise.race([server.ended, tryConnection(url, options.readOnly)])
      : starting;
    if (answer === 'ready' || answer === 'ended') return answer;
    const refused = answer.code === '28P01' || answer.code === '3D000';
    if (refused || performance.now() - begun > options.deadlineMs) {
      throw new KeelError(
        'POSTGRES_START',
        `The embedded PostgreSQL runs and does not let Keel in (${answer.message}). Look into its log, or start anew with --reset.`,
        { cause: answer },
      );
    }
    if ((await Promise.race([server.ended, sleep(40)])) === 'ended') return 'ended';
  }
}

interface ConnectionError {
  readonly message: string;
  readonly code?: string;
}
const starting: ConnectionError = { message: 'it is still starting' };

async function tryConnection(url: string, readOnly: boolean): Promise<'ready' | ConnectionError> {
  const error = await ask(url, 'select 1');
  if (error?.code !== '3D000' || readOnly) return error ?? 'ready';
  const maintenance = new URL(url);
  const name = maintenance.pathname.slice(1);
  maintenance.pathname = '/postgres';
  return (await ask(maintenance.href, `create database "${name}"`)) ?? 'ready';
}

async function ask(url: string, sql: string): Promise<ConnectionError | null> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 3000,
    query_timeout: 20_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
    return null;
  } catch (error) {
    return error as ConnectionError;
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Circumstances {
  readonly databaseDir: string;
  readonly port?: number;
}

/** Which words mean what. The first that fits counts. */
const reasons: readonly {
  readonly words: RegExp;
  readonly code: string;
  readonly say: (facts: Circumstances) => string;
}[] = [
  {
    words: /could not bind IPv4 address|could not create any TCP\/IP sockets/,
    code: 'PORT_TAKEN',
    say: ({ port = 0 }) =>
      `Port ${String(port)} is taken, so PostgreSQL cannot listen there. Give another port, or end what uses it.`,
  },
  {
    words: /No space left on device/,
    code: 'DATABASE_FULL',
    say: ({ databaseDir }) =>
      `There is no room left for PostgreSQL in ${databaseDir}. Free some, or give another --data-dir.`,
  },
  {
    words: /Read-only file system|Permission denied/,
    code: 'DATA_DIR_READ_ONLY',
    say: ({ databaseDir }) =>
      `PostgreSQL cannot write in ${databaseDir}. Make it writable, or give another --data-dir.`,
  },
  {
    words: /lock file "[^"]*" already exists/,
    code: 'POSTGRES_RUNNING',
    say: ({ databaseDir }) =>
      `Another PostgreSQL runs on ${databaseDir}. Stop it, or give another --data-dir.`,
  },
  {
    words: /./s,
    code: 'POSTGRES_CORRUPT',
    say: ({ databaseDir }) =>
      `PostgreSQL cannot start on the data in ${databaseDir}. Put back a copy of them, or start anew with --reset.`,
  },
];

/** One error out of a server's or initdb's last words. */
export function explainExit(said: string, facts: Circumstances): KeelError {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const last = lines.findLast((line) => /\b(FATAL|PANIC)\b|initdb: error/.test(line)) ?? lines.at(-1) ?? '';
  const reason = reasons.find(({ words }) => words.test(said));
  const evidence = last.replace(/^.*?(?=FATAL|PANIC|initdb)/, '').trim();
  const sentence = reason?.say(facts) ?? 'PostgreSQL ended before it was ready, and said nothing.';
  return new KeelError(
    reason?.code ?? 'POSTGRES_START',
    evidence === '' ? sentence : `${sentence} It said: ${evidence}`,
    { facts: { databaseDir: facts.databaseDir, port: facts.port ?? null } },
  );
}
