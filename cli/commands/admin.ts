// `keel admin`: makes an admin, or gives one who has lost his password a new one. Called by cli/main.ts.
import { parseArgs } from 'node:util';
import type { Mode } from '../../contracts/wire/names.js';
import { adminLines, resetAdmin, withStores } from '../admin.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const adminHelp = `Usage: keel admin [--username NAME]

Makes an admin with a one-time password, or gives the admin of that name a new one and ends all his logins. Works on
DATABASE_URL or the database of a running Keel in .keel: whoever may write there may do this.

  --username NAME   admin when not given

Example:
  keel admin --username maria`;

/** @param database of the users; its url is never printed. @returns the exit code */
export async function adminCommand(
  args: readonly string[],
  out: Say,
  database: { readonly url: string; readonly mode: Mode },
): Promise<number> {
  const username = readUsername(args);
  const made = await withStores(database.url, database.mode, (stores) =>
    resetAdmin(stores, username, 'keel admin'),
  );
  for (const line of adminLines(made)) out(line);
  return 0;
}

function readUsername(args: readonly string[]): string {
  try {
    const { values } = parseArgs({ args: [...args], options: { username: { type: 'string' } } });
    const name = values.username ?? 'admin';
    if (/^[a-z0-9][a-z0-9._-]{1,31}$/.test(name)) return name;
    throw new Error(`--username ${name}: 2 to 32 lower-case letters, digits, dots, dashes or underscores`);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
