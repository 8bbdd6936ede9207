// Who asks, as the API knows it after the Authorization header was read. Called by api/routes/access.ts for every route
// that is not public.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Viewer } from '../../domain/access/ownership.js';
import { isLocalKey } from '../../domain/access/localKey.js';
import { reaches, scopeFor } from '../../domain/access/roles.js';
import type { Scope } from '../../domain/access/roles.js';
import type { RouteRule } from '../../domain/access/routes.js';
import { isAct, proofMs } from '../../domain/access/secondFactor.js';
import type { Mode } from '../../contracts/wire/names.js';
import type { AccessTokens, ApiKeyStore, LoginStore, UserRow } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';

export interface Principal {
  readonly user: UserRow;
  readonly via:
    | {
        readonly kind: 'login';
        readonly loginId: string;
        readonly openedMsAgo: number;
        /** Null when it has never proved the second factor. */
        readonly provenMsAgo: number | null;
      }
    | {
        readonly kind: 'key';
        readonly prefix: string;
        readonly scopes: readonly Scope[];
        /** Of the keel command of the API's machine. */
        readonly local: boolean;
      };
}

/** Who makes something: whose it will be, and under which name the audit has it. */
export interface Author {
  readonly viewer: Viewer;
  readonly actor: string;
}

export interface AuthenticateDeps {
  readonly accessTokens: Pick<AccessTokens, 'verify'>;
  readonly logins: Pick<LoginStore, 'good'>;
  readonly apiKeys: Pick<ApiKeyStore, 'good' | 'used'>;
  readonly mode: Mode;
}

/** As stores and audit record who acts. */
export const actorOf = ({ user, via }: Principal): string =>
  via.kind === 'key' ? `user:${user.username}/key:${via.prefix}` : `user:${user.username}`;

/** A key without the scope `admin` shows its admin's own rows only; that of the machine's keel command shows all. */
export function viewerOf({ user, via }: Principal): Viewer {
  const narrow = via.kind === 'key' && !via.local && !via.scopes.includes('admin');
  return { userId: user.id, role: narrow && user.role === 'admin' ? 'trader' : user.role };
}

/** The table of routes lets no key come so far. */
export function loginOf({ via }: Principal): string {
  if (via.kind === 'login') return via.loginId;
  throw new KeelError('LOGIN_NEEDED', 'No API key may do this; log in for it.');
}

const refused = (): KeelError =>
  new KeelError(
    'TOKEN_REFUSED',
    'This needs a token or an API key that is good now, as Authorization: Bearer; POST /api/v1/auth/login gives one.',
  );

const keyPattern = /^keel_([a-z2-7]{8})_([A-Za-z0-9_-]{43})$/;

export const hashOfSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

async function byKey(deps: AuthenticateDeps, prefix: string, secret: string): Promise<Principal> {
  const found = await deps.apiKeys.good(prefix);
  const [given, stored] = [hashOfSecret(secret), found?.hash ?? ''].map((hash) =>
    Buffer.from(hash.padEnd(64, '0')),
  );
  if (found === null || given === undefined || stored === undefined || !timingSafeEqual(given, stored))
    throw refused();
  if (!found.useIsNoted) await deps.apiKeys.used(found.key.id);
  const { name, scopes } = found.key;
  return { user: found.user, via: { kind: 'key', prefix, scopes, local: isLocalKey(name) } };
}

export const authorOf = (principal: Principal): Author => ({
  viewer: viewerOf(principal),
  actor: actorOf(principal),
});

/**
 * The user behind an Authorization header. Role and state are read anew each time, so that what an admin takes away is
 * gone at once.
 * @throws KeelError TOKEN_REFUSED for anything that is not good, and for no header
 */
export async function authenticate(deps: AuthenticateDeps, header: string | undefined): Promise<Principal> {
  const token = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1] ?? '';
  const [, prefix, secret] = keyPattern.exec(token) ?? [];
  if (prefix !== undefined && secret !== undefined) return byKey(deps, prefix, secret);
  const claims = token === '' ? null : await deps.accessTokens.verify(token);
  const found = claims === null ? null : await deps.logins.good(claims.loginId);
  if (claims === null || found === null || found.user.id !== claims.userId) throw refused();
  const { user, openedMsAgo, provenMsAgo } = found;
  return { user, via: { kind: 'login', loginId: claims.loginId, openedMsAgo, provenMsAgo } };
}

/** @throws KeelError as mayAsk and mayAct do */
export function authorize(principal: Principal, rule: RouteRule, mode: Mode): void {
  mayAsk(principal, rule);
  if (mode === 'live' && isAct(rule)) mayAct(principal);
}

/** With real money, the password alone is not enough. @throws KeelError SECOND_FACTOR_MISSING, SCOPE_MISSING, PROOF_NEEDED */
export function mayAct({ user, via }: Principal): void {
  if (!user.secondFactor) {
    throw new KeelError(
      'SECOND_FACTOR_MISSING',
      'In live mode nobody acts without a second factor; set one up with POST /api/v1/auth/totp.',
    );
  }
  if (via.kind === 'key') {
    if (via.scopes.includes('live')) return;
    throw new KeelError('SCOPE_MISSING', 'This key has no scope "live", which acts of live mode need.');
  }
  if (via.provenMsAgo === null || via.provenMsAgo > proofMs) {
    throw new KeelError(
      'PROOF_NEEDED',
      'This needs a code of your second factor from the last five minutes; POST /api/v1/auth/totp/prove takes it.',
    );
  }
}

/** @throws KeelError LOGIN_NEEDED, SCOPE_MISSING, ROLE_TOO_LOW, PASSWORD_CHANGE_NEEDED */
function mayAsk({ user, via }: Principal, rule: RouteRule): void {
  if (rule.needs === 'public') return;
  if (!reaches(user.role, rule.needs)) {
    throw new KeelError('ROLE_TOO_LOW', `This needs the role ${rule.needs}; yours is ${user.role}.`);
  }
  // Whoever may use the machine's own key may set the password anyway, with `keel admin`.
  const spared = via.kind === 'key' && via.local;
  if (user.mustChangePassword && !spared && !rule.beforePasswordChange) {
    throw new KeelError(
      'PASSWORD_CHANGE_NEEDED',
      'The password was for one login only: change it first, with POST /api/v1/auth/password.',
    );
  }
  if (via.kind === 'key') {
    if (rule.loginOnly) throw new KeelError('LOGIN_NEEDED', 'No API key may do this; log in for it.');
    const scope = scopeFor(rule.needs);
    if (via.scopes.includes(scope)) return;
    throw new KeelError('SCOPE_MISSING', `This key has no scope "${scope}". Make one that has.`);
  }
}
