// Users, logins and keys through the API as a process, on the real PostgreSQL. Temporal is not asked.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createAccessTokens } from '../adapters/jose/accessTokens.js';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { ensureAdmin, makeLocalKey, resetAdmin, resetUser } from '../cli/admin.js';
import { auditList } from '../contracts/http/audit.js';
import { apiKeyList, madeApiKey } from '../contracts/http/apiKey.js';
import { madeUser, passwordChanged, tokens, user, userList } from '../contracts/http/auth.js';
import { defaultNotificationSettings } from '../contracts/wire/notification.js';
import { strategyList } from '../contracts/http/strategy.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import { makeUser } from './support/access.js';
import type { ApiProcess } from './support/api.js';
import { startApi, testSecret } from './support/api.js';
import type { TestPostgres } from './support/postgres.js';
import { startTestPostgres } from './support/postgres.js';
import { demoSettings } from './support/stack.js';
import { tempFolder } from './support/temp.js';

let postgres: TestPostgres;
let db: Database;
let stores: Stores;
let api: ApiProcess;
const folder = tempFolder('access');
const password = 'gradient obelisk forty-two';
const seen: string[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  const limits = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
  db = connect({ url: postgres.url, ...limits });
  stores = createStores(db, 'simulated');
  api = await startApi({
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    KEEL_DATA_DIR: folder.path,
    KEEL_SIMULATOR_ADMIN_URL: 'http://127.0.0.1:1',
    KEEL_SIMULATOR_ADMIN_TOKEN: 'no-simulator-is-asked-here',
    KEEL_LOG_LEVEL: 'info',
  });
});

