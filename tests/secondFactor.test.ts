// The second factor through the API as a process in live mode, on the real PostgreSQL. Temporal is not asked.
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { createTimeCodes } from '../adapters/otpauth/timeCodes.js';
import { createSeal } from '../adapters/seal/seal.js';
import { takeCode } from '../api/services/codes.js';
import { adminCommand } from '../cli/commands/admin.js';
import { madeApiKey } from '../contracts/http/apiKey.js';
import { recoveryCodeList, tokens, totpSecret, user } from '../contracts/http/auth.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { claimMode } from '../db/mode.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import type { Role } from '../domain/access/roles.js';
import type { ApiProcess } from './support/api.js';
import { startApi, testSecret } from './support/api.js';
import type { Answer } from './support/client.js';
import { askApi, codeOf, good } from './support/client.js';
import type { TestPostgres } from './support/postgres.js';
import { startTestPostgres } from './support/postgres.js';
import { tempFolder } from './support/temp.js';

let postgres: TestPostgres;
let db: Database;
let stores: Stores;
let api: ApiProcess;
let passwordHash: string;
let settings: Record<string, string>;
const folder = tempFolder('second-factor');
const password = 'gradient obelisk forty-two';
const secrets: string[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  const limits = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
  db = connect({ url: postgres.url, ...limits });
  await claimMode(db, 'live');
  stores = createStores(db, 'live');
  passwordHash = await createPasswordHasher().hash(password);
  settings = {
    KEEL_MODE: 'live',
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    KEEL_DATA_DIR: folder.path,
    KEEL_LOG_LEVEL: 'info',
  };
  api = await startApi(settings);
});

afterAll(async () => {
  await api.stop();
  await db.close();
  await postgres.stop();
  folder.remove();
});

const ask = (method: string, path: string, bearer: string | null, body?: unknown): Promise<Answer> =>
  askApi(api.url, method, path, bearer, body);
const rows = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await db.pool.query<T>(sql, values)).rows;

async function make(username: string, role: Role = 'trader'): Promise<string> {
  const email = `${username}@example.com`;
  const row = { email, username, role, mustChangePassword: false, passwordHash };
  return (await stores.users.create(row, 'test')).id;
}

const logIn = (login: string, code?: string): Promise<Answer> =>
  ask('POST', '/auth/login', null, { login, password, ...(code !== undefined && { code }) });
const session = async (login: string, code?: string): Promise<string> =>
  (await good(tokens, logIn(login, code))).accessToken;

/** The code of this step or, where that one was taken, of the next. */
const codeNow = (secret: string, stepsLater = 0): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + stepsLater * 30_000 });

/** As if the step of the last code were long over. */
const letTimePass = (): Promise<unknown> => rows('update second_factor set last_step = 0');

interface Enrolled {
  readonly id: string;
  readonly token: string;
  readonly secret: string;
  readonly recovery: readonly string[];
}

async function enrolled(username: string, role: Role = 'trader'): Promise<Enrolled> {
  const id = await make(username, role);
  const token = await session(username);
  const { secret } = await good(totpSecret, ask('POST', '/auth/totp', token, { password }));
  const body = { code: codeNow(secret) };
  const { recoveryCodes } = await good(recoveryCodeList, ask('POST', '/auth/totp/confirm', token, body));
  secrets.push(secret, ...recoveryCodes);
  await letTimePass();
  return { id, token, secret, recovery: recoveryCodes };
}

const wrong = (secret: string): string =>
  String((Number(codeNow(secret)) + 500_000) % 1_000_000).padStart(6, '0');
const prove = (token: string, code: string): Promise<Answer> =>
  ask('POST', '/auth/totp/prove', token, { code });
const strategy = (id: string) => ({ id, name: id, settings: { symbols: ['AAPL'] } });

