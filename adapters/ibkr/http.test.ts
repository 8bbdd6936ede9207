// The connection itself: TLS, time, size, secrets, and what is written when an order may not go out.
import https from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeelError } from '../../ports/errors.js';
import { createIbkrHttp } from './http.js';
import type { HttpRequest, IbkrHttp, IbkrHttpOptions } from './http.js';
import { makeCertificate, startTestGateway } from './testing/gateway.js';
import type { Certificate, TestGateway } from './testing/gateway.js';

let right: Certificate;
let other: Certificate;
let gateway: TestGateway;
const made: IbkrHttp[] = [];

beforeAll(async () => {
  [right, other] = await Promise.all([makeCertificate(), makeCertificate()]);
});
beforeEach(async () => {
  gateway = await startTestGateway(right);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const http of made.splice(0)) http.close();
  await gateway.close();
});

function connect(change: Partial<IbkrHttpOptions> = {}): IbkrHttp {
  const http = createIbkrHttp({
    baseUrl: gateway.baseUrl,
    ca: right.cert,
    certSha256: [right.sha256],
    timeoutMs: 20_000,
    ...change,
  });
  made.push(http);
  return http;
}

const ping: HttpRequest = { method: 'GET', path: '/ping', endpoint: 'GET /ping' };
const order: HttpRequest = {
  method: 'POST',
  path: '/order',
  endpoint: 'POST /order',
  body: '{"orders":[]}',
  beforeSend: () => undefined,
};

async function failure(promise: Promise<unknown>): Promise<KeelError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeelError)) throw error;
  return error;
}

describe('the certificate', () => {
  beforeEach(() => {
    gateway.on('GET /ping', { json: { ok: true } });
  });

  it('is accepted when it is the stored one and its fingerprint is pinned', async () => {
    expect(await connect().exchange(ping)).toEqual({ status: 200, text: '{"ok":true}' });
  });

  it('may be either of two pins, in any notation', async () => {
    const pin = (right.sha256.toUpperCase().match(/../g) ?? []).join(':');
    const http = connect({ certSha256: [other.sha256, pin], ca: other.cert + right.cert });
    expect((await http.exchange(ping)).status).toBe(200);
  });

  it('is refused when it is another one of the same name', async () => {
    const error = await failure(connect({ ca: other.cert, certSha256: [other.sha256] }).exchange(ping));
    expect(error).toMatchObject({ code: 'IBKR_TLS', errorClass: 'final' });
    expect(error.facts).toMatchObject({ sent: false, reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(gateway.seen).toHaveLength(0);
  });

  it('is refused when it is trusted but not pinned, on every connection', async () => {
    const http = connect({ ca: other.cert + right.cert, certSha256: [other.sha256] });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect((await failure(http.exchange(ping))).facts).toMatchObject({ reason: 'KEEL_PIN_MISMATCH' });
    }
    expect(gateway.counts.bytes).toBe(0);
  });

  it('is refused even where the environment switches the checks of Node off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    // That the variable works here: without our agent anything is accepted.
    const unguarded = new Promise<number | undefined>((resolve, reject) => {
      https
        .get(`${gateway.baseUrl}/ping`, { agent: new https.Agent(), ca: other.cert }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });
    expect(await unguarded).toBe(200);
    expect((await connect().exchange(ping)).status).toBe(200);
    const elsewhere = connect({ ca: other.cert, certSha256: [other.sha256] });
    expect((await failure(elsewhere.exchange(ping))).code).toBe('IBKR_TLS');
    const unpinned = connect({ certSha256: [other.sha256] });
    expect((await failure(unpinned.exchange(ping))).facts).toMatchObject({ reason: 'KEEL_PIN_MISMATCH' });
  });

  it('needs one or two pins, and an https address without a password', () => {
    expect(() => connect({ certSha256: [] })).toThrow(RangeError);
    expect(() => connect({ ca: 'no certificate' })).toThrow(KeelError);
    expect(() => connect({ baseUrl: 'http://127.0.0.1:1/v1/api' })).toThrow(KeelError);
    expect(() => connect({ baseUrl: 'https://user:pass@127.0.0.1:1/v1/api' })).toThrow(KeelError);
  });
});

describe('a request', () => {
  it('carries a length and a JSON body whenever it is a POST, and a user agent', async () => {
    gateway.on('POST /tickle', { json: {} });
    await connect().exchange({ method: 'POST', path: '/tickle', endpoint: 'POST /tickle' });
    const [seen] = gateway.seen;
    expect(seen?.body).toBe('{}');
    expect(seen?.headers).toMatchObject({
      'content-length': '2',
      'content-type': 'application/json',
      'user-agent': 'keel',
    });
  });

  it('is made once: no answer, no second attempt', async () => {
    gateway.on('GET /ping', { fault: 'drop' });
    const error = await failure(connect().exchange(ping));
    expect(error).toMatchObject({ code: 'IBKR_AWAY', errorClass: 'retryable' });
    expect(error.facts['sent']).toBe(true);
    expect(gateway.to('GET /ping')).toHaveLength(1);
  });

  it('ends at its timeout when the answer never comes', async () => {
    gateway.on('GET /ping', { fault: 'hang' });
    const error = await failure(connect({ timeoutMs: 4000 }).exchange(ping));
    expect(error).toMatchObject({ code: 'IBKR_TIMEOUT', errorClass: 'retryable', facts: { sent: true } });
  });

  it('ends at its timeout when the handshake never comes, and was not sent', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const error = await failure(connect({ baseUrl, timeoutMs: 200 }).exchange(ping));
    expect(error).toMatchObject({ code: 'IBKR_TIMEOUT', facts: { sent: false } });
    silent.close();
  });

  it('was not sent when nobody listens', async () => {
    const { baseUrl } = gateway;
    await gateway.close();
    const error = await failure(connect({ baseUrl }).exchange(ping));
    expect(error).toMatchObject({ code: 'IBKR_AWAY', facts: { sent: false, reason: 'ECONNREFUSED' } });
    gateway = await startTestGateway(right);
  });

  it('fails when the answer is cut, too large, or a redirect is left to be followed', async () => {
    gateway.on('GET /ping', { json: { long: 'x'.repeat(100) }, fault: 'cut' });
    expect((await failure(connect().exchange(ping))).code).toBe('IBKR_AWAY');
    gateway.on('GET /ping', { json: { long: 'x'.repeat(100) } });
    expect((await failure(connect({ maxResponseBytes: 50 }).exchange(ping))).code).toBe('IBKR_TOO_LARGE');
    gateway.on('GET /ping', { status: 302, json: {}, headers: { Location: '/v1/api/elsewhere' } });
    expect(await connect().exchange(ping)).toEqual({ status: 302, text: '{}' });
    expect(gateway.to('GET /elsewhere')).toHaveLength(0);
  });

  it.each([
    ['/sso/Login?forwardTo=22&RL=1&ip2loc=US', true],
    ['https://gateway/sso/Dispatcher', true],
    ['/login', true],
    ['/v1/portal/iserver/accounts?next=/login', false],
    ['/logins', false],
  ])('tells whether a redirect to %s is one to a login: %s', async (location, toLogin) => {
    gateway.on('GET /ping', { status: 302, text: '', headers: { Location: location } });
    expect(await connect().exchange(ping)).toEqual({ status: 302, text: '', ...(toLogin && { toLogin }) });
    gateway.on('GET /ping', { status: 200, text: '', headers: { Location: location } });
    expect(await connect().exchange(ping)).toEqual({ status: 200, text: '' });
  });
});

