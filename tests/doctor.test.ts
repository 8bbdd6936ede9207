// The doctor against a whole Keel, which is then broken in one way after the other: it has to name each fault. Real
// PostgreSQL, Temporal and simulator; a small https server stands in for a gateway that misbehaves.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, startTestGateway, type TestGateway } from '../adapters/ibkr/testing/gateway.js';
import type { OauthSettings } from '../adapters/ibkr/oauth/credentials.js';
import { testConsumer } from '../adapters/ibkr/testing/oauth.js';
import { examine, repair } from '../cli/doctor/examine.js';
import { readPatient } from '../cli/doctor/patient.js';
import type { Finding, Patient } from '../cli/doctor/types.js';
import { defaultNotificationSettings } from '../contracts/wire/notification.js';
import { migrateDown } from '../db/migrate.js';
import { makeUser } from './support/access.js';
import { freePort } from './support/ports.js';
import { hasRedis, startRedis, type TestRedis } from './support/redis.js';
import { startStack, type TestStack } from './support/stack.js';
import { keel } from './support/start.js';
import { tempFolder } from './support/temp.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = tempFolder('doctor').path;
const wall = (): number => Date.now();
const file = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(path.join(folder, name), text, { mode });
  return path.join(folder, name);
};

let temporal: TestTemporal;
let stack: TestStack;
/** What a whole Keel is started with, its data directory a tidy one. */
let whole: Readonly<Record<string, string>>;
let gateway: TestGateway;
/** Takes no login. */
let mail: SMTPServer;
let mailPort: number;

beforeAll(async () => {
  temporal = await startTemporal();
  stack = await startStack(temporal);
  await stack.startWorker();
  mkdirSync(path.join(folder, 'data'));
  file('data/keel.json', '{"keel":1}');
  whole = {
    ...stack.settings,
    KEEL_DATA_DIR: path.join(folder, 'data'),
    KEEL_AUTH_SECRET: 'a-secret-never-shown-of-many-characters',
  };
  gateway = await startTestGateway(await makeCertificate());
  mail = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: (_auth, _session, callback) => {
      callback(new Error('535 no pw-never-shown here'));
    },
  });
  const listening = mail.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  mailPort = (listening.address() as AddressInfo).port;
});

afterAll(async () => {
  mail.close();
  await gateway.close();
  await stack.stop();
  await temporal.stop();
});

type Facts = Partial<Pick<Patient, 'now' | 'nodeVersion' | 'fontFile'>>;

const look = (change: NodeJS.ProcessEnv = {}, facts: Facts = {}): Promise<readonly Finding[]> =>
  examine(readPatient({ ...whole, ...change }, { now: wall, nodeVersion: process.versions.node, ...facts }));

/** Everything that is not well. */
const ills = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ status }) => status === 'fault' || status === 'warning');

/** A gateway of our own in paper mode, on the same database's sister: only its own lines are looked at. */
const paper = (change: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  KEEL_MODE: 'paper',
  IBKR_ACCOUNT: 'DU1234567',
  IBKR_BASE_URL: gateway.baseUrl,
  IBKR_CA_FILE: file('gateway.pem', gateway.certificate.cert),
  IBKR_CERT_SHA256: gateway.certificate.sha256,
  ...change,
});

describe('a whole Keel', () => {
  it('has no fault', async () => {
    // The server counts a worker once its first poll has come in, which is after the worker's line says it is ready.
    await expect.poll(async () => (await look()).find(({ check }) => check === 'worker')?.status).toBe('ok');
    const findings = await look();
    expect(ills(findings)).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'postgres',
        'search attributes',
        'worker',
        'object store',
        'broker session',
        'account',
        'clock',
      ]),
    );
    expect(findings.filter(({ check }) => check === 'cache' || check === 'notifier')).toMatchObject([
      { status: 'ok', found: expect.stringContaining('memory of each process') as string },
      { status: 'skipped', found: expect.stringContaining('no channel is set up') as string },
    ]);
  });
});

/** The same address, where Keel logs in itself. */
function oauthHere(change: Partial<OauthSettings> = {}): NodeJS.ProcessEnv {
  const consumer = testConsumer(change);
  return {
    ...paper(),
    IBKR_CONNECTION: 'oauth',
    IBKR_OAUTH_CONSUMER_KEY: consumer.consumerKey,
    IBKR_OAUTH_ACCESS_TOKEN: consumer.accessToken,
    IBKR_OAUTH_ACCESS_TOKEN_SECRET: consumer.accessTokenSecret,
    IBKR_OAUTH_SIGNATURE_KEY_FILE: file('signature.pem', consumer.signatureKey),
    IBKR_OAUTH_ENCRYPTION_KEY_FILE: file('encryption.pem', consumer.encryptionKey),
    IBKR_OAUTH_DH_PARAM_FILE: file('dhparam.pem', consumer.dhParam),
    IBKR_OAUTH_REALM: consumer.realm,
  };
}

