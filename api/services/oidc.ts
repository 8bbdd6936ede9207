// Logs in by an identity provider, and links its identities to users. Called by api/routes/oidc.ts.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Proof, UserRow, UserStore } from '../../ports/access.js';
import { KeelError } from '../../ports/errors.js';
import type {
  FlowKey,
  FlowSecrets,
  Identity,
  IdentityProvider,
  IdentityStore,
} from '../../ports/identity.js';
import type { AuthDeps, Granted } from './auth.js';
import { openLogin } from './auth.js';
import { takeCode } from './codes.js';
import type { Principal } from './principal.js';
import { actorOf } from './principal.js';
import type { SecondFactorDeps } from './secondFactor.js';
import { proveOneself } from './secondFactor.js';

export interface OidcDeps extends AuthDeps {
  readonly users: UserStore;
  readonly identities: IdentityStore;
  readonly oidc: {
    readonly provider: IdentityProvider;
    /** What becomes of a person whom nobody has linked to a user. */
    readonly newUsers: 'deny' | 'viewer';
  } | null;
}

/** Minutes for the way to the provider and back. */
export const flowMinutes = 10;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the browser keeps in its cookie. */
export interface BrowserFlow {
  readonly state: string;
  readonly browser: string;
}

const keyOf = ({ state, browser }: BrowserFlow): FlowKey => ({
  stateHash: sha256(state),
  browserHash: sha256(browser),
});

/** Nonce and verifier follow from what the browser keeps, so that nothing of them is stored. */
function secretsOf({ state, browser }: BrowserFlow): FlowSecrets {
  const derive = (purpose: string): string =>
    createHmac('sha256', browser).update(`${purpose}/${state}`).digest('base64url');
  return { state, nonce: derive('nonce'), verifier: derive('verifier') };
}

function providerOf({ oidc }: OidcDeps): NonNullable<OidcDeps['oidc']> {
  if (oidc !== null) return oidc;
  throw new KeelError('OIDC_OFF', 'No identity provider is set up here; log in with a password.');
}

export const isSecure = (deps: OidcDeps): boolean => providerOf(deps).provider.secure;

/**
 * Whom an identity is linked to, it lets in for good: a token that was stolen must not do it.
 * @throws InvalidInputError, KeelError PASSWORD_REFUSED, LOGIN_TOO_OLD, CODE_NEEDED, CODE_REFUSED, and as begin does
 */
export async function beginLink(
  deps: OidcDeps & SecondFactorDeps,
  principal: Principal,
  given: { readonly password?: string | undefined; readonly code?: string | undefined },
  address: string,
): Promise<Begun> {
  const { user } = principal;
  providerOf(deps);
  await proveOneself(deps, principal, given.password, address);
  if (user.secondFactor) {
    if (given.code === undefined) {
      throw new KeelError('CODE_NEEDED', 'You have a second factor: send its code too, as "code".');
    }
    await takeCode(deps, user, given.code, { address, loginId: null, recovery: false });
  }
  return begin(deps, user.id, address);
}

interface Begun {
  readonly url: string;
  readonly flow: BrowserFlow;
}

/** @param linkUserId who links his account; null for a login. @throws KeelError OIDC_OFF, OIDC_AWAY, TOO_MANY_ATTEMPTS */
export async function begin(deps: OidcDeps, linkUserId: string | null, address: string): Promise<Begun> {
  const { provider } = providerOf(deps);
  await deps.attempts.begin('oidc', address, address);
  const flow = {
    state: randomBytes(32).toString('base64url'),
    browser: randomBytes(32).toString('base64url'),
  };
  const url = await provider.authorizationUrl(secretsOf(flow));
  await deps.identities.beginFlow(keyOf(flow), { linkUserId, minutes: flowMinutes });
  return { url, flow };
}

const flowRefused = (): KeelError =>
  new KeelError(
    'OIDC_FLOW_REFUSED',
    'This way back is not open: it was used, is too old, or began elsewhere. Begin anew.',
  );

/**
 * @param query of the address to which the browser came back. @param flow from its cookie
 * @returns the tokens of a login; null when an account was linked
 * @throws KeelError OIDC_FLOW_REFUSED, OIDC_REFUSED, OIDC_AWAY, OIDC_UNKNOWN_USER, EMAIL_UNVERIFIED, EMAIL_TAKEN,
 * IDENTITY_TAKEN, CODE_NEEDED
 */
