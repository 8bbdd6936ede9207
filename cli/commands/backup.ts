// `keel backup DIR` and `keel restore DIR`: the database, its objects and the settings, out and back. Called by cli/main.ts.
import { resolve } from 'node:path';
import { Client } from 'pg';
import { retentionLock } from '../../activities/retention.js';
import { connect } from '../../db/connect.js';
import { createLocks } from '../../db/locks.js';
import { keelVersion } from '../../config/version.js';
import type { HeldLock } from '../../ports/locks.js';
import type { Manifest } from '../backup/manifest.js';
import { checkBackup, restoreBackup } from '../backup/restore.js';
import { writeBackup } from '../backup/write.js';
import { parseArguments } from '../arguments.js';
import { dataDirOf, openPlace } from '../place.js';
import { noProgress, type ShowProgress } from '../progress.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const backupHelp = `Usage: keel backup DIR [--data-dir DIR]

Writes a new directory with every row of the database as of one moment, every object that a row names, and the settings
without secrets, with a SHA-256 of each file. Works while Keel runs: on DATABASE_URL and the object store of the
environment, or on the Keel of --data-dir (.keel). It holds hashes of passwords and keys, and settings of notifications (secrets
of webhooks, addresses of Slack) in clear: keep it as safe as the database. Temporal's histories and Keel's own secrets are not in
it. An object that a row names and the store does not have is named, and the exit code is 1; the backup is whole but for it.

Example:
  keel backup backups/2026-11-27`;

export const restoreHelp = `Usage: keel restore DIR [--replace] [--check] [--data-dir DIR]

Checks every file of a backup, then puts it back: all of it, or nothing. Keel must be stopped. Into a database that is not
empty only with --replace, which loses what is there. KEEL_MODE and the database must be of the backup's mode.

  --check      only reads the backup and tells whether it is whole
  --replace    replaces what the database holds

Afterwards start with KEEL_RISK_TRADING_STATE=HALTED until the account has been compared: orders that were sent after the
backup are not in it. Every login is ended. Passwords, roles, second factors and API keys are those of the backup: revoke
anew what was revoked since.

Examples:
  keel restore backups/2026-11-27 --check
  keel restore backups/2026-11-27 --replace`;

/** @returns 0 once the backup is whole, 1 when objects were missing */
export async function backupCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  progress: ShowProgress = noProgress,
): Promise<number> {
  const { directory, dataDir } = readArguments(args, env);
  const place = await openPlace(dataDir, env, out, 'read');
  try {
    const manifest = await withRetentionWaiting(place.url, (lock) =>
      withClient(place.url, (client) =>
        writeBackup(
          { ...place, client, keelVersion: keelVersion(), progress, held: () => lock.held() },
          directory,
        ),
      ),
    );
    out(`Backed up to ${directory}: ${describe(manifest)}.`);
    out(`The audit trail ends at ${String(manifest.audit.position)}:${manifest.audit.hash}`);
    tellWhatIsMissing(manifest, out);
    return manifest.missing.length === 0 ? 0 : 1;
  } finally {
    await place.close();
  }
}

/** @returns 0 once all of it is back */
export async function restoreCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  progress: ShowProgress = noProgress,
): Promise<number> {
  const { directory, dataDir, replace, check } = readArguments(args, env);
  // Before anything is started or touched.
  const whole = await checkBackup(directory, progress);
  if (check) {
    out(`The backup is whole: ${describe(whole)}.`);
    tellWhatIsMissing(whole, out);
    return 0;
  }
  const place = await openPlace(dataDir, env, out, 'write');
  try {
    const manifest = await withClient(place.url, async (client) => {
      const done = await restoreBackup(directory, {
        client,
        objects: place.objects,
        mode: place.mode,
        replace,
        progress,
      });
      await tellWhatIsOpen(client, out);
      return done;
    });
    out(`Restored: ${describe(manifest)}. keel audit verify checks its trail.`);
    return 0;
  } finally {
    await place.close();
  }
}

const describe = ({ tables, objects, at, mode, keel }: Manifest): string => {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = objects.reduce((sum, { file }) => sum + file.bytes, 0);
  return `${String(rows)} rows of ${String(tables.length)} tables and ${String(objects.length)} objects (${(bytes / 1e6).toFixed(1)} MB), mode ${mode}, as of ${at}, by Keel ${keel}`;
};

/** Of rows that name what the store had no more. */
function tellWhatIsMissing({ missing }: Manifest, out: Say): void {
  if (missing.length === 0) return;
  out(
    `${String(missing.length)} objects are named by rows and were not in the store, so they are not in the backup: ${missing.join(', ')}. Put them back from an earlier backup, if they were objects of Keel.`,
  );
}

/** Temporal does not know the runs of a backup, and orders may have changed since. */
async function tellWhatIsOpen(client: Client, out: Say): Promise<void> {
  const { rows } = await client.query<{ runs: string; intents: string }>(
    `select (select count(*) from run where ended_at is null) as runs,
       (select count(*) from order_intent where is_open) as intents`,
  );
  const { runs = '0', intents = '0' } = rows[0] ?? {};
  if (runs === '0' && intents === '0') return;
  out(
    `${runs} runs and ${intents} order intents were open at that moment: compare them with the broker before you trade.`,
  );
}

function readArguments(args: readonly string[], env: NodeJS.ProcessEnv) {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: { 'data-dir': { type: 'string' }, replace: { type: 'boolean' }, check: { type: 'boolean' } },
  });
  const [directory, ...rest] = positionals;
  if (directory === undefined || rest.length > 0) throw new UsageError('one DIR is needed');
  return {
    directory: resolve(directory),
    dataDir: dataDirOf(values['data-dir'], env),
    replace: values.replace ?? false,
    check: values.check ?? false,
  };
}

/** No object goes while it is copied. */
async function withRetentionWaiting<T>(url: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
  const limits = { connectTimeoutMs: 10_000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };
  const db = connect({ url, poolSize: 1, ...limits });
  try {
    return await createLocks(db).withLock(retentionLock, 60_000, work);
  } finally {
    await db.close();
  }
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    // Of one statement; a page of rows is one.
    statement_timeout: 600_000,
    query_timeout: 610_000,
    lock_timeout: 30_000,
    keepAlive: true,
    // Not "keel": a restore refuses to work beside one of those.
    application_name: 'backup of keel',
    options: '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
