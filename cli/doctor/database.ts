// PostgreSQL: whether it answers, its version, whether its tables are those of this Keel, whose mode it belongs to, and
// what time it has. Called by examine.ts.
import { Client } from 'pg';
import { describeUrl } from '../../db/connect.js';
import type { MigrationState } from '../../db/migrate.js';
import { migrateUp, migrationStatus } from '../../db/migrate.js';
import { KeelError } from '../../ports/errors.js';
import { skewFinding } from './clock.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven, reasonOf } from './types.js';

const check = 'postgres';
const leastVersion = 14;

export async function checkDatabase(patient: Patient): Promise<readonly Finding[]> {
  const { database } = patient.sections;
  if (database === undefined) return notGiven(check, patient);
  const { url } = database;
  try {
    const states = await migrationStatus(url, { connectTimeoutMs: askMs });
    const facts = await readFacts(url, patient);
    return [
      version(facts.version, url),
      ...tables(states, url),
      ...modeOf(facts.mode, patient, url),
      facts.clock,
    ];
  } catch (error) {
    return [refusal(error, url)];
  }
}

const migrationFixes: Readonly<Record<string, string>> = {
  DATABASE_AWAY: 'start PostgreSQL, or correct host and port in DATABASE_URL',
  DATABASE_REFUSED: 'correct user, password or database name in DATABASE_URL',
  MIGRATION_UNKNOWN: 'use the newer Keel that applied it, or another database',
  MIGRATION_CHANGED: 'restore the file of that migration; a change goes into a new one',
};

function refusal(error: unknown, url: string): Finding {
  const code = error instanceof KeelError ? error.code : 'DATABASE_ERROR';
  const ofTables = code.startsWith('MIGRATION_');
  return {
    check: ofTables ? 'migrations' : check,
    status: 'fault',
    found: `${describeUrl(url)}: ${code}`,
    cause: reasonOf(error),
    fix: migrationFixes[code] ?? 'read the cause, put it right, and ask again',
  };
}

interface Facts {
  readonly version: string;
  readonly mode: string | null;
  readonly clock: Finding;
}

async function readFacts(url: string, { now }: Patient): Promise<Facts> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: askMs,
    query_timeout: askMs,
    application_name: 'keel-doctor',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const before = now();
    const { rows } = await client.query<{ version: string; ms: string; has: string | null }>(
      `select current_setting('server_version') as version,
              extract(epoch from clock_timestamp()) * 1000 as ms, to_regclass('database_mode') as has`,
    );
    const after = now();
    const row = rows[0];
    const claimed =
      row?.has == null ? [] : (await client.query<{ mode: string }>('select mode from database_mode')).rows;
    return {
      version: row?.version ?? '0',
      mode: claimed[0]?.mode ?? null,
      clock: skewFinding('PostgreSQL', { theirs: Number(row?.ms), before, after, grainMs: 0 }),
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

function version(text: string, url: string): Finding {
  const found = `PostgreSQL ${text} at ${describeUrl(url)}`;
  if (Number.parseInt(text, 10) >= leastVersion) return { check, status: 'ok', found };
  const cause = `Keel needs PostgreSQL ${String(leastVersion)} or later`;
  return { check, status: 'fault', found, cause, fix: 'use a newer server' };
}

function tables(states: readonly MigrationState[], url: string): Finding[] {
  const pending = states.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name);
  if (pending.length === 0) {
    return [{ check: 'migrations', status: 'ok', found: `all ${String(states.length)} are applied` }];
  }
  return [
    {
      check: 'migrations',
      status: 'fault',
      found: `${String(pending.length)} of ${String(states.length)} are pending: ${pending.join(', ')}`,
      cause: 'the database is older than this Keel, or empty',
      fix: 'keel migrate up; keel doctor --fix does it',
      repair: async () => `applied ${(await migrateUp(url)).join(', ')}`,
    },
  ];
}

function modeOf(claimed: string | null, { mode }: Patient, url: string): Finding[] {
  if (claimed === null || claimed === mode) return [];
  return [
    {
      check,
      status: 'fault',
      found: `the database at ${describeUrl(url)} belongs to mode ${claimed}, and KEEL_MODE is ${mode}`,
      cause: 'a database serves one mode for ever',
      fix: `give ${mode} mode a database of its own in DATABASE_URL, or set KEEL_MODE=${claimed}`,
    },
  ];
}
