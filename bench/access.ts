// Who may act, in milliseconds: a login beside the hash that it has to compute, /health while twenty log in, the check of a
// token. Called by platform.ts.
import { Agent, get } from 'node:http';
import { createPasswordHasher } from '../adapters/argon2/passwords.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createAccessTokens } from '../adapters/jose/accessTokens.js';
import { connect } from '../db/connect.js';
import { createStores } from '../db/stores.js';

export interface AccessTiming {
  /** Milliseconds on the wall, medians. */
  readonly loginMs: number;
  readonly hashMs: number;
  /** The 99th of a hundred, while nobody logs in and while twenty do. */
  readonly idleHealthP99Ms: number;
  readonly busyHealthP99Ms: number;
  readonly tokenCheckMs: number;
}

const password = 'gradient obelisk forty-two';
const logins = 20;
const looks = 5;
const checks = 2000;
/** Between two questions of one who watches. */
const watchEveryMs = 10;

const at = (ms: readonly number[], share: number): number =>
  ms.toSorted((a, b) => a - b)[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? NaN;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
}

async function repeated(count: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const ms: number[] = [];
  for (let index = 0; index < count; index += 1) ms.push(await timed(work));
  return ms;
}

/** Users who can log in, made in the database: one for each login at once, because failures are counted by user. */
async function makeUsers(databaseUrl: string, passwordHash: string): Promise<void> {
  const limits = { poolSize: 4, connectTimeoutMs: 5000, statementTimeoutMs: 15_000, lockTimeoutMs: 5000 };
  const db = connect({ url: databaseUrl, ...limits });
  try {
    const { users } = createStores(db, 'simulated');
    for (let index = 0; index < logins; index += 1) {
      const username = `login-${String(index)}`;
      const about = { email: `${username}@example.com`, username, role: 'viewer' as const };
      await users.create({ ...about, mustChangePassword: false, passwordHash }, 'bench');
    }
  } finally {
    await db.close();
  }
}

async function logIn(api: string, index: number): Promise<void> {
  const answer = await fetch(`${api}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: `login-${String(index)}`, password }),
  });
  if (!answer.ok) throw new Error(`a login was answered with ${String(answer.status)}`);
  await answer.arrayBuffer();
}

/** Asks /health every so often over one connection, until it is told that it is enough. */
async function watch(api: string, enough: () => boolean): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      get(`${api}/health`, { agent }, (response) => {
        response.resume();
        response.once('end', resolve);
      }).once('error', reject);
    });
  const ms: number[] = [];
  while (!enough()) {
    ms.push(await timed(ask));
    await new Promise((resolve) => setTimeout(resolve, watchEveryMs));
  }
  agent.destroy();
  return ms;
}

async function benchTokens(): Promise<number> {
  const secrets = ['a secret of the benchmark and of nothing else'] as const;
  const tokens = createAccessTokens({
    secrets: [...secrets],
    mode: 'simulated',
    clock: createMachineClock(),
  });
  const token = await tokens.sign({ userId: 'u', loginId: 'l' });
  const check = async (): Promise<void> => {
    if ((await tokens.verify(token)) === null) throw new Error('the token is not good');
  };
  await repeated(checks, check);
  return (await timed(() => repeated(checks, check))) / checks;
}

/** @param api its address */
export async function benchAccess(api: string, databaseUrl: string): Promise<AccessTiming> {
  const hasher = createPasswordHasher();
  const hash = await hasher.hash(password);
  await makeUsers(databaseUrl, hash);
  await logIn(api, 0);
  const hashMs = at(await repeated(looks, () => hasher.verify(hash, password)), 0.5);
  const loginMs = at(await repeated(looks, () => logIn(api, 0)), 0.5);
  let asked = 0;
  const idle = await watch(api, () => (asked += 1) > 100);
  let over = false;
  const all = Promise.all(Array.from({ length: logins }, (_, index) => logIn(api, index))).finally(() => {
    over = true;
  });
  const [busy] = await Promise.all([watch(api, () => over), all]);
  return {
    loginMs,
    hashMs,
    idleHealthP99Ms: at(idle, 0.99),
    busyHealthP99Ms: at(busy, 0.99),
    tokenCheckMs: await benchTokens(),
  };
}
