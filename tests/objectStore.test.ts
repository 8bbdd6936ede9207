// The MinIO object store against a real S3 server. Skipped, and counted so, where none can be had.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createMinioObjectStore } from '../adapters/minio/objectStore.js';
import { checkObjectStore } from '../cli/doctor/objects.js';
import type { Patient } from '../cli/doctor/types.js';
import { objectStoreContract } from '../adapters/testing/objectStoreContract.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import { startS3, type TestS3 } from './support/s3.js';

describe.skipIf(inject('s3') === null)('on a real S3 server', () => {
  let server: TestS3;
  const storeOn = (keys: { accessKey?: string; secretKey?: string } = {}): ObjectStorePort =>
    createMinioObjectStore({
      endpoint: server.endpoint,
      accessKey: server.accessKey,
      secretKey: server.secretKey,
      ...keys,
      bucket: `keel-test-${randomUUID()}`,
      region: 'us-east-1',
      timeoutMs: 10_000,
    });

  beforeAll(async () => {
    const started = await startS3();
    if (started === null) throw new Error('no S3 server');
    server = started;
  });
  afterAll(() => server.stop());

  objectStoreContract('MinIO', () => ({
    fresh: () => storeOn(),
    fetchUrl: async (url) => {
      const response = await fetch(url);
      expect(response.status).toBe(200);
      return new Uint8Array(await response.arrayBuffer());
    },
  }));

  test('keel doctor makes no bucket that is not there, unless it is asked to', async () => {
    const { endpoint, accessKey, secretKey } = server;
    const bucket = `keel-test-${randomUUID()}`;
    const objectStore = { kind: 'minio', endpoint, accessKey, secretKey, bucket, region: 'us-east-1' };
    const patient = { sections: { objectStore }, running: null } as unknown as Patient;
    const [first] = await checkObjectStore(patient);
    expect(first).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('no such bucket') as string,
    });
    const [again] = await checkObjectStore(patient);
    expect(again?.status).toBe('warning');
    expect(await again?.repair?.()).toContain(bucket);
    expect(await checkObjectStore(patient)).toMatchObject([{ status: 'ok' }]);
  });

  test('a presigned URL serves the content type that was put, and a changed one is refused', async () => {
    const store = storeOn();
    await store.ensureBucket();
    await store.put('picture.png', new Uint8Array([1, 2, 3]), 'image/png');
    const url = await store.presignedUrl('picture.png', 60);
    expect((await fetch(url)).headers.get('content-type')).toBe('image/png');
    expect((await fetch(url.replace('picture.png', 'other.png'))).status).toBe(403);
    expect((await fetch(new URL(new URL(url).pathname, url))).status).toBe(403);
  });

  test.each([{ secretKey: 'not-the-secret' }, { accessKey: 'nobody' }])(
    'wrong credentials %j are final, and no text repeats a secret',
    async (keys) => {
      const store = storeOn(keys);
      for (const operation of [
        () => store.ensureBucket(),
        () => store.put('a', new Uint8Array(1), 'text/plain'),
        () => store.get('a'),
        () => store.has('a'),
      ]) {
        const error: unknown = await operation().then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: 'OBJECT_STORE_DENIED', errorClass: 'final' });
        const texts = `${String(error)} ${JSON.stringify(error)}`;
        expect(texts).not.toContain(server.secretKey);
        expect(texts).not.toContain('not-the-secret');
      }
    },
  );
});

// A server given by MINIO_ENDPOINT is not ours to stop.
describe.skipIf(inject('s3')?.kind !== 'binary')('on an S3 server that goes away', () => {
  test('what was put before is there after a restart, and in between every access is retryable', async () => {
    const server = await startS3();
    if (server === null) throw new Error('no S3 server');
    const { endpoint, accessKey, secretKey } = server;
    const store = createMinioObjectStore({
      endpoint,
      accessKey,
      secretKey,
      bucket: 'keel-test',
      region: 'us-east-1',
      timeoutMs: 5000,
    });
    await store.ensureBucket();
    await store.put('a', new Uint8Array([1]), 'text/plain');
    await server.stop();
    const away = { code: 'OBJECT_STORE_AWAY', errorClass: 'retryable' };
    await expect(store.get('a')).rejects.toMatchObject(away);
    await expect(store.put('b', new Uint8Array(1), 'text/plain')).rejects.toMatchObject(away);
    await server.restart();
    expect(await store.get('a')).toEqual(new Uint8Array([1]));
    await server.stop();
  });
});
