// Puts a backup back: everything of it is checked before anything is touched, and the database changes in one
// transaction, so that it is the old one or the whole of the new one. Called by `keel restore`.
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from 'pg';
import { migrateWithin, partsMade } from '../../db/migrate.js';
import { committedMigrations, isSame, readMigrations } from '../../db/migrationFiles.js';
import { advanceSequences, countRows, readShapes, withoutTriggers, writeRows } from '../../db/tableCopy.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { noProgress, type Progress, type ShowProgress } from '../progress.js';
import { StartError } from '../supervisor/dataDir.js';
import type { BackupFile, Manifest } from './manifest.js';
import { damaged, readManifest } from './manifest.js';
import { readAuditEnd } from './write.js';

export interface RestoreTarget {
  /** Connected, and in no transaction. */
  readonly client: Client;
  readonly objects: Pick<ObjectStorePort, 'put' | 'ensureBucket'>;
  /** Of the process, by its settings. */
  readonly mode: Manifest['mode'];
  /** Whether rows that are there may go. */
  readonly replace: boolean;
  readonly progress?: ShowProgress;
}

/** Reads every byte of it. @throws StartError naming the first thing that is wrong */
export async function checkBackup(directory: string, progress: ShowProgress = noProgress): Promise<Manifest> {
  const manifest = readManifest(directory);
  await refuseNewer(directory, manifest);
  const files = filesOf(manifest);
  const checked = progress('files checked');
  for (const [index, file] of files.entries()) {
    await checkFile(directory, file);
    checked(index + 1, files.length);
  }
  for (const { key, file } of manifest.objects) {
    if (!key.includes(file.sha256) || file.path !== `objects/${key}`) {
      throw damaged(directory, `the manifest's object ${key} names another file`);
    }
  }
  return manifest;
}

const filesOf = ({ tables, objects, config }: Manifest): readonly BackupFile[] => [
  config,
  ...tables.map(({ file }) => file),
  ...objects.map(({ file }) => file),
];

async function refuseNewer(directory: string, { migrations, keel }: Manifest): Promise<void> {
  const known = await readMigrations(committedMigrations());
  for (const { name, sha256 } of migrations) {
    const own = known.find((file) => file.name === name);
    if (own !== undefined && isSame(own, sha256)) continue;
    if (own === undefined) {
      throw new StartError(
        `the backup ${directory} was made by a newer Keel (${keel}): it has migration ${name}, which this one does not know. Restore it with that Keel`,
      );
    }
    throw new StartError(
      `the backup ${directory} has another migration ${name} than this Keel: restore it with Keel ${keel}`,
    );
  }
}

async function checkFile(directory: string, { path, sha256, bytes }: BackupFile): Promise<void> {
  const file = join(directory, path);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw damaged(directory, `${path} is missing`);
  if (size !== bytes)
    throw damaged(directory, `${path} has ${String(size)} bytes in place of ${String(bytes)}`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== sha256) throw damaged(directory, `${path} has changed`);
}

/** @throws StartError when the target is in use or not empty, or what was put back is not what was backed up */
export async function restoreBackup(directory: string, target: RestoreTarget): Promise<Manifest> {
  const { client, objects, mode, replace, progress = noProgress } = target;
  const manifest = await checkBackup(directory, progress);
  if (mode !== manifest.mode) throw otherMode(directory, manifest.mode, `KEEL_MODE is ${mode}`);
  await refuseOthers(client);
  await refuseForeign(client);
  await refuseOtherMode(directory, manifest.mode, client);
  if (!replace) await refuseRows(client);
  // Named by their content: those that were put back by a restore that failed are orphans, and swept one day.
  await objects.ensureBucket();
  const put = progress('objects put back');
  for (const [index, { key, file }] of manifest.objects.entries()) {
    await objects.put(key, readFileSync(join(directory, file.path)), contentType(key));
    put(index + 1, manifest.objects.length);
  }
  await client.query('begin');
  try {
    await client.query('drop schema public cascade');
    await client.query('create schema public');
    await migrateWithin(client, new Set(manifest.migrations.map(({ name }) => name)));
    await putTables(client, directory, manifest, progress('rows put back'));
    await compare(client, directory, manifest);
    await migrateWithin(client);
    await endLogins(client, manifest.mode);
    await client.query('update run set restored_at = now() where ended_at is null');
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  return manifest;
}

/** One that was ended after the backup would be good again, and nobody can tell which. */
async function endLogins(client: Client, mode: Manifest['mode']): Promise<void> {
  await client.query(
    `with ended as (
       update login set ended_at = now(), end_reason = 'restore' where ended_at is null returning id, user_id
     )
     insert into audit (mode, actor, action, subject, facts)
     select $1, 'restore', 'login.end', 'user:' || u.username, jsonb_build_object('loginId', ended.id, 'reason', 'restore')
     from ended join keel_user u on u.id = ended.user_id order by ended.id`,
    [mode],
  );
}

const contentType = (key: string): string =>
  key.endsWith('.json')
    ? 'application/json'
    : key.endsWith('.png')
      ? 'image/png'
      : 'application/octet-stream';

/** Whoever writes meanwhile would write into what is about to go. */
async function refuseOthers(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct application_name as name from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name like 'keel%'`,
  );
  if (rows.length === 0) return;
  throw new StartError('Keel runs on this database: stop its workers and APIs first. Nothing was changed');
}

/**
 * A schema with what Keel's migrations did not make would lose it: tables, views and sequences, functions, types, and
 * extensions. What belongs to one of these (the type of a table, the sequence of a column, a function of an extension)
 * goes with it and is not named.
 */
const standing = `
  select 'table' as kind, c.relname as name from pg_class c
  where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and c.relnamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i', 'e'))
  union
  select 'function', p.proname from pg_proc p
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype in ('i', 'e'))
  union
  select 'type', t.typname from pg_type t
  where t.typnamespace = 'public'::regnamespace and t.typtype in ('c', 'd', 'e', 'r')
    and (t.typrelid = 0 or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
    and not exists (select from pg_depend d where d.objid = t.oid and d.classid = 'pg_type'::regclass and d.deptype in ('i', 'e'))
  union
  select 'extension', e.extname from pg_extension e where e.extnamespace = 'public'::regnamespace
  order by 1, 2`;

async function refuseForeign(client: Client): Promise<void> {
  const made = await partsMade(client);
  const { rows } = await client.query<{ kind: string; name: string }>(standing);
  const foreign = rows.filter(({ kind, name }) => !made.has(`${kind} ${name}`));
  if (foreign.length === 0) return;
  const names = foreign.slice(0, 3).map(({ kind, name }) => (kind === 'table' ? name : `${kind} ${name}`));
  throw new StartError(
    `this database holds tables or other parts that are not this Keel's (${names.join(', ')}): give an empty database, or move them elsewhere. Nothing was changed`,
  );
}

