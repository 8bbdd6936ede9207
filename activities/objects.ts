// Content-addressed objects: written before the row that names them, checked against their hash when read.
import { createHash } from 'node:crypto';
import type { ObjectRef, PictureRef } from '../contracts/wire/object.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { ChartRow } from '../ports/evidence.js';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Stores bytes as `<folder>/<sha256>.<extension>`. */
export async function putBytes(
  objects: Pick<ObjectStorePort, 'put'>,
  folder: string,
  bytes: Uint8Array,
  kind: { readonly extension: string; readonly contentType: string },
): Promise<ObjectRef> {
  const hash = sha256(bytes);
  const key = `${folder}/${hash}.${kind.extension}`;
  await objects.put(key, bytes, kind.contentType);
  return { key, sha256: hash, bytes: bytes.byteLength };
}

export const putJson = (
  objects: Pick<ObjectStorePort, 'put'>,
  folder: string,
  value: unknown,
): Promise<ObjectRef> =>
  putBytes(objects, folder, new TextEncoder().encode(JSON.stringify(value)), {
    extension: 'json',
    contentType: 'application/json',
  });

/** @throws KeelError OBJECT_DAMAGED (final) when the bytes are not those that were stored. */
export async function getBytes(objects: Pick<ObjectStorePort, 'get'>, ref: ObjectRef): Promise<Uint8Array> {
  const bytes = await objects.get(ref.key);
  if (sha256(bytes) !== ref.sha256) {
    throw new KeelError(
      'OBJECT_DAMAGED',
      `the stored object ${ref.key} is not what was stored: its hash differs`,
      {
        facts: { key: ref.key, expected: ref.sha256 },
      },
    );
  }
  return bytes;
}

/** The type parameter is the format written by `putJson` under the same folder; the hash guards the content. */
export async function getJson<T>(objects: Pick<ObjectStorePort, 'get'>, ref: ObjectRef): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await getBytes(objects, ref))) as T;
}

/** The picture of a chart, by its content and size. */
export const pictureOf = (chart: ChartRow | null | undefined): PictureRef | null =>
  chart === null || chart === undefined
    ? null
    : { ...chart.object, width: chart.width, height: chart.height };

/** @throws KeelError CHART_MISSING (final) where the run drew no picture, OBJECT_DAMAGED. */
export function readPicture(
  objects: Pick<ObjectStorePort, 'get'>,
  chart: ObjectRef | null,
): Promise<Uint8Array> {
  if (chart !== null) return getBytes(objects, chart);
  return Promise.reject(new KeelError('CHART_MISSING', 'the run drew no picture of this timeframe'));
}