interface Breakage {
  readonly what: string;
  readonly check: string;
  /** In what was found or its cause. */
  readonly says: RegExp;
  /** In what a person has to do. */
  readonly fixes?: RegExp;
  readonly env?: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>;
  readonly facts?: () => Facts;
}

const deadUrl = async (): Promise<string> => `127.0.0.1:${String(await freePort())}`;

const ago = (ms: number): string => new Date(wall() - ms).toISOString();

/** It was read five minutes ago. No worker of ours polls this account. */
async function leaveUnread(accountId: string): Promise<void> {
  await stack.market.stores.brokerState.save({
    ...{ mode: 'simulated', accountId, readStartedAt: ago(300_000), marketTime: ago(300_000), marketStep: 0 },
    account: { accountId, currency: 'USD', netLiquidation: '1', settledCash: '1' },
    ...{ positions: [], orders: [], unreadable: [], executions: [] },
  });
}

const breakages: readonly Breakage[] = [
  {
    what: 'an old Node',
    check: 'node',
    says: /18\.20\.0.*20\.19/s,
    facts: () => ({ nodeVersion: '18.20.0' }),
  },
  {
    what: 'a misspelt variable',
    check: 'configuration',
    says: /KEEL_RISK_PERTRADE.*KEEL_RISK_PER_TRADE/,
    env: () => ({ KEEL_RISK_PERTRADE: '0.5' }),
  },
  {
    what: 'a data directory below a file',
    check: 'data directory',
    says: /plain is a file/,
    env: () => ({ KEEL_DATA_DIR: path.join(file('plain', ''), 'keel') }),
  },
  {
    what: "a data directory with somebody else's files",
    check: 'data directory',
    says: /not Keel's \(thesis\.txt\)/,
    env: () => {
      mkdirSync(path.join(folder, 'foreign'), { recursive: true });
      return { KEEL_DATA_DIR: path.dirname(file('foreign/thesis.txt', '')) };
    },
  },
  {
    what: 'PostgreSQL that is not there',
    check: 'postgres',
    says: /DATABASE_AWAY/,
    env: async () => ({ DATABASE_URL: `postgres://keel:pw-never-shown@${await deadUrl()}/keel` }),
  },
  {
    what: 'a database that does not exist',
    check: 'postgres',
    says: /DATABASE_REFUSED/,
    env: () => ({ DATABASE_URL: new URL('/no_such_database', stack.databaseUrl).href }),
  },
  {
    what: 'a database of another mode',
    check: 'postgres',
    says: /belongs to mode simulated, and KEEL_MODE is paper/,
    env: () => paper(),
  },
  {
    what: 'Temporal that is not there',
    check: 'temporal',
    says: /does not answer/,
    env: async () => ({ TEMPORAL_ADDRESS: await deadUrl() }),
  },
  {
    what: 'a namespace that does not exist',
    check: 'temporal',
    says: /no namespace nowhere/,
    env: () => ({ TEMPORAL_NAMESPACE: 'nowhere' }),
  },
  {
    what: 'an object store that is a file',
    check: 'object store',
    says: /can not be used/,
    env: () => ({ KEEL_OBJECT_DIR: file('objects-file', '') }),
  },
  {
    what: 'an S3 that is not there',
    check: 'object store',
    says: /can not be used/,
    env: async () => ({
      MINIO_ENDPOINT: `http://${await deadUrl()}`,
      MINIO_ACCESS_KEY: 'keel',
      MINIO_SECRET_KEY: 'secret-never-shown',
    }),
  },
  {
    what: 'a missing font',
    check: 'fonts',
    says: /missing/,
    facts: () => ({ fontFile: '/nowhere/font.ttf' }),
  },
  {
    what: 'a font that is none',
    check: 'fonts',
    says: /no pixel|same picture|can not be used/,
    facts: () => ({ fontFile: file('broken.ttf', 'this is no font') }),
  },
  {
    what: 'a certificate file that is none',
    check: 'gateway tls',
    says: /no readable certificate/,
    env: () => ({ IBKR_CA_FILE: file('ca.pem', 'not PEM') }),
  },
  {
    what: 'a pin that does not fit the file',
    check: 'gateway tls',
    says: /not the one that IBKR_CERT_SHA256 pins/,
    fixes: /keel ibkr trust --url https:/,
    env: () => ({ IBKR_CERT_SHA256: 'a'.repeat(64) }),
  },
  {
    what: 'a gateway with another certificate',
    check: 'gateway tls',
    says: /another certificate/,
    fixes: /keel ibkr trust --url https:/,
    env: async () => {
      const other = await makeCertificate();
      return paper({ IBKR_CA_FILE: file('other.pem', other.cert), IBKR_CERT_SHA256: other.sha256 });
    },
  },
  {
    what: 'a gateway that is not there',
    check: 'gateway tls',
    says: /does not answer.*ECONNREFUSED/s,
    env: async () => paper({ IBKR_BASE_URL: `https://${await deadUrl()}/v1/api` }),
  },
  {
    what: 'an OAuth login whose keys are not those of its secret',
    check: 'oauth keys',
    says: /does not open with the encryption key/,
    env: () => oauthHere({ encryptionKey: testConsumer().signatureKey }),
  },
  {
    what: 'an OAuth login at an address that shows another name',
    check: 'gateway tls',
    says: /not trusted.*altnames/s,
    env: () => ({ ...oauthHere(), IBKR_CERT_SHA256: '' }),
  },
  {
    what: 'a gateway without a login',
    check: 'broker session',
    says: /no login/,
    env: () => {
      gateway.on('POST /iserver/auth/status', { status: 401, text: 'Access Denied' });
      return paper();
    },
  },
  {
    what: 'a gateway that says it is not connected',
    check: 'broker session',
    says: /no login: its status says that it is not connected/,
    env: () => {
      gateway.on('POST /iserver/auth/status', { json: { authenticated: false, connected: false } });
      return paper();
    },
  },
  {
    what: 'another login of the same user',
    check: 'broker session',
    says: /another login/,
    env: () => {
      gateway.on('POST /iserver/auth/status', {
        json: { authenticated: false, connected: true, competing: true },
      });
      return paper();
    },
  },
  {
    what: 'a login without the account',
    check: 'broker session',
    says: /does not have account DU7654321/,
    env: () => {
      gateway.on('POST /iserver/auth/status', {
        json: { authenticated: true, connected: true, competing: false },
      });
      return paper({ IBKR_ACCOUNT: 'DU7654321' });
    },
  },
  {
    what: 'an account that is not read any more',
    check: 'account',
    says: /DU7654321 was last read 3\d\d s ago.*a try failed \d+ s ago: IBKR_UNREADABLE: it gave no number\./s,
    fixes: /no order goes out/,
    env: async () => {
      await leaveUnread('DU7654321');
      const trouble = { at: ago(1000), code: 'IBKR_UNREADABLE', message: 'it gave no number.' };
      await stack.market.stores.brokerState.putTrouble('DU7654321', trouble);
      return { IBKR_ACCOUNT: 'DU7654321' };
    },
  },
  {
    what: 'a clock that is ten minutes ahead',
    check: 'clock',
    // At least so much as it was when PostgreSQL was asked.
    says: /(600|59\d) s ahead of PostgreSQL/,
    facts: () => ({ now: () => wall() + 600_000 }),
  },
  {
    what: 'a calendar that has ended',
    check: 'calendar',
    says: /no order can go out/,
    env: () => paper(),
    facts: () => ({ now: () => Date.parse('2029-02-01T00:00:00Z') }),
  },
  {
    what: 'a Redis that is not there',
    check: 'cache',
    says: /ECONNREFUSED/,
    env: async () => ({ REDIS_URL: `redis://:pw-never-shown@${await deadUrl()}` }),
  },
  {
    what: 'a Redis that is something else',
    check: 'cache',
    says: /no readable answer|no answer within|closed/,
    env: () => ({ REDIS_URL: `redis://127.0.0.1:${String(mailPort)}` }),
  },
  {
    what: 'a mail server that is not there',
    check: 'notifier',
    says: /e-mail: 127\.0\.0\.1:\d+ can not be used.*(ESOCKET|ECONNREFUSED|ECONNECTION)/s,
    env: async () => ({ KEEL_SMTP_URL: `smtp://keel:pw-never-shown@${await deadUrl()}` }),
  },
  {
    what: 'a mail server that does not take the login',
    check: 'notifier',
    says: /e-mail.*SMTP 535/s,
    env: () => ({ KEEL_SMTP_URL: `smtp://keel:pw-never-shown@127.0.0.1:${String(mailPort)}` }),
  },
];

