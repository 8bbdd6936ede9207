import { createHmac, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAccessTokens } from './accessTokens.js';

const secret = 'the secret of these tests, 32 and more';
const claims = { userId: 'u-1', loginId: 'l-1' };
const start = Date.parse('2026-01-05T10:00:00.000Z');
let now = start;
const clock = { now: () => now };
const make = (...secrets: [string, ...string[]]) => createAccessTokens({ secrets, mode: 'live', clock });
const tokens = make(secret);

const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>;
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, 'keel', purpose, 32));
const kid = derive('key id').toString('hex').slice(0, 16);
const seconds = Math.floor(start / 1000);
const good = { iss: 'keel', aud: 'keel-api/live', sub: 'u-1', sid: 'l-1', iat: seconds, exp: seconds + 1800 };
const header = { alg: 'HS256', typ: 'at+jwt', kid };

/** Signed with our very key, whatever it says. */
const signed = (head: object, payload: object, key: Buffer = derive('access token')): string => {
  const text = `${encode(head)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
};

describe('an access token', () => {
  it('is good for half an hour and tells nothing but who and which login', async () => {
    now = start;
    const token = await tokens.sign(claims);
    const [head, payload] = token.split('.').map((part, index) => (index < 2 ? decode(part) : {}));
    expect(head).toEqual(header);
    expect(payload).toEqual(good);
    expect(await tokens.verify(token)).toEqual(claims);
    now = start + 1800_000;
    expect(await tokens.verify(token)).toEqual(claims);
    now = start + 1810_000;
    expect(await tokens.verify(token)).toBeNull();
    now = start;
  });

  it('is checked with the key before, but not signed with it, and with no third', async () => {
    const old = await tokens.sign(claims);
    const rotated = make('another secret that is as long as it must be', secret);
    expect(await rotated.verify(old)).toEqual(claims);
    expect(await tokens.verify(await rotated.sign(claims))).toBeNull();
    const third = 'a third secret that is as long as it must be';
    expect(await make(third, 'another secret that is as long as it must be', secret).verify(old)).toBeNull();
  });

  it('is worth nothing in another mode', async () => {
    const paper = createAccessTokens({ secrets: [secret], mode: 'paper', clock });
    expect(await tokens.verify(await paper.sign(claims))).toBeNull();
  });

  it('is what these tests can make themselves', async () => {
    expect(await tokens.verify(signed(header, good))).toEqual(claims);
  });

  it.each<[string, string]>([
    [
      'a changed payload',
      `${encode(header)}.${encode({ ...good, sub: 'u-2' })}.${signed(header, good).split('.')[2] ?? ''}`,
    ],
    ['no signature', `${encode(header)}.${encode(good)}.`],
    ['two parts', `${encode(header)}.${encode(good)}`],
    ['another key', signed(header, good, Buffer.alloc(32))],
    ['an empty key', signed(header, good, Buffer.alloc(0))],
    ['the algorithm none', new UnsecuredJWT(good).encode()],
    ...['none', 'None', 'nOnE', '', 'HS384', 'HS512', 'hs256', 'RS256', 'ES256', 'EdDSA'].map(
      (alg): [string, string] => [`alg ${alg}`, signed({ ...header, alg }, good)],
    ),
    ['no kid', signed({ alg: 'HS256', typ: 'at+jwt' }, good)],
    ['an unknown kid', signed({ ...header, kid: 'other' }, good)],
    ['a kid that is a path', signed({ ...header, kid: '../../dev/null' }, good, Buffer.alloc(0))],
    ['a kid that is an object', signed({ ...header, kid: { a: 1 } }, good)],
    ['a kid of the prototype', signed({ ...header, kid: '__proto__' }, good)],
    ['another type', signed({ ...header, typ: 'JWT' }, good)],
    ['no type', signed({ alg: 'HS256', kid }, good)],
    ['a critical extension', signed({ ...header, crit: ['x'], x: 1 }, good)],
    ['an unencoded payload', signed({ ...header, crit: ['b64'], b64: false }, good)],
    ['another issuer', signed(header, { ...good, iss: 'evil' })],
    ['no issuer', signed(header, { ...good, iss: undefined })],
    ['another audience', signed(header, { ...good, aud: 'keel-api/simulated' })],
    ['no audience', signed(header, { ...good, aud: undefined })],
    ['no expiry', signed(header, { ...good, exp: undefined })],
    ['an expiry of text', signed(header, { ...good, exp: '9999999999' })],
    ['an expiry that is past', signed(header, { ...good, exp: seconds - 10 })],
    ['an expiry that is far', signed(header, { ...good, iat: seconds - 3600, exp: seconds + 86_400 })],
    ['no issue', signed(header, { ...good, iat: undefined })],
    ['an issue in the future', signed(header, { ...good, iat: seconds + 3600, exp: seconds + 5400 })],
    ['not yet', signed(header, { ...good, nbf: seconds + 60 })],
    ['no user', signed(header, { ...good, sub: undefined })],
    ['a user that is no text', signed(header, { ...good, sub: ['u-1'] })],
    ['no login', signed(header, { ...good, sid: undefined })],
    ['a refresh token of ours', 'dGhpcyBpcyBubyBqd3Q'],
    ['nothing', ''],
  ])('is refused with %s', async (_what, token) => {
    expect(await tokens.verify(token)).toBeNull();
  });

  it('is refused when it brings a key of its own, or names where one is', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const own = await new SignJWT(good).setProtectedHeader({ ...header, alg: 'RS256', jwk }).sign(privateKey);
    expect(await tokens.verify(own)).toBeNull();
    // A public key taken for the secret of HS256.
    const pem = Buffer.from(publicKey.export({ format: 'pem', type: 'spki' }));
    expect(await tokens.verify(signed({ ...header, jwk }, good, pem))).toBeNull();
    const evil = {
      ...header,
      kid: undefined,
      jku: 'https://evil.example/keys',
      x5u: 'https://evil.example/cert',
    };
    expect(await tokens.verify(signed(evil, good))).toBeNull();
  });
});

describe('the next refresh token', () => {
  it('is the same for the same one, and another for another or under another secret', () => {
    const next = tokens.nextRefreshToken('one');
    expect(tokens.nextRefreshToken('one')).toBe(next);
    expect(tokens.nextRefreshToken('two')).not.toBe(next);
    expect(make('another secret that is as long as it must be', secret).nextRefreshToken('one')).not.toBe(
      next,
    );
    expect(Buffer.from(next, 'base64url')).toHaveLength(32);
  });
});
