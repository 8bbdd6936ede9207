// What an admin does with users, and a user with himself. Called by api/routes/users.ts.
import type { EmailRequest, NewUserRequest, UserChange } from '../../contracts/http/auth.js';
import type { PasswordHasher, UserRow, UserStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';
import { oneTimePassword } from './oneTimePassword.js';
import type { CheckPasswordDeps } from './password.js';
import { checkPassword } from './password.js';
import type { Principal } from './principal.js';
import { actorOf } from './principal.js';

export interface UserDeps extends CheckPasswordDeps {
  readonly users: Pick<UserStore, 'list' | 'change' | 'create' | 'passwordHash'>;
  readonly passwords: PasswordHasher;
}

const notFound = (): KeelError =>
  new KeelError('USER_NOT_FOUND', 'There is no such user; GET /api/v1/users lists them.');

/** Works where registration is closed, too. @throws KeelError EMAIL_TAKEN, USERNAME_TAKEN, PASSWORDS_BUSY */
export async function makeUser(
  deps: Pick<UserDeps, 'users' | 'passwords'>,
  { email, username, role }: NewUserRequest,
  actor: string,
): Promise<{ readonly user: UserRow; readonly oneTimePassword: string }> {
  const password = oneTimePassword();
  const passwordHash = await deps.passwords.hash(password);
  const row = { email, username, role, mustChangePassword: true, passwordHash };
  return { user: await deps.users.create(row, actor), oneTimePassword: password };
}

/** @throws KeelError USER_NOT_FOUND, LAST_ADMIN, EMAIL_TAKEN */
export async function changeUser(
  deps: Pick<UserDeps, 'users'>,
  id: string,
  change: UserChange,
  actor: string,
): Promise<UserRow> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  const changed = isId ? await deps.users.change(id, change, actor) : null;
  if (changed === null) throw notFound();
  return changed;
}

/**
 * One logs in with it and alarms go there, so whoever found an open browser must not change it; one who only comes in
 * through an identity provider has no password to ask for, and asks an admin.
 * @throws KeelError PASSWORD_REFUSED, TOO_MANY_ATTEMPTS, PASSWORDS_BUSY, EMAIL_TAKEN
 */
export async function changeOwnEmail(
  deps: UserDeps,
  principal: Principal,
  { email, password }: EmailRequest,
  address: string,
): Promise<UserRow> {
  await checkPassword(deps, principal.user, password, address);
  return changeUser(deps, principal.user.id, { email }, actorOf(principal));
}