it('warns of keys of an OAuth login that other users can read', async () => {
  const open = file('open-signature.pem', testConsumer().signatureKey, 0o644);
  const found = await look({ ...oauthHere(), IBKR_OAUTH_SIGNATURE_KEY_FILE: open });
  expect(ills(found)).toContainEqual(
    expect.objectContaining({ check: 'oauth keys', status: 'warning', fix: `chmod 600 ${open}` }),
  );
});

it('looks for who reads the account where a worker is up, and for nobody where none is', async () => {
  await leaveUnread('DU7654322');
  const account = async (change: NodeJS.ProcessEnv = {}): Promise<Finding | undefined> =>
    (await look({ IBKR_ACCOUNT: 'DU7654322', ...change })).find(({ check }) => check === 'account');
  expect(await account()).toMatchObject({
    status: 'fault',
    cause: expect.stringContaining('its poller hangs') as string,
  });
  expect(await account({ TEMPORAL_ADDRESS: await deadUrl() })).toMatchObject({
    status: 'skipped',
    found: expect.stringMatching(/was last read 3\d\d s ago.*no worker is up/) as string,
  });
});

describe('a broken Keel', () => {
  it.each(breakages)('$what', async ({ check, says, fixes = /./, env, facts }) => {
    const findings = await look(await env?.(), facts?.());
    const named = ills(findings).filter((finding) => finding.check === check);
    expect(named.map(({ found, cause }) => `${found}: ${cause ?? ''}`).join('\n')).toMatch(says);
    for (const { fix } of named) expect(fix).toMatch(fixes);
    expect(named.some(({ status }) => status === 'fault')).toBe(true);
    expect(JSON.stringify(findings)).not.toMatch(/never-shown/);
  });

  it('a port of production that is taken', async () => {
    const port = await freePort();
    const stranger = createServer((socket) => {
      socket.destroy();
    });
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    const findings = await look({ KEEL_ENV: 'production', KEEL_API_PORT: String(port) });
    stranger.close();
    expect(ills(findings)).toMatchObject([{ check: 'ports', status: 'fault' }]);
  });
});

