// What an admin does with users. Called by api/routes/users.ts.
import type { UserChange } from '../../contracts/http/auth.js';
import type { UserRow, UserStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';

export interface UserDeps {
  readonly users: Pick<UserStore, 'list' | 'change'>;
}

/** @throws KeelError USER_NOT_FOUND, LAST_ADMIN */
export async function changeUser(
  deps: UserDeps,
  id: string,
  change: UserChange,
  actor: string,
): Promise<UserRow> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  const changed = isId ? await deps.users.change(id, change, actor) : null;
  if (changed === null)
    throw new KeelError('USER_NOT_FOUND', 'There is no such user; GET /api/v1/users lists them.');
  return changed;
}
