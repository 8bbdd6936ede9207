// A file that one living process holds: the lock of a data directory, and the claim on a port. One of a dead process is
// taken over. Used by dataDir.ts and ports.ts.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ProcessId } from './processTable.js';
import { identify, isAlive } from './processTable.js';

export type Taken =
  | { readonly taken: true }
  /** The owner is null where it cannot be read. */
  | { readonly taken: false; readonly owner: ProcessId | null };

/** @throws Error of the file system */
export function takeLock(file: string): Taken {
  const own = `${file}.${String(process.pid)}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        // A hard link appears at once and with its content: nobody sees a lock without an owner.
        linkSync(own, file);
        return { taken: true };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = readOwner(file);
      if (attempt > 3 || (owner !== null && isAlive(owner))) return { taken: false, owner };
      takeAway(file, owner);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Gives it back, if this process has it. */
export function giveBack(file: string): void {
  if (readOwner(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** Moves a dead owner's lock away; puts it back when a living one has taken it in between. */
function takeAway(file: string, dead: ProcessId | null): void {
  const aside = `${file}.${String(process.pid)}.stale`;
  try {
    renameSync(file, aside);
    const moved = readOwner(aside);
    if (moved?.pid !== dead?.pid || moved?.startTime !== dead?.startTime) linkSync(aside, file);
  } catch {
    // Somebody else was faster; the next attempt sees who.
  }
  rmSync(aside, { force: true });
}

function readOwner(file: string): ProcessId | null {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessId>;
    return { pid: value.pid ?? 0, startTime: value.startTime ?? '' };
  } catch {
    return null;
  }
}
