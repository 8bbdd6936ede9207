// Logging in by an identity provider: two APIs as processes (one that takes nobody new, one that makes viewers), a real
// OpenID provider on loopback and the real PostgreSQL.
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOidcProvider } from '../adapters/oidc/provider.js';
import { checkIdentityProvider } from '../cli/doctor/identityProvider.js';
import { readPatient } from '../cli/doctor/patient.js';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { oidcStart, recoveryCodeList, tokens, totpSecret, user } from '../contracts/http/auth.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import type { ApiProcess } from './support/api.js';
import { failApi, startApi } from './support/api.js';
import { askApi, good } from './support/client.js';
import type { TestProvider, Visit } from './support/oidc.js';
import { createBrowser, startOidcProvider } from './support/oidc.js';
import { freePort } from './support/ports.js';
import type { TestPostgres } from './support/postgres.js';
import { startTestPostgres } from './support/postgres.js';
import { tempFolder } from './support/temp.js';

const clientSecret = 'a-client-secret-of-the-tests-only';
const password = 'gradient obelisk forty-two';
const folder = tempFolder('oidc');
const callbackPath = '/api/v1/auth/oidc/callback';
const seen: string[] = [];
let postgres: TestPostgres;
let db: Database;
let stores: Stores;
let provider: TestProvider;
/** Takes nobody new. */
let closed: ApiProcess;
/** Makes a viewer of whoever comes. */
let open: ApiProcess;
let settings: Record<string, string>;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const limits = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
  db = connect({ url: postgres.url, ...limits });
  stores = createStores(db, 'simulated');
  const ports = [await freePort(), await freePort()];
  const urls = ports.map((port) => `http://127.0.0.1:${String(port)}${callbackPath}`);
  provider = await startOidcProvider({ clientId: 'keel', clientSecret, redirectUrls: urls });
  settings = {
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    KEEL_DATA_DIR: folder.path,
    KEEL_SIMULATOR_ADMIN_URL: 'http://127.0.0.1:1',
    KEEL_SIMULATOR_ADMIN_TOKEN: 'no-simulator-is-asked-here',
    KEEL_LOG_LEVEL: 'info',
    KEEL_OIDC_ISSUER: provider.issuer,
    KEEL_OIDC_CLIENT_ID: 'keel',
    KEEL_OIDC_CLIENT_SECRET: clientSecret,
  };
  const start = (index: number, newUsers: string) =>
    startApi({
      ...settings,
      KEEL_API_PORT: String(ports[index]),
      KEEL_OIDC_REDIRECT_URL: urls[index] ?? '',
      KEEL_OIDC_NEW_USERS: newUsers,
    });
  [closed, open] = await Promise.all([start(0, 'deny'), start(1, 'viewer')]);
});

afterAll(async () => {
  await Promise.all([closed.stop(), open.stop()]);
  await provider.close();
  await db.close();
  await postgres.stop();
  folder.remove();
});

const codeOf = ({ status, body }: Pick<Visit, 'status' | 'body'>): string =>
  `${status} ${(body as { code?: string }).code ?? ''}`;
/** A sentence for a person, of a page that can do nothing. */
function linkedOf({ status, headers, body }: Visit): string {
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  return `${String(status)} ${String(body).split(':')[0] ?? ''}`;
}
const rows = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await db.pool.query<T>(sql, values)).rows;

type Browser = ReturnType<typeof createBrowser>;

/** To the provider and back, as far as the address that the browser would ask the API for. */
async function wayBack(api: ApiProcess, browser: Browser): Promise<string> {
  const start = await browser.visit(`${api.url}/api/v1/auth/oidc/login`);
  expect(start.status).toBe(303);
  return browser.follow(start.headers.get('location') ?? '', api.url);
}

async function logIn(api: ApiProcess, browser = createBrowser()): Promise<Visit> {
  return browser.visit(await wayBack(api, browser));
}

async function make(username: string): Promise<string> {
  const passwordHash = await createPasswordHasher().hash(password);
  const row = {
    email: `${username}@example.com`,
    username,
    role: 'trader',
    mustChangePassword: false,
  } as const;
  return (await stores.users.create({ ...row, passwordHash }, 'test')).id;
}

