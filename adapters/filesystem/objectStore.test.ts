import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { objectStoreContract } from '../testing/objectStoreContract.js';
import { createFilesystemObjectStore } from './objectStore.js';

const base = mkdtempSync(path.join(tmpdir(), 'keel-objects-'));
let count = 0;
const freshDirectory = (): string => {
  count += 1;
  return path.join(base, `bucket-${count}`);
};

afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

objectStoreContract('filesystem', () => ({
  fresh: () => createFilesystemObjectStore({ directory: freshDirectory() }),
  fetchUrl: async (url) => new Uint8Array(await readFile(fileURLToPath(url))),
}));

describe('filesystem object store', () => {
  test('leaves no unfinished file behind a write', async () => {
    const directory = freshDirectory();
    const store = createFilesystemObjectStore({ directory });
    await store.ensureBucket();
    await store.put('a', new Uint8Array(1000), 'text/plain');
    expect(readdirSync(path.join(directory, '.unfinished'))).toEqual([]);
  });

  test('objects and their folders are for their owner alone', async () => {
    const directory = freshDirectory();
    const store = createFilesystemObjectStore({ directory });
    await store.ensureBucket();
    await store.put('bars/a/b', new Uint8Array(1), 'text/plain');
    const modes = ['', 'bars', 'bars/a', 'bars/a/b'].map(
      (name) => statSync(path.join(directory, name)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  });

  test('sweeps what a dead writer left more than an hour ago, and nothing younger', async () => {
    const directory = freshDirectory();
    const left = path.join(directory, '.unfinished');
    mkdirSync(left, { recursive: true });
    for (const name of ['old', 'young']) writeFileSync(path.join(left, name), 'x');
    const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
    utimesSync(path.join(left, 'old'), old, old);
    await createFilesystemObjectStore({ directory }).ensureBucket();
    expect(readdirSync(left)).toEqual(['young']);
  });

  test('a directory that is a file is refused', async () => {
    const directory = freshDirectory();
    writeFileSync(directory, 'I am a file');
    const store = createFilesystemObjectStore({ directory });
    await expect(store.ensureBucket()).rejects.toMatchObject({ code: 'OBJECT_STORE_FAILED' });
    await expect(store.put('a', new Uint8Array(1), 'text/plain')).rejects.toMatchObject({
      code: 'OBJECT_STORE_BUCKET_MISSING',
    });
  });

  test('an object can not stand where a folder of objects is', async () => {
    const store = createFilesystemObjectStore({ directory: freshDirectory() });
    await store.ensureBucket();
    await store.put('a/b', new Uint8Array(1), 'text/plain');
    await expect(store.put('a', new Uint8Array(1), 'text/plain')).rejects.toMatchObject({
      code: 'OBJECT_STORE_FAILED',
      errorClass: 'final',
    });
    expect(await store.has('a/b')).toBe(true);
  });
});

const mountPoint = path.join(base, 'small-disk');
const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;
mkdirSync(mountPoint);
const mounted =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint);

// Skipped, and counted so, where this user may not mount a small disk.
describe.skipIf(!mounted)('filesystem object store on a disk of 1 MB', () => {
  const directory = path.join(mountPoint, 'objects');
  const store = createFilesystemObjectStore({ directory });
  beforeAll(() => store.ensureBucket());
  afterAll(() => {
    spawnSync('umount', [mountPoint]);
  });

  test('a full disk is retryable, says so, keeps the older object and leaves nothing half-written', async () => {
    const first = new Uint8Array(300_000).fill(1);
    await store.put('kept', first, 'text/plain');
    await expect(store.put('kept', new Uint8Array(2_000_000), 'text/plain')).rejects.toMatchObject({
      code: 'OBJECT_STORE_FULL',
      errorClass: 'retryable',
      message: expect.stringContaining('Free space') as string,
    });
    expect(await store.get('kept')).toEqual(first);
    expect(readdirSync(path.join(directory, '.unfinished'))).toEqual([]);
    await store.put('fits', new Uint8Array(100_000), 'text/plain');
  });

  test('a read-only disk is final, says so, and can still be read', async () => {
    await store.put('here', new Uint8Array([7]), 'text/plain');
    expect(mount('-o', 'remount,ro', mountPoint)).toBe(true);
    const refusal = { code: 'OBJECT_STORE_READONLY', errorClass: 'final' };
    await expect(store.put('new', new Uint8Array(1), 'text/plain')).rejects.toMatchObject(refusal);
    await expect(store.delete('here')).rejects.toMatchObject(refusal);
    await expect(store.ensureBucket()).rejects.toMatchObject(refusal);
    expect(await store.get('here')).toEqual(new Uint8Array([7]));
    expect(existsSync(path.join(directory, 'new'))).toBe(false);
  });
});
