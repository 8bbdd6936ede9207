// What every object store has to do: run by the tests of the filesystem store and of the MinIO store.
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ObjectStorePort } from '../../ports/objectStore.js';

export interface ObjectStoreHarness {
  /** A store whose bucket has never been made. */
  fresh(): Promise<ObjectStorePort> | ObjectStorePort;
  /** Reads what a presigned URL gives, as a browser would. */
  fetchUrl(url: string): Promise<Uint8Array>;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const plain = 'text/plain';

const oddKeys = [
  'a',
  'bars/AAPL/0f.json',
  'with.dots..twice/x.y.z',
  'plus+sign/equal=sign/at@sign',
  'percent%2Fencoded/100%',
  'tilde~comma,dash-_',
  `long/${'k'.repeat(200)}`,
  'deep/1/2/3/4/5/6/7/8/9',
];
const badKeys = [
  '',
  '/',
  '/absolute',
  '../up',
  'a/../b',
  'a/./b',
  '.hidden',
  'a//b',
  'a/',
  'a\\b',
  'a b',
  'é',
  'a\0b',
];

const keyTests = (store: () => ObjectStorePort): void => {
  test.each(oddKeys)('takes the key %s', async (key) => {
    await store().put(key, text(key), plain);
    expect(await store().get(key)).toEqual(text(key));
    expect(await store().has(key)).toBe(true);
    await store().delete(key);
    expect(await store().has(key)).toBe(false);
  });

  test.each(badKeys)('refuses the key %j everywhere', async (key) => {
    const refusal = { code: 'OBJECT_KEY_INVALID', errorClass: 'final' };
    await expect(store().put(key, text('x'), plain)).rejects.toMatchObject(refusal);
    await expect(store().get(key)).rejects.toMatchObject(refusal);
    await expect(store().has(key)).rejects.toMatchObject(refusal);
    await expect(store().delete(key)).rejects.toMatchObject(refusal);
    await expect(store().presignedUrl(key, 60)).rejects.toMatchObject(refusal);
  });
};

const first = async (store: ObjectStorePort): Promise<unknown> => {
  for await (const object of store.list()) return object;
  return null;
};

const listTests = (store: () => ObjectStorePort): void => {
  test('lists what was put and not deleted, with its size and time', async () => {
    for (const key of ['a/one', 'a/b/two', 'gone']) await store().put(key, text(key), plain);
    await store().delete('gone');
    const found = [];
    for await (const object of store().list()) found.push(object);
    const shown = found.map(({ key, bytes }) => ({ key, bytes }));
    expect(shown.sort((x, y) => x.key.localeCompare(y.key))).toEqual([
      { key: 'a/b/two', bytes: 7 },
      { key: 'a/one', bytes: 5 },
    ]);
    for (const { modifiedAt } of found) expect(modifiedAt).toMatch(/^20\d\d-\d\d-\d\dT.*Z$/);
  });

  test('tells of one object what the list tells, and nothing of one that is not there', async () => {
    await store().put('a/one', text('a/one'), plain);
    const one = await store().stat('a/one');
    expect(one).toMatchObject({ key: 'a/one', bytes: 5 });
    // S3 tells whole seconds here and parts of them there.
    const listed = (await first(store())) as { modifiedAt: string };
    expect(one?.modifiedAt.slice(0, 19)).toBe(listed.modifiedAt.slice(0, 19));
    expect(await store().stat('a')).toBeNull();
    expect(await store().stat('a/two')).toBeNull();
  });
};

/** Declares the tests; `harness` is asked for a new store in each of them. */
export const objectStoreContract = (name: string, harness: () => ObjectStoreHarness): void => {
  describe(`object store contract: ${name}`, () => {
    let store: ObjectStorePort;
    beforeEach(async () => {
      store = await harness().fresh();
    });

    test('a store without its bucket refuses every access and says that the bucket is missing', async () => {
      const refusal = { code: 'OBJECT_STORE_BUCKET_MISSING', errorClass: 'final' };
      await expect(store.put('a', text('x'), plain)).rejects.toMatchObject(refusal);
      await expect(store.get('a')).rejects.toMatchObject(refusal);
      await expect(store.has('a')).rejects.toMatchObject(refusal);
      await expect(store.delete('a')).rejects.toMatchObject(refusal);
      await expect(first(store)).rejects.toMatchObject(refusal);
    });

    test('makes a missing bucket, and again makes no difference', async () => {
      await store.ensureBucket();
      await store.put('kept', text('x'), plain);
      await store.ensureBucket();
      expect(await store.has('kept')).toBe(true);
    });

    test('two makers of the same bucket at once both succeed', async () => {
      await Promise.all([store.ensureBucket(), store.ensureBucket()]);
      await store.put('a', text('x'), plain);
      expect(await store.get('a')).toEqual(text('x'));
    });

    describe('with its bucket', () => {
      beforeEach(() => store.ensureBucket());

      keyTests(() => store);

      test('gives back the bytes that were put', async () => {
        const bytes = new Uint8Array([0, 255, 13, 10, 128, 0]);
        await store.put('some/bytes', bytes, 'application/octet-stream');
        expect(await store.get('some/bytes')).toEqual(bytes);
        expect(await store.has('some/bytes')).toBe(true);
      });

      test('an empty object is an object', async () => {
        await store.put('empty', new Uint8Array(), plain);
        expect(await store.get('empty')).toEqual(new Uint8Array());
        expect(await store.has('empty')).toBe(true);
      });

      test('the later of two puts wins', async () => {
        await store.put('a', text('a first and longer one'), plain);
        await store.put('a', text('second'), plain);
        expect(await store.get('a')).toEqual(text('second'));
      });

      test('puts of one key at the same time leave one of them whole', async () => {
        const versions = [1, 2, 3, 4].map((fill) => new Uint8Array(200_000).fill(fill));
        await Promise.all(versions.map((bytes) => store.put('raced', bytes, plain)));
        const left = await store.get('raced');
        expect(left.length).toBe(200_000);
        expect(new Set(left).size).toBe(1);
      });

      test('a deleted object is gone, and deleting it again is no error', async () => {
        await store.put('a/b', text('x'), plain);
        await store.delete('a/b');
        expect(await store.has('a/b')).toBe(false);
        await expect(store.get('a/b')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
        await store.delete('a/b');
      });

      test('a missing key is final and named', async () => {
        await expect(store.get('no/such.key')).rejects.toMatchObject({
          name: 'KeelError',
          code: 'OBJECT_MISSING',
          errorClass: 'final',
          facts: { key: 'no/such.key' },
        });
        expect(await store.has('no/such.key')).toBe(false);
      });

      test('the folder of an object is no object', async () => {
        await store.put('folder/object', text('x'), plain);
        expect(await store.has('folder')).toBe(false);
        await expect(store.get('folder')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
        await store.delete('folder');
        expect(await store.has('folder/object')).toBe(true);
      });

      test('a presigned URL gives the bytes to whoever holds it', async () => {
        await store.put('charts/day+1%.png', text('picture'), 'image/png');
        const url = await store.presignedUrl('charts/day+1%.png', 60);
        expect(await harness().fetchUrl(url)).toEqual(text('picture'));
      });

      listTests(() => store);

      test('keeps 5 MB', async () => {
        const bytes = new Uint8Array(randomBytes(5 * 1024 * 1024));
        await store.put('large', bytes, 'application/octet-stream');
        expect(Buffer.from(await store.get('large')).equals(bytes)).toBe(true);
      });
    });
  });
};
