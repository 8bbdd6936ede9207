// Who may act: users, their logins and tokens, passwords. Implemented in db/ and adapters/, used by api/services and by
// the commands that make users. Secrets come in as their hashes, except where it says otherwise.
import type { AttemptKind } from '../domain/access/attempts.js';
import type { Role, Scope } from '../domain/access/roles.js';

export interface UserRow {
  readonly id: string;
  /** Lower case. */
  readonly email: string;
  /** Lower case; names the user in the audit, for ever. */
  readonly username: string;
  readonly role: Role;
  readonly active: boolean;
  readonly mustChangePassword: boolean;
  /** Whether a second factor is set up, so that it is asked for. */
  readonly secondFactor: boolean;
  readonly createdAt: string;
}

export interface NewUser extends Pick<UserRow, 'email' | 'username' | 'role' | 'mustChangePassword'> {
  /** Of argon2id. */
  readonly passwordHash: string;
}

export interface UserStore {
  /** @throws KeelError EMAIL_TAKEN, USERNAME_TAKEN (final) */
  create(user: NewUser, actor: string): Promise<UserRow>;
  get(id: string): Promise<UserRow | null>;
  /** By e-mail or username, as they are stored. The hash is null for one who never had a password. */
  byLogin(login: string): Promise<{ readonly user: UserRow; readonly passwordHash: string | null } | null>;
  passwordHash(id: string): Promise<string | null>;
  /**
   * Ends every login of the user but `keepLogin`; where none is kept, it revokes his keys too, but not those of the keel
   * command, which each start makes anew, and takes away his identities at a provider. Ways to the provider that are open
   * end always.
   * @param change `checkedHash` is that of the password that was found right; null where none was asked for
   * @returns false, and nothing is changed, when the user has another password by now
   */
  setPassword(
    id: string,
    change: {
      passwordHash: string;
      mustChange: boolean;
      keepLogin: string | null;
      checkedHash: string | null;
    },
    actor: string,
  ): Promise<boolean>;
  list(): Promise<readonly UserRow[]>;
  /**
   * Ends every login and leaves no key good when the user is made inactive. Who is told by e-mail at the address that he had
   * is told at the new one, and of the change at the one that he had.
   * @returns null when there is no such user
   * @throws KeelError EMAIL_TAKEN (final); LAST_ADMIN (final) when nobody could make a user an admin any more
   */
  change(
    id: string,
    change: {
      readonly role?: Role | undefined;
      readonly active?: boolean | undefined;
      readonly email?: string | undefined;
    },
    actor: string,
  ): Promise<UserRow | null>;
  /** The active admin who has been there longest. */
  firstAdmin(): Promise<UserRow | null>;
  /** Gives a user the strategies, runs and notifications that nobody owns. */
  adopt(userId: string, actor: string): Promise<void>;
}

export interface LoginGrant {
  readonly loginId: string;
  readonly user: UserRow;
}

/** How a login proved the second factor: by a code of the authenticator, by a recovery code, or not at all. */
export type Proof = 'code' | 'recovery' | 'none';

export interface LoginFacts {
  readonly user: UserRow;
  readonly openedMsAgo: number;
  /** Since it last proved the second factor with a code of the authenticator; null when it never did. */
  readonly provenMsAgo: number | null;
}

export interface LoginStore {
  /**
   * Opens a login, the family of its refresh tokens.
   * @param login `checkedHash` is that of the password that was found right; null when an identity provider vouches for him
   * @returns its id; null when the user is not active, has another password by now, or has a second factor and `proof`
   * is none
   */
  open(
    login: { userId: string; checkedHash: string | null; refreshHash: string; days: number; proof: Proof },
    actor: string,
  ): Promise<string | null>;
  /**
   * Rotates a refresh token. Asked again within the grace, it finds the same next token; a replay ends the login.
   * @param next hash of the token that follows; the same for the same token
   * @returns null when there is nothing to give
   */
  rotate(hash: string, next: string): Promise<LoginGrant | null>;
  /** A login that is neither over nor of somebody who is not active any more. */
  good(loginId: string): Promise<LoginFacts | null>;
  end(loginId: string, actor: string): Promise<void>;
}

