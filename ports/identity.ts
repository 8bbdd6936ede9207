// Who somebody is in the words of an identity provider, and the rows that this needs. Implemented in adapters/oidc and
// db/, used by api/services/oidc.ts. Secrets come in as their hashes, except where it says otherwise.
import type { UserRow } from './access.js';

/** What one flow keeps secret; made anew for each. */
export interface FlowSecrets {
  /** Comes back from the provider. */
  readonly state: string;
  /** Comes back inside the ID token. */
  readonly nonce: string;
  /** Of PKCE: shown to the provider only when the code is redeemed. */
  readonly verifier: string;
}

export interface Identity {
  readonly issuer: string;
  /** Names the person at this issuer, for ever. */
  readonly subject: string;
  /** Lower case. */
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** What the person likes to be called there; not unique and not trusted. */
  readonly preferredName: string | null;
}

export interface IdentityProvider {
  /** Where the browser is sent. @throws KeelError OIDC_AWAY (retryable), OIDC_REFUSED (final) */
  authorizationUrl(secrets: FlowSecrets): Promise<string>;
  /**
   * Redeems a code, once.
   * @param query of the address to which the browser came back
   * @throws KeelError OIDC_AWAY (retryable), OIDC_REFUSED (final)
   */
  identify(query: string, secrets: FlowSecrets): Promise<Identity>;
  /** Whether browsers reach the API by https, so that cookies are kept to it. */
  readonly secure: boolean;
}

export interface FlowKey {
  readonly stateHash: string;
  readonly browserHash: string;
}

export interface TakenFlow {
  /** Who links his account; null for a login. */
  readonly linkUserId: string | null;
  /** His, as it was when the flow was taken; null without one. */
  readonly passwordHash: string | null;
}

export interface IdentityStore {
  beginFlow(key: FlowKey, flow: { linkUserId: string | null; minutes: number }): Promise<void>;
  /** Takes a flow of this browser that is on its way, once. @returns null when there is none */
  takeFlow(key: FlowKey): Promise<TakenFlow | null>;
  /** Keeps a flow whose person still has to give a code. */
  keepIdentified(key: FlowKey, userId: string, minutes: number): Promise<void>;
  /** Who came back in it; it stays until endFlow. */
  identifiedUser(key: FlowKey): Promise<UserRow | null>;
  /** @returns false when it is gone already */
  endFlow(key: FlowKey): Promise<boolean>;
  /** The user whom an identity is linked to; notes its use. */
  userOf(issuer: string, subject: string): Promise<UserRow | null>;
  /**
   * Links it while the user is active and has this password still.
   * @returns false when he has not, or the identity is another user's
   */
  link(
    identity: Pick<Identity, 'issuer' | 'subject'>,
    user: { readonly userId: string; readonly passwordHash: string | null },
    actor: string,
  ): Promise<boolean>;
  /** @returns how many there were */
  unlink(userId: string, actor: string): Promise<number>;
  /** A viewer without a password, with this identity. @throws KeelError EMAIL_TAKEN, USERNAME_TAKEN (final) */
  createUser(
    identity: Pick<Identity, 'issuer' | 'subject'>,
    user: { readonly email: string; readonly username: string },
  ): Promise<UserRow>;
}
