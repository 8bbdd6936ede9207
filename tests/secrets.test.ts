// Secrets planted in a whole Keel, which then works and fails in many ways: none of them may be left behind anywhere but
// where it belongs. A search that finds nothing proves little, so it has to find what is put there at the end.
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Client as S3 } from 'minio';
import { Secret, TOTP } from 'otpauth';
import { Client as Postgres } from 'pg';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { limitNote, says, startPriceServer, type PriceServer } from '../adapters/prices/testing/sources.js';
import { madeApiKey } from '../contracts/http/apiKey.js';
import { recoveryCodeList, tokens, totpSecret } from '../contracts/http/auth.js';
import { brokerStateWorkflowId, runWorkflowId, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import { failApi, startApi, type ApiProcess } from './support/api.js';
import { askApi, good, type Answer } from './support/client.js';
import { good as goodReply } from './support/openai/replies.js';
import { startOpenaiStub, type OpenaiStub } from './support/openai/stub.js';
import { createBrowser, startOidcProvider, type TestProvider } from './support/oidc.js';
import { freePort } from './support/ports.js';
import { startS3, type TestS3 } from './support/s3.js';
import { filesOf, found, historiesOf, objectsOf, tablesOf, type Place } from './support/secrets.js';
import { sharedServers } from './support/servers.js';
import { startStack, type TestStack } from './support/stack.js';
import { keel } from './support/start.js';

const temporal = sharedServers();
const bucket = 'secrets';
const planted: Record<string, string> = {
  'database password': 'planted-db-Xq7wTzR2mK9v',
  'signing secret': 'planted-signing-secret-of-forty-characters',
  password: 'planted gradient obelisk 42',
  'model key': 'sk-planted-model-4f8Zr1Tq9w',
  'price key': 'PLANTED9PRICE8KEY7',
  'mail password': 'planted-mail-pw-7Hs2Lp',
  'telegram token': '7734512:planted-telegram-Kd83hs',
  'slack address': 'planted-slack-path-B03kf9s',
  'webhook secret': 'planted-webhook-secret-91',
  'OIDC client secret': 'planted-oidc-client-secret-5',
  'OAuth consumer key': 'PLANTCONS',
  'OAuth access token': 'planted0oauth0token0b81',
  'OAuth access token secret': 'cGxhbnRlZC1vYXV0aC1zZWNyZXQ=',
};
/** Where a secret belongs: sealed, hashed or, as docs/notifications.md says, in clear. */
const secretTables = ['notification_setting'];
const answers: Place[] = [];
let stack: TestStack;
let s3: TestS3 | null;
let api: ApiProcess;
let stub: OpenaiStub;
let alpha: PriceServer;
let provider: TestProvider;
let mail: SMTPServer;
let receiver: Server;
let databaseUrl: string;
let redirectUrl: string;
let env: Record<string, string>;

const portOf = (server: { address(): string | AddressInfo | null }): number =>
  (server.address() as AddressInfo).port;

/** The far sides repeat what they were sent, as bad servers do. */
async function startFarSides(): Promise<void> {
  stub = await startOpenaiStub(goodReply);
  alpha = await startPriceServer();
  alpha.answer = says(200, limitNote(planted['price key'] ?? ''));
  redirectUrl = `http://127.0.0.1:${String(await freePort())}/api/v1/auth/oidc/callback`;
  provider = await startOidcProvider({
    clientId: 'keel',
    clientSecret: planted['OIDC client secret'] ?? '',
    redirectUrls: [redirectUrl],
  });
  mail = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, callback) => {
      callback(new Error(`no login for ${String(username)} with ${String(password)}`));
    },
  });
  receiver = createServer((request, response) => {
    response.writeHead(400).end(JSON.stringify({ path: request.url, headers: request.headers }));
  }).listen(0, '127.0.0.1');
  await Promise.all([once(mail.listen(0, '127.0.0.1'), 'listening'), once(receiver, 'listening')]);
}

async function plantDatabase(): Promise<void> {
  const owner = new Postgres({ connectionString: stack.databaseUrl });
  await owner.connect();
  await owner.query('drop role if exists keel_planted');
  await owner.query(
    `create role keel_planted login superuser password '${planted['database password'] ?? ''}'`,
  );
  await owner.end();
  const url = new URL(stack.databaseUrl);
  url.username = 'keel_planted';
  url.password = planted['database password'] ?? '';
  databaseUrl = url.href;
}

