// Users for tests of the API: made in its database, with a key each.
import { makeKey } from '../../api/services/apiKeys.js';
import type { Stores } from '../../db/stores.js';
import type { Role } from '../../domain/access/roles.js';

export interface TestUser {
  readonly id: string;
  /** For Authorization: Bearer. */
  readonly key: string;
}

/** One whom no password lets in unless the hash of one is given, with a key of every scope that his role has. */
export async function makeUser(
  { users, apiKeys }: Stores,
  username: string,
  role: Role,
  passwordHash = '$argon2id$none',
): Promise<TestUser> {
  const email = `${username}@example.com`;
  const user = await users.create({ email, username, role, mustChangePassword: false, passwordHash }, 'test');
  const { key, prefix, hash } = makeKey();
  const scopes = ['read', 'trade', 'admin'] as const;
  await apiKeys.create({ userId: user.id, name: 'test', prefix, hash, scopes, days: 1 }, 'test');
  return { id: user.id, key };
}