describe('setting a second factor up', () => {
  it('takes the password and a first code, shows the secret once, and ends the other logins', async () => {
    await make('maria');
    const [here, there] = [await session('maria'), await session('maria')];
    expect(codeOf(await ask('POST', '/auth/totp', here, {}))).toBe('422 INVALID_INPUT');
    expect(codeOf(await ask('POST', '/auth/totp', here, { password: 'wrong' }))).toBe('403 PASSWORD_REFUSED');
    expect(codeOf(await ask('POST', '/auth/totp/confirm', here, { code: '123456' }))).toBe(
      '404 SECOND_FACTOR_NOT_FOUND',
    );
    const first = await good(totpSecret, ask('POST', '/auth/totp', here, { password }));
    const made = await good(totpSecret, ask('POST', '/auth/totp', here, { password }));
    secrets.push(first.secret, made.secret);
    expect(made.secret).not.toBe(first.secret);
    expect(new URL(made.uri).searchParams.get('secret')).toBe(made.secret);
    // Nothing is asked for before it is confirmed, and the secret that was replaced confirms nothing.
    expect((await good(user, ask('GET', '/auth/me', here))).secondFactor).toBe(false);
    const confirm = (code: string) => ask('POST', '/auth/totp/confirm', here, { code });
    expect(codeOf(await confirm(codeNow(first.secret)))).toBe('403 CODE_REFUSED');
    const code = codeNow(made.secret);
    const { recoveryCodes } = await good(recoveryCodeList, confirm(code));
    secrets.push(...recoveryCodes);
    expect(new Set(recoveryCodes).size).toBe(10);
    expect((await good(user, ask('GET', '/auth/me', here))).secondFactor).toBe(true);
    expect(codeOf(await ask('GET', '/auth/me', there))).toBe('401 TOKEN_REFUSED');
    expect(codeOf(await ask('POST', '/auth/totp', here, { password }))).toBe('409 SECOND_FACTOR_EXISTS');
    const trail = await rows<{ action: string }>(
      `select action from audit where actor = 'user:maria' and action like 'second-factor.%' order by id`,
    );
    expect(trail.map(({ action }) => action)).toEqual([
      'second-factor.enrol',
      'second-factor.enrol',
      'second-factor.confirm',
    ]);
    // The code that confirmed it is used up.
    expect(codeOf(await logIn('maria', code))).toBe('403 CODE_REFUSED');
  });

  it('keeps the secret sealed and the recovery codes hashed', async () => {
    const { secret, recovery } = await enrolled('sealed');
    const stored = JSON.stringify([
      await rows('select * from second_factor'),
      await rows('select * from recovery_code'),
      await rows('select * from audit'),
    ]);
    expect(stored).not.toContain(secret);
    for (const code of recovery) {
      expect(stored).not.toContain(code);
      expect(stored).not.toContain(code.replaceAll('-', ''));
    }
  });
});

