// Sets a second factor up, proves it and takes it away. Called by api/routes/secondFactor.ts.
import { freshLoginMs, plainCode } from '../../domain/access/secondFactor.js';
import type { UserStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';
import type { CodeDeps } from './codes.js';
import { codeRefused, makeRecoveryCodes, takeCode } from './codes.js';
import { InvalidInputError } from './invalidInput.js';
import type { CheckPasswordDeps } from './password.js';
import { checkPassword } from './password.js';
import type { Principal } from './principal.js';
import { actorOf, loginOf } from './principal.js';

export interface SecondFactorDeps extends CodeDeps, CheckPasswordDeps {
  readonly users: UserStore;
}

/**
 * One who has a password must say it: a token that was stolen must not set up a second factor or a way in of its own.
 * Also called by oidc.ts.
 * @throws InvalidInputError, KeelError PASSWORD_REFUSED, LOGIN_TOO_OLD, TOO_MANY_ATTEMPTS
 */
export async function proveOneself(
  deps: SecondFactorDeps,
  principal: Principal,
  password: string | undefined,
  address: string,
): Promise<void> {
  if ((await deps.users.passwordHash(principal.user.id)) === null) {
    if (principal.via.kind === 'login' && principal.via.openedMsAgo <= freshLoginMs) return;
    throw new KeelError('LOGIN_TOO_OLD', 'Log in again, and do this within ten minutes.');
  }
  if (password === undefined) {
    throw new InvalidInputError([{ in: 'body', field: 'password', message: 'is needed' }]);
  }
  await checkPassword(deps, principal.user, password, address);
}

const exists = (): KeelError =>
  new KeelError('SECOND_FACTOR_EXISTS', 'A second factor is set up already; disable it first.');

/** @throws InvalidInputError, KeelError SECOND_FACTOR_EXISTS, PASSWORD_REFUSED, LOGIN_TOO_OLD, TOO_MANY_ATTEMPTS */
export async function enrol(
  deps: SecondFactorDeps,
  principal: Principal,
  { password }: { readonly password?: string | undefined },
  address: string,
): Promise<{ readonly secret: string; readonly uri: string }> {
  const { user } = principal;
  if (user.secondFactor) throw exists();
  await proveOneself(deps, principal, password, address);
  const secret = deps.timeCodes.newSecret();
  const sealed = deps.seal.close(secret, user.id);
  if (!(await deps.secondFactors.enrol(user.id, sealed, actorOf(principal)))) throw exists();
  return { secret, uri: deps.timeCodes.uriOf(secret, user.username) };
}

const notFound = (): KeelError =>
  new KeelError(
    'SECOND_FACTOR_NOT_FOUND',
    'There is no second factor here; POST /api/v1/auth/totp begins one.',
  );

/**
 * The first code shows that the authenticator has the secret.
 * @returns the recovery codes. @throws KeelError SECOND_FACTOR_EXISTS, SECOND_FACTOR_NOT_FOUND, CODE_REFUSED, TOO_MANY_ATTEMPTS,
 * SEAL_BROKEN
 */
export async function confirm(
  deps: SecondFactorDeps,
  principal: Principal,
  code: string,
  address: string,
): Promise<readonly string[]> {
  const { user } = principal;
  const loginId = loginOf(principal);
  const factor = await deps.secondFactors.get(user.id);
  if (factor === null) throw notFound();
  if (factor.confirmed) throw exists();
  const attempt = await deps.attempts.begin('code', user.id, address);
  // Not sealed anew here: what is confirmed is the secret that was read.
  const { text } = deps.seal.open(factor.sealed, user.id);
  const step = deps.timeCodes.stepOf(text, plainCode(code));
  if (step === null) throw codeRefused();
  const { codes, hashes } = makeRecoveryCodes();
  const row = { userId: user.id, sealed: factor.sealed, step, recoveryHashes: hashes, loginId };
  if (!(await deps.secondFactors.confirm(row, actorOf(principal)))) throw codeRefused();
  await deps.attempts.succeeded(attempt);
  return codes;
}

const needed = ({ user }: Principal): void => {
  if (!user.secondFactor) throw notFound();
};

/** Lets this login act in live mode for a while. A recovery code does not do. */
export async function prove(
  deps: CodeDeps,
  principal: Principal,
  code: string,
  address: string,
): Promise<void> {
  needed(principal);
  await takeCode(deps, principal.user, code, { address, loginId: loginOf(principal), recovery: false });
}

/** @returns codes in place of those that are left */
export async function renewRecoveryCodes(
  deps: CodeDeps,
  principal: Principal,
  code: string,
  address: string,
): Promise<readonly string[]> {
  await prove(deps, principal, code, address);
  const { codes, hashes } = makeRecoveryCodes();
  await deps.secondFactors.putRecovery(principal.user.id, hashes, actorOf(principal));
  return codes;
}

/** Ends every other login. A recovery code does as well: the authenticator may be what was lost. */
export async function disable(
  deps: CodeDeps,
  principal: Principal,
  code: string,
  address: string,
): Promise<void> {
  needed(principal);
  await takeCode(deps, principal.user, code, { address, loginId: null, recovery: true });
  const keepLogin = loginOf(principal);
  await deps.secondFactors.remove(principal.user.id, { keepLogin }, actorOf(principal));
}

/**
 * Seals anew what an older secret of the API has sealed, so that the older one can be given up. Called by api/main.ts.
 * @returns how many were sealed anew, and the users whose secret none of the secrets given opens
 */
export async function resealAll({
  secondFactors,
  seal,
}: Pick<CodeDeps, 'secondFactors' | 'seal'>): Promise<{ resealed: number; broken: readonly string[] }> {
  let resealed = 0;
  const broken: string[] = [];
  for (const { userId, sealed } of await secondFactors.all()) {
    try {
      const { text, current } = seal.open(sealed, userId);
      if (current) continue;
      await secondFactors.reseal(userId, sealed, seal.close(text, userId));
      resealed += 1;
    } catch (error) {
      if (!(error instanceof KeelError) || error.code !== 'SEAL_BROKEN') throw error;
      broken.push(userId);
    }
  }
  return { resealed, broken };
}

/**
 * An admin takes away the second factor of another user who has lost it; his logins end. His own he disables with a code,
 * so that a token of his that was stolen can not.
 */
export async function removeSecondFactor(
  { secondFactors }: Pick<CodeDeps, 'secondFactors'>,
  userId: string,
  principal: Principal,
): Promise<void> {
  if (userId.toLowerCase() === principal.user.id) {
    const words = 'Your own second factor is taken away with a code: POST /api/v1/auth/totp/disable.';
    throw new KeelError('OWN_SECOND_FACTOR', `${words} If you have lost it, use a recovery code there.`);
  }
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(userId);
  if (isId && (await secondFactors.remove(userId, { keepLogin: null }, actorOf(principal)))) return;
  throw new KeelError('SECOND_FACTOR_NOT_FOUND', 'There is no such user with a second factor.');
}
