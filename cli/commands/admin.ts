// `keel admin`: makes an admin, or gives one who has lost his password a new one. Called by cli/main.ts.
import type { Mode } from '../../contracts/wire/names.js';
import { parseArguments } from '../arguments.js';
import { adminLines, resetAdmin, withStores } from '../admin.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const adminHelp = `Usage: keel admin [--username NAME] [--drop-second-factor]

Makes an admin with a one-time password, or gives the admin of that name a new one and ends all his logins. Works on
DATABASE_URL or the database of a running Keel in .keel: whoever may write there may do this.

  --username NAME        admin when not given
  --drop-second-factor   for one who has lost his authenticator and his recovery codes

Example:
  keel admin --username maria`;

/** @param databaseOf finds that of the users; its url is never printed. @returns the exit code */
export async function adminCommand(
  args: readonly string[],
  out: Say,
  databaseOf: () => { readonly url: string; readonly mode: Mode },
): Promise<number> {
  const { username, dropSecondFactor } = readOptions(args);
  const database = databaseOf();
  const made = await withStores(database.url, database.mode, async (stores) => {
    const admin = await resetAdmin(stores, username, 'keel admin');
    if (dropSecondFactor) await stores.secondFactors.remove(admin.user.id, { keepLogin: null }, 'keel admin');
    return admin;
  });
  for (const line of adminLines(made)) out(line);
  return 0;
}

function readOptions(args: readonly string[]): { username: string; dropSecondFactor: boolean } {
  try {
    const { values } = parseArguments({
      args: [...args],
      options: { username: { type: 'string' }, 'drop-second-factor': { type: 'boolean', default: false } },
    });
    const name = values.username ?? 'admin';
    if (/^[a-z0-9][a-z0-9._-]{1,31}$/.test(name)) {
      return { username: name, dropSecondFactor: values['drop-second-factor'] };
    }
    throw new Error(`--username ${name}: 2 to 32 lower-case letters, digits, dots, dashes or underscores`);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