const otherMode = (directory: string, mode: Manifest['mode'], what: string): StartError =>
  new StartError(
    `the backup ${directory} is of mode ${mode}, and ${what}: give the database and the KEEL_MODE of that mode. Nothing was changed`,
  );

/** A database of live trading is not replaced by one of another mode, whatever is asked. */
async function refuseOtherMode(directory: string, mode: Manifest['mode'], client: Client): Promise<void> {
  const shapes = await readShapes(client);
  if (!shapes.some(({ name }) => name === 'database_mode')) return;
  const { rows } = await client.query<{ mode: Manifest['mode'] }>('select mode from database_mode');
  const own = rows[0]?.mode ?? mode;
  if (own !== mode) throw otherMode(directory, mode, `this database of mode ${own}`);
}

/** What a database has that was only just made and migrated. */
const seeded = ['keel_migration', 'workflow', 'workflow_version', 'database_mode'];

async function refuseRows(client: Client): Promise<void> {
  for (const { name } of await readShapes(client)) {
    if (seeded.includes(name)) continue;
    const count = await countRows(client, name);
    if (count === 0) continue;
    throw new StartError(
      `this database is not empty (${name} has ${String(count)} rows): give another, or --replace to lose what it holds. Nothing was changed`,
    );
  }
}

async function putTables(
  client: Client,
  directory: string,
  { tables }: Manifest,
  progress: Progress,
): Promise<void> {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  let put = 0;
  const shapes = await readShapes(client);
  const missing = tables.find(({ name }) => !shapes.some((shape) => shape.name === name));
  if (missing !== undefined) throw damaged(directory, `table ${missing.name} is none of its migrations`);
  await withoutTriggers(client, shapes, async () => {
    // What the migrations have seeded is in the backup too.
    for (const { name } of [...shapes].reverse()) await client.query(`delete from "${name}"`);
    for (const { name } of shapes) {
      const table = tables.find((each) => each.name === name);
      if (table === undefined) throw damaged(directory, `table ${name} is missing`);
      for await (const lines of pages(join(directory, table.file.path))) {
        await writeRows(client, table, lines);
        progress((put += lines.length), rows);
      }
    }
  });
  await advanceSequences(client);
}

async function* pages(file: string): AsyncGenerator<readonly string[]> {
  let [page, bytes]: [string[], number] = [[], 0];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    page.push(line);
    bytes += line.length;
    if (page.length < 500 && bytes < 4_000_000) continue;
    yield page;
    [page, bytes] = [[], 0];
  }
  yield page;
}

/** Before the commit: every row is there, and the audit trail ends where it did. */
async function compare(client: Client, directory: string, { tables, audit }: Manifest): Promise<void> {
  for (const { name, rows } of tables) {
    const count = await countRows(client, name);
    if (count !== rows)
      throw damaged(directory, `${name} has ${String(count)} rows in place of ${String(rows)}`);
  }
  const end = await readAuditEnd(client);
  if (end.hash !== audit.hash || end.position !== audit.position)
    throw damaged(directory, 'its audit trail ends elsewhere');
}
