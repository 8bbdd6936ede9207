// Runs one command to its end, with a time limit; its children end with it. Used by the whole set-up.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Groups of running commands, so that an interrupted script leaves none behind. */
const running = new Set();

const killGroup = (pid, signal) => {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
};

const endAll = (code) => () => {
  for (const pid of running) killGroup(pid, 'SIGTERM');
  if (code !== null) process.exit(code);
};
const endings = { SIGINT: endAll(130), SIGTERM: endAll(143), SIGHUP: endAll(129), exit: endAll(null) };

/** Signals are ours only while a command runs: later they belong to whoever the script starts. */
const watch = (method) => {
  if (running.size > 0) return;
  for (const [event, handler] of Object.entries(endings)) process[method](event, handler);
};

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs: number, onLine?: (line: string) => void, live?: boolean }} options
 *   `live` shows the output as it comes instead of collecting it.
 * @returns {Promise<{ code: number, output: string, timedOut: boolean }>} code 127 when there is no such command;
 *   output is standard output and standard error as they came
 */
export const run = (command, args, { cwd, env, timeoutMs, onLine, live = false }) =>
  new Promise((resolve) => {
    const lines = [];
    let timedOut = false;
    watch('on');
    // A group of its own, so that a time limit also ends what the command has started.
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid) running.add(child.pid);
    for (const stream of live ? [] : [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        onLine?.(line);
      });
    }
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid) killGroup(child.pid, 'SIGKILL');
    }, timeoutMs);
    const finish = (code) => {
      clearTimeout(timer);
      if (child.pid) running.delete(child.pid);
      watch('off');
      resolve({ code, output: lines.join('\n'), timedOut });
    };
    child.once('error', (error) => {
      lines.push(error.message);
      finish(127);
    });
    child.once('close', (code) => finish(code ?? 1));
  });

/** The last `count` lines of an output. */
export const tail = (output, count) => output.split('\n').slice(-count).join('\n');