export interface AttemptStore {
  /**
   * Counts an attempt as failed until it is told otherwise, so that many at once do not pass a limit together.
   * @throws KeelError TOO_MANY_ATTEMPTS (final) with the fact `retryAfterSeconds`
   */
  begin(kind: AttemptKind, subject: string, address: string): Promise<string>;
  succeeded(id: string): Promise<void>;
}

export interface SecondFactorStore {
  get(userId: string): Promise<{ readonly sealed: string; readonly confirmed: boolean } | null>;
  /** Puts a secret that is not confirmed yet in the place of another such. @returns false when one is confirmed */
  enrol(userId: string, sealed: string, actor: string): Promise<boolean>;
  /** Ends every login but this one, which has then proved it. @returns false when another secret was enrolled meanwhile */
  confirm(
    factor: {
      userId: string;
      sealed: string;
      step: number;
      recoveryHashes: readonly string[];
      loginId: string;
    },
    actor: string,
  ): Promise<boolean>;
  /**
   * Takes a time step, once; with a login, that one has then proved the second factor.
   * @returns false when it or a later one was taken before
   */
  useStep(userId: string, step: number, loginId: string | null): Promise<boolean>;
  /** Takes a recovery code, once. */
  useRecovery(userId: string, hash: string): Promise<boolean>;
  /** In place of all that are there. */
  putRecovery(userId: string, hashes: readonly string[], actor: string): Promise<void>;
  /**
   * Ends every login but `keepLogin` and revokes the keys that act in live mode, but not those of the keel command.
   * @returns false when there is none
   */
  remove(userId: string, options: { keepLogin: string | null }, actor: string): Promise<boolean>;
  all(): Promise<readonly { readonly userId: string; readonly sealed: string }[]>;
  /** Puts the same secret there, sealed anew, unless it is another one by now. */
  reseal(userId: string, before: string, after: string): Promise<void>;
}

/** Codes of authenticators. */
export interface TimeCodes {
  /** In base32. */
  newSecret(): string;
  /** The otpauth address, from which an authenticator takes the secret. */
  uriOf(secret: string, username: string): string;
  /** The time step of which this is the code, when it is a current one; null when it is none. */
  stepOf(secret: string, code: string): number | null;
}

export interface PasswordHasher {
  /** @throws KeelError PASSWORDS_BUSY (retryable) when too many wait */
  hash(password: string): Promise<string>;
  /** With no hash it takes as long and answers false. */
  verify(hash: string | null, password: string): Promise<boolean>;
}

export interface PasswordStrength {
  /** @param own words that the user would think of first. @returns why it is too easy to guess, or null */
  weakness(password: string, own: readonly string[]): string | null;
}

export interface AccessClaims {
  readonly userId: string;
  readonly loginId: string;
}

export interface AccessTokens {
  /** Seconds that a token is good for. */
  readonly lifetimeSeconds: number;
  sign(claims: AccessClaims): Promise<string>;
  /** Null for every token that is not one of ours, good now. */
  verify(token: string): Promise<AccessClaims | null>;
  /** The refresh token that follows another: the same one each time, and nobody else can make it. */
  nextRefreshToken(token: string): string;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  /** The visible part: the key is keel_<prefix>_<secret>. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

export interface NewApiKey extends Pick<ApiKeyRow, 'name' | 'prefix' | 'scopes'> {
  readonly userId: string;
  /** Of the secret part. */
  readonly hash: string;
  readonly days: number;
}

export interface ApiKeyStore {
  /** With `replace`, keys of the user with the same name are revoked by the same act. */
  create(key: NewApiKey, actor: string, options?: { readonly replace: boolean }): Promise<ApiKeyRow>;
  list(userId: string): Promise<readonly ApiKeyRow[]>;
  /** @returns false when the user has no such key that is still good */
  revoke(id: string, userId: string, actor: string): Promise<boolean>;
  /** A key that is good now, of a user who is active, with the hash of its secret to compare with. */
  good(prefix: string): Promise<{
    readonly key: ApiKeyRow;
    readonly hash: string;
    readonly user: UserRow;
    /** Within this minute, so that `used` has nothing to do. */
    readonly useIsNoted: boolean;
  } | null>;
  /** Notes its use, to the minute. */
  used(id: string): Promise<void>;
}
