// Asks for the password of somebody who is in already. Called by services that need it once more.
import { composed } from '../../domain/access/password.js';
import type { AttemptStore, PasswordHasher, UserRow, UserStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';

export interface CheckPasswordDeps {
  readonly users: Pick<UserStore, 'passwordHash'>;
  readonly attempts: AttemptStore;
  readonly passwords: PasswordHasher;
}

export const passwordRefused = (): KeelError =>
  new KeelError('PASSWORD_REFUSED', 'The current password is not right.');

/** @returns the hash that it was checked against. @throws KeelError PASSWORD_REFUSED, TOO_MANY_ATTEMPTS, PASSWORDS_BUSY */
export async function checkPassword(
  deps: CheckPasswordDeps,
  user: UserRow,
  password: string,
  address: string,
): Promise<string | null> {
  const attempt = await deps.attempts.begin('password', user.id, address);
  const stored = await deps.users.passwordHash(user.id);
  if (!(await deps.passwords.verify(stored, composed(password)))) throw passwordRefused();
  await deps.attempts.succeeded(attempt);
  return stored;
}
