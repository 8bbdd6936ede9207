// Objects as files below one directory, for their owner alone: the embedded default of the object store. Built by the
// composition roots.
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkObjectKey } from '../../ports/objectKey.js';
import type { ObjectStorePort, StoredObject } from '../../ports/objectStore.js';
import { codeOf, directoryMissing, fileError, missing } from './errors.js';

/** Unfinished writes: on the same file system as the objects, so that a rename is atomic; no key starts with a dot. */
const unfinished = '.unfinished';
const staleMs = 60 * 60 * 1000;

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const isDirectory = async (directory: string): Promise<boolean> => {
  try {
    return (await stat(directory)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
};

const writeSynced = async (file: string, bytes: Uint8Array): Promise<void> => {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Makes the folders between `directory` and `folder`, each one kept even if the machine fails now. */
const makeFolders = async (directory: string, folder: string): Promise<void> => {
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) === undefined) return;
  for (let at = path.dirname(folder); at.length >= directory.length; at = path.dirname(at)) {
    await syncDirectory(at);
  }
};

const putFile = async (directory: string, file: string, bytes: Uint8Array): Promise<void> => {
  if (!(await isDirectory(directory))) throw directoryMissing(directory);
  const temporary = path.join(directory, unfinished, randomUUID());
  try {
    await mkdir(path.dirname(temporary), { recursive: true, mode: 0o700 });
    await writeSynced(temporary, bytes);
    await makeFolders(directory, path.dirname(file));
    await rename(temporary, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
};

/** Proves that the directory can be written, and removes what writers that died have left more than an hour ago. */
const prepare = async (directory: string): Promise<void> => {
  const folder = path.join(directory, unfinished);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const probe = path.join(folder, randomUUID());
  try {
    await writeSynced(probe, new Uint8Array([1]));
    // The file system's own time, so that a network disk's clock may differ from ours.
    const now = (await stat(probe)).mtimeMs;
    for (const name of await readdir(folder)) {
      const left = await stat(path.join(folder, name)).catch(() => null);
      if (left !== null && now - left.mtimeMs > staleMs) await rm(path.join(folder, name), { force: true });
    }
  } finally {
    await rm(probe, { force: true });
  }
};

/** @throws KeelError as the store's other methods */
async function* listFiles(directory: string): AsyncGenerator<StoredObject> {
  if (!(await isDirectory(directory))) throw directoryMissing(directory);
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile())) {
      const file = path.join(entry.parentPath, entry.name);
      const key = path.relative(directory, file).split(path.sep).join('/');
      // Gone meanwhile: deleted, or an unfinished write that is finished.
      const found = key.startsWith('.') ? null : await stat(file).catch(() => null);
      if (found !== null) yield { key, bytes: found.size, modifiedAt: found.mtime.toISOString() };
    }
  } catch (error) {
    throw fileError(error, 'list', 'after object', directory);
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error));

/**
 * An object is a file of its key's name: complete or not there, and on the disk once `put` has returned.
 * @param options.directory the bucket; made by `ensureBucket` only, so an unmounted disk is noticed
 */
export const createFilesystemObjectStore = (options: { directory: string }): ObjectStorePort => {
  const directory = path.resolve(options.directory);
  const attempt = async <T>(action: string, key: string, work: (file: string) => Promise<T>): Promise<T> => {
    checkObjectKey(key);
    try {
      return await work(path.join(directory, ...key.split('/')));
    } catch (error) {
      throw fileError(error, action, key, directory);
    }
  };
  const requireDirectory = async (): Promise<void> => {
    if (!(await isDirectory(directory))) throw directoryMissing(directory);
  };
  const look = (key: string): Promise<StoredObject | null> =>
    attempt('look for', key, async (file) => {
      try {
        const found = await stat(file);
        return found.isFile() ? { key, bytes: found.size, modifiedAt: found.mtime.toISOString() } : null;
      } catch (error) {
        if (!isAbsent(error)) throw error;
        await requireDirectory();
        return null;
      }
    });
  return {
    ensureBucket: async () => {
      try {
        await prepare(directory);
      } catch (error) {
        throw fileError(error, 'write a first', 'to try it', directory);
      }
    },
    put: (key, bytes) => attempt('write', key, (file) => putFile(directory, file, bytes)),
    get: (key) =>
      attempt('read', key, async (file) => {
        try {
          return new Uint8Array(await readFile(file));
        } catch (error) {
          if (!isAbsent(error)) throw error;
          await requireDirectory();
          throw missing(key, directory);
        }
      }),
    delete: (key) =>
      attempt('delete', key, async (file) => {
        await requireDirectory();
        const there = await stat(file).catch((error: unknown) => {
          if (isAbsent(error)) return null;
          throw error;
        });
        if (there?.isFile() === true) await rm(file, { force: true });
      }),
    has: async (key) => (await look(key)) !== null,
    stat: look,
    list: () => listFiles(directory),
    presignedUrl: (key) => attempt('name', key, (file) => Promise.resolve(pathToFileURL(file).href)),
  };
};
