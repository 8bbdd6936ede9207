// The object store: whether what is put can be got again, byte for byte. Called by examine.ts.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createFilesystemObjectStore } from '../../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../../adapters/minio/objectStore.js';
import type { Config } from '../../config/schema.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven, reasonOf } from './types.js';

const check = 'object store';

export async function checkObjectStore(patient: Patient): Promise<readonly Finding[]> {
  const { objectStore } = patient.sections;
  if (objectStore === undefined) return notGiven(check, patient);
  const where =
    objectStore.kind === 'filesystem'
      ? objectStore.directory
      : `${objectStore.endpoint}, bucket ${objectStore.bucket}`;
  if (objectStore.kind === 'filesystem' && !existsSync(patient.dataDir)) {
    return [{ check, status: 'skipped', found: `${where} is made with the data directory` }];
  }
  const store = open(objectStore);
  try {
    // A directory within the data directory is no place that anybody could have meant otherwise.
    if (objectStore.kind === 'filesystem') await store.ensureBucket();
    const same = await putAndGet(store);
    if (same) return [{ check, status: 'ok', found: `${where}: put, got again, deleted` }];
    return [fault(where, 'other bytes came back than were put', objectStore.kind)];
  } catch (error) {
    const isMissing = error instanceof KeelError && error.code === 'OBJECT_STORE_BUCKET_MISSING';
    return [isMissing ? missing(where, store, patient) : fault(where, reasonOf(error), objectStore.kind)];
  }
}

/** Its name may be misspelt, so it is not made without being asked for. */
const missing = (where: string, store: ObjectStorePort, { running }: Patient): Finding => ({
  check,
  status: running === null ? 'warning' : 'fault',
  found: `${where}: there is no such bucket`,
  cause: 'the first start of Keel makes it, and it has not been made or is deleted; or its name is another',
  fix: 'correct MINIO_BUCKET, or start Keel, which makes it; --fix makes it now',
  repair: async () => {
    await store.ensureBucket();
    return `made it (${where})`;
  },
});

const open = (config: Config['objectStore']): ObjectStorePort =>
  config.kind === 'filesystem'
    ? createFilesystemObjectStore(config)
    : createMinioObjectStore({ ...config, timeoutMs: askMs });

async function putAndGet(store: ObjectStorePort): Promise<boolean> {
  const bytes = randomBytes(64);
  const key = `doctor/${bytes.toString('hex', 0, 16)}.bin`;
  await store.put(key, bytes, 'application/octet-stream');
  try {
    return bytes.equals(await store.get(key));
  } finally {
    await store.delete(key);
  }
}

const fault = (where: string, cause: string, kind: string): Finding => ({
  check,
  status: 'fault',
  found: `${where} can not be used`,
  cause,
  fix:
    kind === 'filesystem'
      ? 'see that it is a directory (no file) that this user may write, or give another in KEEL_OBJECT_DIR'
      : 'see that the server runs, and correct MINIO_ENDPOINT, MINIO_BUCKET and the two keys',
});
