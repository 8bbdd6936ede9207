// Sets a second factor up, proves it and takes it away. Called by api/routes/secondFactor.ts and, when one logs in, by
// auth.ts.
import { createHash, randomBytes } from 'node:crypto';
import {
  freshLoginMs,
  isRecoveryCode,
  isTimeCode,
  plainCode,
  recoveryCodes,
} from '../../domain/access/secondFactor.js';
import type {
  AttemptStore,
  Proof,
  SecondFactorStore,
  TimeCodes,
  UserRow,
  UserStore,
} from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';
import type { Seal } from '../../ports/seal.js';
import type { AuditStore } from '../../ports/audit.js';
import { InvalidInputError } from './invalidInput.js';
import type { CheckPasswordDeps } from './password.js';
import { checkPassword } from './password.js';
import type { Principal } from './principal.js';
import { actorOf, loginOf } from './principal.js';

export interface CodeDeps {
  readonly secondFactors: SecondFactorStore;
  readonly timeCodes: TimeCodes;
  readonly seal: Seal;
  readonly attempts: AttemptStore;
  readonly audit: Pick<AuditStore, 'append'>;
}

export interface SecondFactorDeps extends CodeDeps, CheckPasswordDeps {
  readonly users: UserStore;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const hashOf = (plain: string): string => createHash('sha256').update(plain).digest('hex');

/** 80 random bits each, in groups that can be typed. */
function makeRecoveryCodes(): { readonly codes: readonly string[]; readonly hashes: readonly string[] } {
  const codes = Array.from({ length: recoveryCodes }, () =>
    [...randomBytes(16)]
      .map((byte) => alphabet.charAt(byte & 31))
      .join('')
      .replace(/(.{4})(?=.)/g, '$1-'),
  );
  return { codes, hashes: codes.map((code) => hashOf(plainCode(code))) };
}

const refused = (): KeelError =>
  new KeelError('CODE_REFUSED', 'This code is not right or was used already; wait for the next one.');

/** @throws KeelError SEAL_BROKEN */
async function stepOf(deps: CodeDeps, userId: string, sealed: string, code: string): Promise<number | null> {
  const { text, current } = deps.seal.open(sealed, userId);
  const step = deps.timeCodes.stepOf(text, code);
  if (step !== null && !current) {
    await deps.secondFactors.reseal(userId, sealed, deps.seal.close(text, userId));
  }
  return step;
}

async function takeTimeCode(
  deps: CodeDeps,
  userId: string,
  code: string,
  loginId: string | null,
): Promise<boolean> {
  const factor = await deps.secondFactors.get(userId);
  if (factor?.confirmed !== true) return false;
  const step = await stepOf(deps, userId, factor.sealed, code);
  return step !== null && deps.secondFactors.useStep(userId, step, loginId);
}

/**
 * Takes a code, once.
 * @param options `loginId` of the login that has then proved it; `recovery` where a recovery code is good enough
 * @throws KeelError CODE_REFUSED, TOO_MANY_ATTEMPTS, SEAL_BROKEN
 */
export async function takeCode(
  deps: CodeDeps,
  user: UserRow,
  given: string,
  options: { readonly address: string; readonly loginId: string | null; readonly recovery: boolean },
): Promise<Exclude<Proof, 'none'>> {
  const attempt = await deps.attempts.begin('code', user.id, options.address);
  const code = plainCode(given);
  const byTime = isTimeCode(code) && (await takeTimeCode(deps, user.id, code, options.loginId));
  const byRecovery =
    options.recovery && isRecoveryCode(code) && (await deps.secondFactors.useRecovery(user.id, hashOf(code)));
  if (!byTime && !byRecovery) {
    const subject = `user:${user.username}`;
    await deps.audit.append({ actor: 'anonymous', action: 'second-factor.refused', subject, facts: {} });
    throw refused();
  }
  await deps.attempts.succeeded(attempt);
  return byTime ? 'code' : 'recovery';
}

/** @throws KeelError CODE_NEEDED, and as takeCode does */
export async function proveAtLogin(
  deps: CodeDeps,
  user: UserRow,
  code: string | undefined,
  address: string,
): Promise<Proof> {
  if (!user.secondFactor) return 'none';
  if (code === undefined) {
    throw new KeelError('CODE_NEEDED', 'This user has a second factor: send its code too, as "code".');
  }
  return takeCode(deps, user, code, { address, loginId: null, recovery: true });
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
  if (step === null) throw refused();
  const { codes, hashes } = makeRecoveryCodes();
  const row = { userId: user.id, sealed: factor.sealed, step, recoveryHashes: hashes, loginId };
  if (!(await deps.secondFactors.confirm(row, actorOf(principal)))) throw refused();
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
