// Objects in MinIO or any other S3 server, through the `minio` client. Built by the composition roots.
import { Client, type BucketItem } from 'minio';
import { checkObjectKey } from '../../ports/objectKey.js';
import type { ObjectStorePort, StoredObject } from '../../ports/objectStore.js';
import { s3Error, type S3Place } from './errors.js';
import { parseEndpoint, transportWithDeadline } from './transport.js';

export interface MinioOptions {
  /** Scheme, host and port, such as http://localhost:9000. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Needed: without it the client asks the server before each first use of a bucket. */
  readonly region: string;
  /** For one request with its answer, wall milliseconds. */
  readonly timeoutMs: number;
}

const readAll = async (stream: AsyncIterable<unknown>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
};

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/** Makes the bucket; whoever else makes it at the same moment has done the same. */
const makeBucket = async (client: Client, options: MinioOptions): Promise<void> => {
  if (await client.bucketExists(options.bucket)) return;
  try {
    await client.makeBucket(options.bucket, options.region);
  } catch (error) {
    if (!isCode(error, 'BucketAlreadyOwnedByYou')) throw error;
  }
};

const requireBucket = async (client: Client, bucket: string): Promise<void> => {
  if (await client.bucketExists(bucket)) return;
  throw Object.assign(new Error('no bucket'), { code: 'NoSuchBucket' });
};

/** A page of a thousand a request. */
async function* listObjects(client: Client, place: S3Place): AsyncGenerator<StoredObject> {
  try {
    const items = client.listObjectsV2(place.bucket, '', true) as AsyncIterable<BucketItem>;
    for await (const { name, size, lastModified } of items) {
      if (name !== undefined) yield { key: name, bytes: size, modifiedAt: lastModified.toISOString() };
    }
  } catch (error) {
    throw s3Error(error, 'list the bucket', '', place);
  }
}

/**
 * One request an operation, one deadline, no retries: Temporal retries. A `has` or `stat` that finds nothing asks once more
 * whether the bucket is there, since S3 answers both in the same way.
 * @throws KeelError OBJECT_STORE_ENDPOINT_INVALID at once when the endpoint is no such URL
 */
export const createMinioObjectStore = (options: MinioOptions): ObjectStorePort => {
  const { bucket } = options;
  const endpoint = parseEndpoint(options.endpoint);
  const place: S3Place = { endpoint: endpoint.text, bucket };
  const client = new Client({
    endPoint: endpoint.host,
    port: endpoint.port,
    useSSL: endpoint.useSSL,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    region: options.region,
    transport: transportWithDeadline(endpoint.useSSL, options.timeoutMs),
    retryOptions: { disableRetry: true },
  });
  const attempt = async <T>(action: string, key: string, work: () => Promise<T>): Promise<T> => {
    checkObjectKey(key);
    try {
      return await work();
    } catch (error) {
      throw s3Error(error, `${action} object ${key}`, key, place);
    }
  };
  const look = (key: string): Promise<StoredObject | null> =>
    attempt('look for', key, async () => {
      try {
        const { size, lastModified } = await client.statObject(bucket, key);
        return { key, bytes: size, modifiedAt: lastModified.toISOString() };
      } catch (error) {
        if (!isCode(error, 'NotFound', 'NoSuchKey')) throw error;
        await requireBucket(client, bucket);
        return null;
      }
    });
  return {
    ensureBucket: async () => {
      try {
        await makeBucket(client, options);
      } catch (error) {
        throw s3Error(error, 'make the bucket ready', '', place);
      }
    },
    put: (key, bytes, contentType) =>
      attempt('write', key, async () => {
        const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        await client.putObject(bucket, key, body, body.length, { 'Content-Type': contentType });
      }),
    get: (key) => attempt('read', key, async () => readAll(await client.getObject(bucket, key))),
    delete: (key) => attempt('delete', key, () => client.removeObject(bucket, key)),
    has: async (key) => (await look(key)) !== null,
    stat: look,
    list: () => listObjects(client, place),
    presignedUrl: (key, seconds) =>
      attempt('sign', key, () => client.presignedGetObject(bucket, key, seconds)),
  };
};
