// Keel as its own login: the IBKR adapter signs its requests, and the simulator's OAuth front checks every one of them with
// an implementation of its own. What both make of the same keys is compared with ibind and openssl in adapters/ibkr/oauth.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMarketStepper } from '../adapters/clocks/simulated.js';
import type { IbkrGateway, IbkrGatewayOptions } from '../adapters/ibkr/gateway.js';
import { createIbkrHttp } from '../adapters/ibkr/http.js';
import { readCredentials } from '../adapters/ibkr/oauth/credentials.js';
import { createLiveSession } from '../adapters/ibkr/oauth/liveSession.js';
import type { LiveSession } from '../adapters/ibkr/oauth/liveSession.js';
import { authorizationHeader, baseString, hmacSignature } from '../adapters/ibkr/oauth/sign.js';
import { createPacing } from '../adapters/ibkr/pacing.js';
import { testConsumer, testConsumerAtBroker } from '../adapters/ibkr/testing/oauth.js';
import { KeelError } from '../ports/errors.js';
import { startSimulator } from '../simulator/server.js';
import type { Simulator, SimulatorOptions } from '../simulator/server.js';
import {
  accountId,
  adminOf,
  adminToken,
  clock,
  connect as connectGateway,
  opened,
  optionsOf,
  simulatorContract,
} from './support/ibkr.js';
import { tempFolder } from './support/temp.js';
import { until } from './support/until.js';

const hourMs = 3_600_000;

const start = (directory: string, change: Partial<SimulatorOptions> = {}): Promise<Simulator> =>
  startSimulator({ ...optionsOf(directory), oauth: { consumer: testConsumerAtBroker() }, ...change });

/** By the name in its certificate, as IBKR itself is known; nothing is pinned. */
const connect = (simulator: Simulator, change: Partial<IbkrGatewayOptions> = {}): IbkrGateway =>
  connectGateway(simulator, {
    baseUrl: simulator.oauthUrl ?? '',
    certSha256: [],
    oauth: testConsumer(),
    ...change,
  });

simulatorContract('the simulator through the IBKR adapter that logs in by OAuth', start, connect);

