// Makes, lists and revokes a user's API keys. Called by api/routes/apiKeys.ts and, for the key of the local `keel`
// command, by the supervisor.
import { randomBytes } from 'node:crypto';
import type { NewApiKeyRequest } from '../../contracts/http/apiKey.js';
import type { Scope } from '../../domain/access/roles.js';
import { reaches, roles, scopeFor } from '../../domain/access/roles.js';
import type { ApiKeyRow, ApiKeyStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';
import { InvalidInputError } from './invalidInput.js';
import type { Principal } from './principal.js';
import { actorOf, hashOfSecret, mayAct } from './principal.js';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export interface KeyParts {
  /** keel_<prefix>_<secret>: shown once. */
  readonly key: string;
  readonly prefix: string;
  readonly hash: string;
}

/** 40 bits to find it by, 256 bits that nobody guesses. */
export function makeKey(): KeyParts {
  const prefix = [...randomBytes(8)].map((byte) => alphabet.charAt(byte & 31)).join('');
  const secret = randomBytes(32).toString('base64url');
  return { key: `keel_${prefix}_${secret}`, prefix, hash: hashOfSecret(secret) };
}

export interface ApiKeyDeps {
  readonly apiKeys: Pick<ApiKeyStore, 'create' | 'list' | 'revoke'>;
}

/** @throws InvalidInputError for a scope that its owner does not have himself; KeelError as mayAct does, for `live` */
export async function createApiKey(
  deps: ApiKeyDeps,
  principal: Principal,
  { name, scopes, expiresInDays }: NewApiKeyRequest,
): Promise<ApiKeyRow & { readonly key: string }> {
  const { user } = principal;
  const own: readonly Scope[] = [
    ...roles.filter((role) => reaches(user.role, role)).map(scopeFor),
    ...(reaches(user.role, 'trader') ? (['live'] as const) : []),
  ];
  const beyond = scopes.filter((scope) => !own.includes(scope));
  if (beyond.length > 0) {
    const message = `${beyond.join(', ')} is more than your role ${user.role} may do`;
    throw new InvalidInputError([{ in: 'body', field: 'scopes', message }]);
  }
  // Else whoever has a token alone could make himself a key that acts.
  if (scopes.includes('live')) mayAct(principal);
  const { key, prefix, hash } = makeKey();
  const row = { userId: user.id, name, prefix, hash, scopes, days: expiresInDays };
  return { ...(await deps.apiKeys.create(row, actorOf(principal))), key };
}

/** @throws KeelError KEY_NOT_FOUND, also for another user's */
export async function revokeApiKey(deps: ApiKeyDeps, principal: Principal, id: string): Promise<void> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  if (isId && (await deps.apiKeys.revoke(id, principal.user.id, actorOf(principal)))) return;
  throw new KeelError(
    'KEY_NOT_FOUND',
    'You have no such key that is still good; GET /api/v1/auth/keys lists yours.',
  );
}
