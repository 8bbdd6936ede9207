import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.mjs';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keel-lock-'));
  lock = path.join(folder, 'locks', 'one');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A process that appends `in` and `out` to a file around 30 ms of work under the lock, five times. */
const worker = `
  import { appendFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const [module, lock, log] = process.argv.slice(1);
  const { withLock } = await import(module);
  for (let turn = 0; turn < 5; turn += 1) {
    await withLock(lock, 'test', async () => {
      appendFileSync(log, 'in ');
      await sleep(30);
      appendFileSync(log, 'out ');
    });
  }
`;

test('two processes never hold the lock at once', async () => {
  const log = path.join(folder, 'log');
  const module = new URL('./lock.mjs', import.meta.url).href;
  const run = async (): Promise<unknown> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', worker, module, lock, log]);
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  };
  expect(await Promise.all([run(), run(), run()])).toEqual([0, 0, 0]);
  expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(15));
  expect(readdirSync(path.dirname(lock))).toEqual([]);
}, 30_000);

test('the lock is free again after an error', async () => {
  await expect(withLock(lock, 'test', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(existsSync(lock)).toBe(false);
});

test('a lock whose owner was killed is taken over', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await withLock(lock, 'test', () => Promise.resolve());
  writeFileSync(lock, `${child.pid ?? 0}  1`);
  expect(await withLock(lock, 'test', () => Promise.resolve('done'), 5000)).toBe('done');
});

test.runIf(process.platform === 'linux')(
  'a lock whose pid another process has now is taken over',
  async () => {
    await withLock(lock, 'test', () => Promise.resolve());
    writeFileSync(lock, `${process.pid} 1 1`);
    expect(await withLock(lock, 'test', () => Promise.resolve('done'), 5000)).toBe('done');
  },
);

test('who waits too long is told whom for, and what to do', async () => {
  await withLock(lock, 'outer', async () => {
    await expect(withLock(lock, 'inner', () => Promise.resolve(), 50)).rejects.toThrow(
      new RegExp(`process ${process.pid} \\(inner\\).*delete ${lock}`),
    );
  });
});