describe('the OAuth front', () => {
  const folder = tempFolder('oauth');
  let simulator: Simulator;
  const made: IbkrGateway[] = [];
  const login = (change: Partial<IbkrGatewayOptions> = {}): IbkrGateway => {
    const ibkr = connect(simulator, change);
    made.push(ibkr);
    return ibkr;
  };
  beforeAll(async () => {
    simulator = await start(folder.path);
  });
  afterAll(async () => {
    for (const ibkr of made) ibkr.close();
    await simulator.close();
    folder.remove();
  });

  /** One request with a header of our own making. */
  const ask = (authorization: string | null, path = '/iserver/auth/status'): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const request = https.request(
        `${simulator.oauthUrl ?? ''}${path}`,
        {
          method: 'GET',
          ca: readFileSync(simulator.caFile),
          headers: authorization === null ? {} : { Authorization: authorization },
        },
        (response) => {
          text(response).then((body) => {
            resolve([response.statusCode ?? 0, body]);
          }, reject);
        },
      );
      request.once('error', reject);
      request.end();
    });
  /** Signed with a key that is no token; `change` makes it wrong before that is seen. */
  const forged = (change: Record<string, string> = {}, realm = 'test_realm'): string => {
    const { consumerKey, accessToken } = testConsumer();
    const fields = {
      oauth_consumer_key: consumerKey,
      oauth_nonce: 'a-nonce-of-the-test',
      oauth_signature_method: 'HMAC-SHA256',
      oauth_timestamp: String(Math.floor(clock.now() / 1000)),
      oauth_token: accessToken,
      ...change,
    };
    const url = `${simulator.oauthUrl ?? ''}/iserver/auth/status`;
    const signed = baseString({ method: 'GET', url, parameters: fields });
    return authorizationHeader(realm, fields, hmacSignature(signed, Buffer.alloc(20)));
  };
  const hours = (count: number): string => String(Math.floor(clock.now() / 1000) + count * 3600);

  test('wants a login before anything else', async () => {
    expect(await ask(forged())).toEqual([401, expect.stringContaining('live session token expired')]);
  });
  test('refuses what is not signed by its consumer with its token, now and for the first time', async () => {
    await login().broker.ensureSession();
    const refusals: (readonly [string | null, string])[] = [
      [null, 'missing authorization'],
      ['Bearer abcdef', 'missing authorization'],
      [forged({ oauth_consumer_key: 'OTHERCONS' }), 'invalid consumer'],
      [forged({}, 'limited_poa'), 'invalid consumer'],
      [forged({ oauth_token: 'ffffffffffffffffffff' }), 'invalid token'],
      [forged({ oauth_timestamp: hours(-1) }), 'invalid timestamp'],
      [forged({ oauth_timestamp: hours(1) }), 'invalid timestamp'],
      [forged({ oauth_timestamp: 'now' }), 'invalid timestamp'],
      [forged({ oauth_signature_method: 'PLAINTEXT' }), 'invalid signature method'],
      [forged(), 'invalid signature'],
    ];
    for (const [authorization, why] of refusals) {
      expect(await ask(authorization)).toEqual([401, expect.stringContaining(why)]);
    }
  });
  /** The adapter's own signing, by itself. */
  async function signer(): Promise<LiveSession> {
    const tls = { ca: readFileSync(simulator.caFile, 'utf8'), certSha256: [], timeoutMs: 5000, named: true };
    const baseUrl = simulator.oauthUrl ?? '';
    const live = createLiveSession({
      http: createIbkrHttp({ ...tls, baseUrl }),
      baseUrl,
      credentials: readCredentials(testConsumer()),
      pacing: createPacing({ clock, factor: 1000 }),
      clock,
      pacingWaitMs: 5000,
      factor: 1000,
      renewed: () => undefined,
    });
    await live.ready(true);
    return live;
  }
  test('takes a header once, and for the request that it was made for only', async () => {
    const live = await signer();
    const { authorization } = live.sign('GET', '/iserver/auth/status', {});
    const changed = authorization.replace(/(oauth_nonce=".)./, '$1-');
    expect(await ask(changed)).toEqual([401, expect.stringContaining('invalid signature')]);
    expect(await ask(authorization, '/tickle')).toEqual([401, expect.stringContaining('invalid signature')]);
    expect(await ask(authorization, '/iserver/auth/status?a=b')).toEqual([
      401,
      expect.stringContaining('invalid signature'),
    ]);
    expect(await ask(authorization)).toEqual([200, expect.stringContaining('"authenticated":false')]);
    expect(await ask(authorization)).toEqual([401, expect.stringContaining('nonce already used')]);
  });
  test('is left with a sentence by whoever has the key of another consumer', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signatureKey = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const ibkr = login({ oauth: testConsumer({ signatureKey }) });
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({
      code: 'BROKER_SESSION',
      message: expect.stringContaining('invalid signature') as string,
    });
  });
  test('is no way around the guard of the mode', async () => {
    const ibkr = login({ mode: 'live' });
    await expect(ibkr.broker.ensureSession()).rejects.toMatchObject({
      code: 'BROKER_SESSION',
      errorClass: 'final',
    });
  });
  test('is not spoken to where its certificate is of an unknown authority, or not the pinned one', async () => {
    const other = login({ certSha256: ['ab'.repeat(32)] });
    await expect(other.broker.ensureSession()).rejects.toMatchObject({ code: 'IBKR_TLS' });
    const unknown = login({ ca: null });
    await expect(unknown.broker.ensureSession()).rejects.toMatchObject({ code: 'IBKR_TLS' });
  });
  test('ends a token: the next call logs in again, and its session is prepared anew', async () => {
    const ibkr = login();
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
    await fault({ kind: 'login-loss', on: 'orders' });
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject({ code: 'IBKR_UNAUTHORIZED' });
    await eventually(() => ibkr.broker.orders(accountId));
  });
  test('hears from the owner of the login as from a gateway', async () => {
    const ibkr = login({ opensSession: false });
    const waiting = { code: 'BROKER_SESSION', errorClass: 'retryable' };
    await expect(ibkr.broker.orders(accountId)).rejects.toMatchObject(waiting);
    expect(await ibkr.login.status()).toMatchObject({ authenticated: false, connected: true });
    expect(await ibkr.login.open()).toEqual({ kind: 'opened' });
    expect(await ibkr.login.status()).toMatchObject({ authenticated: true, connected: true });
    expect(await ibkr.login.prepare()).toEqual({ kind: 'prepared' });
    expect(await ibkr.login.tickle()).toEqual({ kind: 'tickled' });
    expect((await ibkr.broker.orders(accountId)).orders).toEqual([]);
  });

  async function fault(wish: object): Promise<void> {
    const answer = await fetch(`${simulator.adminUrl}/faults`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify(wish),
    });
    expect(answer.status).toBe(201);
  }
});

test('a token is renewed before it ends, and orders go out before and after', async () => {
  const folder = tempFolder('oauth-renewal');
  let later = 0;
  const shifted = { now: () => clock.now() + later };
  // The brokerage session is not to die of idleness in the hours that pass at once.
  const simulator = await start(folder.path, { clock: shifted, clockFactor: 0.0001 });
  await createMarketStepper(adminOf(simulator)).step(opened);
  const ibkr = connect(simulator, { clock: shifted });
  const contract = await ibkr.broker.resolveContract('AAPL');
  const request = {
    accountId,
    contract,
    side: 'BUY',
    quantity: '1',
    limit: null,
    stop: null,
    target: null,
  } as const;
  const place = async (clientOrderId: string): Promise<string> => {
    await ibkr.broker.ensureSession();
    await ibkr.broker.waitForOrderSlot(shifted.now() + 5000);
    return (await ibkr.broker.placeOrder({ ...request, clientOrderId }, () => undefined)).kind;
  };
  expect(await place('TOKEN1')).toBe('accepted');
  later = 24 * hourMs - 5 * 60_000;
  expect(await place('TOKEN2')).toBe('accepted');
  // By now the first token has ended, so what is signed is signed with the second one.
  later = 24 * hourMs + 60_000;
  expect(await place('TOKEN3')).toBe('accepted');
  const placed = (await ibkr.broker.orders(accountId)).orders.map((order) => order.clientOrderId);
  expect(placed.sort()).toEqual(['TOKEN1', 'TOKEN2', 'TOKEN3']);
  ibkr.close();
  await simulator.close();
  folder.remove();
});

/** A login takes its time after the one before, and Temporal tries again what fails meanwhile; so does this. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  const found = await until(async () => {
    try {
      return { answer: await work() };
    } catch (error) {
      if (error instanceof KeelError && error.errorClass === 'retryable') return null;
      throw error;
    }
  });
  return found.answer;
}
