// Hashes the stored objects again. Called by `keel verify`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { CheckList } from './checks.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** One object that a row names: there, of that size and with that hash. @returns its bytes, or null */
export async function checkObject(
  list: CheckList,
  objects: Pick<ObjectStorePort, 'get'>,
  what: string,
  ref: ObjectRef,
): Promise<Uint8Array | null> {
  return list.attempt(`${what}: ${ref.key} has its hash`, async () => {
    const bytes = await objects.get(ref.key);
    const hash = sha256(bytes);
    if (hash !== ref.sha256) throw new Error(`its SHA-256 is ${hash}, stored was ${ref.sha256}`);
    if (bytes.byteLength !== ref.bytes) {
      throw new Error(`it has ${String(bytes.byteLength)} bytes, stored were ${String(ref.bytes)}`);
    }
    if (!ref.key.includes(ref.sha256)) throw new Error('its key does not hold its hash');
    return bytes;
  });
}

/** Every file of the store whose name is a hash, of this run and of all others. */
export function checkAllFiles(list: CheckList, directory: string): void {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !relative(directory, file)
          .split(sep)
          .some((part) => part.startsWith('.')),
    );
  let hashed = 0;
  const damaged = files.filter((file) => {
    const name = /([0-9a-f]{64})\.[a-z]+$/.exec(file)?.[1];
    if (name === undefined) return false;
    hashed += 1;
    return sha256(readFileSync(file)) !== name;
  });
  list.holds(
    `all ${String(hashed)} objects in ${directory} have the hash that names them`,
    damaged.length === 0 && hashed > 0,
    hashed === 0
      ? 'there is none'
      : `changed: ${damaged.map((file) => relative(directory, file)).join(', ')}`,
  );
}

/** Width and height from a PNG's first chunk. @throws Error when the bytes are no PNG */
export function pngSize(bytes: Uint8Array): { width: number; height: number } {
  const view = Buffer.from(bytes);
  if (view.length < 24 || view.readUInt32BE(0) !== 0x89504e47 || view.toString('latin1', 12, 16) !== 'IHDR') {
    throw new Error('it is no PNG');
  }
  return { width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
}
