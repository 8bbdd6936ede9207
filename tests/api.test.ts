// The API as a process against the real PostgreSQL and the real Temporal server. There is no worker: runs stay open.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { Ajv } from 'ajv';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { problem } from '../contracts/http/problem.js';
import { cancelAnswer, executeAnswer, runDetail, runList, runProgress } from '../contracts/http/run.js';
import { strategy, strategyList } from '../contracts/http/strategy.js';
import { searchAttributes } from '../contracts/wire/names.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import type { ApiProcess, Gate, MarketFront } from './support/api.js';
import { failApi, startApi, startGate, startMarketFront } from './support/api.js';
import { makeUser } from './support/access.js';
import type { TestUser } from './support/access.js';
import type { TestPostgres } from './support/postgres.js';
import { startTestPostgres } from './support/postgres.js';
import { tempFolder } from './support/temp.js';
import type { TestTemporal } from './support/temporal.js';
import { startTemporal } from './support/temporal.js';

let postgres: TestPostgres;
let gate: Gate;
let temporal: TestTemporal;
let market: MarketFront;
let api: ApiProcess;
let db: Database;
let stores: Stores;
let client: Client;
let env: Record<string, string>;
const folder = tempFolder('api');
const adminToken = 'hunter2-of-the-simulator';
const earlierLogs: string[] = [];
let trader: TestUser;
/** As the trader whose strategies they are. */
const fetch = (url: string, init: RequestInit = {}): Promise<Response> =>
  globalThis.fetch(url, {
    ...init,
    headers: { authorization: `Bearer ${trader.key}`, ...(init.headers as Record<string, string>) },
  });

beforeAll(async () => {
  [postgres, temporal, market] = await Promise.all([
    startTestPostgres(),
    startTemporal(),
    startMarketFront(adminToken, '2014-07-07T20:30:00.000Z'),
  ]);
  const direct = new URL(postgres.url);
  gate = await startGate(direct.hostname, Number(direct.port));
  const gated = new URL(postgres.url);
  gated.hostname = '127.0.0.1';
  gated.port = String(gate.port);
  env = {
    DATABASE_URL: gated.href,
    TEMPORAL_ADDRESS: temporal.address,
    KEEL_TEMPORAL_UI_URL: temporal.uiUrl,
    KEEL_DATA_DIR: folder.path,
    KEEL_SIMULATOR_ADMIN_URL: market.url,
    KEEL_SIMULATOR_ADMIN_TOKEN: adminToken,
  };
  db = connect({
    url: postgres.url,
    poolSize: 2,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 20_000,
  });
  stores = createStores(db, 'simulated');
  trader = await makeUser(stores, 'maria', 'trader');
  const connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: temporal.namespace });
  api = await startApi(env);
});

afterAll(async () => {
  await api.stop();
  await client.connection.close();
  await db.close();
  gate.close();
  await market.close();
  await temporal.stop();
  await postgres.stop();
  folder.remove();
});

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

async function ask<S extends z.ZodType>(
  schema: S,
  path: string,
  init: RequestInit = {},
): Promise<Answer<z.output<S>>> {
  const response = await fetch(api.url + path, { ...init, signal: AbortSignal.timeout(30_000) });
  const body: unknown = await response.json();
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw new Error(`${path} answered ${response.status} ${JSON.stringify(body)}: ${parsed.error.message}`);
  }
  return { status: response.status, body: parsed.data };
}

const post = <S extends z.ZodType>(schema: S, path: string, body: unknown = {}) =>
  ask(schema, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const create = async (id: string, symbols = ['AAPL']): Promise<void> => {
  await post(strategy, '/api/v1/strategies', { id, name: id, settings: { symbols } });
};

const execute = (id: string, body: unknown = {}) =>
  post(executeAnswer, `/api/v1/strategies/${id}/execute`, body);

const refusal = async (path: string, body?: unknown): Promise<{ status: number; code: string }> => {
  const answer = body === undefined ? await ask(problem, path) : await post(problem, path, body);
  return { status: answer.status, code: answer.body.code };
};

/** The first block of a stream, and the stream. */
async function follow(runId: string) {
  const leave = new AbortController();
  const response = await fetch(`${api.url}/api/v1/runs/${runId}/progress`, { signal: leave.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const read = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : decoder.decode(value, { stream: true });
  };
  return {
    read,
    leave: () => {
      leave.abort();
    },
  };
}

const progressIn = (text: string | null) =>
  runProgress.parse(JSON.parse(/^data: (.*)$/m.exec(text ?? '')?.[1] ?? 'null'));

describe('without search attributes', () => {
  it('says that the worker has to register them', async () => {
    await create('early');
    expect(await refusal('/api/v1/strategies/early/execute', {})).toEqual({
      status: 503,
      code: 'TEMPORAL_NOT_READY',
    });
    await client.connection.operatorService.addSearchAttributes({
      namespace: temporal.namespace,
      searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, 2])),
    });
    await expect
      .poll(
        async () => (await fetch(`${api.url}/api/v1/strategies/early/execute`, { method: 'POST' })).status,
        { timeout: 20_000 },
      )
      .toBe(202);
  });
});

