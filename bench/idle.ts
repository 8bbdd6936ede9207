// A whole Keel that has nothing to do, as `npm start` leaves it after its demo: memory and CPU of each of its processes over
// a stated time, monitors on as they are by default. Called by the runner.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRecords } from '../cli/supervisor/records.js';
import { alone, measured, memoryMb, type Trees } from './cpu.js';

export interface IdleTiming {
  /** How long it was watched, after it had settled. */
  readonly seconds: number;
  readonly processes: readonly IdleProcess[];
}

export interface IdleProcess {
  readonly name: string;
  readonly own: boolean;
  /** Resident at the end, megabytes of 1,048,576 bytes, children included. */
  readonly memoryMb: number;
  /** Share of one core. */
  readonly cpuShare: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const settleMs = 30_000;
const watchMs = 60_000;
/** With a build of the Temporal CLI; and a stop. */
const [startLimitMs, stopLimitMs] = [900_000, 60_000];
/** The words after which nothing but monitors and polls goes on. */
const idleWords = 'Press Ctrl-C to stop.';

export async function benchIdle(): Promise<IdleTiming> {
  const dataDir = mkdtempSync(join(tmpdir(), 'keel-bench-idle-'));
  // The server runs as another user when this one is root.
  chmodSync(dataDir, 0o755);
  const child = spawn(process.execPath, [join(root, 'scripts/start.mjs'), '--data-dir', dataDir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', resolve));
  try {
    await said(child, idleWords, startLimitMs);
    await pause(settleMs);
    const pids = Object.fromEntries(readRecords(dataDir).map(({ role, pid }) => [role, pid]));
    return await watch(child.pid ?? 0, pids);
  } finally {
    child.kill('SIGINT');
    const hard = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await ended;
    clearTimeout(hard);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function said(child: ReturnType<typeof spawn>, words: string, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const limit = setTimeout(() => child.kill('SIGTERM'), limitMs);
    const hear = (part: Buffer): void => {
      text += part.toString('utf8');
      if (!text.includes(words)) return;
      clearTimeout(limit);
      resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('close', (code) => {
      clearTimeout(limit);
      const last = text.split('\n').slice(-15).join('\n');
      reject(new Error(`npm start ended with ${String(code)} before it was idle:\n${last}`));
    });
  });
}

/** The supervisor is looked at alone: its children are looked at by themselves. */
async function watch(supervisor: number, pids: Trees): Promise<IdleTiming> {
  const before = alone(supervisor);
  const { usage } = await measured(pids, () => pause(watchMs));
  const after = alone(supervisor);
  const children = Object.entries(pids).map(([name, pid]): IdleProcess => ({
    name,
    own: name !== 'postgres' && name !== 'temporal',
    memoryMb: memoryMb(pid),
    cpuShare: (usage.cpuMs[name] ?? NaN) / usage.wallMs,
  }));
  const cpuShare = (after.cpuMs - before.cpuMs) / usage.wallMs;
  return {
    seconds: usage.wallMs / 1000,
    processes: [
      ...children.toSorted((a, b) => Number(b.own) - Number(a.own)),
      { name: 'supervisor', own: true, memoryMb: after.memoryMb, cpuShare },
    ],
  };
}