describe('logging in with a second factor', () => {
  it('asks for the code once the password is right, and takes each once', async () => {
    const { secret } = await enrolled('nadia');
    expect(codeOf(await logIn('nadia'))).toBe('401 CODE_NEEDED');
    const guess = await ask('POST', '/auth/login', null, {
      login: 'nadia',
      password: 'wrong',
      code: codeNow(secret),
    });
    expect(codeOf(guess)).toBe('401 CREDENTIALS_REFUSED');
    expect(codeOf(await logIn('nadia', wrong(secret)))).toBe('403 CODE_REFUSED');
    const code = codeNow(secret);
    expect((await logIn('nadia', ` ${code.slice(0, 3)} ${code.slice(3)}`)).status).toBe(200);
    expect(codeOf(await logIn('nadia', code))).toBe('403 CODE_REFUSED');
    expect((await logIn('nadia', codeNow(secret, 1))).status).toBe(200);
    // A step before the last one is over, though its own time may not be.
    expect(codeOf(await logIn('nadia', codeNow(secret)))).toBe('403 CODE_REFUSED');
  });

  it('gives one login of many that bring the same code at once', async () => {
    const { id, secret } = await enrolled('racer');
    const { pool } = db;
    const step = Math.floor(Date.now() / 30_000);
    const taken = await Promise.all(
      Array.from({ length: 20 }, () => stores.secondFactors.useStep(id, step, null)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    await pool.query('update second_factor set last_step = 0');
    const code = codeNow(secret);
    const answers = await Promise.all([1, 2, 3].map(() => logIn('racer', code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('takes each recovery code once, and lets no act through by it', async () => {
    const { recovery, secret } = await enrolled('forgetful');
    const [one = '', two = ''] = recovery;
    const token = await session('forgetful', one);
    expect(codeOf(await logIn('forgetful', one))).toBe('403 CODE_REFUSED');
    expect(codeOf(await ask('POST', '/strategies', token, strategy('forgotten')))).toBe('403 PROOF_NEEDED');
    expect(codeOf(await prove(token, two))).toBe('403 CODE_REFUSED');
    const renewed = await ask('POST', '/auth/totp/recovery-codes', token, { code: codeNow(secret) });
    const { recoveryCodes } = recoveryCodeList.parse(renewed.body);
    secrets.push(...recoveryCodes);
    expect(codeOf(await logIn('forgetful', two))).toBe('403 CODE_REFUSED');
    expect((await logIn('forgetful', recoveryCodes[0]?.toUpperCase())).status).toBe(200);
  });

  it('is refused after five wrong codes in an hour, the right one included', async () => {
    const { secret } = await enrolled('guessed');
    for (let count = 0; count < 5; count += 1) {
      expect(codeOf(await logIn('guessed', wrong(secret)))).toBe('403 CODE_REFUSED');
    }
    const right = await logIn('guessed', codeNow(secret));
    expect(codeOf(right)).toBe('429 TOO_MANY_ATTEMPTS');
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(3000);
    const noted = await rows(
      `select from audit where action = 'second-factor.refused' and subject = 'user:guessed'`,
    );
    expect(noted).toHaveLength(5);
  });

  it('opens no login without a code for one who confirmed his meanwhile', async () => {
    const { id } = await enrolled('meanwhile');
    const opening = { userId: id, checkedHash: passwordHash, refreshHash: 'a'.repeat(64), days: 1 };
    expect(await stores.logins.open({ ...opening, proof: 'none' }, 'test')).toBeNull();
    expect(await stores.logins.open({ ...opening, proof: 'code' }, 'test')).not.toBeNull();
  });
});

describe('an act in live mode', () => {
  it('needs a second factor, and a code of the last five minutes', async () => {
    await make('plain');
    const plain = await session('plain');
    expect(codeOf(await ask('POST', '/strategies', plain, strategy('none')))).toBe(
      '403 SECOND_FACTOR_MISSING',
    );
    const { token, secret } = await enrolled('actor');
    // To confirm it was a proof too.
    expect((await ask('POST', '/strategies', token, strategy('mine'))).status).toBe(201);
    await rows(`update login set proven_at = proven_at - interval '301 seconds'`);
    const execute = () => ask('POST', '/strategies/none/execute', token, {});
    expect(codeOf(await execute())).toBe('403 PROOF_NEEDED');
    expect((await ask('GET', '/strategies/mine', token)).status).toBe(200);
    expect(codeOf(await prove(token, wrong(secret)))).toBe('403 CODE_REFUSED');
    expect(codeOf(await execute())).toBe('403 PROOF_NEEDED');
    const code = codeNow(secret);
    expect((await prove(token, code)).status).toBe(200);
    expect(codeOf(await prove(token, code))).toBe('403 CODE_REFUSED');
    expect(codeOf(await execute())).toBe('404 STRATEGY_NOT_FOUND');
    // It is this login that proved it.
    const other = await session('actor', codeNow(secret, 1));
    await rows(
      `update login set proven_at = null where id <> (select id from login order by proven_at desc nulls last limit 1)`,
    );
    expect(codeOf(await ask('POST', '/strategies', other, strategy('second')))).toBe('201');
    expect(codeOf(await execute())).toBe('403 PROOF_NEEDED');
  });

  it('is also to say where alarms go', async () => {
    const { token, secret } = await enrolled('alarmed', 'admin');
    const silence = { webhook: null, email: null, slack: null, telegram: null, matrix: {}, quietHours: null };
    const put = (): Promise<Answer> => ask('PUT', '/notifications/settings', token, silence);
    await rows(`update login set proven_at = null`);
    expect(codeOf(await put())).toBe('403 PROOF_NEEDED');
    expect((await prove(token, codeNow(secret))).status).toBe(200);
    expect((await put()).status).toBe(200);
  });

  it('by an API key needs the scope live, which only a proven login gives, and the second factor to be there still', async () => {
    const { token, secret, recovery } = await enrolled('automat');
    secrets.push(secret);
    const makeKey = (...scopes: string[]) =>
      ask('POST', '/auth/keys', token, { name: scopes.join(' '), scopes, expiresInDays: 1 });
    const narrow = await good(madeApiKey, makeKey('read', 'trade'));
    await rows(`update login set proven_at = null`);
    expect(codeOf(await makeKey('read', 'trade', 'live'))).toBe('403 PROOF_NEEDED');
    expect((await prove(token, codeNow(secret))).status).toBe(200);
    const wide = await good(madeApiKey, makeKey('read', 'trade', 'live'));
    expect(codeOf(await ask('POST', '/strategies', narrow.key, strategy('narrow')))).toBe(
      '403 SCOPE_MISSING',
    );
    expect((await ask('POST', '/strategies', wide.key, strategy('wide'))).status).toBe(201);
    const disable = await ask('POST', '/auth/totp/disable', token, { code: recovery[0] });
    expect(disable.status).toBe(204);
    // Gone for good: whoever sets up another second factor does not find it again.
    expect(codeOf(await ask('POST', '/strategies', wide.key, strategy('late')))).toBe('401 TOKEN_REFUSED');
    expect(codeOf(await ask('POST', '/strategies', narrow.key, strategy('late')))).toBe(
      '403 SECOND_FACTOR_MISSING',
    );
    expect(codeOf(await makeKey('read', 'live'))).toBe('403 SECOND_FACTOR_MISSING');
    expect((await logIn('automat')).status).toBe(200);
  });
});

describe('a second factor that was lost', () => {
  it('is taken away by another admin, or with keel admin by who may write to the database', async () => {
    const boss = await enrolled('boss', 'admin');
    const loser = await enrolled('loser', 'admin');
    // His own he disables with a code, which whoever has stolen his token does not have.
    for (const own of [boss.id, boss.id.toUpperCase()]) {
      expect(codeOf(await ask('DELETE', `/users/${own}/totp`, boss.token))).toBe('403 OWN_SECOND_FACTOR');
    }
    expect((await stores.users.get(boss.id))?.secondFactor).toBe(true);
    expect((await ask('DELETE', `/users/${loser.id}/totp`, boss.token)).status).toBe(204);
    expect(codeOf(await ask('DELETE', `/users/${loser.id}/totp`, boss.token))).toBe(
      '404 SECOND_FACTOR_NOT_FOUND',
    );
    expect(codeOf(await ask('GET', '/auth/me', loser.token))).toBe('401 TOKEN_REFUSED');
    expect((await logIn('loser')).status).toBe(200);
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const args = ['--username', 'boss', '--drop-second-factor'];
    expect(await adminCommand(args, say, () => ({ url: postgres.url, mode: 'live' }))).toBe(0);
    expect((await stores.users.get(boss.id))?.secondFactor).toBe(false);
    const trail = await rows<{ actor: string }>(
      `select actor from audit where action = 'second-factor.remove' and subject in ('user:boss', 'user:loser') order by id`,
    );
    expect(trail.map(({ actor }) => actor)).toEqual(['user:boss', 'keel admin']);
  });
});

describe('a new secret of the API', () => {
  const next = 'a-new-secret-of-the-tests-and-nothing-else';

  it('opens what the one before had sealed, and seals it anew', async () => {
    const { id, secret } = await enrolled('rotated');
    const sealedBy = async (...given: [string, ...string[]]): Promise<string> => {
      await letTimePass();
      const deps = {
        ...stores,
        seal: createSeal(given, 'second factor'),
        timeCodes: createTimeCodes({ clock: { now: () => Date.now() }, issuer: 'Keel' }),
      };
      const found = await stores.users.get(id);
      if (found === null) throw new Error('no user');
      const options = { address: 'test', loginId: null, recovery: false };
      return takeCode(deps, found, codeNow(secret), options);
    };
    await expect(sealedBy(next)).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
    expect(await sealedBy(next, testSecret)).toBe('code');
    expect(await sealedBy(next)).toBe('code');
  });

  it('seals all of them anew when the API starts with both, and confirms what was begun under the one before', async () => {
    const { id, secret } = await enrolled('absent');
    const before = createSeal([testSecret], 'second factor');
    const lost = await make('lost');
    const third = createSeal(['a-third-secret-that-nobody-has-any-more'], 'second factor');
    await stores.secondFactors.enrol(lost, third.close('A', lost), 'test');
    const given = { KEEL_AUTH_SECRET: next, KEEL_AUTH_PREVIOUS_SECRET: testSecret };
    const both = await startApi({ ...settings, ...given });
    try {
      const { sealed = '' } = (await stores.secondFactors.get(id)) ?? {};
      expect(createSeal([next], 'second factor').open(sealed, id)).toEqual({ text: secret, current: true });
      // Begun after that, at an API that has not started anew yet.
      const begun = await make('begun');
      const token = await session('begun');
      await stores.secondFactors.enrol(begun, before.close(secret, begun), 'test');
      const body = { code: codeNow(secret) };
      const confirmed = await askApi(both.url, 'POST', '/auth/totp/confirm', token, body);
      const { recoveryCodes } = recoveryCodeList.parse(confirmed.body);
      secrets.push(...recoveryCodes);
    } finally {
      await both.stop();
    }
    expect(both.log()).toContain(`"broken":["${lost}"]`);
  });
});

describe('secrets', () => {
  it('of second factors are in no log and no audit', async () => {
    const log = api.log() + JSON.stringify(await rows('select * from audit'));
    expect(log).toContain('/api/v1/auth/totp/prove');
    expect(secrets.length).toBeGreaterThan(50);
    for (const secret of secrets) expect(log).not.toContain(secret);
    expect(log).not.toMatch(/otpauth:/);
  });
});
