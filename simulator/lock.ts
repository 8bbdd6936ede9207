// One simulator per directory: a lock file that names its process by id and start time. Called by server.ts.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeelError } from '../ports/errors.js';

/**
 * Takes the directory for this process; a lock whose process has ended is replaced.
 * @returns gives it back
 * @throws KeelError SIMULATOR_DIRECTORY_IN_USE when another simulator lives there
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'simulator.lock');
  const own = `${JSON.stringify({ pid: process.pid, start: startOf(process.pid) })}\n`;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    // A link either makes the whole file or fails, so that nobody reads half a lock.
    if (!link(draft, file)) {
      const holder = readHolder(file);
      if (holder !== null && isAlive(holder)) throw inUse(directory, holder.pid);
      renameSync(file, `${file}.stale.${process.pid}`);
      rmSync(`${file}.stale.${process.pid}`, { force: true });
      if (!link(draft, file)) throw inUse(directory, readHolder(file)?.pid ?? 0);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    rmSync(file, { force: true });
  };
}

interface Holder {
  readonly pid: number;
  /** Clock ticks after boot at which the process began; null where the system does not tell. */
  readonly start: string | null;
}

const inUse = (directory: string, pid: number): KeelError =>
  new KeelError(
    'SIMULATOR_DIRECTORY_IN_USE',
    `Another simulator (process ${pid}) uses ${directory}; stop it, or choose another directory with KEEL_SIMULATOR_DIR.`,
    { facts: { directory, pid } },
  );

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): Holder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return null;
    const { pid, start } = value;
    if (typeof pid !== 'number' || (typeof start !== 'string' && start !== null)) return null;
    return { pid, start };
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const start = startOf(holder.pid);
  return holder.start === null || start === null || holder.start === start;
}

/** The start of a process on Linux: field 22 of its stat line, the 20th after the name in brackets. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