describe('strategies', () => {
  it('are stored, read and listed', async () => {
    const body = { name: 'Stored one', settings: { symbols: ['SPX'], risk: { riskPerTrade: '0.005' } } };
    const made = await post(strategy, '/api/v1/strategies', body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: 'stored-one',
      mode: 'simulated',
      version: 1,
      settings: { risk: { riskPerTrade: '0.005' }, slot: 'after-close', workflowId: 'standard' },
    });
    expect((await ask(strategy, '/api/v1/strategies/stored-one')).body).toEqual(made.body);
    expect((await ask(strategyList, '/api/v1/strategies')).body.strategies).toContainEqual(made.body);
  });

  it('are refused under a name that is taken, beyond a limit and with an unknown workflow', async () => {
    await create('taken');
    const make = (settings: object) =>
      refusal('/api/v1/strategies', { id: 'taken', name: 'x', settings: { symbols: ['AAPL'], ...settings } });
    expect(await make({})).toEqual({ status: 409, code: 'STRATEGY_EXISTS' });
    expect(await make({ risk: { maximumPositionShare: '0.9' } })).toEqual({
      status: 422,
      code: 'LIMIT_EXCEEDED',
    });
    const unknown = { id: 'other', name: 'x', settings: { symbols: ['AAPL'], workflowId: 'nowhere' } };
    expect(await refusal('/api/v1/strategies', unknown)).toEqual({ status: 422, code: 'UNKNOWN_WORKFLOW' });
  });
});

describe('execute', () => {
  it('starts one run, however many ask at once', async () => {
    await create('once');
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => execute('once')));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(new Set(answers.map(({ body }) => body.runId)).size).toBe(1);
    expect(answers[0]?.body.workflowId).toBe('run/simulated/once/AAPL/2014-07-07/after-close');
  });

  it('makes a run that can be read in the Temporal Web UI', async () => {
    await create('legible');
    const { body } = await execute('legible');
    const handle = client.workflow.getHandle(body.workflowId);
    const described = await handle.describe();
    expect(described).toMatchObject({ type: 'strategyRun', taskQueue: 'keel-simulated' });
    expect(described.memo).toEqual({ runId: body.runId });
    expect(await described.staticSummary()).toBe('AAPL · legible · 2014-07-07 after-close');
    const pairs = described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(pairs)).toMatchObject({
      KeelStrategy: 'legible',
      KeelSymbol: 'AAPL',
      KeelMode: 'simulated',
      KeelStatus: 'running',
    });
    expect((await fetch(body.temporalUrl ?? '')).status).toBe(200);
  });

  it('finds a run whose workflow has ended in any way', async () => {
    await create('ended');
    const first = await execute('ended');
    await client.workflow.getHandle(first.body.workflowId).terminate('by a test');
    const again = await execute('ended');
    expect(again).toEqual({ status: 200, body: { ...first.body, existing: true } });
  });

  it('gives a deliberate other run its own slot, and keeps its reason in the audit', async () => {
    await create('again');
    await execute('again');
    const reason = { reason: 'bars were corrected' };
    const other = await execute('again', reason);
    expect([other.status, other.body.slot]).toEqual([202, 'after-close-2']);
    expect(await execute('again', reason)).toEqual({ status: 200, body: { ...other.body, existing: true } });
    expect((await execute('again', { reason: 'once more' })).body.slot).toBe('after-close-3');
    const pg = new PgClient({ connectionString: postgres.url });
    await pg.connect();
    const { rows } = await pg.query(`select actor, action, facts from audit where subject = $1`, [
      other.body.runId,
    ]);
    await pg.end();
    expect(rows).toEqual([
      {
        actor: expect.stringMatching(/^user:maria\/key:[a-z2-7]{8}$/) as string,
        action: 'run.another',
        facts: { workflowId: other.body.workflowId, ...reason },
      },
    ]);
  });

  it('refuses an unknown strategy and a symbol that is not there', async () => {
    await create('several', ['AAPL', 'SPX']);
    expect(await refusal('/api/v1/strategies/nobody/execute', {})).toEqual({
      status: 404,
      code: 'STRATEGY_NOT_FOUND',
    });
    for (const body of [{}, { symbol: 'MSFT' }]) {
      expect(await refusal('/api/v1/strategies/several/execute', body)).toEqual({
        status: 422,
        code: 'INVALID_INPUT',
      });
    }
    expect((await execute('several', { symbol: 'SPX' })).status).toBe(202);
  });
});

