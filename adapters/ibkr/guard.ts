// The guard between modes: an account is used only when its name and the gateway both agree with the mode.
// Called by session.ts, before any call that could touch the account.
import type { Mode } from '../../contracts/wire/names.js';
import { KeelError } from '../../ports/errors.js';

const mismatch = (message: string, facts: Record<string, string | boolean | null>): KeelError =>
  new KeelError('BROKER_SESSION', message, { facts });

/**
 * Refuses an account that does not belong to the mode, before any call that could touch it.
 * @throws KeelError BROKER_SESSION (final).
 */
export function guardAccount(
  { mode, accountId }: { readonly mode: Mode; readonly accountId: string },
  found: { readonly accounts: readonly string[]; readonly isPaper?: boolean | null | undefined },
): void {
  const isPaper = found.isPaper ?? null;
  const facts = { mode, accountId, isPaper };
  if (!found.accounts.includes(accountId)) {
    throw mismatch(
      `The login does not hold the account ${accountId}. Correct IBKR_ACCOUNT (broker.accountId), or log in as its owner.`,
      facts,
    );
  }
  if (accountId === 'All')
    throw mismatch('"All" is no account. Set IBKR_ACCOUNT (broker.accountId) to one of them.', facts);
  const paperAccount = accountId.startsWith('DU');
  const agrees = mode === 'live' ? isPaper === false && !paperAccount : isPaper === true && paperAccount;
  if (agrees) return;
  const said = isPaper === null ? 'does not say' : isPaper ? 'says paper' : 'says live';
  throw mismatch(
    `Keel runs in mode ${mode}, the account is ${accountId} and the gateway ${said}. Nothing is sent to it.`,
    facts,
  );
}