describe('the channels of users', () => {
  /** What the doctor says while a user has this webhook. */
  const withWebhook = async (url: string, change: NodeJS.ProcessEnv = {}): Promise<readonly Finding[]> => {
    const { notifications } = stack.market.stores;
    const name = `hears-${String(Math.random()).slice(2)}`;
    const { id } = await makeUser(stack.market.stores, name, 'trader');
    const asWho = { email: `${name}@example.com`, role: 'trader' } as const;
    const settings = { ...defaultNotificationSettings, webhook: { url, secret: 'pw-never-shown' } };
    expect(await notifications.putSettings(id, settings, asWho)).toBe(true);
    const findings = await look(change);
    await notifications.putSettings(id, defaultNotificationSettings, asWho);
    expect(JSON.stringify(findings)).not.toMatch(/never-shown/);
    return findings.filter(({ check }) => check === 'notifier');
  };
  const allowed = { KEEL_NOTIFIER_PRIVATE_ADDRESSES: 'allowed' };

  it('are reached without a word to them, and named where they are not', async () => {
    const asked: string[] = [];
    const receiver = createServer((socket) => socket.on('data', (data) => asked.push(String(data))));
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const there = await withWebhook(`http://127.0.0.1:${String(port)}/never-shown`, allowed);
    receiver.close();
    expect(there).toMatchObject([
      { status: 'ok', found: `webhook: 127.0.0.1:${String(port)} can be reached` },
    ]);
    expect(asked).toEqual([]);
    const away = await withWebhook(`https://${await deadUrl()}/never-shown`, allowed);
    expect(away).toMatchObject([
      { status: 'fault', cause: expect.stringContaining('ECONNREFUSED') as string },
    ]);
  });

  it('at a private address are named where those are refused, as no message would go there', async () => {
    const [finding] = await withWebhook('https://127.0.0.1/never-shown');
    expect(finding).toMatchObject({
      status: 'fault',
      fix: expect.stringMatching(
        /KEEL_NOTIFIER_PRIVATE_ADDRESSES=allowed \(judged by this environment/,
      ) as string,
    });
  });

  it('greet Keel where all is well: mail too', async () => {
    const findings = await look({ KEEL_SMTP_URL: `smtp://127.0.0.1:${String(mailPort)}` });
    expect(findings.find(({ check }) => check === 'notifier')).toMatchObject({
      status: 'ok',
      found: `e-mail: 127.0.0.1:${String(mailPort)} greets Keel`,
    });
  });
});

describe.skipIf(!hasRedis())('a Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  const cacheLine = async (): Promise<Finding | undefined> =>
    (await look({ REDIS_URL: redis.url })).find(({ check }) => check === 'cache');

  it('that works is said to', async () => {
    expect(await cacheLine()).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('PING answered') as string,
    });
  });

  it.each([
    ['that is full', 'CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0', 'OOM'],
    ['that is a replica', 'REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE', 'READONLY'],
    ['that wants a password', 'CONFIG SET requirepass x', null, 'NOAUTH'],
  ])('%s is named', async (_what, breaks, mends, word) => {
    expect(await redis.ask(breaks)).toMatch(/^\+OK/);
    expect(await cacheLine()).toMatchObject({ status: 'fault', cause: `Redis says ${word}` });
    if (mends !== null) await redis.ask(mends);
  });

  it('that is frozen is given up in time', async () => {
    redis.freeze();
    expect(await cacheLine()).toMatchObject({ status: 'fault', cause: 'no answer within 5000 ms' });
    redis.thaw();
  });
});

