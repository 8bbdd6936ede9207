// Registers users, lets them in and out, changes passwords. Called by api/routes/auth.ts.
import { createHash, randomBytes } from 'node:crypto';
import type { RegisterRequest } from '../../contracts/http/auth.js';
import { composed, passwordFault } from '../../domain/access/password.js';
import type {
  AccessTokens,
  ApiKeyStore,
  LoginStore,
  PasswordHasher,
  PasswordStrength,
  Proof,
  UserRow,
  UserStore,
} from '../../ports/access.js';
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { CodeDeps } from './codes.js';
import { proveAtLogin } from './codes.js';
import { InvalidInputError } from './invalidInput.js';
import { checkPassword, passwordRefused } from './password.js';
import type { Principal } from './principal.js';
import { actorOf, loginOf } from './principal.js';

export interface AuthDeps extends CodeDeps {
  readonly users: UserStore;
  readonly logins: LoginStore;
  readonly passwords: PasswordHasher;
  readonly passwordStrength: PasswordStrength;
  readonly accessTokens: AccessTokens;
  /** Whether anybody who reaches the API may make himself a user. */
  readonly registrationOpen: boolean;
}

export interface PasswordDeps extends AuthDeps {
  readonly apiKeys: Pick<ApiKeyStore, 'list'>;
  readonly clock: Clock;
}

export interface Granted {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly refreshToken: string;
  readonly user: UserRow;
}

/** After so many days one has to log in again, however often the token was refreshed. */
const loginDays = 30;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const refuseFault = (field: string, fault: string | null): void => {
  if (fault !== null) throw new InvalidInputError([{ in: 'body', field, message: fault }]);
};

/** @returns the password as it is hashed. @throws InvalidInputError naming the field */
export function goodPassword(
  strength: PasswordStrength,
  given: string,
  own: readonly string[],
  field: string,
): string {
  const password = composed(given);
  refuseFault(field, passwordFault(password) ?? strength.weakness(password, own));
  return password;
}

/** @throws InvalidInputError, KeelError REGISTRATION_CLOSED, EMAIL_TAKEN, USERNAME_TAKEN, TOO_MANY_ATTEMPTS */
export async function register(deps: AuthDeps, request: RegisterRequest, address: string): Promise<UserRow> {
  if (!deps.registrationOpen) {
    throw new KeelError(
      'REGISTRATION_CLOSED',
      'Registration is closed here: ask an admin, who makes users with POST /api/v1/users.',
    );
  }
  const { email, username } = request;
  const own = [username, email, ...email.split(/[@.]/)];
  refuseFault('password', passwordFault(composed(request.password)));
  // Counted first: how strong a password is takes this process a while to find out, and anybody may ask.
  await deps.attempts.begin('register', email, address);
  const password = goodPassword(deps.passwordStrength, request.password, own, 'password');
  const passwordHash = await deps.passwords.hash(password);
  const user = { email, username, role: 'viewer', mustChangePassword: false, passwordHash } as const;
  return deps.users.create(user, `user:${username}`);
}

/**
 * Wrong names, wrong passwords and users who are not active are answered alike and take as long. The second factor is
 * asked for once the password was right.
 * @throws KeelError CREDENTIALS_REFUSED, CODE_NEEDED, CODE_REFUSED, TOO_MANY_ATTEMPTS, PASSWORDS_BUSY
 */
export async function logIn(
  deps: AuthDeps,
  given: { readonly login: string; readonly password: string; readonly code?: string | undefined },
  address: string,
): Promise<Granted> {
  const name = given.login.trim().toLowerCase();
  const found = await deps.users.byLogin(name);
  // One count for a user, whether his name or his e-mail was typed.
  const attempt = await deps.attempts.begin('login', found?.user.id ?? name, address);
  const fits = await deps.passwords.verify(found?.passwordHash ?? null, composed(given.password));
  const checkedHash = found?.passwordHash ?? null;
  if (found === null || checkedHash === null || !fits || !found.user.active) throw credentialsRefused();
  await deps.attempts.succeeded(attempt);
  const proof = await proveAtLogin(deps, found.user, given.code, address);
  return openLogin(deps, found.user, { checkedHash, proof });
}