afterAll(async () => {
  await api.stop();
  await db.close();
  await postgres.stop();
  folder.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** @param bearer a token or a key */
async function ask(method: string, path: string, bearer: string | null, body?: unknown): Promise<Answer> {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

const codeOf = ({ status, body }: Answer): string => `${status} ${(body as { code: string }).code}`;

/** The body of an answer of a schema. */
async function good<S extends z.ZodType>(schema: S, work: Promise<Answer>): Promise<z.output<S>> {
  const { status, body } = await work;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return schema.parse(body);
}

const logIn = (login: string, secret = password): Promise<Answer> =>
  ask('POST', '/auth/login', null, { login, password: secret });
const session = (login: string, secret = password) => good(tokens, logIn(login, secret));
const refresh = (refreshToken: string): Promise<Answer> =>
  ask('POST', '/auth/refresh', null, { refreshToken });

/** A user who can log in, made in the database: registering is limited per address. */
async function make(username: string, role: 'viewer' | 'trader' | 'admin' = 'viewer'): Promise<string> {
  const passwordHash = await createPasswordHasher().hash(password);
  const email = `${username}@example.com`;
  const made = await stores.users.create(
    { email, username, role, mustChangePassword: false, passwordHash },
    'test',
  );
  return made.id;
}

const rows = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await db.pool.query<T>(sql, values)).rows;

const auditOf = async (username: string): Promise<string[]> =>
  (
    await rows<{ actor: string; action: string }>(
      `select actor, action from audit where subject = $1 order by id`,
      [`user:${username}`],
    )
  ).map(({ actor, action }) => `${actor} ${action}`);

/** How many statements that hold this text wait for a lock. */
const waiting = async (text: string): Promise<number> =>
  (
    await rows(
      `select from pg_stat_activity where wait_event_type = 'Lock' and position($1 in query) > 0
         and pid <> pg_backend_pid()`,
      [text],
    )
  ).length;

describe('the first admin', () => {
  it('comes with a password for one login, and owns what nobody owned', async () => {
    await stores.strategies.create({ id: 'old', name: 'old', settings: demoSettings }, 'test');
    const hears = { ...defaultNotificationSettings, email: { address: 'op@example.com' } };
    await rows(
      `insert into notification_setting (mode, user_id, settings) values ('simulated', 'operator', $1)`,
      [JSON.stringify(hears)],
    );
    const made = await ensureAdmin(stores, 'supervisor');
    expect(made?.password).toMatch(/^([a-z2-7]{5}-){3}[a-z2-7]{5}$/);
    expect(made?.user).toMatchObject({ username: 'admin', role: 'admin', mustChangePassword: true });
    expect(await ensureAdmin(stores, 'supervisor')).toBeNull();
    expect((await stores.strategies.get('old'))?.ownerId).toBe(made?.user.id);
    expect(await stores.notifications.settings(made?.user.id ?? '')).toEqual(hears);
    expect(await stores.notifications.settings('operator')).toBeNull();
  });

  it('lends the keel command of a machine one key, which the next start replaces', async () => {
    const [one, two] = [await makeLocalKey(stores, '/a'), await makeLocalKey(stores, '/a')];
    const other = await makeLocalKey(stores, '/b');
    expect(codeOf(await ask('GET', '/strategies', one))).toBe('401 TOKEN_REFUSED');
    for (const key of [two, other]) {
      const list = await good(strategyList, ask('GET', '/strategies', key));
      expect(list.strategies.map(({ id }) => id)).toEqual(['old']);
      expect(codeOf(await ask('GET', '/users', key))).toBe('403 SCOPE_MISSING');
    }
  });
});

describe('registering', () => {
  const register = (body: object) => ask('POST', '/auth/register', null, body);
  const maria = { email: 'Maria@Example.com', username: 'Maria', password };

  it('makes a viewer, whose password is stored as argon2id and shown to nobody', async () => {
    const answer = await register(maria);
    expect(answer.status).toBe(201);
    expect(user.parse(answer.body)).toMatchObject({
      email: 'maria@example.com',
      username: 'maria',
      role: 'viewer',
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/argon|password"/);
    const [row] = await rows<{ hash: string }>(
      `select password_hash as hash from keel_user where username = 'maria'`,
    );
    expect(row?.hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await auditOf('maria')).toEqual(['user:maria user.create']);
  });

  it('refuses a name that is taken, and what would give a role', async () => {
    expect(codeOf(await register({ ...maria, username: 'other' }))).toBe('409 EMAIL_TAKEN');
    expect(codeOf(await register({ ...maria, email: 'o@example.com' }))).toBe('409 USERNAME_TAKEN');
    for (const more of [{ role: 'admin' }, { active: true }, { mustChangePassword: false }]) {
      expect(codeOf(await register({ ...maria, ...more }))).toBe('422 INVALID_INPUT');
    }
  });

  it.each([
    'short',
    'password1234',
    'mariamaria12',
    'w@example.com',
    'a'.repeat(300),
    `half${'x'.repeat(9)}\ud83d`,
  ])('refuses a password that is weak or can not be kept whole: %j', async (weak) => {
    expect(
      codeOf(await register({ ...maria, username: 'weak', email: 'w@example.com', password: weak })),
    ).toBe('422 INVALID_INPUT');
  });

  it('takes a long password of any script, whole, however its accents were typed', async () => {
    const long = `${'Größe Ångström 密码 '.repeat(9)}end`;
    expect(Buffer.byteLength(long)).toBeGreaterThan(72);
    const made = await register({
      email: 'long@example.com',
      username: 'long',
      password: long.normalize('NFD'),
    });
    expect(made.status).toBe(201);
    expect((await logIn('long', long.normalize('NFC'))).status).toBe(200);
    expect(codeOf(await logIn('long', long.slice(0, -1)))).toBe('401 CREDENTIALS_REFUSED');
  });

  it('counts an attempt with a weak password too, before it finds out how weak', async () => {
    const weak = { email: 'guess@example.com', username: 'guess', password: 'password1234' };
    const codes: string[] = [];
    for (let count = 0; count < 6; count += 1) codes.push(codeOf(await register(weak)));
    expect(codes).toEqual([...Array<string>(5).fill('422 INVALID_INPUT'), '429 TOO_MANY_ATTEMPTS']);
  });

  it('is limited', async () => {
    let last = '';
    for (let count = 0; count < 30 && !last.startsWith('429'); count += 1) {
      last = codeOf(await register({ email: 'maria@example.com', username: `n${count}`, password }));
    }
    expect(last).toBe('429 TOO_MANY_ATTEMPTS');
  });
});

describe('logging in', () => {
  it('gives tokens, by name or e-mail, that say who one is', async () => {
    await make('ada', 'trader');
    const granted = await session('ADA@example.com');
    expect(granted.expiresIn).toBe(1800);
    const me = await good(user, ask('GET', '/auth/me', granted.accessToken));
    expect(me).toEqual((await session('ada')).user);
    expect(me).toMatchObject({ username: 'ada', role: 'trader' });
    expect(await auditOf('ada')).toEqual(['test user.create', 'user:ada login.open', 'user:ada login.open']);
  });

  it('answers wrong names, wrong passwords and users who are not active alike', async () => {
    await make('idle');
    await rows(`update keel_user set active = false where username = 'idle'`);
    const answers = [await logIn('ada', 'wrong'), await logIn('nobody', 'wrong'), await logIn('idle')];
    const bodies = answers.map(({ status, body }) => {
      const { code, detail, title, type } = body as Record<string, unknown>;
      return { status, rest: { code, detail, title, type } };
    });
    expect(bodies[0]).toMatchObject({ status: 401, rest: { code: 'CREDENTIALS_REFUSED' } });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
  });

  it('is refused after five failures for an account, right password included, and also when all come at once', async () => {
    await make('target');
    const answers = await Promise.all(Array.from({ length: 12 }, () => logIn('target', 'wrong password')));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(7).fill(429)]);
    const right = await logIn('target');
    expect(codeOf(right)).toBe('429 TOO_MANY_ATTEMPTS');
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(800);
    await rows(`update access_attempt set at = at - interval '16 minutes'`);
    expect((await logIn('target')).status).toBe(200);
  });

  it('counts the failures of an account together, by whichever of its names they came', async () => {
    await make('both');
    const names = ['both', 'both@example.com', 'BOTH', ' Both@Example.com ', 'both'];
    for (const name of names)
      expect(codeOf(await logIn(name, 'wrong password'))).toBe('401 CREDENTIALS_REFUSED');
    expect(codeOf(await logIn('both@example.com'))).toBe('429 TOO_MANY_ATTEMPTS');
    expect(codeOf(await logIn('both'))).toBe('429 TOO_MANY_ATTEMPTS');
    await rows(`update access_attempt set at = at - interval '16 minutes'`);
  });

  it('keeps no name that was tried, which may have been a password', async () => {
    await logIn('My Secret Password Typed In The Wrong Field', 'x');
    expect(JSON.stringify(await rows('select * from access_attempt'))).not.toMatch(/secret/i);
  });
});

describe('refreshing', () => {
  const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

  it('rotates; fifty at once get one and the same successor', async () => {
    await make('fifty');
    const first = await session('fifty');
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first.refreshToken)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const next = new Set(answers.map(({ body }) => tokens.parse(body).refreshToken));
    expect(next.size).toBe(1);
    expect(
      await rows(
        `select from refresh_token where login_id = (select login_id from refresh_token where hash = $1)`,
        [hash(first.refreshToken)],
      ),
    ).toHaveLength(2);
  });

  it('keeps only hashes', async () => {
    await make('hashed');
    const { refreshToken, accessToken } = await session('hashed');
    const stored = JSON.stringify(await rows('select * from refresh_token'));
    expect(stored).toContain(hash(refreshToken));
    expect(stored).not.toContain(refreshToken);
    expect(stored).not.toContain(accessToken);
  });

  it('ends the whole login when a token comes back after its grace', async () => {
    await make('late');
    const first = await session('late');
    const second = await good(tokens, refresh(first.refreshToken));
    await rows(`update refresh_token set used_at = used_at - interval '11 seconds' where hash = $1`, [
      hash(first.refreshToken),
    ]);
    expect(codeOf(await refresh(first.refreshToken))).toBe('401 REFRESH_REFUSED');
    expect(codeOf(await refresh(second.refreshToken))).toBe('401 REFRESH_REFUSED');
    expect(codeOf(await ask('GET', '/auth/me', second.accessToken))).toBe('401 TOKEN_REFUSED');
    expect(await auditOf('late')).toContain('anonymous login.end');
  });

  it('has no grace for the one before the last', async () => {
    await make('older');
    const first = await session('older');
    const second = await good(tokens, refresh(first.refreshToken));
    const third = await good(tokens, refresh(second.refreshToken));
    expect(codeOf(await refresh(first.refreshToken))).toBe('401 REFRESH_REFUSED');
    expect(codeOf(await refresh(third.refreshToken))).toBe('401 REFRESH_REFUSED');
  });

  it('takes no token of another kind, and a replay harms no other login of the user', async () => {
    await make('two');
    const one = await session('two');
    const other = await session('two');
    expect(codeOf(await refresh(one.accessToken.slice(0, 200)))).toBe('401 REFRESH_REFUSED');
    expect(codeOf(await refresh('x'))).toBe('401 REFRESH_REFUSED');
    const next = await good(tokens, refresh(one.refreshToken));
    await good(tokens, refresh(next.refreshToken));
    await refresh(one.refreshToken);
    expect((await ask('GET', '/auth/me', other.accessToken)).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it('ends with the login', async () => {
    await make('over');
    const granted = await session('over');
    await rows(
      `update login set expires_at = now() where user_id = (select id from keel_user where username = 'over')`,
    );
    expect(codeOf(await refresh(granted.refreshToken))).toBe('401 REFRESH_REFUSED');
    expect(codeOf(await ask('GET', '/auth/me', granted.accessToken))).toBe('401 TOKEN_REFUSED');
  });
});

describe('an access token', () => {
  it('is worth nothing after logging out', async () => {
    await make('leaver');
    const { accessToken, refreshToken } = await session('leaver');
    expect((await ask('POST', '/auth/logout', accessToken)).status).toBe(204);
    expect(codeOf(await ask('GET', '/auth/me', accessToken))).toBe('401 TOKEN_REFUSED');
    expect(codeOf(await refresh(refreshToken))).toBe('401 REFRESH_REFUSED');
  });

  it('of another secret, mode, user or login is refused', async () => {
    const userId = await make('forger', 'admin');
    const victim = await make('victim');
    const clock = { now: () => Date.now() };
    const { id: loginId } = (
      await rows<{ id: string }>(
        `with l as (insert into login (user_id, expires_at) values ($1, now() + interval '1 hour') returning id) select id from l`,
        [victim],
      )
    )[0] ?? { id: '' };
    const of = (secret: string, mode: string) => createAccessTokens({ secrets: [secret], mode, clock });
    const sign = (secret: string, mode: string, claims: { userId: string; loginId: string }) =>
      of(secret, mode).sign(claims);
    expect(
      (await ask('GET', '/auth/me', await sign(testSecret, 'simulated', { userId: victim, loginId }))).status,
    ).toBe(200);
    for (const forged of [
      await sign('not the secret of this API at all', 'simulated', { userId: victim, loginId }),
      await sign(testSecret, 'live', { userId: victim, loginId }),
      await sign(testSecret, 'simulated', { userId, loginId }),
      await sign(testSecret, 'simulated', { userId, loginId: '00000000-0000-4000-8000-000000000000' }),
    ]) {
      expect(codeOf(await ask('GET', '/auth/me', forged))).toBe('401 TOKEN_REFUSED');
    }
  });
});

describe('changing a password', () => {
  const change = (token: string, current: string, next: string) =>
    ask('POST', '/auth/password', token, { current, next });

  it('needs the current one, refuses a weak one, and ends every other login', async () => {
    await make('changer');
    const [here, there] = [await session('changer'), await session('changer')];
    expect(codeOf(await change(here.accessToken, 'wrong', 'obelisk gradient seventy'))).toBe(
      '403 PASSWORD_REFUSED',
    );
    expect(codeOf(await change(here.accessToken, password, 'password1234'))).toBe('422 INVALID_INPUT');
    expect(codeOf(await change(here.accessToken, password, password))).toBe('422 INVALID_INPUT');
    const keyOf = (name: string) =>
      ask('POST', '/auth/keys', here.accessToken, { name, scopes: ['read'], expiresInDays: 1 });
    const [kept, revoked] = [await good(madeApiKey, keyOf('kept')), await good(madeApiKey, keyOf('gone'))];
    seen.push(kept.key, revoked.key);
    await ask('DELETE', `/auth/keys/${revoked.id}`, here.accessToken);
    // Whoever knew the old password may have made a key: the answer says that one is good still.
    const answer = await good(
      passwordChanged,
      change(here.accessToken, password, 'obelisk gradient seventy'),
    );
    expect(answer).toMatchObject({ goodKeys: 1, message: expect.stringMatching(/revoke/) as string });
    expect((await ask('GET', '/strategies', kept.key)).status).toBe(200);
    expect((await ask('GET', '/auth/me', here.accessToken)).status).toBe(200);
    expect((await ask('GET', '/auth/me', there.accessToken)).status).toBe(401);
    expect((await logIn('changer')).status).toBe(401);
    expect((await logIn('changer', 'obelisk gradient seventy')).status).toBe(200);
  });
});

describe('a password that was checked before it was reset', () => {
  const opening = (userId: string, checkedHash: string) =>
    stores.logins.open(
      { userId, checkedHash, refreshHash: hashOf(checkedHash), days: 1, proof: 'none' },
      'test',
    );
  const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

  it('opens no login, also when the reset commits while the login waits for it', async () => {
    const userId = await make('raced');
    const checked = (await stores.users.passwordHash(userId)) ?? '';
    const client = await db.pool.connect();
    try {
      await client.query('begin');
      await client.query(`update keel_user set password_hash = '$argon2id$other' where id = $1`, [userId]);
      const opened = opening(userId, checked);
      await expect.poll(() => waiting('with proven as'), { timeout: 20_000 }).toBe(1);
      await client.query('commit');
      expect(await opened).toBeNull();
    } finally {
      client.release();
    }
    expect(await opening(userId, '$argon2id$other')).not.toBeNull();
  });

  it('changes no password', async () => {
    const userId = await make('outrun');
    const change = { passwordHash: '$argon2id$new', mustChange: false, keepLogin: null };
    const stale = { ...change, checkedHash: '$argon2id$stale' };
    expect(await stores.users.setPassword(userId, stale, 'test')).toBe(false);
    const checkedHash = await stores.users.passwordHash(userId);
    expect(await stores.users.setPassword(userId, { ...change, checkedHash }, 'test')).toBe(true);
    expect(await stores.users.passwordHash(userId)).toBe('$argon2id$new');
  });

  it('opens no login for one who is not active', async () => {
    const userId = await make('gone');
    await rows(`update keel_user set active = false where id = $1`, [userId]);
    expect(await opening(userId, (await stores.users.passwordHash(userId)) ?? '')).toBeNull();
  });
});

describe('API keys', () => {
  it('act for their user within their scopes, are listed without their secret, and revoked', async () => {
    await make('keyed', 'trader');
    const { accessToken } = await session('keyed');
    const body = { name: 'report', scopes: ['read'], expiresInDays: 1 };
    const made = await good(madeApiKey, ask('POST', '/auth/keys', accessToken, body));
    expect(made.key).toMatch(/^keel_[a-z2-7]{8}_[A-Za-z0-9_-]{43}$/);
    seen.push(made.key, made.key.slice(14));
    expect((await good(strategyList, ask('GET', '/strategies', made.key))).strategies).toEqual([]);
    const strategy = { name: 'x', settings: { symbols: ['AAPL'] } };
    expect(codeOf(await ask('POST', '/strategies', made.key, strategy))).toBe('403 SCOPE_MISSING');
    for (const [method, path] of [
      ['POST', '/auth/keys'],
      ['POST', '/auth/password'],
      ['DELETE', `/auth/keys/${made.id}`],
    ] as const) {
      expect(codeOf(await ask(method, path, made.key, {}))).toBe('403 LOGIN_NEEDED');
    }
    const list = await good(apiKeyList, ask('GET', '/auth/keys', accessToken));
    expect(list.keys).toMatchObject([
      { id: made.id, name: 'report', lastUsedAt: expect.any(String) as string, revokedAt: null },
    ]);
    expect(JSON.stringify(list)).not.toContain(made.key.slice(14));
    expect(JSON.stringify(await rows('select * from api_key'))).not.toContain(made.key.slice(14));
    expect((await ask('DELETE', `/auth/keys/${made.id}`, accessToken)).status).toBe(204);
    expect(codeOf(await ask('GET', '/strategies', made.key))).toBe('401 TOKEN_REFUSED');
    expect(await auditOf('keyed')).toEqual([
      'test user.create',
      'user:keyed login.open',
      'user:keyed key.create',
      'user:keyed key.revoke',
    ]);
  });

  it('with a changed secret, of another prefix, or past their time, are refused', async () => {
    const { key } = await makeUser(stores, 'hunted', 'admin');
    expect((await ask('GET', '/users', key)).status).toBe(200);
    const flipped = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');
    const { key: other } = await makeUser(stores, 'hunter', 'viewer');
    const crossed = key.slice(0, 14) + other.slice(14);
    for (const bad of [flipped, crossed, key.slice(0, -1), `${key}A`, key.toUpperCase()]) {
      expect(codeOf(await ask('GET', '/users', bad))).toBe('401 TOKEN_REFUSED');
    }
    await rows(`update api_key set expires_at = now() where prefix = $1`, [key.slice(5, 13)]);
    expect(codeOf(await ask('GET', '/users', key))).toBe('401 TOKEN_REFUSED');
  });

  it("never do more than their user, nor touch another's keys", async () => {
    await make('small');
    const { accessToken } = await session('small');
    const more = await ask('POST', '/auth/keys', accessToken, { name: 'x', scopes: ['read', 'trade'] });
    expect(codeOf(more)).toBe('422 INVALID_INPUT');
    const { key } = await makeUser(stores, 'wide', 'viewer');
    const strategy = { name: 'x', settings: { symbols: ['AAPL'] } };
    expect(codeOf(await ask('POST', '/strategies', key, strategy))).toBe('403 ROLE_TOO_LOW');
    const [foreign] = await rows<{ id: string }>(`select id from api_key where prefix = $1`, [
      key.slice(5, 13),
    ]);
    expect(codeOf(await ask('DELETE', `/auth/keys/${foreign?.id ?? ''}`, accessToken))).toBe(
      '404 KEY_NOT_FOUND',
    );
    expect((await ask('GET', '/strategies', key)).status).toBe(200);
  });
});

describe('an admin', () => {
  it('gives and takes roles and lets nobody in any more, from the next request on', async () => {
    const { key: admin } = await makeUser(stores, 'root', 'admin');
    const { id, key } = await makeUser(stores, 'apprentice', 'viewer');
    await rows(
      `update keel_user set password_hash = (select password_hash from keel_user where username = 'ada') where id = $1`,
      [id],
    );
    const { accessToken } = await session('apprentice');
    expect(codeOf(await ask('PATCH', `/users/${id}`, admin, { role: 'trader' }))).toBe('403 LOGIN_NEEDED');
    await make('boss', 'admin');
    const boss = (await session('boss')).accessToken;
    const change = (body: object) => ask('PATCH', `/users/${id}`, boss, body);
    const strategy = { id: 'first', name: 'x', settings: { symbols: ['AAPL'] } };
    expect(codeOf(await ask('POST', '/strategies', accessToken, strategy))).toBe('403 ROLE_TOO_LOW');
    expect((await good(user, change({ role: 'trader' }))).role).toBe('trader');
    expect((await ask('POST', '/strategies', accessToken, strategy)).status).toBe(201);
    expect((await good(user, change({ active: false }))).active).toBe(false);
    expect((await ask('GET', '/auth/me', accessToken)).status).toBe(401);
    expect((await ask('GET', '/strategies', key)).status).toBe(401);
    expect(
      (await good(userList, ask('GET', '/users', admin))).users.map(({ username }) => username),
    ).toContain('apprentice');
    expect(codeOf(await change({}))).toBe('422 INVALID_INPUT');
    expect(codeOf(await ask('PATCH', '/users/nobody', boss, { active: true }))).toBe('404 USER_NOT_FOUND');
    expect((await auditOf('apprentice')).filter((line) => line.startsWith('user:boss'))).toHaveLength(2);
  });

  it('makes a user of any role with a password for one login, whether registration is open or not', async () => {
    await make('maker', 'admin');
    const { accessToken } = await session('maker');
    const wanted = { email: 'Hand@Example.com', username: 'Hand', role: 'trader' };
    const made = await good(madeUser, ask('POST', '/users', accessToken, wanted));
    expect(made.user).toMatchObject({
      email: 'hand@example.com',
      username: 'hand',
      role: 'trader',
      active: true,
      mustChangePassword: true,
    });
    seen.push(made.oneTimePassword);
    expect(await auditOf('hand')).toEqual(['user:maker user.create']);
    const first = (await session('hand@example.com', made.oneTimePassword)).accessToken;
    expect(codeOf(await ask('GET', '/strategies', first))).toBe('403 PASSWORD_CHANGE_NEEDED');
    const change = { current: made.oneTimePassword, next: 'obelisk gradient seventy' };
    expect((await ask('POST', '/auth/password', first, change)).status).toBe(200);
    expect((await ask('GET', '/strategies', first)).status).toBe(200);
    expect((await logIn('hand', made.oneTimePassword)).status).toBe(401);
    const again = (more: object) => ask('POST', '/users', accessToken, { ...wanted, ...more });
    expect(codeOf(await again({ username: 'hand2' }))).toBe('409 EMAIL_TAKEN');
    expect(codeOf(await again({ email: 'hand2@example.com' }))).toBe('409 USERNAME_TAKEN');
    for (const bad of [{ password }, { role: 'root' }, { username: 'a b' }, { email: 'none' }]) {
      expect(codeOf(await again(bad))).toBe('422 INVALID_INPUT');
    }
    const { key } = await makeUser(stores, 'makerkey', 'admin');
    expect(codeOf(await ask('POST', '/users', key, wanted))).toBe('403 LOGIN_NEEDED');
  });

  it('changes an e-mail, and what was told there by e-mail is told at the new one', async () => {
    const { accessToken } = await session('maker');
    const { id } = await makeUser(stores, 'mover', 'viewer');
    const hears = { ...defaultNotificationSettings, email: { address: 'Mover@example.com' } };
    const asWho = { email: 'mover@example.com', role: 'viewer' } as const;
    expect(await stores.notifications.putSettings(id, hears, asWho)).toBe(true);
    const change = (body: object) => ask('PATCH', `/users/${id}`, accessToken, body);
    expect(codeOf(await change({ email: 'maker@example.com' }))).toBe('409 EMAIL_TAKEN');
    expect((await stores.users.get(id))?.email).toBe('mover@example.com');
    expect(await good(user, change({ email: 'Moved@Example.com' }))).toMatchObject({
      email: 'moved@example.com',
      role: 'viewer',
      active: true,
    });
    expect((await stores.notifications.settings(id))?.email).toEqual({ address: 'moved@example.com' });
    await change({ role: 'trader' });
    expect((await stores.notifications.settings(id))?.email).toEqual({ address: 'moved@example.com' });
    const facts = await rows<{ facts: object }>(
      `select facts from audit where subject = 'user:mover' and action = 'user.change' order by id`,
    );
    expect(facts.map((row) => row.facts)).toEqual([
      {
        role: 'viewer',
        active: true,
        loginsEnded: 0,
        emailBefore: 'mover@example.com',
        email: 'moved@example.com',
      },
      { role: 'trader', active: true, loginsEnded: 0 },
    ]);
    // Of the change he is told by what his settings say, and at the address that he had, whatever they say.
    const news = await rows(
      `select n.fanned_out as told, n.body, d.channel, d.address from notification n
       left join notification_delivery d on d.notification_id = n.id
       where n.event = 'account.email' and n.owner_id = $1 order by n.fanned_out`,
      [id],
    );
    expect(news).toMatchObject([
      { told: false, channel: null },
      { told: true, channel: 'email', address: 'mover@example.com' },
    ]);
    expect(JSON.stringify(news)).not.toContain('moved@');
    // Settings that were checked against the old address are not stored: what is sent there would be lost without a word.
    expect(await stores.notifications.putSettings(id, hears, asWho)).toBe(false);
    expect((await stores.notifications.settings(id))?.email).toEqual({ address: 'moved@example.com' });
    await rows(`delete from notification_setting where user_id = $1`, [id]);
  });

  it('changes no e-mail and no password of his own without his password', async () => {
    const { accessToken } = await session('maker');
    const { id } = (await stores.users.byLogin('maker'))?.user ?? { id: '' };
    const email = { email: 'taken-over@example.com' };
    const refused = await ask('PATCH', `/users/${id}`, accessToken, email);
    expect([codeOf(refused), JSON.stringify(refused.body)]).toEqual([
      '403 OWN_ACCOUNT',
      expect.stringContaining('PATCH /api/v1/auth/me'),
    ]);
    expect(codeOf(await ask('POST', `/users/${id}/password`, accessToken))).toBe('403 OWN_ACCOUNT');
    expect(await stores.users.get(id)).toMatchObject({
      email: 'maker@example.com',
      mustChangePassword: false,
    });
  });

  it('gives a user who has lost his password another one for one login, and ends his logins and keys', async () => {
    const { accessToken } = await session('maker');
    const id = await make('forgetful', 'trader');
    const old = await session('forgetful');
    const reset = (whose: string, bearer = accessToken) => ask('POST', `/users/${whose}/password`, bearer);
    const { user: him, oneTimePassword } = await good(madeUser, reset(id));
    seen.push(oneTimePassword);
    expect(him).toMatchObject({ username: 'forgetful', role: 'trader', mustChangePassword: true });
    expect((await ask('GET', '/auth/me', old.accessToken)).status).toBe(401);
    expect((await refresh(old.refreshToken)).status).toBe(401);
    expect((await logIn('forgetful')).status).toBe(401);
    const { id: other, key } = await makeUser(stores, 'resetter', 'admin');
    expect(codeOf(await reset(id, key))).toBe('403 LOGIN_NEEDED');
    expect((await ask('GET', '/users', key)).status).toBe(200);
    await good(madeUser, reset(other));
    expect((await ask('GET', '/users', key)).status).toBe(401);
    const first = (await session('forgetful', oneTimePassword)).accessToken;
    expect(codeOf(await ask('GET', '/strategies', first))).toBe('403 PASSWORD_CHANGE_NEEDED');
    expect(codeOf(await reset(other, first))).toBe('403 ROLE_TOO_LOW');
    expect(codeOf(await reset('nobody'))).toBe('404 USER_NOT_FOUND');
    expect(codeOf(await reset('00000000-0000-4000-8000-000000000000'))).toBe('404 USER_NOT_FOUND');
    // Of any role on the command line, too.
    const { password: typed } = await resetUser(stores, 'forgetful', 'keel admin');
    seen.push(typed);
    expect((await ask('GET', '/auth/me', first)).status).toBe(401);
    expect((await session('forgetful', typed)).accessToken).not.toBe('');
    expect((await stores.users.get(id))?.role).toBe('trader');
    expect((await auditOf('forgetful')).filter((line) => line.endsWith('user.password'))).toEqual([
      'user:maker user.password',
      'keel admin user.password',
    ]);
    await expect(resetUser(stores, 'no-such-user', 'keel admin')).rejects.toThrow('no user no-such-user');
  });

  it('who is the last one stays one, also when two take each other away at once', async () => {
    await rows(
      `update keel_user set active = false where role = 'admin' and username not in ('boss', 'root')`,
    );
    const ids = await rows<{ id: string }>(`select id from keel_user where role = 'admin' and active`);
    const [one, two] = ids.map(({ id }) => id);
    const ends = await Promise.allSettled([
      stores.users.change(one ?? '', { role: 'viewer' }, 'test'),
      stores.users.change(two ?? '', { active: false }, 'test'),
    ]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'LAST_ADMIN' },
    });
  });
});

describe('changing one’s own e-mail', () => {
  const change = (token: string, body: object) => ask('PATCH', '/auth/me', token, body);

  it('takes the password, and is how one logs in from then on', async () => {
    await make('porter', 'trader');
    const { accessToken } = await session('porter');
    const email = 'porter@new.example.com';
    expect(codeOf(await change(accessToken, { email, password: 'wrong' }))).toBe('403 PASSWORD_REFUSED');
    expect(codeOf(await change(accessToken, { email }))).toBe('422 INVALID_INPUT');
    expect(codeOf(await change(accessToken, { email: 'ada@example.com', password }))).toBe('409 EMAIL_TAKEN');
    expect(codeOf(await change(accessToken, { email, password, role: 'admin' }))).toBe('422 INVALID_INPUT');
    expect((await good(user, change(accessToken, { email, password }))).email).toBe(email);
    expect((await logIn(email)).status).toBe(200);
    expect((await logIn('porter@example.com')).status).toBe(401);
    expect((await auditOf('porter')).filter((line) => line.includes('user.change'))).toEqual([
      'user:porter user.change',
    ]);
  });

  it('is not for a viewer, to whose address Keel would then write', async () => {
    await make('looker');
    const { accessToken } = await session('looker');
    expect(codeOf(await change(accessToken, { email: 'x@example.com', password }))).toBe('403 ROLE_TOO_LOW');
  });
});

describe('changing a user', () => {
  it('and storing his settings at once leaves his e-mail on, whoever is first', async () => {
    const { id } = await makeUser(stores, 'racer', 'trader');
    for (let round = 0; round < 20; round += 1) {
      const { email, role } = (await stores.users.get(id)) ?? { email: '', role: 'viewer' as const };
      const hears = { ...defaultNotificationSettings, email: { address: email } };
      await Promise.all([
        stores.users.change(id, { email: `racer-${String(round)}@example.com` }, 'test'),
        stores.notifications.putSettings(id, hears, { email, role }),
      ]);
      const stored = (await stores.notifications.settings(id))?.email?.address;
      if (stored !== undefined) expect(stored).toBe((await stores.users.get(id))?.email);
    }
    expect((await stores.notifications.settings(id))?.email).not.toBeUndefined();
    await rows(`delete from notification_setting where user_id = $1`, [id]);
  });

  it('does not block those who hold the audit chain and write a row of an admin', async () => {
    const { id } = await makeUser(stores, 'busy', 'admin');
    const client = await db.pool.connect();
    try {
      await client.query('begin');
      await client.query(
        `insert into audit (mode, actor, action, subject, facts) values ('simulated', 'test', 'x', 'x', '{}')`,
      );
      const changed = stores.users.change(id, { role: 'viewer', email: 'busier@example.com' }, 'test');
      await expect.poll(() => waiting('update keel_user u set role'), { timeout: 20_000 }).toBe(1);
      await client.query(`insert into login (user_id, expires_at) values ($1, now())`, [id]);
      await client.query('commit');
      expect(await changed).toMatchObject({ role: 'viewer', email: 'busier@example.com' });
    } finally {
      client.release();
    }
  });
});

describe('a one-time password', () => {
  it('opens nothing before it is changed, and everything after it', async () => {
    const { password: once } = await resetAdmin(stores, 'chief', 'keel admin');
    seen.push(once);
    const { accessToken } = await session('chief', once);
    expect(codeOf(await ask('GET', '/users', accessToken))).toBe('403 PASSWORD_CHANGE_NEEDED');
    expect((await ask('GET', '/auth/me', accessToken)).status).toBe(200);
    const change = { current: once, next: 'obelisk gradient seventy' };
    expect((await ask('POST', '/auth/password', accessToken, change)).status).toBe(200);
    expect((await ask('GET', '/users', accessToken)).status).toBe(200);
    expect((await logIn('chief', once)).status).toBe(401);
    await expect(resetAdmin(stores, 'ada', 'keel admin')).rejects.toThrow('no active admin');
    expect((await stores.users.byLogin('chief'))?.user.email).toBe('chief@localhost');
    const hash = async () => (await stores.users.byLogin('chief'))?.passwordHash;
    const before = await hash();
    const taken = resetAdmin(stores, 'chief', 'keel admin', 'ada@example.com');
    await expect(taken).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    expect(await hash()).toBe(before);
    await resetAdmin(stores, 'chief', 'keel admin', 'chief@example.com');
    expect((await stores.users.byLogin('chief@example.com'))?.user.username).toBe('chief');
  });

  it('leaves no key good that somebody made, but that of the keel command', async () => {
    const { id, key } = await makeUser(stores, 'sole', 'admin');
    await rows(`update keel_user set active = id = $1 where role = 'admin'`, [id]);
    const local = await makeLocalKey(stores, '/a');
    expect((await ask('GET', '/users', key)).status).toBe(200);
    await resetAdmin(stores, 'sole', 'keel admin');
    expect(codeOf(await ask('GET', '/users', key))).toBe('401 TOKEN_REFUSED');
    expect((await ask('GET', '/strategies', local)).status).toBe(200);
  });

  it('opens nothing to a key either', async () => {
    const { id, key } = await makeUser(stores, 'pending', 'trader');
    await rows(`update keel_user set must_change_password = true where id = $1`, [id]);
    expect(codeOf(await ask('GET', '/strategies', key))).toBe('403 PASSWORD_CHANGE_NEEDED');
    expect((await ask('GET', '/auth/me', key)).status).toBe(200);
  });

  it('is not got around with a key of the name of the keel command', async () => {
    const { accessToken } = await session('changer', 'obelisk gradient seventy');
    const named = { name: 'keel command, mine', scopes: ['read'] };
    expect(codeOf(await ask('POST', '/auth/keys', accessToken, named))).toBe('422 INVALID_INPUT');
  });
});

describe('the audit', () => {
  it('is read by admins, newest first and page by page', async () => {
    const { key } = await makeUser(stores, 'auditor', 'admin');
    const page = (query: string) => good(auditList, ask('GET', `/audit?${query}`, key));
    const { entries, next } = await page('actor=user:maker&limit=2');
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
      ['user.password', 'user:maker'],
      ['user.password', 'user:maker'],
    ]);
    expect(next).toBe(entries[1]?.position);
    const older = await page(`actor=user:maker&action=user.create&before=${String(next)}`);
    expect(older).toMatchObject({
      entries: [{ subject: 'user:hand', facts: { role: 'trader' } }],
      next: null,
    });
    for (const bad of ['limit=0', 'limit=501', 'before=x', 'who=me']) {
      expect(codeOf(await ask('GET', `/audit?${bad}`, key))).toBe('422 INVALID_INPUT');
    }
    const { key: small } = await makeUser(stores, 'curious', 'trader');
    expect(codeOf(await ask('GET', '/audit', small))).toBe('403 ROLE_TOO_LOW');
  });
});

