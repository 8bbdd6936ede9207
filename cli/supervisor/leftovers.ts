// Ends what a killed supervisor has left running. Called at the start, once the data directory is ours.
import type { ProcessRecord } from './records.js';
import { readRecords, roles, writeRecords } from './records.js';
import { isAlive, signalProcess } from './processTable.js';
import { poll } from './wait.js';

export interface EndOptions {
  /** Milliseconds a process may take to end by itself, before SIGKILL. */
  readonly graceMs: number;
}

/** Recorded processes that still run, in the order in which they have to be stopped. */
export function findLeftovers(
  records: readonly ProcessRecord[],
  alive: (record: ProcessRecord) => boolean = isAlive,
): ProcessRecord[] {
  return records
    .filter((record) => alive(record))
    .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
}

/**
 * Asks a process to end, and kills its group when it does not.
 * PostgreSQL gets SIGINT (its fast shutdown: SIGTERM would wait for every client).
 * @returns false when it lives even after SIGKILL
 */
export async function endProcess(
  record: Pick<ProcessRecord, 'role' | 'pid' | 'startTime'>,
  { graceMs }: EndOptions,
): Promise<boolean> {
  const gone = (deadlineMs: number): Promise<true | null> =>
    poll(deadlineMs, 20, () => (isAlive(record) ? null : true));
  if (!isAlive(record)) return true;
  signalProcess(record.pid, record.role === 'postgres' ? 'SIGINT' : 'SIGTERM');
  if (await gone(graceMs)) return true;
  signalProcess(record.pid, 'SIGKILL', true);
  return (await gone(5000)) !== null;
}

/**
 * Ends everything that an earlier supervisor of this data directory has left.
 * @returns what was found; the list is empty after a clean stop
 * @throws Error naming the pid of a process that does not end
 */
export async function endLeftovers(dataDir: string, options: EndOptions): Promise<ProcessRecord[]> {
  const found = findLeftovers(readRecords(dataDir));
  for (const record of found) {
    if (!(await endProcess(record, options))) {
      throw new Error(
        `process ${String(record.pid)} (${record.role} of an earlier start) does not end, not even by SIGKILL: end it by hand`,
      );
    }
  }
  writeRecords(dataDir, []);
  return found;
}