const credentialsRefused = (): KeelError =>
  new KeelError('CREDENTIALS_REFUSED', 'The name or the password is not right.');

/** @throws KeelError CREDENTIALS_REFUSED when the user changed meanwhile. Also called by oidc.ts */
export async function openLogin(
  deps: AuthDeps,
  user: UserRow,
  checked: { readonly checkedHash: string | null; readonly proof: Proof },
): Promise<Granted> {
  const refreshToken = randomBytes(32).toString('base64url');
  const opening = { userId: user.id, ...checked, refreshHash: sha256(refreshToken), days: loginDays };
  const loginId = await deps.logins.open(opening, `user:${user.username}`);
  if (loginId === null) throw credentialsRefused();
  return grant(deps, { loginId, user }, refreshToken);
}

const grant = async (
  { accessTokens }: AuthDeps,
  { loginId, user }: { readonly loginId: string; readonly user: UserRow },
  refreshToken: string,
): Promise<Granted> => ({
  accessToken: await accessTokens.sign({ userId: user.id, loginId }),
  expiresIn: accessTokens.lifetimeSeconds,
  refreshToken,
  user,
});

/** @throws KeelError REFRESH_REFUSED; a token that comes back too late ends its login */
export async function refresh(deps: AuthDeps, refreshToken: string): Promise<Granted> {
  const next = deps.accessTokens.nextRefreshToken(refreshToken);
  const granted = await deps.logins.rotate(sha256(refreshToken), sha256(next));
  if (granted === null) {
    throw new KeelError('REFRESH_REFUSED', 'This refresh token is not good any more; log in again.');
  }
  return grant(deps, granted, next);
}

export async function logOut(deps: Pick<AuthDeps, 'logins'>, principal: Principal): Promise<void> {
  await deps.logins.end(loginOf(principal), actorOf(principal));
}

/** What the change of a password leaves: whoever knew the old one may have made a key, and it opens what it opened. */
const changed = (goodKeys: number) => ({
  goodKeys,
  message:
    goodKeys === 0
      ? 'The password is changed, and every other login has ended.'
      : `The password is changed, and every other login has ended. API keys stay good (${String(goodKeys)}): look at GET /api/v1/auth/keys, and revoke what you do not know.`,
});

/** Ends every other login of the user. @throws InvalidInputError, KeelError PASSWORD_REFUSED, TOO_MANY_ATTEMPTS */
export async function changePassword(
  deps: PasswordDeps,
  principal: Principal,
  given: { readonly current: string; readonly next: string },
  address: string,
): Promise<ReturnType<typeof changed>> {
  const { user } = principal;
  const stored = await checkPassword(deps, user, given.current, address);
  const own = [user.username, user.email, ...user.email.split(/[@.]/), composed(given.current)];
  const passwordHash = await deps.passwords.hash(
    goodPassword(deps.passwordStrength, given.next, own, 'next'),
  );
  const keepLogin = loginOf(principal);
  // Counted before: once the password is changed nothing may fail any more, or the old one would be tried again.
  const goodKeys = await countGoodKeys(deps, user.id);
  const change = { passwordHash, mustChange: false, keepLogin, checkedHash: stored };
  if (!(await deps.users.setPassword(user.id, change, actorOf(principal)))) throw passwordRefused();
  return changed(goodKeys);
}

async function countGoodKeys({ apiKeys, clock }: PasswordDeps, userId: string): Promise<number> {
  const now = new Date(clock.now()).toISOString();
  const keys = await apiKeys.list(userId);
  return keys.filter(({ revokedAt, expiresAt }) => revokedAt === null && expiresAt > now).length;
}
