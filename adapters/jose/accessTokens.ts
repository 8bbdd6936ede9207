// Access tokens: JWTs, signed and checked with one algorithm and at most two keys of our own. Called by the composition
// root of the API. What a token's header asks for (another algorithm, its own key, an address of one) is never heeded.
import { createHmac, hkdfSync, webcrypto } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { AccessTokens } from '../../ports/access.js';
import type { Clock } from '../../ports/clocks.js';

const algorithm = 'HS256';
const typ = 'at+jwt';
const issuer = 'keel';
const lifetimeSeconds = 30 * 60;
/** Between the clocks of two machines. */
const toleranceSeconds = 5;

export interface AccessTokenOptions {
  /** At least 32 characters each: the current secret, then the one before it while it is being changed. */
  readonly secrets: readonly [string, ...string[]];
  /** A token of one mode is worth nothing in another. */
  readonly mode: string;
  readonly clock: Clock;
}

const derive = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'keel', purpose, 32));

/** Names a key without telling anything of it. */
const nameOf = (secret: string): string => derive(secret, 'key id').toString('hex').slice(0, 16);

/** Imported once: with its bytes jose would import them for each token. */
const keyOf = (secret: string): Promise<webcrypto.CryptoKey> => {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  return webcrypto.subtle.importKey('raw', derive(secret, 'access token'), hmac, false, ['sign', 'verify']);
};

export function createAccessTokens({ secrets, mode, clock }: AccessTokenOptions): AccessTokens {
  const keys = new Map(secrets.slice(0, 2).map((secret) => [nameOf(secret), keyOf(secret)]));
  const [current] = secrets;
  const kid = nameOf(current);
  const signing = keyOf(current);
  const refresh = derive(current, 'refresh token');
  const audience = `keel-api/${mode}`;
  return {
    lifetimeSeconds,
    sign: async ({ userId, loginId }) => {
      const now = Math.floor(clock.now() / 1000);
      return new SignJWT({ sid: loginId })
        .setProtectedHeader({ alg: algorithm, typ, kid })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(await signing);
    },
    verify: async (token) => {
      try {
        const { payload } = await jwtVerify(
          token,
          (header) => {
            const key = keys.get(header.kid ?? '');
            if (key === undefined) throw new Error('no key of ours');
            return key;
          },
          {
            algorithms: [algorithm],
            typ,
            issuer,
            audience,
            clockTolerance: toleranceSeconds,
            maxTokenAge: lifetimeSeconds,
            requiredClaims: ['sub', 'sid', 'iat', 'exp'],
            currentDate: new Date(clock.now()),
          },
        );
        const { sub, sid } = payload;
        return typeof sub === 'string' && typeof sid === 'string' ? { userId: sub, loginId: sid } : null;
      } catch {
        // Why is nobody's business: every bad token is answered alike.
        return null;
      }
    },
    nextRefreshToken: (token) => createHmac('sha256', refresh).update(token).digest('base64url'),
  };
}