const settingsOf = (store: TestS3 | null): Record<string, string> => ({
  DATABASE_URL: databaseUrl,
  KEEL_AUTH_SECRET: planted['signing secret'] ?? '',
  OPENAI_BASE_URL: stub.url,
  OPENAI_API_KEY: planted['model key'] ?? '',
  OPENAI_MODEL: 'test-vision',
  KEEL_PRICE_CHAIN: 'alphavantage',
  KEEL_ALPHAVANTAGE_URL: alpha.url,
  ALPHAVANTAGE_API_KEY: planted['price key'] ?? '',
  KEEL_SMTP_URL: `smtp://keel:${planted['mail password'] ?? ''}@127.0.0.1:${String(portOf(mail.server))}`,
  KEEL_TELEGRAM_TOKEN: planted['telegram token'] ?? '',
  KEEL_NOTIFIER_PRIVATE_ADDRESSES: 'allowed',
  KEEL_OIDC_ISSUER: provider.issuer,
  KEEL_OIDC_CLIENT_ID: 'keel',
  KEEL_OIDC_CLIENT_SECRET: planted['OIDC client secret'] ?? '',
  KEEL_OIDC_REDIRECT_URL: redirectUrl,
  IBKR_OAUTH_CONSUMER_KEY: planted['OAuth consumer key'] ?? '',
  IBKR_OAUTH_ACCESS_TOKEN: planted['OAuth access token'] ?? '',
  IBKR_OAUTH_ACCESS_TOKEN_SECRET: planted['OAuth access token secret'] ?? '',
  KEEL_LOG_LEVEL: 'debug',
  KEEL_STEP_DEADLINE_MS: '20000',
  KEEL_MODEL_STEP_DEADLINE_MS: '30000',
  ...(store !== null && {
    MINIO_ENDPOINT: store.endpoint,
    MINIO_BUCKET: bucket,
    MINIO_ACCESS_KEY: store.accessKey,
    MINIO_SECRET_KEY: store.secretKey,
  }),
});

