import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir, prepareDataDir } from './dataDir.js';
import { endLeftovers, findLeftovers } from './leftovers.js';
import { identify, isAlive } from './processTable.js';
import type { ProcessRecord } from './records.js';
import { readRecords, writeRecords } from './records.js';

const record = (role: ProcessRecord['role'], pid: number): ProcessRecord => ({
  role,
  ports: [],
  pid,
  startTime: String(pid),
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keel-leftovers-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A child in a group of its own that says so once its signal handlers stand. */
async function startChild(code: string) {
  const child = spawn(process.execPath, ['-e', `${code}; setInterval(() => {}, 1000); console.log('up')`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return {
    exited: once(child, 'exit') as Promise<[number | null, string | null]>,
    ...identify(child.pid ?? 0),
  };
}

describe('leftovers', () => {
  it('are ended in the order worker, API, simulator, Temporal, PostgreSQL', () => {
    const records = [record('postgres', 11), record('temporal', 12), record('api', 13), record('worker', 14)];
    const found = findLeftovers(records, ({ pid }) => pid !== 12);
    expect(found.map(({ role }) => role)).toEqual(['worker', 'api', 'postgres']);
  });

  it('end by SIGTERM, and the record of them with them', async () => {
    const { exited, pid, startTime } = await startChild('');
    writeRecords(directory, [{ role: 'worker', ports: [], pid, startTime }]);
    expect((await endLeftovers(directory, { graceMs: 5000 })).map((each) => each.pid)).toEqual([pid]);
    expect(await exited).toEqual([null, 'SIGTERM']);
    expect(readRecords(directory)).toEqual([]);
  });

  it('end by SIGKILL when they do not hear', async () => {
    const { exited, pid, startTime } = await startChild("process.on('SIGTERM', () => {})");
    writeRecords(directory, [{ role: 'api', ports: [], pid, startTime }]);
    await endLeftovers(directory, { graceMs: 100 });
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  it('are not a later process with the same pid', async () => {
    writeRecords(directory, [{ role: 'worker', ports: [], pid: process.pid, startTime: '1' }]);
    expect(await endLeftovers(directory, { graceMs: 10 })).toEqual([]);
    expect(isAlive(identify(process.pid))).toBe(true);
  });
});

describe('the data directory', () => {
  it('is held by one supervisor', () => {
    prepareDataDir(directory);
    const unlock = lockDataDir(directory);
    expect(() => lockDataDir(directory)).toThrow(/another Keel \(process \d+\)/);
    unlock();
    lockDataDir(directory)();
  });

  it('is fresh once, and refused when it holds what is not ours', () => {
    expect(prepareDataDir(join(directory, 'a', 'b'))).toEqual({ fresh: true });
    expect(prepareDataDir(join(directory, 'a', 'b'))).toEqual({ fresh: false });
    expect(() => prepareDataDir(directory)).toThrow(/not Keel's \(a\)/);
  });
});
