// <dataDir>/processes.json: the processes a supervisor has started. A start after a SIGKILL of the supervisor finds
// here what it left behind.
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessId } from './processTable.js';

/** In the order in which they are stopped. */
export const roles = ['worker', 'api', 'simulator', 'temporal', 'postgres'] as const;
export type Role = (typeof roles)[number];

export interface ProcessRecord extends ProcessId {
  readonly role: Role;
  readonly ports: readonly number[];
}

const fileOf = (dataDir: string): string => join(dataDir, 'processes.json');

/** What is recorded; nothing when there is no readable file. Unreadable entries are left out. */
export function readRecords(dataDir: string): ProcessRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(fileOf(dataDir), 'utf8'));
  } catch {
    return [];
  }
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is ProcessRecord {
  const { role, pid, startTime, ports } = (value ?? {}) as Record<string, unknown>;
  return (
    roles.includes(role as Role) &&
    typeof pid === 'number' &&
    typeof startTime === 'string' &&
    Array.isArray(ports)
  );
}

/** Written at once and whole, so that a kill leaves either the old or the new list. */
export function writeRecords(dataDir: string, records: readonly ProcessRecord[]): void {
  if (records.length === 0) {
    rmSync(fileOf(dataDir), { force: true });
    return;
  }
  writeFileAtomically(fileOf(dataDir), `${JSON.stringify(records, null, 2)}\n`);
}

/** Whole or not at all, readable by the owner only. */
export function writeFileAtomically(file: string, text: string, mode = 0o600): void {
  const next = `${file}.${String(process.pid)}.new`;
  try {
    writeFileSync(next, text, { mode });
    // Whatever the umask takes away.
    chmodSync(next, mode);
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