describe('the last act before the socket', () => {
  it('happens once the connection stands and before the first byte', async () => {
    gateway.on('POST /order', { json: {} });
    const at: number[] = [];
    await connect().exchange({
      ...order,
      beforeSend: () => {
        at.push(gateway.counts.bytes);
      },
    });
    expect(at).toEqual([0]);
    expect(gateway.counts.bytes).toBeGreaterThan(0);
  });

  it('writes nothing when it throws, and that very error comes back', async () => {
    const refusal = new Error('the deadline has passed');
    const http = connect();
    const thrown: unknown = await http
      .exchange({
        ...order,
        beforeSend: () => {
          throw refusal;
        },
      })
      .catch((error: unknown) => error);
    expect(thrown).toBe(refusal);
    // A later request shows that whatever was written before would have come.
    gateway.on('GET /ping', { json: {} });
    await http.exchange(ping);
    expect(gateway.seen.map((request) => request.route)).toEqual(['GET /ping']);
  });

  it('is never reached when the connection does not come about', async () => {
    let reached = false;
    const http = connect({ ca: other.cert, certSha256: [other.sha256] });
    await failure(
      http.exchange({
        ...order,
        beforeSend: () => {
          reached = true;
        },
      }),
    );
    expect(reached).toBe(false);
  });

  it('takes a connection of its own, so that a dead one that was kept cannot swallow an order', async () => {
    gateway.on('GET /ping', { json: {} });
    gateway.on('POST /order', { json: {} });
    const http = connect();
    await http.exchange(ping);
    await http.exchange(ping);
    expect(gateway.counts.connections).toBe(1);
    await http.exchange(order);
    expect(gateway.counts.connections).toBe(2);
  });
});

describe('an error', () => {
  it('holds nothing secret anywhere', async () => {
    const secret = 'cookie-7f3a91';
    const headers = { 'Set-Cookie': `x-sess-uuid=${secret}`, 'X-Token': secret };
    gateway.on('GET /ping', { json: { session: secret, more: 'x'.repeat(100) }, fault: 'cut', headers });
    gateway.on('POST /order', { fault: 'drop' });
    const errors = [
      await failure(connect().exchange(ping)),
      await failure(connect().exchange({ ...order, body: JSON.stringify({ note: secret }) })),
      await failure(connect({ maxResponseBytes: 20 }).exchange(ping)),
    ];
    for (const error of errors) {
      const everything = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
      expect(everything).not.toContain(secret);
      expect(everything).not.toMatch(/AxiosError|config|headers/);
    }
  });
});

afterAll(() => {
  expect(made).toHaveLength(0);
});