describe('a run that no worker has taken', () => {
  it('can be read, followed and cancelled', async () => {
    await create('untaken');
    const { runId, workflowId } = (await execute('untaken')).body;
    const read = await ask(runDetail, `/api/v1/runs/${runId}`);
    expect(read.body).toMatchObject({ id: runId, workflowId, status: 'running', code: 'NOT_TAKEN_YET' });
    const stream = await follow(runId);
    const first = await stream.read();
    stream.leave();
    expect(progressIn(first)).toMatchObject({ runId, status: 'running', steps: [] });
    const cancelled = await post(cancelAnswer, `/api/v1/runs/${runId}/cancel`);
    expect(cancelled.status).toBe(202);
    const history = await client.workflow.getHandle(workflowId).fetchHistory();
    expect(
      history.events?.some(({ workflowExecutionCancelRequestedEventAttributes: asked }) => asked != null),
    ).toBe(true);
  });

  it('can not be cancelled once its workflow is closed', async () => {
    await create('closed');
    const { runId, workflowId } = (await execute('closed')).body;
    await client.workflow.getHandle(workflowId).terminate('by a test');
    expect(await refusal(`/api/v1/runs/${runId}/cancel`, {})).toEqual({ status: 409, code: 'RUN_ENDED' });
  });
});

