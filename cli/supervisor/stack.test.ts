import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from './processTable.js';
import { readRecords } from './records.js';
import type { Role } from './records.js';
import type { Service } from './stack.js';
import { createStack } from './stack.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keel-stack-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const graceMs = { worker: 2000, api: 2000, simulator: 2000, temporal: 2000, postgres: 2000 };
const make = () => createStack({ dataDir: folder, say: () => undefined, graceMs, restarts: 0 });

/** A process that only waits; ready when `ready` resolves. */
const sleeper = (role: Role, ready: Promise<void> = Promise.resolve()): Service => ({
  role,
  ports: [],
  run: async ({ launch }) => {
    const args = ['-e', 'setTimeout(() => undefined, 60000)'];
    await launch({ role, command: process.execPath, args, env: {}, logs: path.join(folder, 'logs') });
    await ready;
    return '';
  },
});

describe('a stack that stops', () => {
  it('ends every process also when its list can no longer be written', async () => {
    const stack = make();
    await stack.start(sleeper('worker'));
    await stack.start(sleeper('api'));
    const started = readRecords(folder);
    expect(started).toHaveLength(2);
    rmSync(folder, { recursive: true });
    await stack.stop();
    expect(started.filter(isAlive)).toEqual([]);
  });

  it('ends what is just being started, and starts nothing any more', async () => {
    const stack = make();
    let ready: () => void = () => undefined;
    const starting = stack.start(
      sleeper(
        'simulator',
        new Promise((resolve) => {
          ready = resolve;
        }),
      ),
    );
    const stopped = stack.stop();
    ready();
    await starting.catch(() => undefined);
    await stopped;
    expect(readRecords(folder)).toEqual([]);
    await expect(stack.start(sleeper('api'))).rejects.toThrow('api was not started: Keel is stopping');
  });
});