export async function finish(
  deps: OidcDeps,
  query: URLSearchParams,
  flow: BrowserFlow | null,
): Promise<Granted | null> {
  const { provider, newUsers } = providerOf(deps);
  // The flow is over whatever the provider says of it: its code is good once.
  if (flow === null || query.get('state') !== flow.state) throw flowRefused();
  const taken = await deps.identities.takeFlow(keyOf(flow));
  if (taken === null) throw flowRefused();
  const identity = await provider.identify(query.toString(), secretsOf(flow));
  if (taken.linkUserId !== null) {
    await linkTo(deps, identity, taken.linkUserId, taken.passwordHash);
    return null;
  }
  const known = await deps.identities.userOf(identity.issuer, identity.subject);
  const user = known ?? (await newUser(deps, identity, newUsers));
  if (!user.active) throw unknown();
  if (!user.secondFactor) return open(deps, user, 'none');
  await deps.identities.keepIdentified(keyOf(flow), user.id, flowMinutes);
  throw new KeelError(
    'CODE_NEEDED',
    'This user has a second factor: send its code with POST /api/v1/auth/oidc/code, from the same browser.',
  );
}

const open = (deps: OidcDeps, user: UserRow, proof: Proof): Promise<Granted> =>
  openLogin(deps, user, { checkedHash: null, proof });

/** @throws KeelError OIDC_FLOW_REFUSED, CODE_REFUSED, TOO_MANY_ATTEMPTS */
export async function finishWithCode(
  deps: OidcDeps,
  code: string,
  flow: BrowserFlow | null,
  address: string,
): Promise<Granted> {
  providerOf(deps);
  const user = flow === null ? null : await deps.identities.identifiedUser(keyOf(flow));
  if (flow === null || user === null) throw flowRefused();
  const proof = await takeCode(deps, user, code, { address, loginId: null, recovery: true });
  if (!(await deps.identities.endFlow(keyOf(flow)))) throw flowRefused();
  return open(deps, user, proof);
}

/** Redeeming the code takes seconds: a password that was changed in them ends the link too. */
async function linkTo(
  deps: OidcDeps,
  identity: Identity,
  userId: string,
  passwordHash: string | null,
): Promise<void> {
  const user = await deps.users.get(userId);
  if (user?.active !== true) throw flowRefused();
  if (await deps.identities.link(identity, { userId, passwordHash }, `user:${user.username}`)) return;
  if ((await deps.users.passwordHash(userId)) !== passwordHash) throw flowRefused();
  throw new KeelError('IDENTITY_TAKEN', 'This identity is linked to another user already.');
}

const unknown = (): KeelError =>
  new KeelError(
    'OIDC_UNKNOWN_USER',
    'No user here is linked to this identity. Log in with a password and link it with POST /api/v1/auth/oidc/link, or ask an admin.',
  );

/** Never somebody who is there already: an e-mail alone proves nobody. */
async function newUser(deps: OidcDeps, identity: Identity, newUsers: 'deny' | 'viewer'): Promise<UserRow> {
  if (newUsers === 'deny') throw unknown();
  const { email, emailVerified } = identity;
  if (email === null || !emailVerified) {
    throw new KeelError(
      'EMAIL_UNVERIFIED',
      'The identity provider has not verified your e-mail; see to that first.',
    );
  }
  const wanted = usernameFrom(identity.preferredName ?? email.replace(/@.*$/, ''));
  try {
    return await deps.identities.createUser(identity, { email, username: wanted });
  } catch (error) {
    if (!(error instanceof KeelError) || error.code !== 'USERNAME_TAKEN') throw error;
    const other = `${wanted.slice(0, 24)}-${randomBytes(3).toString('hex')}`;
    return deps.identities.createUser(identity, { email, username: other });
  }
}

/** What a name leaves when only the letters of usernames are kept. */
function usernameFrom(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/@.*$/, '')
    .replace(/[^a-z0-9._-]/g, '')
    .replace(/^[._-]+/, '')
    .slice(0, 32);
  return plain.length >= 2 ? plain : `user-${randomBytes(3).toString('hex')}`;
}

/** Takes all links of a user away. @throws KeelError IDENTITY_NOT_FOUND, LAST_WAY_IN */
export async function unlink(deps: OidcDeps, principal: Principal): Promise<void> {
  if ((await deps.users.passwordHash(principal.user.id)) === null) {
    throw new KeelError(
      'LAST_WAY_IN',
      'You have no password, so nothing else would let you in. If that is what you want, an admin makes you inactive.',
    );
  }
  if ((await deps.identities.unlink(principal.user.id, actorOf(principal))) > 0) return;
  throw new KeelError('IDENTITY_NOT_FOUND', 'No identity is linked to you.');
}
