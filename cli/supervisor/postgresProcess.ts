// The processes of the embedded PostgreSQL: launched as its user, with a log of their own. Called by postgres.ts.
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
import { KeelError } from '../../ports/errors.js';
import { explainExit } from './postgresExit.js';
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
