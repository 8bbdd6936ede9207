// The processes of one Keel: started with their times printed, recorded for the next start, watched, restarted a few
// times when they die, and stopped in the order of their dependence. Called by boot.ts and main.ts.
import type { Say } from '../say.js';
import { duration } from '../say.js';
import type { Child, ChildSpec } from './child.js';
import { startChild } from './child.js';
import { StartError } from './dataDir.js';
import { endProcess } from './leftovers.js';
import type { ProcessId } from './processTable.js';
import { isAlive, signalProcess } from './processTable.js';
import type { ProcessRecord, Role } from './records.js';
import { roles, writeRecords } from './records.js';

/** What a service may do while it starts. */
export interface Launcher {
  /** Starts a child process that the stack records, watches and stops. */
  readonly launch: (spec: ChildSpec) => Promise<Child>;
  /** Takes over a process that somebody else has started. */
  readonly adopt: (process: ProcessId) => void;
}

export interface Service {
  readonly role: Role;
  readonly ports: readonly number[];
  /** Starts it and waits until it is ready. @returns a few words for the boot list, such as its address */
  run(launcher: Launcher): Promise<string>;
}

export interface Stack {
  /** Starts a service and prints when it is ready. @throws Error when it does not get ready */
  start(service: Service): Promise<void>;
  /** Rejects when a process dies that cannot be replaced; never resolves. */
  readonly broken: Promise<never>;
  /** Stops everything, in order. Idempotent. */
  stop(): Promise<void>;
  /** Ends everything at once: a second Ctrl-C. */
  kill(): void;
}

export interface StackOptions {
  readonly dataDir: string;
  readonly say: Say;
  /** Wall milliseconds a process may take to stop by itself. */
  readonly graceMs: Readonly<Record<Role, number>>;
  /** How often one role may be started again. */
  readonly restarts: number;
}

interface Entry {
  readonly record: ProcessRecord;
  readonly child: Child | null;
}

export function createStack({ dataDir, say, graceMs, restarts }: StackOptions): Stack {
  const running = new Map<Role, Entry>();
  const deaths = new Map<Role, number>();
  const starting = createPending();
  let stopped: Promise<void> | null = null;
  let killed = false;
  const { broken, fail } = createBreak();

  const save = (): void => {
    writeRecords(
      dataDir,
      [...running.values()].map(({ record }) => record),
    );
  };

  /** What is under way when a stop begins is stopped with the rest; nothing begins after that. */
  const refuseWhenStopping = (role: Role): void => {
    if (stopped !== null) throw new StartError(`${role} was not started: Keel is stopping`);
  };

  const launcherOf = (service: Service): Launcher => {
    const record = (process: ProcessId, child: Child | null): void => {
      const { role, ports } = service;
      running.set(role, {
        record: { role, ports, pid: process.pid, startTime: process.startTime },
        child,
      });
      save();
      if (killed) signalProcess(process.pid, 'SIGKILL', true);
      refuseWhenStopping(role);
    };
    return {
      launch: async (spec) => {
        const child = await startChild(spec);
        record(child, child);
        return child;
      },
      adopt: (process) => {
        record(process, null);
      },
    };
  };

  async function start(service: Service): Promise<void> {
    refuseWhenStopping(service.role);
    const began = performance.now();
    const words = await starting.during(service.run(launcherOf(service)));
    say(`  ✓ ${service.role.padEnd(10)} ${duration(performance.now() - began).padStart(8)}   ${words}`);
    const entry = running.get(service.role);
    if (entry !== undefined)
      onEndOf(entry, (how) => {
        onDeath(service, how);
      });
  }

  function onDeath(service: Service, how: string): void {
    if (stopped !== null) return;
    const { role } = service;
    const count = (deaths.get(role) ?? 0) + 1;
    deaths.set(role, count);
    const log = running.get(role)?.child?.logFile ?? dataDir;
    say(`  ✗ ${role} ended unexpectedly (${how}); its log: ${log}`);
    if (count > restarts || role === 'postgres') {
      fail(new StartError(`${role} ended ${String(count)} times and is not started again: see ${log}`));
      return;
    }
    start(service).catch((error: unknown) => {
      fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async function stopAll(): Promise<void> {
    if (running.size > 0) say('\nStopping:');
    await endRunning();
    // A process that was just being started has been recorded meanwhile, or never came to be.
    await starting.over();
    await endRunning();
  }

  async function endRunning(): Promise<void> {
    for (const role of roles) {
      const entry = running.get(role);
      if (entry === undefined) continue;
      if (await endEntry(entry, graceMs[role], say)) running.delete(role);
      whereItCan(save);
    }
  }

  return {
    start,
    broken,
    stop: () => (stopped ??= stopAll()),
    kill: () => {
      killed = true;
      stopped ??= Promise.resolve();
      for (const { record } of running.values()) signalProcess(record.pid, 'SIGKILL', true);
    },
  };
}

/** A full disk must not keep processes running; the next start looks which of the recorded live. */
function whereItCan(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

/** A promise that only ever rejects. */
function createBreak() {
  let fail: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Somebody else may be the first to ask; until then a rejection is not lost.
  broken.catch(() => undefined);
  return { broken, fail };
}

/** Work that is under way, for one who has to wait for its end, whatever that is. */
function createPending() {
  const pending = new Set<Promise<unknown>>();
  return {
    during: async <T>(work: Promise<T>): Promise<T> => {
      pending.add(work);
      try {
        return await work;
      } finally {
        pending.delete(work);
      }
    },
    over: () => Promise.allSettled(pending),
  };
}

/** A child tells of its end; a process that somebody else has started is looked for. */
function onEndOf({ child, record }: Entry, listener: (how: string) => void): void {
  if (child !== null) {
    child.onEnd(listener);
    return;
  }
  const timer = setInterval(() => {
    if (isAlive(record)) return;
    clearInterval(timer);
    listener('its process is gone');
  }, 500);
  timer.unref();
}

async function endEntry({ record }: Entry, graceMs: number, say: Say): Promise<boolean> {
  const { role, pid } = record;
  const began = performance.now();
  const ended = await endProcess(record, { graceMs });
  const spent = duration(performance.now() - began);
  say(ended ? `  ✓ ${role} stopped in ${spent}` : `  ✗ ${role} (process ${String(pid)}) does not end`);
  return ended;
}