describe('a stored run', () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex');
  const object = (key: string) => ({ key, sha256: 'a'.repeat(64), bytes: png.length });

  /** Everything that a worker stores of a run, up to an order that is working. */
  async function storeRun(strategyId: string) {
    await create(strategyId);
    const { runId, workflowId, mode, symbol, session, slot } = (await execute(strategyId)).body;
    await stores.runs.open({
      id: runId,
      workflowId,
      strategyVersion: 1,
      mode,
      strategyId,
      symbol,
      session,
      slot,
    });
    await stores.evidence.putBars({
      runId,
      timeframe: 'daily',
      object: object('bars/one.json'),
      count: 200,
      first: '2013-09-19T13:30:00.000Z',
      last: '2014-07-07T13:30:00.000Z',
      source: 'simulator',
    });
    await stores.evidence.putChart({
      runId,
      timeframe: 'daily',
      object: object(`charts/${strategyId}.png`),
      width: 1200,
      height: 900,
    });
    await stores.evidence.putAnalysis(runId, {
      timeframe: 'daily',
      analyst: 'rules',
      score: 0.42,
      parts: { trend: 0.5, momentum: 0.3, volatility: 0, levels: -0.1 },
      close: 95.97,
      atr: 1.21,
      support: 92.1,
      resistance: null,
      lastBar: '2014-07-07T13:30:00.000Z',
      barCount: 200,
      reasons: ['the close is above the SMA 50'],
      regime: { kind: 'ranging', direction: 'up', adx: 17.5, volatilityRank: 0.2 },
      reversal: { score: 1, action: 'buy', target: 97.5 },
    });
    const decision = {
      action: 'buy',
      entry: '95.97',
      stop: '93.55',
      target: '100.81',
      rCoefficient: '2',
      profitMargin: '0.0504',
      rationale: 'trend up',
      analyst: 'rules',
      sources: { action: 'analyst', entry: 'quote', stop: 'analyst', target: 'code' },
    } as const;
    await stores.evidence.putDecision(runId, decision, object('decisions/one.json'));
    const proposed = { side: 'BUY', quantity: '104', limit: null, stop: '93.55', target: '100.81' } as const;
    await stores.evidence.putRisk({
      runId,
      stage: 'proposal',
      verdict: {
        approved: true,
        code: 'APPROVED',
        quantity: '104',
        riskAmount: '251.68',
        limitedBy: 'position',
        checks: [{ code: 'CASH', passed: true, value: '9980.88', limit: '100000', text: 'Cash is enough.' }],
        order: proposed,
      },
      facts: object('risk/one.json'),
    });
    const clientOrderId = `ORDER${strategyId.toUpperCase()}`;
    await stores.intents.withAccountLock(mode, 'DU1234567', (tx) =>
      tx.insertIntent({
        clientOrderId,
        mode,
        accountId: 'DU1234567',
        runId,
        symbol,
        conid: '265598',
        ...proposed,
        reservedCash: '9980.88',
        validUntil: '2014-07-08T20:00:00.000Z',
      }),
    );
    return { runId, clientOrderId };
  }

  it('is shown with all that it found out, and its pictures are served', async () => {
    const { runId, clientOrderId } = await storeRun('shown');
    const { body } = await ask(runDetail, `/api/v1/runs/${runId}`);
    expect(body).toMatchObject({
      id: runId,
      status: 'running',
      bars: [{ timeframe: 'daily', count: 200, key: 'bars/one.json' }],
      charts: [{ timeframe: 'daily', url: '/api/v1/charts/charts/shown.png' }],
      analyses: [
        {
          timeframe: 'daily',
          score: 0.42,
          regime: { kind: 'ranging' },
          reversal: { score: 1, action: 'buy', target: 97.5 },
        },
      ],
      decision: { action: 'buy', entry: '95.97' },
      decisionInput: { key: 'decisions/one.json' },
      risk: [{ stage: 'proposal', approved: true }],
      order: { clientOrderId, state: 'INTENT' },
      executions: [],
    });
    const objects = createFilesystemObjectStore({ directory: `${folder.path}/objects` });
    await objects.ensureBucket();
    await objects.put('charts/shown.png', png, 'image/png');
    const picture = await fetch(api.url + (body.charts[0]?.url ?? ''));
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await picture.arrayBuffer()).equals(png)).toBe(true);
    expect(await refusal('/api/v1/charts/bars/one.json')).toEqual({ status: 404, code: 'CHART_NOT_FOUND' });
  });

  it('is listed with its filters', async () => {
    const { runId } = await storeRun('listed');
    const idsOf = async (query: string) =>
      (await ask(runList, `/api/v1/runs?${query}`)).body.runs.map(({ id }) => id);
    expect(await idsOf('strategyId=listed')).toEqual([runId]);
    expect(await idsOf('strategyId=listed&symbol=SPX')).toEqual([]);
    expect(await idsOf('limit=1')).toHaveLength(1);
  });

  it('streams its end, and is not cancelled after it', async () => {
    const { runId } = await storeRun('streamed');
    const stream = await follow(runId);
    expect(progressIn(await stream.read())).toMatchObject({ status: 'running', decision: { action: 'buy' } });
    await stores.runs.end(runId, {
      status: 'ended',
      outcome: 'HOLD',
      code: 'HOLD',
      message: 'No reason to trade.',
      steps: [{ name: 'decide', startedAt: '2026-01-05T10:00:00.000Z', ms: 12 }],
    });
    let rest = '';
    for (let text = await stream.read(); text !== null; text = await stream.read()) rest += text;
    expect(rest).toMatch(/event: progress\n[^]*event: end\n/);
    expect(progressIn(rest)).toMatchObject({ status: 'ended', outcome: 'HOLD', steps: [{ ms: 12 }] });
    expect(await refusal(`/api/v1/runs/${runId}/cancel`, {})).toEqual({ status: 409, code: 'RUN_ENDED' });
  });
});

