// The far side of the network is played here by small servers that fail; the real server is in tests/objectStore.test.ts.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { createMinioObjectStore } from './objectStore.js';

const secretKey = 'very-secret-value';
const servers: { server: Server; sockets: Set<Socket> }[] = [];

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
};

const storeAt = (endpoint: string, bucket = 'keel', timeoutMs = 20_000): ObjectStorePort =>
  createMinioObjectStore({
    endpoint,
    bucket,
    accessKey: 'access',
    secretKey,
    region: 'us-east-1',
    timeoutMs,
  });

const answerError = (status: number, code: string): RequestListener => {
  const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>keys ${secretKey}</Message></Error>`;
  return (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status, { 'content-type': 'application/xml' }).end(xml));
  };
};

const operations: [string, (store: ObjectStorePort) => Promise<unknown>][] = [
  ['ensureBucket', (store) => store.ensureBucket()],
  ['put', (store) => store.put('a', new Uint8Array(10), 'text/plain')],
  ['get', (store) => store.get('a')],
  ['has', (store) => store.has('a')],
  ['delete', (store) => store.delete('a')],
];

describe.each(operations)('%s', (_name, operate) => {
  test('a server that is away is retryable and named', async () => {
    const endpoint = await serve(() => undefined);
    for (const { server } of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    await expect(operate(storeAt(endpoint))).rejects.toMatchObject({
      name: 'KeelError',
      code: 'OBJECT_STORE_AWAY',
      errorClass: 'retryable',
      facts: { endpoint, cause: 'ECONNREFUSED' },
    });
  });

  test('a server that never answers is given up at the deadline', async () => {
    const asked: (string | undefined)[] = [];
    const endpoint = await serve(({ method }) => asked.push(method));
    const start = performance.now();
    await expect(operate(storeAt(endpoint, 'keel', 400))).rejects.toMatchObject({
      code: 'OBJECT_STORE_AWAY',
      errorClass: 'retryable',
    });
    expect(performance.now() - start).toBeGreaterThan(360);
    // Not asked again, which would take as long once more.
    expect(asked).toHaveLength(1);
  });

  test.each([500, 502, 503, 429])('HTTP %i is retryable after exactly one request', async (status) => {
    let requests = 0;
    const endpoint = await serve((request, response) => {
      requests += 1;
      answerError(status, 'InternalError')(request, response);
    });
    await expect(operate(storeAt(endpoint))).rejects.toMatchObject({
      code: 'OBJECT_STORE_AWAY',
      errorClass: 'retryable',
    });
    expect(requests).toBe(1);
  });

  test('a refused key is final, and no text repeats the secret', async () => {
    const endpoint = await serve(answerError(403, 'SignatureDoesNotMatch'));
    const error = await operate(storeAt(endpoint)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'OBJECT_STORE_DENIED', errorClass: 'final' });
    expect(error instanceof Error ? error.cause : 'no error').toBeUndefined();
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(secretKey);
  });
});

describe('MinIO object store', () => {
  test('a body that stops in the middle is given up at the deadline, never taken for whole', async () => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half');
    });
    await expect(storeAt(endpoint, 'keel', 400).get('a')).rejects.toMatchObject({
      code: 'OBJECT_STORE_AWAY',
    });
  });

  test('a connection cut in the middle of a body is retryable', async () => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await expect(storeAt(endpoint).get('a')).rejects.toMatchObject({
      code: 'OBJECT_STORE_AWAY',
      errorClass: 'retryable',
    });
  });

  test.each([
    ['XMinioStorageFull', 507],
    ['QuotaExceeded', 400],
  ])('%s is a full store, and retryable', async (code, status) => {
    const endpoint = await serve(answerError(status, code));
    await expect(storeAt(endpoint).put('a', new Uint8Array(1), 'text/plain')).rejects.toMatchObject({
      code: 'OBJECT_STORE_FULL',
      errorClass: 'retryable',
    });
  });

  test('a server that is no S3 server is final and says so', async () => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(400, { 'content-type': 'text/html' }).end('<html><body>hello</body></html>');
    });
    await expect(storeAt(endpoint).get('a')).rejects.toMatchObject({
      code: 'OBJECT_STORE_FAILED',
      errorClass: 'final',
    });
  });

  test('plain HTTP behind an https endpoint is final and speaks of TLS', async () => {
    const endpoint = await serve(answerError(403, 'AccessDenied'));
    await expect(storeAt(endpoint.replace('http:', 'https:')).get('a')).rejects.toMatchObject({
      code: 'OBJECT_STORE_TLS',
      errorClass: 'final',
    });
  });

  test('a bucket name that S3 does not know is final', async () => {
    await expect(storeAt('http://127.0.0.1:9', 'No_Such_Name').ensureBucket()).rejects.toMatchObject({
      code: 'OBJECT_STORE_BUCKET_INVALID',
      errorClass: 'final',
    });
  });

  test.each(['localhost:9000', 'ftp://host', 'http://user:hunter2@host:9000', 'http://host/bucket', ''])(
    'the endpoint %j is refused at once and not repeated',
    (endpoint) => {
      const create = (): ObjectStorePort => storeAt(endpoint);
      expect(create).toThrow(expect.objectContaining({ code: 'OBJECT_STORE_ENDPOINT_INVALID' }) as Error);
      expect(create).not.toThrow(/hunter2/);
    },
  );

  test('a presigned URL needs no server and names host, bucket, key and seconds', async () => {
    const url = new URL(await storeAt('http://127.0.0.1:9').presignedUrl('a/b+c.png', 120));
    expect(url.origin + decodeURIComponent(url.pathname)).toBe('http://127.0.0.1:9/keel/a/b+c.png');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('120');
    expect(url.href).not.toContain(secretKey);
  });
});
