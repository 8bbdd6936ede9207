// `keel admin`: makes an admin, or gives one who has lost his password a new one. Called by cli/main.ts.
import { emailAddress } from '../../contracts/http/auth.js';
import type { Mode } from '../../contracts/wire/names.js';
import { dataDirOption, parseArguments } from '../arguments.js';
import { adminLines, ensureAdmin, resetAdmin, resetUser, withStores } from '../admin.js';
import type { Say } from '../say.js';
import { UsageError } from '../supervisor/options.js';

export const adminHelp = `Usage: keel admin [--username NAME] [--email ADDRESS] [--drop-second-factor]
       keel admin --reset NAME [--drop-second-factor]
       keel admin --if-none

Makes an admin with a one-time password, or gives the admin of that name a new one and ends all his logins. Works on
DATABASE_URL or the database of a Keel that runs: whoever may write there may do this.

  --username NAME        admin when not given
  --email ADDRESS        his address from now on; a new admin without it has NAME@localhost
  --reset NAME           gives a user of any role a new one-time password; ends his logins, revokes his keys
  --if-none              makes the first admin, and changes nothing where there is one
  --data-dir DIR         of the Keel that runs: KEEL_DATA_DIR, or .keel, when not given
  --drop-second-factor   for one who has lost his authenticator and his recovery codes

Examples:
  keel admin --username maria --email maria@example.com
  keel admin --reset anna`;

/** @param databaseOf finds that of the users; its url is never printed. @returns the exit code */
export async function adminCommand(
  args: readonly string[],
  out: Say,
  databaseOf: (dataDir: string | undefined) => { readonly url: string; readonly mode: Mode },
): Promise<number> {
  const { username, email, reset, ifNone, dropSecondFactor, dataDir } = readOptions(args);
  const database = databaseOf(dataDir);
  const made = await withStores(database.url, database.mode, async (stores) => {
    if (ifNone) return ensureAdmin(stores, 'keel admin');
    const admin = reset
      ? await resetUser(stores, username, 'keel admin')
      : await resetAdmin(stores, username, 'keel admin', email);
    if (dropSecondFactor) await stores.secondFactors.remove(admin.user.id, { keepLogin: null }, 'keel admin');
    return admin;
  });
  if (made === null) out('There is an admin; nothing was changed.');
  else for (const line of adminLines(made)) out(line);
  return 0;
}

interface Options {
  readonly username: string;
  readonly email: string | undefined;
  /** Whether that user, of any role, is given a new password. */
  readonly reset: boolean;
  readonly dropSecondFactor: boolean;
  readonly dataDir: string | undefined;
  readonly ifNone: boolean;
}

function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArguments({
      args: [...args],
      options: {
        username: { type: 'string' },
        email: { type: 'string' },
        reset: { type: 'string' },
        'if-none': { type: 'boolean', default: false },
        ...dataDirOption,
        'drop-second-factor': { type: 'boolean', default: false },
      },
    });
    if (values.reset !== undefined && (values.username !== undefined || values.email !== undefined)) {
      throw new Error('--reset names the user; --username and --email are for admins');
    }
    const { 'if-none': ifNone } = values;
    if (ifNone && args.some((arg) => /^--(reset|username|email|drop)/.test(arg))) {
      throw new Error('--if-none makes the first admin as npm start does; it goes with --data-dir alone');
    }
    const username = values.reset ?? values.username ?? 'admin';
    if (!/^[a-z0-9][a-z0-9._-]{1,31}$/.test(username)) {
      throw new Error(
        `${username} is no username: 2 to 32 lower-case letters, digits, dots, dashes or underscores`,
      );
    }
    const email = values.email === undefined ? undefined : emailAddress.safeParse(values.email);
    if (email?.success === false) throw new Error(`--email ${values.email ?? ''} is no e-mail address`);
    const dropSecondFactor = values['drop-second-factor'];
    return {
      username,
      email: email?.data,
      reset: values.reset !== undefined,
      dropSecondFactor,
      dataDir: values['data-dir'],
      ifNone,
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