describe('--fix', () => {
  const fixed = async (change: NodeJS.ProcessEnv): Promise<[readonly Finding[], readonly Finding[]]> => {
    const before = await look(change);
    await repair(before);
    return [ills(before), ills(await look(change))];
  };

  it('applies pending migrations', async () => {
    await migrateDown(stack.databaseUrl, 1);
    const [before, after] = await fixed({});
    expect(before).toMatchObject([{ check: 'migrations', status: 'fault' }]);
    expect(after).toEqual([]);
  });

  it('registers search attributes in a namespace that has none', async () => {
    const { connection } = stack.client;
    await connection.workflowService.registerNamespace({
      namespace: 'doctor',
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const change = { TEMPORAL_NAMESPACE: 'doctor' };
    await expect
      .poll(async () => (await look(change)).some(({ check }) => check === 'search attributes'), {
        timeout: 20_000,
      })
      .toBe(true);
    const [before] = await fixed(change);
    expect(before).toMatchObject([{ check: 'search attributes', status: 'fault' }, { check: 'worker' }]);
    await expect
      .poll(async () => ills(await look(change)).map(({ check }) => check), { timeout: 20_000 })
      .toEqual(['worker']);
  });

  it("removes a dead supervisor's lock and closes a state file that others can read", async () => {
    const dataDir = path.join(folder, 'left');
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(path.join(dataDir, 'keel.json'), '{"keel":1}');
    writeFileSync(path.join(dataDir, 'supervisor.lock'), JSON.stringify({ pid: 999_999, startTime: '1' }));
    writeFileSync(path.join(dataDir, 'state.json'), '{}');
    chmodSync(path.join(dataDir, 'state.json'), 0o644);
    const [before, after] = await fixed({ KEEL_DATA_DIR: dataDir });
    expect(before.map(({ check }) => check)).toEqual(['data directory', 'data directory']);
    expect(after).toEqual([]);
    expect(existsSync(path.join(dataDir, 'supervisor.lock'))).toBe(false);
  });
});

describe('keel doctor', () => {
  it('prints findings as JSON, and its exit code tells a fault', async () => {
    const well = await keel(['doctor', '--json'], whole);
    expect(JSON.parse(well.out.join('\n'))).toMatchObject({ healthy: true });
    expect(well.code).toBe(0);
    const ill = await keel(['doctor'], { ...whole, TEMPORAL_ADDRESS: await deadUrl() });
    expect(ill.out.join('\n')).toMatch(/✗ temporal .*\n {4}cause: [\s\S]*?\n {4}fix: /);
    expect(ill.code).toBe(1);
  });

  it('writes a bundle that holds what helps and no secret', async () => {
    const logs = path.join(folder, 'data/logs');
    mkdirSync(logs, { recursive: true });
    copyFileSync(path.join(root, 'package.json'), path.join(logs, 'api.log'));
    const { password } = new URL(stack.databaseUrl);
    writeFileSync(path.join(logs, 'worker.log'), `could not reach ${stack.databaseUrl} with ${password}\n`);
    const bundle = path.join(folder, 'bundle.json');
    const { code } = await keel(['doctor', '--bundle', bundle], whole);
    const text = readFileSync(bundle, 'utf8');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      mode: 'simulated',
      logs: { 'worker.log': expect.any(Array) as unknown },
    });
    expect(password.length).toBeGreaterThan(5);
    for (const secret of [password, stack.settings['KEEL_SIMULATOR_ADMIN_TOKEN'] ?? '?']) {
      expect(text).not.toContain(secret);
    }
  });
});
