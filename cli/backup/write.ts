// Writes a backup: all tables as of one moment, the objects that they name, the settings without secrets. Called by
// `keel backup`.
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Client } from 'pg';
import { migrationStatus } from '../../db/migrate.js';
import { namedObjectKeys } from '../../db/objectKeys.js';
import { readRows, readShapes } from '../../db/tableCopy.js';
import type { TableShape } from '../../db/tableCopy.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { noProgress, type ShowProgress } from '../progress.js';
import { StartError } from '../supervisor/dataDir.js';
import type { BackupFile, Manifest } from './manifest.js';
import { backupFormat, manifestName, sealName, sha256Of } from './manifest.js';

export interface BackupSource {
  readonly url: string;
  /** Connected, and in no transaction. */
  readonly client: Client;
  readonly objects: Pick<ObjectStorePort, 'get'>;
  readonly keelVersion: string;
  /** Masked settings. */
  readonly config: unknown;
  readonly progress?: ShowProgress;
  /** False once the lock that keeps the retention away is lost. */
  readonly held?: () => boolean;
}

/** @throws StartError when the place is taken, a migration is pending or an object is damaged; nothing is left then */
export async function writeBackup(source: BackupSource, directory: string): Promise<Manifest> {
  if (existsSync(directory))
    throw new StartError(`${directory} is there already: a backup makes a directory of its own`);
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(join(unfinished, 'tables'), { recursive: true, mode: 0o700 });
  try {
    const manifest = await writeAll(source, unfinished);
    refuseUnlocked(source);
    const text = `${JSON.stringify(manifest, null, 1)}\n`;
    writeSynced(join(unfinished, manifestName), text);
    writeSynced(join(unfinished, sealName), `${sha256Of(text)}\n`);
    syncDirectory(unfinished);
    renameSync(unfinished, directory);
    syncDirectory(dirname(directory));
    return manifest;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Objects may have gone while they were copied. */
function refuseUnlocked({ held = () => true }: BackupSource): void {
  if (held()) return;
  throw new StartError(
    'the connection that kept the retention away broke, so objects may have been deleted meanwhile: nothing was kept of this backup, make it again',
  );
}

async function writeAll(source: BackupSource, directory: string): Promise<Manifest> {
  const { client } = source;
  const status = await migrationStatus(source.url);
  const pending = status.filter(({ appliedAt }) => appliedAt === null);
  if (pending.length > 0) {
    throw new StartError(
      `${String(pending.length)} migrations are pending: apply them first (keel migrate up)`,
    );
  }
  // One snapshot for every table. Objects are written before the rows that name them, so they are there.
  await client.query('begin transaction isolation level repeatable read read only');
  try {
    const { at, mode } = await readIdentity(client);
    const tables: Manifest['tables'] = [];
    const shapes = await readShapes(client);
    const copied = (source.progress ?? noProgress)('tables');
    for (const shape of shapes) {
      tables.push(await writeTable(client, shape, directory));
      copied(tables.length, shapes.length);
    }
    const audit = await readAuditEnd(client);
    const keys = [...(await namedObjectKeys(client))].sort();
    const { objects, missing } = await writeObjects(source, keys, await readPurged(client), directory);
    await client.query('commit');
    const config = writeFile(
      directory,
      'config.json',
      Buffer.from(`${JSON.stringify(source.config, null, 2)}\n`),
    );
    const migrations = status.map(({ name, sha256 }) => ({ name, sha256 }));
    return {
      format: backupFormat,
      keel: source.keelVersion,
      at,
      mode,
      migrations,
      tables,
      objects,
      missing,
      config,
      audit,
    };
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function readIdentity(client: Client): Promise<{ at: string; mode: Manifest['mode'] }> {
  const { rows } = await client.query<{ at: Date; mode: Manifest['mode'] }>(
    'select now() as at, (select mode from database_mode) as mode',
  );
  const [row] = rows;
  if (row === undefined || (row.mode as unknown) === null) {
    throw new StartError(
      'this database belongs to no mode yet: nothing of Keel has run on it, so there is nothing to back up',
    );
  }
  return { at: row.at.toISOString(), mode: row.mode };
}

/** Where the chain ended in this snapshot. */
export async function readAuditEnd(client: Client): Promise<Manifest['audit']> {
  const { rows } = await client.query<{ position: string; hash: string }>(
    'select position, hash from audit order by position desc limit 1',
  );
  return { position: Number(rows[0]?.position ?? 0), hash: rows[0]?.hash ?? '0'.repeat(64) };
}

/** What the retention has deleted is named by its rows still. */
async function readPurged(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ key: string }>('select key from purged_object');
  return new Set(rows.map(({ key }) => key));
}

async function writeTable(
  client: Client,
  shape: TableShape,
  directory: string,
): Promise<Manifest['tables'][number]> {
  const path = `tables/${shape.name}.jsonl`;
  const hash = createHash('sha256');
  const descriptor = openSync(join(directory, path), 'wx', 0o600);
  let [rows, bytes] = [0, 0];
  try {
    for await (const lines of readRows(client, shape)) {
      const chunk = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      writeSync(descriptor, chunk);
      hash.update(chunk);
      rows += lines.length;
      bytes += chunk.byteLength;
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const file = { path, sha256: hash.digest('hex'), bytes };
  return { name: shape.name, columns: [...shape.columns], rows, file };
}

async function writeObjects(
  source: BackupSource,
  keys: readonly string[],
  purged: ReadonlySet<string>,
  directory: string,
): Promise<Pick<Manifest, 'objects' | 'missing'>> {
  const { objects, progress = noProgress } = source;
  const written: Manifest['objects'] = [];
  const missing: string[] = [];
  const copied = progress('objects');
  for (const [index, key] of keys.entries()) {
    refuseUnlocked(source);
    copied(index, keys.length);
    const bytes = await objects.get(key).catch((error: unknown) => {
      if (error instanceof KeelError && error.code === 'OBJECT_MISSING') return null;
      throw error;
    });
    if (bytes === null) {
      // One object less, or a text that only looks like a key, must not be the end of all backups.
      if (!purged.has(key)) missing.push(key);
      continue;
    }
    if (!key.includes(sha256Of(bytes))) {
      throw new StartError(
        `the stored object ${key} is damaged: its hash is not its name. Put it back from an earlier backup`,
      );
    }
    mkdirSync(dirname(join(directory, 'objects', key)), { recursive: true, mode: 0o700 });
    written.push({ key, file: writeFile(directory, `objects/${key}`, bytes) });
  }
  copied(keys.length, keys.length);
  return { objects: written, missing };
}

function writeFile(directory: string, path: string, bytes: Uint8Array): BackupFile {
  writeSynced(join(directory, path), bytes);
  return { path, sha256: sha256Of(bytes), bytes: bytes.byteLength };
}

function writeSynced(file: string, content: Uint8Array | string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