const s3Client = ({ endpoint, accessKey, secretKey }: TestS3): S3 => {
  const { hostname, port } = new URL(endpoint);
  return new S3({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
};

beforeAll(async () => {
  await startFarSides();
  s3 = await startS3();
  if (s3 !== null) {
    planted['object store key'] = s3.secretKey;
    const client = s3Client(s3);
    if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket);
  }
  stack = await startStack(temporal());
  planted['simulator token'] = stack.settings['KEEL_SIMULATOR_ADMIN_TOKEN'] ?? '';
  await plantDatabase();
  env = settingsOf(s3);
  Object.assign(stack.env, env);
  await stack.startWorker();
  api = await startApi({ ...stack.settings, ...env, KEEL_API_PORT: new URL(redirectUrl).port });
});

afterAll(async () => {
  await api.stop();
  await stack.stop();
  await Promise.all([stub.close(), alpha.close(), provider.close(), s3?.stop()]);
  mail.close();
  receiver.closeAllConnections();
  receiver.close();
});

/** Asks, and keeps the answer among what is searched. */
async function ask(method: string, at: string, bearer: string | null, body?: unknown): Promise<Answer> {
  const answer = await askApi(api.url, method, at, bearer, body);
  const headers = JSON.stringify([...answer.headers]);
  answers.push({ name: `the answer to ${method} ${at}`, text: headers + JSON.stringify(answer.body) });
  return answer;
}

/** What is given out on purpose, this once. */
const given = (method: string, at: string, bearer: string | null, body?: unknown): Promise<Answer> =>
  askApi(api.url, method, at, bearer, body);

const keyOf = ({ body }: Answer): string => (body as { key: string }).key;
const fate = async (token: string, key: string): Promise<string> => {
  const { body } = await ask('GET', '/notifications?limit=100', token);
  const { deliveries } = body as { deliveries: { key: string; state: string; attempts: number }[] };
  const mine = deliveries.find((each) => each.key === key);
  return mine !== undefined && mine.state !== 'sending' && mine.attempts > 0 ? 'tried' : 'open';
};

async function enter(): Promise<{ token: string; key: string }> {
  const password = planted['password'] ?? '';
  const passwordHash = await createPasswordHasher().hash(password);
  const row = {
    email: 'p@example.com',
    username: 'planted',
    role: 'admin',
    mustChangePassword: false,
  } as const;
  await stack.market.stores.users.create({ ...row, passwordHash }, 'test');
  const login = { login: 'planted', password };
  const first = await good(tokens, given('POST', '/auth/login', null, login));
  const { secret } = await good(totpSecret, given('POST', '/auth/totp', first.accessToken, { password }));
  const code = TOTP.generate({ secret: Secret.fromBase32(secret) });
  const confirmed = await good(
    recoveryCodeList,
    given('POST', '/auth/totp/confirm', first.accessToken, { code }),
  );
  const refreshed = await good(
    tokens,
    given('POST', '/auth/refresh', null, { refreshToken: first.refreshToken }),
  );
  const key = await good(
    madeApiKey,
    given('POST', '/auth/keys', refreshed.accessToken, { name: 'planted', scopes: ['read', 'trade'] }),
  );
  Object.assign(planted, {
    'TOTP secret': secret,
    'recovery code': confirmed.recoveryCodes[0] ?? '',
    'refresh token': refreshed.refreshToken,
    'access token': refreshed.accessToken,
    'API key': key.key,
  });
  return { token: refreshed.accessToken, key: key.key };
}

/** Words where they do not belong, and calls that fail. */
async function fumble(token: string): Promise<void> {
  const password = planted['password'] ?? '';
  for (const body of [
    { login: password, password: 'wrong' },
    { login: 'planted', password },
    { login: 'planted', password, code: '000000' },
    { login: 'planted', password: 5 },
  ]) {
    await ask('POST', '/auth/login', null, body);
  }
  await ask('POST', '/auth/refresh', null, { refreshToken: `${planted['refresh token'] ?? ''}x` });
  await ask('GET', '/auth/me', `${planted['API key'] ?? ''}x`);
  await ask('POST', '/auth/register', null, { email: 'x', username: 'x', password });
  await comeBack(500, 503);
  await comeBack(400, 403);
  await ask('GET', '/stocks/AAPL', token);
  for (const at of ['/config/status', '/health/detailed', '/auth/keys', '/users', '/auth/me', '/analyst']) {
    await ask('GET', at, token);
  }
}

/** From a provider that repeats what it was sent: the secret of the client, a code, a verifier. */
async function comeBack(repeats: number, expected: number): Promise<void> {
  provider.repeats = repeats;
  const browser = createBrowser();
  const start = await browser.visit(`${api.url}/api/v1/auth/oidc/login`);
  const back = await browser.follow(start.headers.get('location') ?? '', api.url);
  const [, cookie = ''] = (browser.cookieOf(back, 'keel_oidc') ?? '').split('.');
  const code = new URL(back).searchParams.get('code') ?? '';
  const { status, headers, body } = await browser.visit(back);
  expect(status).toBe(expected);
  const sent = provider.repeated.at(-1) ?? '';
  for (const secret of [planted['OIDC client secret'], code]) expect(sent).toContain(secret);
  const verifier = new URLSearchParams(sent.split(' ')[1]).get('code_verifier') ?? '';
  for (const secret of [cookie, code, verifier]) expect(secret).toMatch(/^[\w-]{43}$/);
  const of = `(${String(repeats)})`;
  Object.assign(planted, { [`OIDC cookie ${of}`]: cookie, [`OIDC code ${of}`]: code });
  planted[`OIDC verifier ${of}`] = verifier;
  answers.push({ name: `the answer to the way back ${of}`, text: JSON.stringify([[...headers], body]) });
}

async function beTold(token: string): Promise<void> {
  const hook = `http://127.0.0.1:${String(portOf(receiver))}`;
  const put = await ask('PUT', '/notifications/settings', token, {
    webhook: { url: `${hook}/hook`, secret: planted['webhook secret'] },
    email: { address: 'p@example.com' },
    slack: { url: `${hook}/${planted['slack address'] ?? ''}` },
    telegram: null,
    matrix: { 'run.ended': ['webhook', 'email', 'slack', 'log'] },
    quietHours: null,
  });
  expect(put.status).toBe(200);
  await ask('GET', '/notifications/settings', token);
  for (const channel of ['webhook', 'email', 'slack']) {
    const key = keyOf(await ask('POST', '/notifications/test', token, { channel }));
    await expect.poll(() => fate(token, key), { timeout: 60_000 }).toBe('tried');
  }
}

/** One run that is well, one whose model repeats its key, one whose broker is away. */
async function runThree(token: string, key: string): Promise<void> {
  await ask('POST', '/strategies', token, { id: 'well', name: 'well', settings: { symbols: ['AAPL'] } });
  await stack.market.stepThrough(['2014-07-07T20:00:00.000Z']);
  const started = await ask('POST', '/strategies/well/execute', key, { symbol: 'AAPL' });
  const { workflowId, runId } = started.body as { workflowId: string; runId: string };
  await stack.drive(stack.client.workflow.getHandle(workflowId));
  const { body } = await ask('GET', `/runs/${runId}`, key);
  const { outcome, code, message: why } = body as Record<string, unknown>;
  expect([outcome, code, why].join(' ')).toMatch(/^FILLED/);
  const message = `Incorrect API key provided: ${planted['model key'] ?? ''}.`;
  stub.script = () => ({ kind: 'raw', status: 401, body: JSON.stringify({ error: { message } }) });
  await stack.createStrategy('refused', { analyst: 'openai' });
  await stack.drive(await stack.startRun('refused', '2014-07-08T20:00:00.000Z'));
  await stack.killSimulator();
  const identity = {
    mode: 'simulated',
    strategyId: 'well',
    symbol: 'AAPL',
    session: '2014-07-09',
    slot: 'after-close',
  } as const;
  const handle = await stack.client.workflow.start(workflowTypes.strategyRun, {
    workflowId: runWorkflowId(identity),
    taskQueue: taskQueue('simulated'),
    args: [{ ...identity, runId: 'well-2014-07-09' }],
  });
  await handle.result().catch(() => null);
  await ask('GET', '/runs/well-2014-07-09', key);
  await ask('POST', '/strategies/well/execute', key, {
    symbol: 'AAPL',
    slot: 'x',
    reason: 'the broker is away',
  });
  await ask('GET', '/health/detailed', token);
}

async function commands(): Promise<Place[]> {
  const own = { ...stack.settings, ...env };
  const bundle = path.join(stack.folder, 'bundle.json');
  const wrong = new URL(databaseUrl);
  wrong.password = `${planted['database password'] ?? ''}-wrong`;
  const refused = await failApi({ ...own, DATABASE_URL: wrong.href });
  const printed = await keel(['config', 'print'], own);
  const checked = await keel(['config', 'check'], { ...own, KEEL_API_PORT: 'no-port' });
  const doctor = await keel(['doctor', '--bundle', bundle], own);
  expect(printed.code).toBe(0);
  expect(readFileSync(bundle, 'utf8')).toContain('configuration');
  const said = ({ out, err }: typeof printed): string => [...out, ...err].join('\n');
  return [
    { name: 'the API without its database', text: refused.words },
    { name: 'keel config print', text: said(printed) },
    { name: 'keel config check', text: said(checked) },
    { name: 'keel doctor', text: said(doctor) },
    { name: 'the bundle', text: readFileSync(bundle, 'utf8') },
  ];
}

const everywhere = async (): Promise<Place[]> => [
  { name: 'the log of the API', text: api.log() },
  ...filesOf(stack.folder),
  ...(await historiesOf(stack.client)),
  ...(s3 === null ? [] : await objectsOf(s3, bucket)),
  ...(await tablesOf(stack.databaseUrl, secretTables)),
  ...answers,
];

describe('planted secrets', () => {
  it('are nowhere after a life of work and failures', async () => {
    const { token, key } = await enter();
    await fumble(token);
    await beTold(token);
    await runThree(token, key);
    const places = [...(await commands()), ...(await everywhere())];
    expect(Object.keys(planted).length).toBeGreaterThanOrEqual(12);
    expect(new Set(Object.values(planted)).size).toBe(Object.keys(planted).length);
    for (const part of [
      'worker-',
      'simulator-',
      'the history of run/',
      'the table audit',
      'the answer to GET',
    ]) {
      expect(places.some(({ name }) => name.startsWith(part))).toBe(true);
    }
    expect(stub.calls.some(({ key: sent }) => sent?.includes(planted['model key'] ?? '?'))).toBe(true);
    expect(found(planted, places)).toEqual([]);
  });

  it('are found where one is put: in a log, a history, an object, a table, an answer', async () => {
    const [log = '', history = '', row = '', answer = ''] = Object.values(planted);
    appendFileSync(path.join(stack.folder, 'worker-leak.log'), `{"msg":"${log}"}\n`);
    const broker = stack.client.workflow.getHandle(brokerStateWorkflowId('simulated', 'DU1234567'));
    await broker.signal('leak', { text: history });
    const news = { key: 'leak', event: 'test', title: 'leak', body: `it is ${row}`, facts: {} } as const;
    await stack.market.stores.notifications.add(news);
    answers.push({ name: 'an answer', text: encodeURIComponent(answer) });
    if (s3 !== null) await s3Client(s3).putObject(bucket, 'leak', `x${planted['model key'] ?? ''}x`);
    const leaks = found(planted, await everywhere());
    expect(leaks.sort()).toEqual(
      [
        'database password in worker-leak.log',
        `signing secret in the history of ${brokerStateWorkflowId('simulated', 'DU1234567')}`,
        'password in the table notification',
        'model key in an answer',
        ...(s3 === null ? [] : ['model key in the object leak']),
      ].sort(),
    );
  });
});
