// One child process: its own process group, its output in a log file (not a pipe, so that it survives the supervisor's
// death in peace), a readiness of its own with a deadline, and its end watched.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ProcessId } from './processTable.js';
import { startTimeOf } from './processTable.js';
import type { Role } from './records.js';
import { poll } from './wait.js';

export interface ChildSpec {
  readonly role: Role;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the log files. */
  readonly logs: string;
}

export interface Child extends ProcessId {
  readonly role: Role;
  readonly logFile: string;
  /** How it ended, in words; null while it runs. */
  ended(): string | null;
  /** Called once when it ends; at once when it has. */
  onEnd(listener: (how: string) => void): void;
  /** What it has written since this start. */
  output(): string;
}

const rotateBytes = 10_000_000;

/** Starts a process in a group of its own. @throws Error when the command cannot be run at all */
export async function startChild({ role, command, args, env, logs }: ChildSpec): Promise<Child> {
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const logFile = join(logs, `${role}.log`);
  if (existsSync(logFile) && statSync(logFile).size > rotateBytes) renameSync(logFile, `${logFile}.1`);
  // For its owner alone, as the simulator's say where keys are.
  appendFileSync(logFile, '', { mode: 0o600 });
  const from = statSync(logFile).size;
  const log = openSync(logFile, 'a');
  const started = privately(() =>
    spawn(command, [...args], { env, detached: true, stdio: ['ignore', log, log] }),
  );
  closeSync(log);
  let how: string | null = null;
  const listeners: ((how: string) => void)[] = [];
  started.once('exit', (code, signal) => {
    how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
    for (const listener of listeners.splice(0)) listener(how);
  });
  await new Promise<void>((resolve, reject) => {
    started.once('spawn', resolve);
    started.once('error', (error) => {
      reject(new Error(`${role} cannot be started: ${error.message}`, { cause: error }));
    });
  });
  const pid = started.pid ?? 0;
  return {
    role,
    pid,
    startTime: startTimeOf(pid),
    logFile,
    ended: () => how,
    onEnd: (listener) => {
      if (how === null) listeners.push(listener);
      else listener(how);
    },
    output: () => readFrom(logFile, from),
  };
}

/** What a child writes is for its owner alone, such as the file of Temporal's histories. */
function privately<T>(start: () => T): T {
  const before = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}

function readFrom(file: string, from: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(4_000_000, Math.max(0, statSync(file).size - from)));
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, from));
  } finally {
    closeSync(descriptor);
  }
}

/** The line with which Keel's own processes say that they are ready: one JSON object with `ready: true`. */
export function readyLine(output: string): Record<string, unknown> | null {
  for (const line of output.split('\n')) {
    if (!line.startsWith('{') || !line.includes('"ready"')) continue;
    try {
      const value = JSON.parse(line) as Record<string, unknown>;
      if (value['ready'] === true) return value;
    } catch {
      // A line that is still being written; the next look finds it whole.
    }
  }
  return null;
}

/**
 * Waits until the child says, or `ask` finds, that it is ready.
 * @throws Error when it ends first or lets the deadline pass: with the reason that it gave, else the end of its log
 */
export async function awaitReady<T>(
  child: Child,
  deadlineMs: number,
  ask: () => T | null | Promise<T | null>,
): Promise<T> {
  const answer = await poll(deadlineMs, 40, async () => {
    if (child.ended() !== null) return 'ended' as const;
    const found = await ask();
    return found === null ? null : { found };
  });
  if (answer !== null && answer !== 'ended') return answer.found;
  const reason = answer === 'ended' ? ownWords(child) : null;
  if (reason !== null) throw new Error(`${child.role} cannot start: ${reason}`);
  const what =
    answer === null
      ? `is not ready after ${String(Math.round(deadlineMs / 1000))} s`
      : `ended before it was ready (${String(child.ended())})`;
  throw new Error(`${child.role} ${what}. ${lastWords(child)}`);
}

/** Keel's own processes end with `<role>: <what went wrong and what to do>`; null when there is no such line. */
function ownWords({ role, output }: Pick<Child, 'role' | 'output'>): string | null {
  const text = output().trimEnd();
  const at = `\n${text}`.lastIndexOf(`\n${role}: `);
  return at === -1 ? null : text.slice(at + role.length + 2);
}

/** The end of a child's log, for an error message. */
export function lastWords(child: Pick<Child, 'logFile' | 'output'>, count = 12): string {
  const lines = child
    .output()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.length === 0
    ? `Its log ${child.logFile} is empty.`
    : `Last lines of ${child.logFile}:\n${lines.slice(-count).join('\n')}`;
}
