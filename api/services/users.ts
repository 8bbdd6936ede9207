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
  readonly users: Pick<UserStore, 'list' | 'get' | 'change' | 'create' | 'passwordHash' | 'setPassword'>;
  readonly passwords: PasswordHasher;
}

const notFound = (): KeelError =>
  new KeelError('USER_NOT_FOUND', 'There is no such user; GET /api/v1/users lists them.');

export interface MadeUser {
  readonly user: UserRow;
  readonly oneTimePassword: string;
}

/** Works where registration is closed, too. @throws KeelError EMAIL_TAKEN, USERNAME_TAKEN, PASSWORDS_BUSY */
export async function makeUser(
  deps: Pick<UserDeps, 'users' | 'passwords'>,
  { email, username, role }: NewUserRequest,
  actor: string,
): Promise<MadeUser> {
  const password = oneTimePassword();
  const passwordHash = await deps.passwords.hash(password);
  const row = { email, username, role, mustChangePassword: true, passwordHash };
  return { user: await deps.users.create(row, actor), oneTimePassword: password };
}

const isId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** An admin's stolen token must not take his account: what is his own he changes with his password. */
function refuseOwn(id: string, { user }: Principal, what: string, way: string): void {
  if (id !== user.id) return;
  throw new KeelError('OWN_ACCOUNT', `Your own ${what} is changed with your password: ${way}.`);
}

/** @throws KeelError USER_NOT_FOUND, LAST_ADMIN, EMAIL_TAKEN, OWN_ACCOUNT for his own e-mail */
export async function changeUser(
  deps: Pick<UserDeps, 'users'>,
  id: string,
  change: UserChange,
  principal: Principal,
): Promise<UserRow> {
  if (change.email !== undefined) refuseOwn(id, principal, 'e-mail', 'PATCH /api/v1/auth/me');
  const changed = isId(id) ? await deps.users.change(id, change, actorOf(principal)) : null;
  if (changed === null) throw notFound();
  return changed;
}

/**
 * For one who has lost his password, the first included: his logins end, his keys are revoked, what is linked is taken away.
 * @throws KeelError USER_NOT_FOUND, OWN_ACCOUNT, PASSWORDS_BUSY
 */
export async function resetPassword(
  { users, passwords }: Pick<UserDeps, 'users' | 'passwords'>,
  id: string,
  principal: Principal,
): Promise<MadeUser> {
  refuseOwn(id, principal, 'password', 'POST /api/v1/auth/password');
  if (!isId(id)) throw notFound();
  const password = oneTimePassword();
  const passwordHash = await passwords.hash(password);
  const change = { passwordHash, mustChange: true, keepLogin: null, checkedHash: null };
  const isSet = await users.setPassword(id, change, actorOf(principal));
  const user = isSet ? await users.get(id) : null;
  if (user === null) throw notFound();
  return { user, oneTimePassword: password };
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
  const changed = await deps.users.change(principal.user.id, { email }, actorOf(principal));
  if (changed === null) throw notFound();
  return changed;
}
