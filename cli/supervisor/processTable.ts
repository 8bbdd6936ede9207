// What the operating system knows of a process: whether it lives, and when it began. Start times tell a process from a
// later one that was given the same pid. Used for leftovers, for the lock of the data directory and by `keel verify`.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** Opaque; differs for a later process with the same pid. Empty where the system does not tell. */
  readonly startTime: string;
}

/** Ticks since boot from /proc, or what `ps` says; empty when there is no such process or no way to know. */
export function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name, in parentheses, may hold spaces: fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    if (process.platform === 'linux') return '';
    const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 });
    return ps.status === 0 ? ps.stdout.trim() : '';
  }
}

export const identify = (pid: number): ProcessId => ({ pid, startTime: startTimeOf(pid) });

/** True when exactly this process still runs. A zombie does not. */
export function isAlive({ pid, startTime }: ProcessId): boolean {
  if (!Number.isInteger(pid) || pid <= 1 || startTime === '') return false;
  return startTimeOf(pid) === startTime;
}

/** Sends a signal to a process or, with `group`, to its whole process group. False when there is none. */
export function signalProcess(pid: number, signal: NodeJS.Signals, group = false): boolean {
  try {
    process.kill(group ? -pid : pid, signal);
    return true;
  } catch {
    return false;
  }
}