/** Whole, with the line of the last answer: it is read after the end. */
const logToTheEnd = async (): Promise<string> => {
  await api.stop();
  return api.log();
};

describe('the log', () => {
  it('names who came in, by a login, a refresh or registering, and nobody who did not', async () => {
    const lines = (await logToTheEnd())
      .split('\n')
      .filter((line) => line.includes('"path":"/api/v1/auth/'))
      .map((line) => JSON.parse(line) as { path: string; status: number; actor: string | null });
    const actors = (word: string, status: number) =>
      new Set(
        lines.filter((line) => line.path.endsWith(word) && line.status === status).map(({ actor }) => actor),
      );
    expect(actors('/login', 200)).toContain('ada');
    expect(actors('/refresh', 200).has(null)).toBe(false);
    expect(actors('/login', 200).has(null)).toBe(false);
    expect(actors('/register', 201)).toEqual(new Set(['maria', 'long']));
    expect([...actors('/login', 401)]).toEqual([null]);
  });
});

describe('secrets', () => {
  it('of users are in no log', async () => {
    const log = await logToTheEnd();
    expect(log).toContain('/api/v1/auth/login');
    for (const secret of [password, testSecret, 'obelisk gradient seventy', ...seen])
      expect(log).not.toContain(secret);
    expect(log).not.toMatch(/eyJ|argon2/);
  });
});
