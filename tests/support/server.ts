// Starts and ends a server process of a test: its own process group, its output in a file. Used by temporal.ts and s3.ts.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Resolves once it has ended, by itself or not. */
  readonly ended: Promise<void>;
  /** Ends it politely, by force after ten seconds; returns once it is gone. */
  stop(): Promise<void>;
  /** SIGKILL to the whole group; returns once it is gone. */
  kill(): Promise<void>;
}

const groups = new Set<number>();

const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already.
  }
};

const killAll = (): void => {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
};

/**
 * Starts `command` and waits until `isReady` answers true.
 * @throws Error with the end of the log when it exits first or is not ready in time
 */
export const startServer = async (options: {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  logFile: string;
  isReady: () => Promise<boolean>;
  readyMs: number;
}): Promise<ServerProcess> => {
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const state: { ended: string | null } = { ended: null };
  const exit = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      state.ended = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      state.ended = `exit ${code ?? signal ?? 'unknown'}`;
      if (child.pid !== undefined) groups.delete(child.pid);
      resolve();
    });
  });
  const pid = child.pid ?? 0;
  if (groups.size === 0) process.once('exit', killAll);
  if (pid > 0) groups.add(pid);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (state.ended !== null) return;
    signalGroup(pid, signal);
    const force = setTimeout(() => {
      signalGroup(pid, 'SIGKILL');
    }, 10_000);
    await exit;
    clearTimeout(force);
  };
  const deadline = performance.now() + options.readyMs;
  while (!(await options.isReady())) {
    if (state.ended !== null || performance.now() > deadline) {
      const why = state.ended ?? `not ready after ${options.readyMs} ms`;
      await end('SIGKILL');
      const tail = readFileSync(options.logFile, 'utf8').split('\n').slice(-20).join('\n');
      throw new Error(`${options.command} ${options.args.join(' ')}: ${why}\n${tail}`);
    }
    await sleep(50);
  }
  return { pid, ended: exit, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
};
