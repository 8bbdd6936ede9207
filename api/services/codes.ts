// Takes the codes of a second factor: those of an authenticator and those for recovery, each once. Called by auth.ts,
// oidc.ts and secondFactor.ts.
import { createHash, randomBytes } from 'node:crypto';
import { isRecoveryCode, isTimeCode, plainCode, recoveryCodes } from '../../domain/access/secondFactor.js';
import type { AttemptStore, Proof, SecondFactorStore, TimeCodes, UserRow } from '../../ports/access.js';
import type { AuditStore } from '../../ports/audit.js';
import { KeelError } from '../../ports/errors.js';
import type { Seal } from '../../ports/seal.js';

export interface CodeDeps {
  readonly secondFactors: SecondFactorStore;
  readonly timeCodes: TimeCodes;
  readonly seal: Seal;
  readonly attempts: AttemptStore;
  readonly audit: Pick<AuditStore, 'append'>;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const hashOf = (plain: string): string => createHash('sha256').update(plain).digest('hex');

/** 80 random bits each, in groups that can be typed. */
export function makeRecoveryCodes(): {
  readonly codes: readonly string[];
  readonly hashes: readonly string[];
} {
  const codes = Array.from({ length: recoveryCodes }, () =>
    [...randomBytes(16)]
      .map((byte) => alphabet.charAt(byte & 31))
      .join('')
      .replace(/(.{4})(?=.)/g, '$1-'),
  );
  return { codes, hashes: codes.map((code) => hashOf(plainCode(code))) };
}

export const codeRefused = (): KeelError =>
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
    throw codeRefused();
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
