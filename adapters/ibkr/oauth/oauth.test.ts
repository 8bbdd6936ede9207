import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeelError } from '../../../ports/errors.js';
import { connectTo } from '../testing/connect.js';
import { makeCertificate, startTestGateway } from '../testing/gateway.js';
import type { Certificate, TestGateway } from '../testing/gateway.js';
import { oauthVectors, testConsumer } from '../testing/oauth.js';
import { readCredentials, withKeyTexts } from './credentials.js';
import type { OauthSettings } from './credentials.js';
import { authorizationHeader, baseString, hmacSignature, percentEncode, rsaSignature } from './sign.js';
import { beginExchange } from './tokenExchange.js';

const vectors = oauthVectors();
const { consumerKey, accessToken, realm, nonce, timestamp, exchange } = vectors;
const credentials = readCredentials(testConsumer());
const fields = (method: string) => ({
  oauth_consumer_key: consumerKey,
  oauth_nonce: nonce,
  oauth_signature_method: method,
  oauth_timestamp: timestamp,
  oauth_token: accessToken,
});

const caught = (work: () => unknown): KeelError => {
  try {
    work();
  } catch (error) {
    if (error instanceof KeelError) return error;
  }
  throw new Error('nothing was refused');
};

describe('what ibind and openssl computed', () => {
  test('is what opens the access token secret and reads the parameters', () => {
    const { secret, group } = credentials;
    expect([secret.toString('hex'), group.getPrime('hex'), group.getGenerator('hex')]).toEqual([
      exchange.prepend,
      exchange.prime,
      '02',
    ]);
  });
  test('is how the request for a live session token is signed', () => {
    const parameters = { ...fields('RSA-SHA256'), diffie_hellman_challenge: exchange.challenge };
    const text = baseString({ method: 'POST', url: exchange.url, parameters, prepend: exchange.prepend });
    const signature = rsaSignature(text, credentials.signatureKey);
    expect(text).toBe(exchange.baseString);
    expect(signature).toBe(exchange.signature);
    expect(authorizationHeader(realm, parameters, signature)).toBe(exchange.header);
  });
  test.each(vectors.tokens)('is the token of a shared secret that is written with $name', (token) => {
    const begun = beginExchange(credentials, Buffer.from(exchange.random, 'hex'));
    expect(begun.challenge).toBe(exchange.challenge);
    expect(begun.finish(token).toString('base64')).toBe(token.liveSessionToken);
  });
  test.each(vectors.calls)('is how $method $url is signed', ({ method, url, query, ...expected }) => {
    const text = baseString({ method, url, parameters: { ...query, ...fields('HMAC-SHA256') } });
    const key = Buffer.from(vectors.tokens[0]?.liveSessionToken ?? '', 'base64');
    const signature = hmacSignature(text, key);
    expect({ text, signature }).toEqual({ text: expected.baseString, signature: expected.signature });
    expect(authorizationHeader(realm, fields('HMAC-SHA256'), signature)).toBe(expected.header);
  });
});

test('everything but letters, digits and -._~ is encoded, in capitals', () => {
  expect(percentEncode("aZ09-._~ !'()*+/=&%ü€😀")).toBe(
    'aZ09-._~%20%21%27%28%29%2A%2B%2F%3D%26%25%C3%BC%E2%82%AC%F0%9F%98%80',
  );
});

describe('a token', () => {
  const answer = {
    response: vectors.tokens[0]?.response ?? '',
    signature: vectors.tokens[0]?.signature ?? '',
  };
  const { prime } = exchange;
  const oneLess = (BigInt(`0x${prime}`) - 1n).toString(16);
  test.each([
    ['another signature', { ...answer, signature: '00'.repeat(20) }],
    ['half a signature', { ...answer, signature: answer.signature.slice(0, 20) }],
    ['no signature', { ...answer, signature: '' }],
    ['another number', { ...answer, response: '1234567890abcdef' }],
    // With these the secret would be known to everybody.
    ['0', { ...answer, response: '0' }],
    ['1', { ...answer, response: '1' }],
    ['the prime less one', { ...answer, response: oneLess }],
    ['the prime', { ...answer, response: prime }],
    ['no number', { ...answer, response: 'xyz' }],
    ['nothing', { ...answer, response: '' }],
  ])('is refused where IBKR answers with %s', (_name, wrong) => {
    const begun = beginExchange(credentials, Buffer.from(exchange.random, 'hex'));
    const error = caught(() => begun.finish(wrong));
    expect([error.code, error.errorClass]).toEqual(['IBKR_OAUTH_TOKEN', 'final']);
  });
});

