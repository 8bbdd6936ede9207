// `keel migrate up|down|status|history`: applies and takes back the committed migrations. Called by cli/main.
import { migrateDown, migrateUp, migrationHistory, migrationStatus } from '../../db/migrate.js';
import { KeelError } from '../../ports/errors.js';
import type { Say } from '../say.js';

const usage = `Usage: keel migrate <command>
  up          apply what is pending
  down [N]    take back the last N migrations (1 unless given); their tables and rows are lost
  status      every migration and when it was applied
  history     everything that was ever applied or taken back`;

/**
 * @param args what follows `migrate` on the command line
 * @param databaseUrl postgres://…; never printed
 * @returns the exit code: 0, 1 when PostgreSQL or a migration failed, 2 for a wrong command line
 */
export async function migrateCommand(
  args: readonly string[],
  out: Say,
  err: Say,
  databaseUrl: string,
): Promise<number> {
  const [command = '', ...rest] = args;
  const count = command === 'down' && rest.length === 1 ? Number(rest[0]) : 1;
  const known = ['up', 'down', 'status', 'history'].includes(command);
  const fits = rest.length === 0 || (command === 'down' && rest.length === 1);
  if (!known || !fits || !Number.isInteger(count) || count < 1) {
    err(usage);
    return 2;
  }
  try {
    for (const line of await run(command, count, databaseUrl)) out(line);
    return 0;
  } catch (error) {
    if (!(error instanceof KeelError)) throw error;
    err(`${error.code}: ${error.message}`);
    return 1;
  }
}

async function run(command: string, count: number, url: string): Promise<readonly string[]> {
  switch (command) {
    case 'up': {
      const names = await migrateUp(url);
      return names.length === 0 ? ['Nothing is pending.'] : names.map((name) => `applied     ${name}`);
    }
    case 'down': {
      const names = await migrateDown(url, count);
      return names.length === 0 ? ['Nothing is applied.'] : names.map((name) => `taken back  ${name}`);
    }
    case 'status':
      return (await migrationStatus(url)).map(
        ({ name, appliedAt }) => `${appliedAt ?? 'pending'.padEnd(24)}  ${name}`,
      );
    default:
      return (await migrationHistory(url)).map(
        ({ at, direction, name, sha256 }) => `${at}  ${direction.padEnd(4)}  ${name}  ${sha256.slice(0, 12)}`,
      );
  }
}