describe('what is away', () => {
  it('PostgreSQL: 503, and all is well when it is back', async () => {
    gate.shut();
    expect(await refusal('/api/v1/strategies')).toEqual({ status: 503, code: 'DATABASE_AWAY' });
    expect(await refusal('/api/v1/strategies/once/execute', {})).toEqual({
      status: 503,
      code: 'DATABASE_AWAY',
    });
    expect((await fetch(`${api.url}/health`)).status).toBe(200);
    gate.open();
    expect((await ask(strategyList, '/api/v1/strategies')).status).toBe(200);
  });

  it('the market clock: 503', async () => {
    await create('clockless');
    await market.close();
    expect(await refusal('/api/v1/strategies/clockless/execute', {})).toEqual({
      status: 503,
      code: 'MARKET_CLOCK_AWAY',
    });
    market = await startMarketFront(adminToken, '2014-07-08T20:30:00.000Z');
    await api.stop();
    earlierLogs.push(api.log());
    env = { ...env, KEEL_SIMULATOR_ADMIN_URL: market.url };
    api = await startApi(env);
    expect((await execute('clockless')).body.session).toBe('2014-07-08');
  });

  it('a market clock outside the calendar: 503', async () => {
    const now = market.now;
    market.now = '1999-07-08T20:30:00.000Z';
    expect(await refusal('/api/v1/strategies/clockless/execute', {})).toEqual({
      status: 503,
      code: 'CALENDAR_ENDED',
    });
    market.now = now;
  });

  it('a market in which no session has closed yet: 409, and what to do', async () => {
    const now = market.now;
    market.now = '2000-01-03T14:30:00.000Z';
    const { status, body } = await post(problem, '/api/v1/strategies/clockless/execute');
    market.now = now;
    expect([status, body.code]).toEqual([409, 'NO_SESSION_YET']);
    expect(body.detail).toContain('keel simulator step --to');
  });

  it('Temporal: 503 and no word of the wire; asked again, one run starts', async () => {
    await create('patient');
    await temporal.kill();
    const answer = await post(problem, '/api/v1/strategies/patient/execute');
    expect([answer.status, answer.body.code]).toEqual([503, 'TEMPORAL_AWAY']);
    expect(answer.body.detail).not.toMatch(/grpc|ECONN|UNAVAILABLE/i);
    expect((await ask(strategyList, '/api/v1/strategies')).status).toBe(200);
    await temporal.restart();
    await expect
      .poll(
        async () => (await fetch(`${api.url}/api/v1/strategies/patient/execute`, { method: 'POST' })).status,
        { timeout: 30_000 },
      )
      .toBeLessThan(300);
    expect((await execute('patient')).status).toBe(200);
  });
});

describe('the document', () => {
  it('describes what the API answers', async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as {
      openapi: string;
      components: { schemas: Record<string, object> };
    };
    expect(document.openapi).toBe('3.1.0');
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const list: unknown = await (await fetch(`${api.url}/api/v1/strategies`)).json();
    const valid = ajv.compile({ ...document, $ref: '#/components/schemas/StrategyList' });
    expect(valid(list), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ strategies: [{ id: 'x' }] })).toBe(false);
  });
});

describe('the process', () => {
  it('ends its streams and itself on SIGTERM', async () => {
    await create('stopped');
    const { runId } = (await execute('stopped')).body;
    const stream = await follow(runId);
    await stream.read();
    const code = api.stop();
    let text = await stream.read();
    while (text !== null) text = await stream.read();
    expect(await code).toBe(0);
    expect(api.log(), 'no connection is waited for').not.toContain('cut off');
    earlierLogs.push(api.log());
    api = await startApi(env);
  });

  it('refuses to listen beyond this machine', async () => {
    const { code, words } = await failApi({ ...env, KEEL_API_HOST: '0.0.0.0' });
    expect(code).toBe(1);
    expect(words).toMatch(
      /^api: The API does not listen on 0\.0\.0\.0: no name is given.*KEEL_API_ALLOWED_HOSTS/,
    );
    const named = await failApi({
      ...env,
      KEEL_API_HOST: '0.0.0.0',
      KEEL_API_ALLOWED_HOSTS: 'keel.example.com',
    });
    expect([named.code, named.words]).toEqual([1, expect.stringContaining('there is no admin')]);
  });

  it('names a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, words } = await failApi({ ...env, KEEL_API_PORT: String(port) });
    other.close();
    expect(code).toBe(1);
    expect(words).toContain(`127.0.0.1:${port}: another process has it`);
  });

  it('does not start without PostgreSQL, nor on the database of another mode', async () => {
    gate.shut();
    const away = await failApi(env);
    gate.open();
    expect([away.code, away.words]).toEqual([1, expect.stringContaining('does not answer')]);
    const pg = new PgClient({ connectionString: postgres.url });
    await pg.connect();
    await pg.query(`update database_mode set mode = 'paper'`);
    const foreign = await failApi(env);
    await pg.query(`update database_mode set mode = 'simulated'`);
    await pg.end();
    expect([foreign.code, foreign.words]).toEqual([1, expect.stringContaining('belongs to mode paper')]);
  });

  it('writes no secret into its log', () => {
    const text = [...earlierLogs, api.log()].join('');
    expect(text, 'the log of what was away').toContain('DATABASE_AWAY');
    expect(text).not.toContain(adminToken);
    expect(text).not.toMatch(/postgres:\/\/[^\s:/@]*:(?!\*\*\*@)/);
  });
});
