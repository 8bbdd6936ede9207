// When the OAuth login is made anew and when not, on a clock of its own, against the broker's half of the exchange.
import { createDiffieHellman, createHmac } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { KeelError } from '../../../ports/errors.js';
import { transportError } from '../errors.js';
import type { HttpRequest } from '../http.js';
import { oauthVectors, testConsumer } from '../testing/oauth.js';
import { readCredentials } from './credentials.js';
import { createLiveSession } from './liveSession.js';

const { exchange, consumerKey } = oauthVectors();
const credentials = readCredentials(testConsumer());
const minute = 60_000;
const day = 24 * 60 * minute;

/** The broker's own numbers; one pair for all logins, as making a group takes a while. */
const group = createDiffieHellman(exchange.prime, 'hex', exchange.generator);
const response = group.generateKeys('hex');

/** The token that a challenge makes, as the broker signs it. */
function issue({ authorization = '' }: HttpRequest, now: number): string {
  const challenge = /diffie_hellman_challenge="([0-9a-f]+)"/.exec(authorization)?.[1] ?? '';
  const shared = group.computeSecret(
    challenge.padStart(challenge.length + (challenge.length % 2), '0'),
    'hex',
  );
  const hex = shared.toString('hex').replace(/^(00)+/, '');
  const bytes = Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex, 'hex');
  const token = createHmac('sha1', bytes).update(Buffer.from(exchange.prepend, 'hex')).digest();
  return JSON.stringify({
    diffie_hellman_response: response,
    live_session_token_signature: createHmac('sha1', token).update(consumerKey).digest('hex'),
    live_session_token_expiration: now + day,
  });
}

let now: number;
let logins: number[];
/** Thrown by the next login. */
let fault: KeelError | null;
/** What the next login is answered with in place of a token. */
let refusal: { readonly status: number; readonly text: string } | null;
beforeEach(() => {
  now = Date.parse('2026-11-02T12:00:00Z');
  logins = [];
  fault = null;
  refusal = null;
});
const connect = () =>
  createLiveSession({
    http: {
      exchange: (request) => {
        logins.push(now);
        return fault === null
          ? Promise.resolve(refusal ?? { status: 200, text: issue(request, now) })
          : Promise.reject(fault);
      },
    },
    baseUrl: 'https://broker.example/v1/api',
    credentials,
    pacing: { slot: () => Promise.resolve(), penalize: () => undefined },
    clock: { now: () => now },
    pacingWaitMs: 1000,
    factor: 1,
    renewed: () => undefined,
  });
type Live = ReturnType<typeof connect>;

const ok = { status: 200, text: '{}' };
const refused = (error: string) => ({ status: 401, text: JSON.stringify({ error, statusCode: 401 }) });
const expired = refused('live session token expired');

/** One request, where the login allows it. @returns whether it did */
async function ask(live: Live, answer = ok, path = '/portfolio/accounts'): Promise<boolean> {
  try {
    await live.ready(true);
  } catch (error) {
    if (error instanceof KeelError && error.code.startsWith('IBKR_')) return false;
    throw error;
  }
  live.sign('GET', path, {}).answered(answer);
  return true;
}

describe('logins become rare', () => {
  test('where each token is taken for a minute and then refused, through a day', async () => {
    const live = connect();
    for (const end = now + day; now < end; now += 15_000) {
      const age = now - (logins.at(-1) ?? now);
      await ask(live, age < minute ? ok : expired);
    }
    // Four in the first minutes, and then one each quarter of an hour.
    expect(logins.length).toBeGreaterThan(90);
    expect(logins.length).toBeLessThanOrEqual(4 + 96);
  });
  test('until a token has held for ten minutes: then what was before it is forgotten', async () => {
    const live = connect();
    const again = async (): Promise<number> => {
      const from = now;
      const before = logins.length;
      await ask(live, expired);
      for (now += 1000; logins.length === before; now += 1000) await ask(live);
      return Math.round((now - from) / minute);
    };
    await ask(live);
    expect([await again(), await again(), await again()]).toEqual([1, 2, 5]);
    now += 10 * minute;
    await ask(live);
    now += 6 * minute;
    expect([await again(), await again()]).toEqual([0, 1]);
  });
  test('where one that may have reached IBKR brought no answer, and not where none left this machine', async () => {
    const live = connect();
    const lost = { endpoint: 'POST /oauth/live_session_token', code: 'ECONNRESET', timeoutMs: 1000 };
    fault = transportError({ ...lost, timedOut: false, sent: false });
    await ask(live);
    await ask(live);
    expect(logins).toHaveLength(2);
    for (const timedOut of [true, false]) {
      fault = transportError({ ...lost, timedOut, sent: true });
      const before = logins.length;
      await ask(live);
      now += 30_000;
      expect(await ask(live)).toBe(false);
      expect(logins).toHaveLength(before + 1);
      now += 10 * minute;
    }
    fault = null;
    expect(await ask(live)).toBe(true);
  });
});

describe('until it may log in again it says why it has no login', () => {
  const told = (live: Live): Promise<string> =>
    live.ready(true).then(
      () => 'a token',
      (error: unknown) => (error as KeelError).message,
    );
  test('in the words with which IBKR refused the login', async () => {
    const live = connect();
    refusal = refused('invalid token');
    expect(await told(live)).toMatch(/^IBKR refused the OAuth login with "invalid token"\. Check/);
    now += 15_000;
    const again = /^The OAuth login does not stand\. It is tried again from \S+ on\. (.*)$/;
    expect(again.exec(await told(live))?.[1]).toMatch(/^IBKR refused the OAuth login with "invalid token"\./);
    expect(logins).toHaveLength(1);
    refusal = refused('consumer is suspended');
    now += minute;
    await told(live);
    now += 15_000;
    expect(again.exec(await told(live))?.[1]).toMatch(/with "consumer is suspended"\./);
  });
  test('in the words with which IBKR ended the token', async () => {
    const live = connect();
    await ask(live, expired);
    now += 15_000;
    expect(await told(live)).toMatch(/ on\. IBKR ended the last one with "live session token expired"\.$/);
  });
});

describe('a 401', () => {
  const loginsAfter = async (answer: typeof ok, path: string): Promise<number> => {
    const live = connect();
    await ask(live, answer, path);
    now += 2 * minute;
    await ask(live);
    return logins.length;
  };
  test('that means the brokerage session leaves the token as it is', async () => {
    expect(await loginsAfter(refused('not authenticated'), '/iserver/account/orders')).toBe(1);
  });
  test('with any other words ends it', async () => {
    expect(await loginsAfter(expired, '/iserver/account/orders')).toBe(2);
  });
  test('without words ends it', async () => {
    expect(await loginsAfter({ status: 401, text: '' }, '/iserver/account/orders')).toBe(2);
  });
  test.each(['/iserver/auth/status', '/iserver/auth/ssodh/init', '/tickle'])(
    'of %s, which wants no brokerage session, ends it',
    async (path) => {
      expect(await loginsAfter(refused('not authenticated'), path)).toBe(2);
    },
  );
});
