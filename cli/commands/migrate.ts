// `keel migrate up|down|status|history`: applies and takes back the committed migrations. Called by cli/main.
import { migrateDown, migrateUp, migrationHistory, migrationStatus } from '../../db/migrate.js';
import type { MigrationOptions } from '../../db/migrate.js';
import { KeelError } from '../../ports/errors.js';
import { dataDirOption, parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';
import { sayTable } from '../table.js';

export const migrateHelp = `Usage: keel migrate up|down [N]|status|history [--json]

Applies or takes back the database's migrations, in DATABASE_URL or the database of a Keel that runs.

  up          applies what is pending
  down [N]    takes back the last N migrations (1 unless given); their tables and rows are lost
  status      every migration and when it was applied
  history     everything that was ever applied or taken back

  --json           the list as JSON
  --data-dir DIR   of the Keel that runs: KEEL_DATA_DIR, or .keel, when not given

Examples:
  keel migrate status
  keel migrate down 1`;

export interface MigrationSet {
  /** As it is typed, without keel. */
  readonly command: string;
  /** Names the database. */
  readonly variable: string;
  readonly directory?: string;
  readonly schema?: string;
}

interface Order {
  readonly act: 'up' | 'down' | 'status' | 'history';
  readonly count: number;
  readonly json: boolean;
  readonly dataDir: string | undefined;
}

function orderOf(command: string, args: readonly string[]): Order {
  const options = { json: { type: 'boolean' }, ...dataDirOption } as const;
  const { values, positionals } = parseArguments({ args: [...args], allowPositionals: true, options });
  const [word, ...rest] = positionals;
  const act = subcommand(command, word, ['up', 'down', 'status', 'history']);
  const count = act === 'down' && rest.length === 1 ? Number(rest[0]) : 1;
  const fits = rest.length === 0 || (act === 'down' && rest.length === 1);
  if (!fits || !Number.isInteger(count) || count < 1) {
    throw new UsageError(
      `${command} ${act} takes ${act === 'down' ? 'a number of migrations' : 'nothing more'}`,
    );
  }
  return { act, count, json: values.json === true, dataDir: values['data-dir'] };
}

/**
 * @param args what follows `migrate` on the command line
 * @param databaseUrl gives postgres://…; never printed
 * @param of whose migrations: Keel's own unless said otherwise
 * @returns the exit code: 0, or 1 when PostgreSQL or a migration failed
 * @throws UsageError
 */
export async function migrateCommand(
  args: readonly string[],
  out: Say,
  err: Say,
  databaseUrl: (dataDir: string | undefined) => string,
  of: MigrationSet = { command: 'migrate', variable: 'DATABASE_URL' },
): Promise<number> {
  const order = orderOf(of.command, args);
  const url = databaseUrl(order.dataDir);
  try {
    await carryOut(order, url, out, of);
    return 0;
  } catch (error) {
    if (!(error instanceof KeelError)) throw error;
    err(`${error.code}: ${error.message.replaceAll('DATABASE_URL', of.variable)}`);
    return 1;
  }
}

async function carryOut(
  { act, count, json }: Order,
  url: string,
  out: Say,
  { directory, schema }: MigrationSet,
): Promise<void> {
  const options: MigrationOptions = {
    ...(directory === undefined ? {} : { directory }),
    ...(schema === undefined ? {} : { schema }),
  };
  const tell = (rows: unknown, people: () => void): void => {
    if (json) out(JSON.stringify(rows, null, 2));
    else people();
  };
  if (act === 'status') {
    const rows = await migrationStatus(url, options);
    tell(rows, () => {
      const shown = rows.map(({ name, appliedAt }) => [appliedAt ?? 'pending', name]);
      sayTable(out, ['APPLIED', 'MIGRATION'], shown, 'No migrations.');
    });
  } else if (act === 'history') {
    const rows = await migrationHistory(url, options);
    tell(rows, () => {
      const shown = rows.map(({ at, direction, name, sha256 }) => [at, direction, name, sha256.slice(0, 12)]);
      sayTable(out, ['AT', 'WAY', 'MIGRATION', 'SHA-256'], shown, 'Nothing was ever applied.');
    });
  } else {
    const names = act === 'up' ? await migrateUp(url, options) : await migrateDown(url, count, options);
    const [none, done] = act === 'up' ? ['pending', 'applied'] : ['applied', 'taken back'];
    tell(names, () => {
      if (names.length === 0) out(`Nothing is ${none}.`);
      for (const name of names) out(`${done.padEnd(10)}  ${name}`);
    });
  }
}
