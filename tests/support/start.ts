// `npm start` and the `keel` command as people run them: a process with its lines and exit code.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly code: number | null;
  /** Lines of standard output. */
  readonly out: readonly string[];
  /** Lines of standard error. */
  readonly err: readonly string[];
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once a line of standard output holds this. @throws Error when the process ends first */
  said(words: string): Promise<void>;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** Nothing of the caller's own Keel; free ports; the Temporal CLI that the tests have. */
const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  XDG_CACHE_HOME: process.env.XDG_CACHE_HOME,
  TEMPORAL_CLI_PATH: inject('temporalCli') ?? undefined,
  KEEL_ENV: 'testing',
  ...env,
});

/** @param nodeArgs of Node itself, before the script */
function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv, nodeArgs: readonly string[]) {
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
    cwd: root,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.err += part));
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out: linesOf(text.out),
    err: linesOf(text.err),
  }));
  const said = (words: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.out.includes(words)) resolve();
      };
      child.stdout.on('data', look);
      child.once('close', () => {
        reject(new Error(`it ended before it said "${words}":\n${text.out}${text.err}`));
      });
      look();
    });
  return { child, ended, said };
}

/** Starts `npm start` and leaves it running. */
export const launchStart = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Running =>
  run('scripts/start.mjs', args, env, []);

/** Runs `npm start` to its end. */
export const npmStart = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  nodeArgs: readonly string[] = [],
): Promise<Ended> => run('scripts/start.mjs', args, env, nodeArgs).ended;

/** Starts the `keel` command and leaves it running. */
export const launchKeel = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Running =>
  run('cli/bin/keel.mjs', args, env, []);

/** Runs the `keel` command to its end. */
export const keel = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  launchKeel(args, env).ended;
