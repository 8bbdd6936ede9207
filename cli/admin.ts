// The admin who is there before anybody can log in, and the key with which the `keel` command of this machine asks the
// API. Called by the supervisor at each start and by `keel admin`.
import { hostname } from 'node:os';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { makeKey } from '../api/services/apiKeys.js';
import { oneTimePassword } from '../api/services/oneTimePassword.js';
import type { Mode } from '../contracts/wire/names.js';
import { connect } from '../db/connect.js';
import { claimMode } from '../db/mode.js';
import type { Stores } from '../db/stores.js';
import { createStores } from '../db/stores.js';
import { localKeyPrefix } from '../domain/access/localKey.js';
import type { UserRow } from '../ports/access.js';
import { StartError } from './supervisor/dataDir.js';

export interface MadeAdmin {
  readonly user: UserRow;
  /** Stored as its hash only, and good until it is used to set another. */
  readonly password: string;
}

async function makeAdmin(
  { users }: Stores,
  username: string,
  actor: string,
  email = `${username}@localhost`,
): Promise<MadeAdmin> {
  const password = oneTimePassword();
  const passwordHash = await createPasswordHasher().hash(password);
  const identity = {
    email,
    username,
    role: 'admin',
    mustChangePassword: true,
  } as const;
  const user = await users.create({ ...identity, passwordHash }, actor);
  await users.adopt(user.id, actor);
  return { user, password };
}

/** The first admin, who gets what nobody owns; null when there is one already. */
export async function ensureAdmin(stores: Stores, actor: string): Promise<MadeAdmin | null> {
  return (await stores.users.firstAdmin()) === null ? makeAdmin(stores, 'admin', actor) : null;
}

/**
 * Makes an admin of that name, or gives the one who is there a new one-time password, ends his logins and revokes his keys.
 * @param email his address from now on; left out, the one that he has
 * @throws StartError when the name is that of another user, KeelError EMAIL_TAKEN
 */
export async function resetAdmin(
  stores: Stores,
  username: string,
  actor: string,
  email?: string,
): Promise<MadeAdmin> {
  const found = await stores.users.byLogin(username);
  if (found === null) return makeAdmin(stores, username, actor, email);
  if (found.user.role !== 'admin' || !found.user.active) {
    throw new StartError(
      `${username} is no active admin: --reset ${username} gives a user of any role a new password, an admin changes roles`,
    );
  }
  // First: where the address is another's, nothing is changed.
  if (email !== undefined) await stores.users.change(found.user.id, { email }, actor);
  return { user: found.user, password: await giveOneTimePassword(stores, found.user.id, actor) };
}

async function giveOneTimePassword({ users }: Stores, id: string, actor: string): Promise<string> {
  const password = oneTimePassword();
  const passwordHash = await createPasswordHasher().hash(password);
  await users.setPassword(id, { passwordHash, mustChange: true, keepLogin: null, checkedHash: null }, actor);
  return password;
}

/** Of any role, which stays. @throws StartError when there is no such user */
export async function resetUser(stores: Stores, username: string, actor: string): Promise<MadeAdmin> {
  const found = await stores.users.byLogin(username);
  if (found === null) throw new StartError(`there is no user ${username}: GET /api/v1/users lists them`);
  return { user: found.user, password: await giveOneTimePassword(stores, found.user.id, actor) };
}

/** What is said once, to the terminal and nowhere else. */
export const adminLines = ({ user, password }: MadeAdmin): readonly string[] => [
  `${user.role === 'admin' ? 'Admin' : 'User'} "${user.username}", one-time password: ${password}`,
  'It is shown this once. Log in with it and set your own: POST /api/v1/auth/login, then /api/v1/auth/password.',
];

/** Opens the stores of a database for one piece of work. @throws KeelError MODE_MISMATCH */
export async function withStores<T>(
  url: string,
  mode: Mode,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const limits = { poolSize: 2, connectTimeoutMs: 5000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };
  const db = connect({ url, ...limits });
  try {
    await claimMode(db, mode);
    return await work(createStores(db, mode));
  } finally {
    await db.close();
  }
}

/** A key for the commands of this machine; the one of the start before is worth nothing any more. */
export async function makeLocalKey(stores: Stores, dataDir: string): Promise<string> {
  const admin = await stores.users.firstAdmin();
  if (admin === null) throw new StartError('there is no admin whose key the keel command could use');
  const { key, prefix, hash } = makeKey();
  const row = {
    userId: admin.id,
    name: `${localKeyPrefix}${hostname()} ${dataDir}`,
    prefix,
    hash,
    scopes: ['read', 'trade'],
    days: 366,
  } as const;
  await stores.apiKeys.create(row, 'supervisor', { replace: true });
  return key;
}