const session = async (login: string): Promise<string> =>
  (await good(tokens, askApi(closed.url, 'POST', '/auth/login', null, { login, password }))).accessToken;

/** Asks to link whoever is logged in at the provider to the user of a token. */
const askToLink = (token: string, body: object, browser = createBrowser()): Promise<Visit> =>
  browser.visit(`${closed.url}/api/v1/auth/oidc/link`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** As far as the address that the browser would ask the API for. */
async function wayToLink(token: string, browser: Browser, body: object = { password }): Promise<string> {
  const { url } = oidcStart.parse((await askToLink(token, body, browser)).body);
  return browser.follow(url, closed.url);
}

async function link(token: string, body: object = { password }): Promise<Visit> {
  const browser = createBrowser();
  return browser.visit(await wayToLink(token, browser, body));
}

describe('a person whom nobody has linked', () => {
  it('is refused where that is not allowed, also with the e-mail of a user', async () => {
    await make('maria');
    provider.person = { subject: 'p-1', email: 'maria@example.com', preferredName: 'maria' };
    expect(codeOf(await logIn(closed))).toBe('403 OIDC_UNKNOWN_USER');
    expect(codeOf(await logIn(open))).toBe('409 EMAIL_TAKEN');
    expect(await rows('select * from oidc_identity')).toEqual([]);
  });

  it('becomes a viewer without a password where it is, once his e-mail is verified', async () => {
    provider.person = {
      subject: 'p-2',
      email: 'New.One@example.com',
      verified: false,
      preferredName: 'New One',
    };
    expect(codeOf(await logIn(open))).toBe('403 EMAIL_UNVERIFIED');
    provider.person = { subject: 'p-2', preferredName: 'New One' };
    expect(codeOf(await logIn(open))).toBe('403 EMAIL_UNVERIFIED');
    provider.person = { subject: 'p-2', email: 'New.One@example.com', preferredName: 'New One' };
    const granted = tokens.parse((await logIn(open)).body);
    expect(granted.user).toMatchObject({ email: 'new.one@example.com', username: 'newone', role: 'viewer' });
    const me = await good(user, askApi(closed.url, 'GET', '/auth/me', granted.accessToken));
    expect(me.id).toBe(granted.user.id);
    // Known by his subject from now on, also where nobody new is taken and whatever his e-mail has become.
    provider.person = { subject: 'p-2', email: 'other@example.com', verified: false };
    expect(tokens.parse((await logIn(closed)).body).user.id).toBe(me.id);
    // And nobody else by his e-mail.
    provider.person = { subject: 'p-3', email: 'new.one@example.com' };
    expect(codeOf(await logIn(open))).toBe('409 EMAIL_TAKEN');
    const withPassword = await askApi(closed.url, 'POST', '/auth/login', null, { login: 'newone', password });
    expect(withPassword.status).toBe(401);
    expect(
      (await rows<{ action: string }>(`select action from audit where subject = 'user:newone'`)).map(
        (row) => row.action,
      ),
    ).toEqual(['user.create', 'login.open', 'login.open']);
  });

  it('gets a username of his own when the one he likes is taken', async () => {
    provider.person = { subject: 'p-4', email: 'second@example.com', preferredName: 'maria' };
    expect(tokens.parse((await logIn(open)).body).user.username).toMatch(/^maria-[0-9a-f]{6}$/);
  });
});

describe('linking', () => {
  it('is done by one who is logged in; from then on the provider lets him in, until he takes it away', async () => {
    const id = await make('linked');
    const token = await session('linked');
    provider.person = { subject: 'l-1', email: 'whatever@example.com' };
    expect(linkedOf(await link(token))).toBe('200 Linked');
    expect(tokens.parse((await logIn(closed)).body).user.id).toBe(id);
    // The same person can not be somebody else too.
    await make('greedy');
    expect(codeOf(await link(await session('greedy')))).toBe('409 IDENTITY_TAKEN');
    await rows(`update keel_user set active = false where id = $1`, [id]);
    expect(codeOf(await logIn(closed))).toBe('403 OIDC_UNKNOWN_USER');
    await rows(`update keel_user set active = true where id = $1`, [id]);
    expect((await askApi(closed.url, 'DELETE', '/auth/oidc/link', token)).status).toBe(204);
    expect(codeOf(await logIn(closed))).toBe('403 OIDC_UNKNOWN_USER');
    expect((await askApi(closed.url, 'DELETE', '/auth/oidc/link', token)).status).toBe(404);
  });

  it('works with curl and a browser: the address that the browser came back to is given to the one that asked', async () => {
    await make('curler');
    const [curl, browser] = [createBrowser(), createBrowser()];
    provider.person = { subject: 'u-1' };
    const asked = await askToLink(await session('curler'), { password }, curl);
    const back = await browser.follow(oidcStart.parse(asked.body).url, closed.url);
    // Refused to a browser that did not ask, as it must be, and not used up by that.
    expect(codeOf(await browser.visit(back))).toBe('403 OIDC_FLOW_REFUSED');
    expect(linkedOf(await curl.visit(back))).toBe('200 Linked');
    expect(tokens.parse((await logIn(closed)).body).user.username).toBe('curler');
  });

  it('needs a login and the password: a token that was stolen links nobody', async () => {
    expect((await askApi(closed.url, 'POST', '/auth/oidc/link', null)).status).toBe(401);
    await make('robbed');
    const token = await session('robbed');
    expect(codeOf(await askToLink(token, {}))).toBe('422 INVALID_INPUT');
    expect(codeOf(await askToLink(token, { password: 'not the password' }))).toBe('403 PASSWORD_REFUSED');
    expect(await rows('select * from oidc_flow where link_user_id is not null')).toEqual([]);
  });

  it('needs a fresh login of one without a password, who cannot take away his last way in', async () => {
    provider.person = { subject: 'f-1', email: 'fresh@example.com', preferredName: 'fresh' };
    const { accessToken, user: fresh } = tokens.parse((await logIn(open)).body);
    expect(codeOf(await askApi(closed.url, 'DELETE', '/auth/oidc/link', accessToken))).toBe(
      '409 LAST_WAY_IN',
    );
    expect(tokens.parse((await logIn(closed)).body).user.id).toBe(fresh.id);
    await rows(`update login set created_at = now() - interval '11 minutes' where user_id = $1`, [fresh.id]);
    expect(codeOf(await askToLink(accessToken, {}))).toBe('403 LOGIN_TOO_OLD');
    const again = tokens.parse((await logIn(closed)).body).accessToken;
    provider.person = { subject: 'f-2' };
    expect(linkedOf(await link(again, {}))).toBe('200 Linked');
  });

  it('that is under way ends when the password changes, and what is linked when an admin sets it', async () => {
    const id = await make('reset');
    const token = await session('reset');
    provider.person = { subject: 'r-1' };
    expect(linkedOf(await link(token))).toBe('200 Linked');
    const browser = createBrowser();
    const back = await wayToLink(token, browser);
    const change = { current: password, next: 'another obelisk of forty-three' };
    expect((await askApi(closed.url, 'POST', '/auth/password', token, change)).status).toBe(200);
    expect(codeOf(await browser.visit(back))).toBe('403 OIDC_FLOW_REFUSED');
    // He changed it himself: what he has linked stays.
    expect(tokens.parse((await logIn(closed)).body).user.id).toBe(id);
    const passwordHash = await createPasswordHasher().hash('one more obelisk of forty-four');
    const reset = { passwordHash, mustChange: true, keepLogin: null, checkedHash: null };
    expect(await stores.users.setPassword(id, reset, 'test')).toBe(true);
    expect(codeOf(await logIn(closed))).toBe('403 OIDC_UNKNOWN_USER');
    const [noted] = await rows<{ facts: object }>(
      `select facts from audit where action = 'user.password' and subject = 'user:reset' order by id desc limit 1`,
    );
    expect(noted?.facts).toMatchObject({ identitiesUnlinked: 1 });
  });

  it('whose code is being redeemed while the password changes links nobody', async () => {
    const id = await make('hurried');
    const browser = createBrowser();
    provider.person = { subject: 'h-1' };
    const back = await wayToLink(await session('hurried'), browser);
    const passwordHash = await createPasswordHasher().hash('one more obelisk of forty-five');
    const other = { passwordHash, mustChange: false, keepLogin: null, checkedHash: null };
    // The flow is taken by then, so that no row of it ends with the password.
    provider.beforeToken = () => stores.users.setPassword(id, other, 'test');
    const visited = await browser.visit(back);
    provider.beforeToken = null;
    expect(codeOf(visited)).toBe('403 OIDC_FLOW_REFUSED');
    expect(await rows('select * from oidc_identity where user_id = $1', [id])).toEqual([]);
  });
});

describe('the way back', () => {
  it('is open once, to the browser that went, with the state that it took along', async () => {
    provider.person = { subject: 'p-2' };
    const browser = createBrowser();
    const back = await wayBack(closed, browser);
    seen.push(new URL(back).searchParams.get('code') ?? '', browser.cookieOf(back, 'keel_oidc') ?? '');
    expect(codeOf(await createBrowser().visit(back))).toBe('403 OIDC_FLOW_REFUSED');
    const other = createBrowser();
    await wayBack(closed, other);
    expect(codeOf(await other.visit(back))).toBe('403 OIDC_FLOW_REFUSED');
    const forged = new URL(back);
    forged.searchParams.set('state', 'x'.repeat(43));
    expect(codeOf(await browser.visit(forged.href))).toBe('403 OIDC_FLOW_REFUSED');
    forged.searchParams.delete('state');
    expect(codeOf(await browser.visit(forged.href))).toBe('403 OIDC_FLOW_REFUSED');
    expect((await browser.visit(back)).status).toBe(200);
    // The cookie is gone, and with it the flow would be gone too.
    expect(codeOf(await browser.visit(back))).toBe('403 OIDC_FLOW_REFUSED');
  });

  it('is closed after ten minutes', async () => {
    const browser = createBrowser();
    const back = await wayBack(closed, browser);
    await rows(`update oidc_flow set expires_at = now() - interval '1 second'`);
    expect(codeOf(await browser.visit(back))).toBe('403 OIDC_FLOW_REFUSED');
  });

  /** A whole way back whose code is that of another one. */
  async function withCodeOf(first: string): Promise<Visit> {
    const browser = createBrowser();
    const back = new URL(await wayBack(closed, browser));
    back.searchParams.set('code', new URL(first).searchParams.get('code') ?? '');
    return browser.visit(back.href);
  }

  it('takes no code of another flow: its PKCE verifier is another, and a code that was used is none', async () => {
    const unused = await wayBack(closed, createBrowser());
    const answer = await withCodeOf(unused);
    expect([codeOf(answer), JSON.stringify(answer.body)]).toEqual([
      '403 OIDC_REFUSED',
      expect.stringContaining('invalid_grant'),
    ]);
    const browser = createBrowser();
    const used = await wayBack(closed, browser);
    expect((await browser.visit(used)).status).toBe(200);
    expect(codeOf(await withCodeOf(used))).toBe('403 OIDC_REFUSED');
  });

  it('takes no ID token with another nonce', async () => {
    const browser = createBrowser();
    const start = await browser.visit(`${closed.url}/api/v1/auth/oidc/login`);
    const url = new URL(start.headers.get('location') ?? '');
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(url.searchParams.get('nonce')).toMatch(/^[A-Za-z0-9_-]{43}$/);
    url.searchParams.set('nonce', 'another-nonce');
    expect(codeOf(await browser.visit(await browser.follow(url.href, closed.url)))).toBe('403 OIDC_REFUSED');
  });

  it('takes no answer that names another issuer, and none that is a refusal', async () => {
    const browser = createBrowser();
    const back = new URL(await wayBack(closed, browser));
    expect(back.searchParams.get('iss')).toBe(provider.issuer);
    back.searchParams.set('iss', 'https://evil.example.com');
    expect(codeOf(await browser.visit(back.href))).toBe('403 OIDC_REFUSED');
    const second = createBrowser();
    const refusal = new URL(await wayBack(closed, second));
    refusal.searchParams.delete('code');
    refusal.searchParams.set('error', 'access_denied');
    refusal.searchParams.set('error_description', 'words of a stranger');
    const answer = await second.visit(refusal.href);
    expect(codeOf(answer)).toBe('403 OIDC_REFUSED');
    expect(JSON.stringify(answer.body)).not.toContain('stranger');
  });
});

describe('a second factor', () => {
  it('is asked for after coming back, in the same browser, and the login proved by it', async () => {
    await make('careful');
    const token = await session('careful');
    provider.person = { subject: 'c-1' };
    expect(linkedOf(await link(token))).toBe('200 Linked');
    const { secret } = await good(totpSecret, askApi(closed.url, 'POST', '/auth/totp', token, { password }));
    // Of one instant, whatever the time is by then: a code that was used is to come again.
    const begun = Date.now();
    const code = (later: number): string =>
      TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: begun + later * 30_000 });
    await good(recoveryCodeList, askApi(closed.url, 'POST', '/auth/totp/confirm', token, { code: code(0) }));
    // The password alone links nobody else from now on, and no code of before does.
    expect(codeOf(await askToLink(token, { password }))).toBe('401 CODE_NEEDED');
    expect(codeOf(await askToLink(token, { password, code: code(0) }))).toBe('403 CODE_REFUSED');
    const browser = createBrowser();
    expect(codeOf(await logIn(closed, browser))).toBe('401 CODE_NEEDED');
    const give = (from: Browser, given: string): Promise<Visit> =>
      from.visit(`${closed.url}/api/v1/auth/oidc/code`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: given }),
      });
    expect(codeOf(await give(createBrowser(), code(1)))).toBe('403 OIDC_FLOW_REFUSED');
    expect(codeOf(await give(browser, code(0)))).toBe('403 CODE_REFUSED');
    const granted = tokens.parse((await give(browser, code(1))).body);
    expect(granted.user.username).toBe('careful');
    expect(codeOf(await give(browser, code(1)))).toBe('403 OIDC_FLOW_REFUSED');
    const [proven] = await rows<{ count: number }>(
      `select count(*)::int as count from login where proven_at is not null and user_id = $1`,
      [granted.user.id],
    );
    expect(proven?.count).toBe(2);
  });
});