describe('credentials that cannot work are refused without a word of theirs', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pemOf = (key: typeof small): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();
  const own = testConsumer();
  const locked = createPrivateKey(own.signatureKey)
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
  test.each<[string, Partial<OauthSettings>, string]>([
    ['no key', { signatureKey: 'hello' }, 'broker.oauth.signatureKeyFile'],
    ['a locked key', { signatureKey: locked }, 'broker.oauth.signatureKeyFile'],
    ['a small key', { encryptionKey: pemOf(small) }, 'broker.oauth.encryptionKeyFile'],
    ['a key of a curve', { signatureKey: pemOf(curve) }, 'broker.oauth.signatureKeyFile'],
    ['the keys exchanged', { encryptionKey: own.signatureKey }, 'broker.oauth.accessTokenSecret'],
    ['no secret', { accessTokenSecret: 'AAAA' }, 'broker.oauth.accessTokenSecret'],
    ['no parameters', { dhParam: own.signatureKey }, 'broker.oauth.dhParamFile'],
    [
      'parameters cut',
      { dhParam: own.dhParam.replace(/.{60}\n-----END/, '\n-----END') },
      'broker.oauth.dhParamFile',
    ],
    [
      'parameters whose prime is none',
      { dhParam: own.dhParam.replace(/.(?=.{16}\n-----END)/, (digit) => (digit === 'A' ? 'B' : 'A')) },
      'broker.oauth.dhParamFile',
    ],
    [
      'small parameters',
      { dhParam: '-----BEGIN DH PARAMETERS-----\nMAYCARcCAQI=\n-----END DH PARAMETERS-----' },
      'broker.oauth.dhParamFile',
    ],
  ])('%s', (_name, change, setting) => {
    const settings = testConsumer(change);
    const error = caught(() => readCredentials(settings));
    const said = inspect(error);
    expect([error.code, error.message.includes(setting)]).toEqual(['IBKR_CONFIG', true]);
    for (const secret of Object.values<string>({ ...settings })) {
      expect(said).not.toContain(secret.slice(0, 40));
    }
  });
});

test('a file of a key that is not there is named with its setting, and what to correct', () => {
  const here = import.meta.filename;
  const named = { signatureKeyFile: '/nowhere/private.pem', encryptionKeyFile: here, dhParamFile: here };
  expect(caught(() => withKeyTexts(named))).toMatchObject({
    code: 'IBKR_CONFIG',
    errorClass: 'final',
    message:
      "broker.oauth.signatureKeyFile names a file that can not be read (/nowhere/private.pem: ENOENT); correct IBKR_OAUTH_SIGNATURE_KEY_FILE, or the file's rights.",
  });
});

describe('an answer to the request for a token', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway(await makeCertificate('127.0.0.1'));
  });
  afterAll(() => gateway.close());
  const route = 'POST /oauth/live_session_token';
  const attempt = async (): Promise<{ error: KeelError; signed: number }> => {
    const before = gateway.seen.length;
    const ibkr = connectTo(gateway, { oauth: testConsumer() });
    const error = await ibkr.broker.ensureSession().then(
      () => new KeelError('NOTHING', 'was refused'),
      (refusal: unknown) => refusal as KeelError,
    );
    ibkr.close();
    return { error, signed: gateway.seen.slice(before).filter((seen) => seen.route !== route).length };
  };
  const good = {
    diffie_hellman_response: vectors.tokens[0]?.response,
    live_session_token_signature: vectors.tokens[0]?.signature,
    live_session_token_expiration: 4_000_000_000_000,
  };
  test.each([
    // Another's number: the token cannot be the one that is signed.
    ['that lies', { json: good }, 'IBKR_OAUTH_TOKEN'],
    ['without a signature', { json: { ...good, live_session_token_signature: undefined } }, 'IBKR_BAD_SHAPE'],
    ['that is no JSON', { text: '<html></html>' }, 'IBKR_NOT_JSON'],
    ['of 503', { status: 503, json: { error: 'away' } }, 'IBKR_UNAVAILABLE'],
    ['that is cut', { json: good, fault: 'cut' as const }, 'IBKR_AWAY'],
  ])('%s lets nothing be signed', async (_name, answer, code) => {
    gateway.on(route, answer);
    const { error, signed } = await attempt();
    expect([error.code, signed]).toEqual([code, 0]);
  });
  test.each([
    ['not pinned', () => []],
    ['the pinned one', ({ sha256 }: Certificate) => [sha256]],
  ])('of a server whose certificate names another host, and is %s, is not asked for', async (_name, pins) => {
    const nameless = await makeCertificate();
    const other = await startTestGateway(nameless);
    const ibkr = connectTo(other, { oauth: testConsumer(), certSha256: pins(nameless) });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'IBKR_TLS',
      facts: { reason: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    expect(other.seen).toEqual([]);
    ibkr.close();
    await other.close();
  });
  test('of a server with the right name and another certificate than the pinned one is not asked for', async () => {
    const before = gateway.seen.length;
    const ibkr = connectTo(gateway, { oauth: testConsumer(), certSha256: ['ab'.repeat(32)] });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'IBKR_TLS',
      facts: { reason: 'KEEL_PIN_MISMATCH' },
    });
    expect(gateway.seen.length).toBe(before);
    ibkr.close();
  });
  test('of 401 tells what to look at, and is not asked for again at once', async () => {
    gateway.on(route, { status: 401, json: { error: 'id: 3931, error: invalid consumer', statusCode: 401 } });
    const ibkr = connectTo(gateway, { oauth: testConsumer(), pacingFactor: 1 });
    const asked = gateway.to(route).length;
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'retryable',
      message: expect.stringContaining('"id: 3931, error: invalid consumer"') as string,
    });
    await expect(ibkr.broker.ensureSession()).rejects.toThrow('tried again from');
    expect(await ibkr.login.status()).toEqual({
      kind: 'failed',
      reason: expect.stringContaining('tried again from') as string,
    });
    expect(gateway.to(route).length - asked).toBe(1);
    ibkr.close();
  });
});