describe('a provider', () => {
  const options = { clientId: 'keel', clientSecret, redirectUrl: 'http://127.0.0.1:1/x', timeoutMs: 20_000 };
  const secrets = { state: 's', nonce: 'n', verifier: 'v'.repeat(43) };

  it('that says it is another one is refused, and one that is away may be asked again', async () => {
    const elsewhere = provider.issuer.replace('127.0.0.1', 'localhost');
    const another = createOidcProvider({ ...options, issuer: elsewhere });
    await expect(another.authorizationUrl(secrets)).rejects.toMatchObject({ code: 'OIDC_MISCONFIGURED' });
    const away = createOidcProvider({ ...options, issuer: 'http://127.0.0.1:1' });
    await expect(away.authorizationUrl(secrets)).rejects.toMatchObject({
      code: 'OIDC_AWAY',
      errorClass: 'retryable',
    });
  });

  it('that does not know the client or its secret is told to who logs in, and in the log with what to look at', async () => {
    provider.person = { subject: 'p-2' };
    const port = await freePort();
    const redirect = `http://127.0.0.1:${String(port)}${callbackPath}`;
    const wrong = 'a-wrong-client-secret-of-the-tests';
    const api = await startApi({
      ...settings,
      KEEL_API_PORT: String(port),
      // The provider sends the browser to an API that it knows; the test takes what it brings to this one.
      KEEL_OIDC_REDIRECT_URL: `${closed.url}${callbackPath}`,
      KEEL_OIDC_CLIENT_SECRET: wrong,
    });
    let handedBack = '';
    try {
      const browser = createBrowser();
      const start = await browser.visit(`${api.url}/api/v1/auth/oidc/login`);
      const back = new URL(await browser.follow(start.headers.get('location') ?? '', closed.url));
      handedBack = back.searchParams.get('code') ?? '';
      const answer = await browser.visit(`${redirect}${back.search}`);
      expect(codeOf(answer)).toBe('503 OIDC_MISCONFIGURED');
      expect(JSON.stringify(answer.body)).not.toMatch(/log in again/);
    } finally {
      // An answer may reach the test before the log's line does; after the end, all of it is there.
      await api.stop();
    }
    expect(api.log()).toMatch(/identity provider refused Keel \([^)]+\): look at KEEL_OIDC_CLIENT_ID/);
    expect(handedBack).not.toBe('');
    for (const secret of [wrong, handedBack]) expect(api.log()).not.toContain(secret);
  });

  const doctor = async (changes: Record<string, string>) => {
    const given = { ...settings, KEEL_OIDC_REDIRECT_URL: `http://127.0.0.1:3000${callbackPath}`, ...changes };
    const facts = { now: () => Date.now(), nodeVersion: process.versions.node };
    const [found] = await checkIdentityProvider(readPatient(given, facts));
    expect(JSON.stringify(found)).not.toContain(changes['KEEL_OIDC_CLIENT_SECRET'] ?? clientSecret);
    return found;
  };

  it('is looked at by keel doctor, which says what it could not try', async () => {
    expect(await doctor({})).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(
        /as its answer to a false code tells, takes client id and secret; the redirect address is tried by a login only/,
      ) as string,
    });
    for (const issuer of [provider.issuer.replace('127.0.0.1', 'localhost'), 'http://127.0.0.1:1']) {
      expect(await doctor({ KEEL_OIDC_ISSUER: issuer })).toMatchObject({
        status: 'fault',
        fix: expect.stringContaining('KEEL_OIDC_ISSUER') as string,
      });
    }
    expect(await checkIdentityProvider(readPatient({}, { now: () => 0, nodeVersion: '20.19.0' }))).toEqual(
      [],
    );
  });

  it.each([
    ['secret', { KEEL_OIDC_CLIENT_SECRET: 'a-wrong-client-secret-of-the-tests' }],
    ['id', { KEEL_OIDC_CLIENT_ID: 'nobody' }],
  ])(
    'tells keel doctor of a wrong client %s without a login, which is a fault with its fix',
    async (_what, wrong) => {
      expect(await doctor(wrong)).toMatchObject({
        status: 'fault',
        found: expect.stringContaining('does not take the client id or its secret') as string,
        cause: expect.stringMatching(/refused Keel \((invalid_client|HTTP 401)\)/) as string,
        fix: expect.stringMatching(/KEEL_OIDC_CLIENT_ID and KEEL_OIDC_CLIENT_SECRET/) as string,
      });
    },
  );

  it('whose answer to the trial tells nothing, though it repeats the secret, is a warning to log in once', async () => {
    provider.repeats = 400;
    try {
      expect(await doctor({})).toMatchObject({
        status: 'warning',
        fix: expect.stringContaining('log in by it once') as string,
      });
      expect(provider.repeated.at(-1)).toContain(clientSecret);
    } finally {
      provider.repeats = null;
    }
  });

  it('is reached by https only, save on this machine outside production', async () => {
    const redirect = { KEEL_OIDC_REDIRECT_URL: `http://127.0.0.1:3000${callbackPath}` };
    const foreign = await failApi({ ...settings, ...redirect, KEEL_OIDC_ISSUER: 'http://idp.example.com' });
    expect(foreign).toMatchObject({ code: 1, words: expect.stringContaining('KEEL_OIDC_ISSUER') as string });
    const production = await failApi({ ...settings, ...redirect, KEEL_ENV: 'production' });
    expect(production.words).toContain('KEEL_OIDC_REDIRECT_URL');
    expect(production.words + foreign.words).not.toContain(clientSecret);
  });
});

describe('secrets', () => {
  it('of flows are in no log and in no row', async () => {
    const log = closed.log() + open.log();
    expect(log).toContain(callbackPath);
    const stored = JSON.stringify([await rows('select * from oidc_flow'), await rows('select * from audit')]);
    for (const secret of [clientSecret, ...seen, ...seen.flatMap((text) => text.split('.'))]) {
      expect(secret).not.toBe('');
      expect(log + stored).not.toContain(secret);
    }
    expect(log).not.toMatch(/eyJ/);
  });
});
