// The stores against the real PostgreSQL: what they promise in ports/stores.ts, and what the database refuses by itself.
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerOrderStatus, IntentState, OrderState } from '../contracts/wire/order.js';
import { createRunActivities } from '../activities/run.js';
import { connect } from '../db/connect.js';
import type { Database } from '../db/connect.js';
import { claimMode } from '../db/mode.js';
import {
  analysis as analysisTable,
  chart as chartTable,
  databaseMode,
  decision as decisionTable,
  marketData,
  proposedDecision,
  riskEvaluation,
  run,
  runCancel,
  runStep,
  strategy,
  strategyVersion,
  workflow,
  workflowVersion,
} from '../db/schema.js';
import {
  audit,
  brokerSnapshot,
  execution as executionTable,
  order as orderTable,
  orderIntent,
  position,
} from '../db/schemaOrders.js';
import { equitySnapshot, monitorResult } from '../db/schemaMonitors.js';
import { notification, notificationDelivery, notificationSetting } from '../db/schemaNotifications.js';
import {
  accessAttempt,
  apiKey,
  keelUser,
  login,
  oidcFlow,
  oidcIdentity,
  recoveryCode,
  refreshToken,
  secondFactor,
} from '../db/schemaAccess.js';
import { brokerSession, brokerSessionEvent, brokerTrouble, gatewayLimit } from '../db/schemaBroker.js';
import { modelAbility } from '../db/schemaAbilities.js';
import { rulesOpinion } from '../db/schemaRulesOpinions.js';
import { agentConversation } from '../db/schemaConversations.js';
import { purgedObject } from '../db/schemaRetention.js';
import { createStores } from '../db/stores.js';
import type { Stores } from '../db/stores.js';
import { definitionSteps, mandatoryGates } from '../domain/definition/definition.js';
import type { BrokerExecution, BrokerOrder } from '../ports/broker.js';
import type { CallResult, NewCall, SpendingGroup } from '../ports/conversations.js';
import type { RiskRow } from '../ports/evidence.js';
import type { BrokerSnapshot, NewIntent } from '../ports/stores.js';
import { makeUser } from './support/access.js';
import { withinOneDay } from './support/day.js';
import { startTestPostgres } from './support/postgres.js';
import type { TestPostgres } from './support/postgres.js';

let server: TestPostgres;
let db: Database;
let stores: Stores;
let serial = 0;

const settings = {
  symbols: ['AAPL'],
  timeframes: ['daily', 'weekly'],
  indicators: {
    sma: [20, 50, 200],
    ema: [20],
    rsi: 14,
    macd: { fast: 12, slow: 26, signal: 9 },
    bollinger: { period: 20, deviations: 2 },
    atr: 14,
    superTrend: { period: 10, multiplier: 3 },
    volumeAverage: 20,
  },
  analyst: 'rules',
  risk: {
    riskPerTrade: '0.01',
    maximumPositionShare: '0.10',
    minimumRCoefficient: '1.5',
    priceCollar: '0.03',
    cashReserve: '0.02',
    shortsAllowed: false,
    pyramiding: false,
  },
  slot: 'after-close',
  workflowId: 'standard',
  workflowVersion: 1,
} as const;

const object = (name: string) => ({ key: `objects/${name}`, sha256: 'a'.repeat(64), bytes: 1234 });

beforeAll(async () => {
  server = await startTestPostgres();
  db = connect({
    url: server.url,
    poolSize: 10,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 20_000,
  });
  stores = createStores(db, 'simulated');
});

afterAll(async () => {
  await db.close();
  await server.stop();
});

beforeEach(() => {
  serial += 1;
});

const newStrategy = async (): Promise<string> => {
  const { id } = await stores.strategies.create(
    { id: `demo-${String(serial)}`, name: 'Demo', settings },
    'tester',
  );
  return id;
};

const runInput = (strategyId: string, slot = 'after-close') => ({
  id: `run-${strategyId}-${slot}`,
  workflowId: `run/simulated/${strategyId}/AAPL/2014-07-07/${slot}`,
  mode: 'simulated' as const,
  strategyId,
  strategyVersion: 1,
  symbol: 'AAPL',
  session: '2014-07-07',
  slot,
});

const newRun = async (): Promise<string> => (await stores.runs.open(runInput(await newStrategy()))).id;

const newIntent = (runId: string, more: Partial<NewIntent> = {}): NewIntent => ({
  clientOrderId: `ORDER${String(serial)}`,
  mode: 'simulated',
  accountId: `DU${String(serial)}`,
  runId,
  symbol: 'AAPL',
  conid: '265598',
  side: 'BUY',
  quantity: '104',
  limit: null,
  stop: '91.50',
  target: '99.75',
  reservedCash: '9984.00',
  validUntil: '2014-07-08T20:00:00.000Z',
  ...more,
});

const storeIntent = async (intent: NewIntent): Promise<void> =>
  stores.intents.withAccountLock('simulated', intent.accountId, (tx) => tx.insertIntent(intent));

describe('schema', () => {
  it('describes exactly the columns of the migrated database', async () => {
    const { rows } = await db.pool.query<{ table_name: string; column_name: string; facts: string }>(
      `select c.relname as table_name, a.attname as column_name,
         format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end as facts
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
         and c.relname <> 'keel_migration'`,
    );
    const migrated = rows.map((row) => `${row.table_name}.${row.column_name}: ${row.facts}`);
    const tables: PgTable[] = [
      ...[
        databaseMode,
        workflow,
        workflowVersion,
        strategy,
        strategyVersion,
        run,
        runCancel,
        runStep,
        marketData,
        chartTable,
      ],
      ...[
        analysisTable,
        decisionTable,
        proposedDecision,
        riskEvaluation,
        orderIntent,
        brokerSnapshot,
        orderTable,
      ],
      ...[executionTable, position, audit, monitorResult, equitySnapshot],
      ...[notification, notificationSetting, notificationDelivery],
      ...[
        keelUser,
        login,
        refreshToken,
        accessAttempt,
        apiKey,
        secondFactor,
        recoveryCode,
        oidcIdentity,
        oidcFlow,
      ],
      ...[
        agentConversation,
        modelAbility,
        brokerSession,
        brokerSessionEvent,
        brokerTrouble,
        gatewayLimit,
        purgedObject,
      ],
      ...[rulesOpinion],
    ];
    const described = tables.flatMap((table) =>
      Object.values(getTableColumns(table)).map(
        (column) =>
          `${getTableName(table)}.${column.name}: ${column.getSQLType()}` +
          (column.notNull ? ' not null' : ''),
      ),
    );
    expect(described.sort()).toEqual(migrated.sort());
  });
});

describe('workflow definitions', () => {
  const contents = {
    steps: definitionSteps,
    timeframes: ['daily'],
    analyst: 'rules',
    gates: [...mandatoryGates, 'timeframesAgree'],
    limits: { riskPerTrade: '0.005', pyramiding: false },
  } as const;
  const own = async (): Promise<string> => {
    const id = `flow-${String(serial)}`;
    await stores.definitions.create({ id, name: 'Mine', ownerId: null }, contents, 'tester');
    return id;
  };

  it('are there from the start as the standard one, which is sound', async () => {
    const standard = await stores.definitions.get('standard');
    expect(standard).toMatchObject({ ownerId: null, current: { version: 1, createdBy: 'keel' } });
    expect(standard?.current).toMatchObject({
      steps: definitionSteps,
      timeframes: ['daily', 'weekly'],
      analyst: 'auto',
      gates: mandatoryGates,
      limits: {},
    });
  });

  it('have one of the platform for strategies that look at months too', async () => {
    const added = await stores.definitions.get('three-timeframes');
    const standard = await stores.definitions.get('standard');
    expect(added).toMatchObject({ ownerId: null, current: { version: 1, createdBy: 'keel' } });
    const { steps, analyst, gates, limits } = standard?.current ?? {};
    const same = { steps, analyst, gates, limits };
    expect(added?.current).toMatchObject({ ...same, timeframes: ['daily', 'weekly', 'monthly'] });
  });

  it('give back what was stored, by version and in the list', async () => {
    const id = await own();
    const first = await stores.definitions.version(id, 1);
    expect(first).toMatchObject({ id, version: 1, ...contents, createdBy: 'tester' });
    const second = await stores.definitions.addVersion(id, { ...contents, limits: {} }, 'tester');
    expect(second).toMatchObject({ version: 2, limits: {} });
    expect(await stores.definitions.versions(id)).toEqual([first, second]);
    expect(await stores.definitions.get(id)).toMatchObject({ name: 'Mine', current: second });
    expect(await stores.definitions.list()).toContainEqual(await stores.definitions.get(id));
    expect(await stores.definitions.version(id, 3)).toBeNull();
    await expect(stores.definitions.addVersion('nowhere', contents, 'x')).rejects.toMatchObject({
      code: 'WORKFLOW_NOT_FOUND',
    });
    const again = stores.definitions.create({ id, name: 'Again', ownerId: null }, contents, 'x');
    await expect(again).rejects.toMatchObject({ code: 'WORKFLOW_EXISTS' });
  });

  it('number versions that are stored at once one after another', async () => {
    const id = await own();
    const adds = Array.from({ length: 8 }, () => stores.definitions.addVersion(id, contents, 'tester'));
    const versions = (await Promise.all(adds)).map(({ version }) => version);
    expect(versions.sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('never change: the database refuses it', async () => {
    const id = await own();
    const change = db.pool.query(`update workflow_version set limits = '{}' where workflow_id = $1`, [id]);
    await expect(change).rejects.toThrow(/never changes: store another version/);
  });

  it('stay while a strategy names a version of them, and go with their versions after that', async () => {
    const id = await own();
    const free = `${id}-free`;
    await stores.definitions.create({ id: free, name: 'Free', ownerId: null }, contents, 'tester');
    const named = { ...settings, workflowId: id };
    await stores.strategies.create({ id: `${id}-s`, name: 'S', settings: named }, 'tester');
    await expect(stores.definitions.remove(id, 'x')).rejects.toMatchObject({ code: 'WORKFLOW_IN_USE' });
    await stores.definitions.remove(free, 'tester');
    expect(await stores.definitions.get(free)).toBeNull();
    expect(await stores.definitions.versions(free)).toEqual([]);
    await expect(stores.definitions.remove(free, 'x')).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  });

  it('are in the audit: made, versioned, removed, and named by another version of a strategy', async () => {
    const id = await own();
    await stores.definitions.addVersion(id, contents, 'tester');
    const strategyId = await newStrategy();
    const next = { after: 1, settings: { ...settings, workflowId: id, workflowVersion: 2 } };
    await stores.strategies.addVersion(strategyId, next, 'tester');
    const { rows } = await db.pool.query<{ action: string; facts: object }>(
      `select action, facts from audit where subject in ($1, $2) order by position`,
      [id, strategyId],
    );
    expect(rows).toEqual([
      { action: 'workflow.create', facts: { version: 1 } },
      { action: 'workflow.version', facts: { version: 2 } },
      { action: 'strategy.create', facts: { version: 1 } },
      { action: 'strategy.version', facts: { version: 2, workflow: id, workflowVersion: 2 } },
    ]);
  });
});

describe('mode', () => {
  it('binds a database to the first mode that claims it', async () => {
    await claimMode(db, 'simulated');
    await claimMode(db, 'simulated');
    await expect(claimMode(db, 'live')).rejects.toMatchObject({
      code: 'MODE_MISMATCH',
      errorClass: 'final',
    });
  });

  it('lets no store touch another mode', async () => {
    const id = await newStrategy();
    await expect(stores.runs.open({ ...runInput(id), mode: 'paper' })).rejects.toMatchObject({
      code: 'MODE_MISMATCH',
    });
    await expect(stores.brokerState.latest('live', 'DU1')).rejects.toMatchObject({ code: 'MODE_MISMATCH' });
    await expect(
      stores.intents.withAccountLock('live', 'DU1', () => Promise.resolve(1)),
    ).rejects.toMatchObject({ code: 'MODE_MISMATCH' });
  });
});

describe('strategies', () => {
  it('gives back what was created, also by version and in the list', async () => {
    const id = await newStrategy();
    const stored = await stores.strategies.get(id);
    expect(stored).toMatchObject({ id, name: 'Demo', mode: 'simulated', active: true, version: 1, settings });
    expect(stored?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await stores.strategies.version(id, 1)).toEqual(settings);
    expect(await stores.strategies.version(id, 2)).toBeNull();
    expect(await stores.strategies.list()).toContainEqual(stored);
    expect(await stores.strategies.get('nobody')).toBeNull();
  });

  it('refuses an id twice and leaves nothing half-written', async () => {
    const id = await newStrategy();
    await expect(stores.strategies.create({ id, name: 'Again', settings }, 'x')).rejects.toMatchObject({
      code: 'STRATEGY_EXISTS',
    });
    const broken = { ...settings, workflowId: 'nowhere' };
    await expect(
      stores.strategies.create({ id: `${id}-b`, name: 'B', settings: broken }, 'x'),
    ).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
    expect(await stores.strategies.get(`${id}-b`)).toBeNull();
  });

  it('keep every version, and let one of two who change them at once', async () => {
    const id = await newStrategy();
    const next = { after: 1, settings: { ...settings, symbols: ['SPX'] } };
    const tries = await Promise.allSettled(
      [1, 2].map(() => stores.strategies.addVersion(id, next, 'tester')),
    );
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(tries.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'STRATEGY_CHANGED', errorClass: 'final' },
    });
    expect(await stores.strategies.get(id)).toMatchObject({ version: 2, settings: { symbols: ['SPX'] } });
    expect(await stores.strategies.version(id, 1)).toEqual(settings);
    const unknown = { after: 2, settings: { ...settings, workflowVersion: 9 } };
    await expect(stores.strategies.addVersion(id, unknown, 'x')).rejects.toMatchObject({
      code: 'UNKNOWN_WORKFLOW',
    });
  });
});

describe('runs', () => {
  it('keep the strategy version of their row when they are opened once more, also in the plan', async () => {
    const definitionId = `plan-${String(serial)}`;
    const contents = { timeframes: ['daily'], analyst: 'rules', gates: mandatoryGates, limits: {} } as const;
    const advice = definitionSteps.filter((step) => step !== 'waitForMarket' && step !== 'orderLifecycle');
    const named = { id: definitionId, name: 'Plan', ownerId: null };
    await stores.definitions.create(named, { ...contents, steps: advice }, 'tester');
    await stores.definitions.addVersion(definitionId, { ...contents, steps: definitionSteps }, 'tester');
    const first = { ...settings, timeframes: ['daily'], workflowId: definitionId } as const;
    const strategyId = `demo-${String(serial)}`;
    await stores.strategies.create({ id: strategyId, name: 'Demo', settings: first }, 'tester');
    const activities = createRunActivities({
      mode: 'simulated',
      accountId: 'DU1',
      stepDeadlineMs: 1,
      analystDeadlineMs: 1,
      sessionWaitMs: 0,
      runs: stores.runs,
      strategies: stores.strategies,
      definitions: stores.definitions,
      conversations: stores.conversations,
      modelCaps: { run: '1', day: '1', month: '1' },
      marketClock: { now: () => Promise.resolve({ now: '2014-07-07T21:00:00.000Z', step: 1 }) },
      brokerState: stores.brokerState,
      clock: { now: () => Date.now() },
    });
    const { id: runId, ...input } = runInput(strategyId);
    const begun = await activities.openRun({ ...input, runId });
    expect(begun).toMatchObject({
      strategyVersion: 1,
      definition: { id: definitionId, version: 1, steps: advice },
    });

    const next = { ...first, workflowVersion: 2 };
    await stores.strategies.addVersion(strategyId, { after: 1, settings: next }, 'tester');
    expect(await activities.openRun({ ...input, runId })).toEqual(begun);
    expect(await stores.runs.get(runId)).toMatchObject({
      strategyVersion: 1,
      definitionId,
      definitionVersion: 1,
    });
  });

  it('opens a run once, and finds it again for the same workflow', async () => {
    const id = await newStrategy();
    const first = await stores.runs.open(runInput(id));
    expect(first).toMatchObject({ ...runInput(id), status: 'running', outcome: null, endedAt: null });
    expect(first).toMatchObject({ definitionId: 'standard', definitionVersion: 1 });
    expect(await stores.runs.open({ ...runInput(id), id: 'other' })).toEqual(first);
    expect(await stores.runs.get(first.id)).toEqual(first);
    expect(await stores.runs.byWorkflowId(first.workflowId)).toEqual(first);
  });

  it('refuses another workflow in the same slot', async () => {
    const id = await newStrategy();
    await stores.runs.open(runInput(id));
    const other = { ...runInput(id), id: 'x', workflowId: `another-${id}` };
    await expect(stores.runs.open(other)).rejects.toMatchObject({ code: 'RUN_EXISTS', errorClass: 'final' });
  });

  it('lets exactly one of many concurrent workflows have a slot', async () => {
    const id = await newStrategy();
    const tries = Array.from({ length: 20 }, (_, index) =>
      stores.runs
        .open({ ...runInput(id), id: `${id}-${String(index)}`, workflowId: `${id}-${String(index)}` })
        .then(
          () => 'opened',
          (error: unknown) => (error as { code: string }).code,
        ),
    );
    const answers = await Promise.all(tries);
    expect(answers.filter((answer) => answer === 'opened')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'RUN_EXISTS')).toHaveLength(19);
  });

  it('waits, goes on and ends, and the first end stands', async () => {
    const id = await newRun();
    await stores.runs.setWaiting(id, '2014-07-08T13:35:00.000Z');
    expect(await stores.runs.get(id)).toMatchObject({
      status: 'waiting',
      waitingFor: '2014-07-08T13:35:00.000Z',
    });
    expect((await stores.runs.listOpen()).map((row) => row.id)).toContain(id);
    await stores.runs.setWaiting(id, null);
    expect(await stores.runs.get(id)).toMatchObject({ status: 'running', waitingFor: null });
    const steps = [
      { name: 'openRun', startedAt: '2026-01-02T03:04:05.678Z', ms: 12 },
      { name: 'decide', startedAt: '2026-01-02T03:04:06.000Z', ms: null },
    ] as const;
    const end = { status: 'ended', outcome: 'HOLD', code: 'HOLD', message: 'nothing to do', steps } as const;
    await stores.runs.end(id, end);
    await stores.runs.end(id, { ...end, status: 'failed', outcome: 'FAILED' });
    expect(await stores.runs.get(id)).toMatchObject({ status: 'ended', outcome: 'HOLD', waitingFor: null });
    expect((await stores.runs.get(id))?.endedAt).toMatch(/Z$/);
    expect(await stores.runs.steps(id)).toEqual(steps);
    expect((await stores.runs.listOpen()).map((row) => row.id)).not.toContain(id);
  });

  it('says so when a run to end is not there', async () => {
    const end = { status: 'failed', outcome: 'FAILED', code: null, message: null, steps: [] } as const;
    await expect(stores.runs.end('nobody', end)).rejects.toMatchObject({ code: 'RUN_MISSING' });
  });

  it('lists the newest session first, filtered and limited', async () => {
    const id = await newStrategy();
    for (const session of ['2014-07-08', '2014-07-07', '2014-07-09']) {
      const workflowId = `${id}/${session}`;
      await stores.runs.open({ ...runInput(id), id: workflowId, workflowId, session });
    }
    const rows = await stores.runs.list({ strategyId: id, symbol: 'AAPL', limit: 2 });
    expect(rows.map((row) => row.session)).toEqual(['2014-07-09', '2014-07-08']);
    expect(await stores.runs.list({ strategyId: id, symbol: 'MSFT', limit: 2 })).toEqual([]);
  });
});

describe('deliveries', () => {
  it('are marked only by the sender that took them last', async () => {
    const to = { key: `to-${serial}`, userId: 'anna', channel: 'inbox' as const };
    const news = { key: to.key, event: 'test' as const, title: 't', body: '', facts: {} };
    const { notifications } = stores;
    await notifications.addFor(news, { ...to, notBefore: new Date(0).toISOString() });
    const take = async () => (await notifications.claim(100, 0)).filter(({ key }) => key === to.key);
    const [overtaken] = await take();
    const [last] = await take();
    if (overtaken === undefined || last === undefined) throw new Error('the delivery was not taken twice');
    const stored = async () =>
      (await notifications.list('anna', { unread: false, limit: 100 })).find(({ key }) => key === to.key);

    await notifications.sent(overtaken);
    await notifications.giveUp(overtaken, 'late', null);
    expect(await stored()).toMatchObject({ state: 'sending', attempts: 2, lastError: null });

    const again = new Date(0).toISOString();
    await notifications.failed(last, 'away', again);
    expect(await stored()).toMatchObject({ state: 'pending', lastError: 'away' });
    const [third] = await take();
    if (third === undefined) throw new Error('the delivery was not taken again');
    await notifications.sent(third);
    await notifications.giveUp(third, 'late', null);
    expect(await stored()).toMatchObject({ state: 'sent', attempts: 3, lastError: null });
  });

  it('are given up, and whose they are is told in the same transaction, once', async () => {
    const { id } = await makeUser(stores, `loser-${serial}`, 'viewer');
    const to = { key: `up-${serial}`, userId: id, channel: 'inbox' as const };
    const news = { key: to.key, event: 'test' as const, title: 't', body: '', facts: {} };
    const { notifications } = stores;
    await notifications.addFor(news, { ...to, notBefore: new Date(0).toISOString() });
    const [taken] = (await notifications.claim(100, 60_000)).filter(({ key }) => key === to.key);
    if (taken === undefined) throw new Error('the delivery was not taken');
    const loss = {
      key: `loss-${serial}`,
      event: 'notification.failed' as const,
      title: 'l',
      body: '',
      facts: {},
    };
    const told = async () =>
      (
        await db.pool.query<object>(`select owner_id as owner, event from notification where key = $1`, [
          loss.key,
        ])
      ).rows;
    // The attempt of another sender tells nothing.
    await notifications.giveUp({ ...taken, attempts: 9 }, 'late', loss);
    expect(await told()).toEqual([]);
    await notifications.giveUp(taken, 'refused', loss);
    await notifications.giveUp(taken, 'refused again', { ...loss, key: `${loss.key}-2` });
    const found = await notifications.list(id, { unread: false, limit: 100 });
    expect(found.find(({ key }) => key === to.key)).toMatchObject({ state: 'failed', lastError: 'refused' });
    expect(await told()).toEqual([{ owner: id, event: 'notification.failed' }]);
    const { rows } = await db.pool.query(`select from notification where key = $1`, [`${loss.key}-2`]);
    expect(rows).toEqual([]);
  });
});

describe('evidence', () => {
  const analysis = {
    timeframe: 'daily',
    analyst: 'rules',
    score: 0.1 + 0.2,
    parts: { trend: 1, momentum: -0.3333333333333333, volatility: 0, levels: 0.25 },
    close: 95.97,
    atr: null,
    support: 90.123456789,
    resistance: null,
    lastBar: '2014-07-07T13:30:00.000Z',
    barCount: 289,
    reasons: ['above SMA 200', 'RSI 61.2'],
  } as const;
  const decision = {
    action: 'buy',
    entry: '95.97',
    stop: '91.50',
    target: '104.910',
    rCoefficient: '2.0000000000000000000000000000000001',
    profitMargin: '0.0931541106595811191',
    rationale: 'trend',
    analyst: 'rules',
    sources: { action: 'analyst', entry: 'quote', stop: 'analyst', target: 'code' },
  } as const;

  it('keeps bars, charts, analyses and the decision exactly, and overwrites on a retry', async () => {
    const runId = await newRun();
    const bars = {
      runId,
      timeframe: 'daily',
      object: object(`bars-${runId}`),
      count: 289,
      first: '2013-05-13T13:30:00.000Z',
      last: '2014-07-07T13:30:00.000Z',
      source: 'ibkr',
    } as const;
    await stores.evidence.putBars({ ...bars, count: 1 });
    await stores.evidence.putBars(bars);
    expect(await stores.evidence.bars(runId)).toEqual([bars]);
    const chart = {
      runId,
      timeframe: 'weekly',
      object: object(`chart-${runId}`),
      width: 1200,
      height: 900,
    } as const;
    await stores.evidence.putChart(chart);
    expect(await stores.evidence.charts(runId)).toEqual([chart]);
    expect(await stores.evidence.chartByKey(chart.object.key, null)).toEqual(chart);
    expect(await stores.evidence.chartByKey(bars.object.key, null)).toBeNull();
    await stores.evidence.putAnalysis(runId, analysis);
    expect(await stores.evidence.analyses(runId)).toEqual([analysis]);
    const inRange = {
      ...analysis,
      regime: { kind: 'ranging', direction: 'down', adx: 17.25, volatilityRank: 0.1 },
      reversal: { score: 1, action: 'buy', target: 97.5 },
    } as const;
    await stores.evidence.putAnalysis(runId, inRange);
    expect(await stores.evidence.analyses(runId)).toEqual([inRange]);
    expect(await stores.evidence.decision(runId)).toBeNull();
    await stores.evidence.putDecision(runId, { ...decision, rationale: 'first try' }, object('a'));
    await stores.evidence.putDecision(runId, decision, object('b'));
    expect(await stores.evidence.decision(runId)).toEqual({ decision, input: object('b') });
  });

  it('names the buy that a panel is given, and what it was decided from, before there is a decision', async () => {
    const runId = await newRun();
    expect(await stores.evidence.proposed(runId)).toBeNull();
    const first = { proposal: object('proposed'), input: object('from') };
    await stores.evidence.putProposed(runId, { ...first, proposal: object('first try') });
    await stores.evidence.putProposed(runId, first);
    expect(await stores.evidence.proposed(runId)).toEqual(first);
    expect(await stores.evidence.decision(runId)).toBeNull();
  });

  it('keeps a hold without prices', async () => {
    const runId = await newRun();
    const hold = {
      ...decision,
      action: 'hold',
      entry: null,
      stop: null,
      target: null,
      rCoefficient: null,
      profitMargin: null,
    } as const;
    await stores.evidence.putDecision(runId, hold, object('c'));
    expect((await stores.evidence.decision(runId))?.decision).toEqual(hold);
  });

  it('keeps proposal and admission side by side', async () => {
    const runId = await newRun();
    const verdict = {
      approved: true,
      code: 'APPROVED',
      quantity: '104',
      riskAmount: '464.88',
      limitedBy: 'position',
      checks: [{ code: 'POSITION_SHARE', passed: true, value: '0.0998', limit: '0.10', text: 'fits' }],
      order: { side: 'BUY', quantity: '104', limit: '96.00', stop: '91.50', target: null },
    } as const;
    const proposal: RiskRow = { runId, stage: 'proposal', verdict, facts: object('facts') };
    const refused = { ...verdict, approved: false, code: 'CASH', quantity: '0', order: null };
    const admission: RiskRow = { runId, stage: 'admission', verdict: refused, facts: object('facts-2') };
    await stores.evidence.putRisk(proposal);
    await stores.intents.withAccountLock('simulated', 'DU1', (tx) => tx.putRisk(admission));
    expect(await stores.evidence.risk(runId)).toEqual([proposal, admission]);
    const { rows } = await db.pool.query<{ none: boolean }>(
      `select proposed_order is null as none from risk_evaluation where run_id = $1 and stage = 'admission'`,
      [runId],
    );
    expect(rows).toEqual([{ none: true }]);
  });

  it('refuses evidence of a run that does not exist, and amounts that are no numbers', async () => {
    await expect(stores.evidence.putAnalysis('nobody', analysis)).rejects.toMatchObject({
      code: 'DATABASE_REJECTED',
    });
    const runId = await newRun();
    await expect(
      stores.evidence.putDecision(runId, { ...decision, entry: 'NaN' }, object('d')),
    ).rejects.toMatchObject({ code: 'DATABASE_REJECTED' });
  });
});

describe('order intents', () => {
  const open: OrderState = {
    clientOrderId: '',
    found: true,
    pastValidity: false,
    brokerOrderId: '42',
    status: 'WORKING',
    quantity: '104',
    filledQuantity: '0',
    averagePrice: null,
    legs: [],
    position: '0',
    reason: null,
  };

  it('gives back what was stored, and stores the same again without harm', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    await storeIntent(intent);
    const stored = await stores.intents.get(intent.clientOrderId);
    expect(stored).toEqual({
      ...intent,
      state: 'INTENT',
      brokerOrderId: null,
      filledQuantity: '0',
      averagePrice: null,
      legs: [],
      reason: null,
      updatedAt: expect.stringMatching(/Z$/) as string,
    });
    expect(await stores.intents.byRun(intent.runId)).toEqual(stored);
    expect(await stores.intents.get('nobody')).toBeNull();
  });

  it('refuses a client order id for a second order', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    await expect(storeIntent({ ...intent, quantity: '1' })).rejects.toMatchObject({
      code: 'INTENT_EXISTS',
      errorClass: 'final',
    });
  });

  it('undoes everything when the work under the lock fails', async () => {
    const intent = newIntent(await newRun());
    await expect(
      stores.intents.withAccountLock('simulated', intent.accountId, async (tx) => {
        await tx.insertIntent(intent);
        throw new Error('second thoughts');
      }),
    ).rejects.toThrow();
    expect(await stores.intents.get(intent.clientOrderId)).toBeNull();
  });

  it('never commits work that went on after a statement had failed', async () => {
    const intent = newIntent(await newRun());
    await expect(
      stores.intents.withAccountLock('simulated', intent.accountId, async (tx) => {
        await tx.insertIntent(intent);
        await tx.insertIntent({ ...intent, clientOrderId: 'X', runId: 'nobody' }).catch(() => undefined);
        return 'fine';
      }),
    ).rejects.toMatchObject({ code: 'DATABASE_ERROR' });
    expect(await stores.intents.get(intent.clientOrderId)).toBeNull();
  });

  it('moves by compare-and-set: of many, one wins, and the audit tells of it once', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    const wins = await Promise.all(
      Array.from({ length: 10 }, () =>
        stores.intents.move(intent.clientOrderId, ['INTENT'], 'SENT', { actor: 'sender', reason: 'go' }),
      ),
    );
    expect(wins.filter(Boolean)).toHaveLength(1);
    const { rows } = await db.pool.query(
      'select actor, action, mode, facts from audit where subject = $1 order by id',
      [intent.clientOrderId],
    );
    expect(rows).toEqual([
      {
        actor: 'sender',
        action: 'intent.move',
        mode: 'simulated',
        facts: { from: 'INTENT', to: 'SENT', reason: 'go' },
      },
    ]);
  });

  it('marks no buy as SENT once its run was asked to stop, and takes it back all the same', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    const move = (to: 'SENT' | 'ABANDONED') =>
      stores.intents.move(intent.clientOrderId, ['INTENT'], to, { actor: 'sender' });
    expect(await stores.intents.cancelAsked(intent.runId)).toBe(false);
    await stores.intents.askCancel(intent.runId, 'user:trader');
    await stores.intents.askCancel(intent.runId, 'user:other');
    expect(await stores.intents.cancelAsked(intent.runId)).toBe(true);
    expect(await move('SENT')).toBe(false);
    expect(await move('ABANDONED')).toBe(true);
  });

  it('sends the sell of a run that was asked to stop: its position may have given up its protection', async () => {
    const intent = newIntent(await newRun(), { side: 'SELL' });
    await storeIntent(intent);
    await stores.intents.askCancel(intent.runId, 'user:trader');
    expect(await stores.intents.move(intent.clientOrderId, ['INTENT'], 'SENT', { actor: 'sender' })).toBe(
      true,
    );
  });

  it('allows exactly the transitions of the table', async () => {
    const states: IntentState[] = [
      'INTENT',
      'SENT',
      'NOT_SENT',
      'ABANDONED',
      'ACKNOWLEDGED',
      'REJECTED',
      'UNKNOWN',
      'FILLED',
      'CANCELLED',
      'EXPIRED',
      'SENT_NOT_FOUND_EXPIRED',
    ];
    const allowed: Partial<Record<IntentState, string>> = {
      INTENT: 'SENT ABANDONED',
      SENT: 'NOT_SENT ACKNOWLEDGED REJECTED UNKNOWN FILLED CANCELLED EXPIRED SENT_NOT_FOUND_EXPIRED',
      UNKNOWN: 'ACKNOWLEDGED REJECTED FILLED CANCELLED EXPIRED SENT_NOT_FOUND_EXPIRED',
      ACKNOWLEDGED: 'REJECTED FILLED CANCELLED EXPIRED',
      SENT_NOT_FOUND_EXPIRED: 'ACKNOWLEDGED FILLED CANCELLED',
    };
    const road: Partial<Record<IntentState, IntentState[]>> = {
      INTENT: [],
      SENT: ['SENT'],
      ABANDONED: ['ABANDONED'],
    };
    const runId = await newRun();
    for (const from of states) {
      for (const to of states) {
        const clientOrderId = `T${String(serial)}-${from}-${to}`;
        await storeIntent(newIntent(runId, { clientOrderId }));
        let at: IntentState = 'INTENT';
        for (const next of road[from] ?? ['SENT', from]) {
          expect(await stores.intents.move(clientOrderId, [at], next, { actor: 'road' })).toBe(true);
          at = next;
        }
        const legal = from === to || (allowed[from] ?? '').split(' ').includes(to);
        const answer = await stores.intents.move(clientOrderId, [from], to, { actor: 'step' }).then(
          (moved) => (moved ? 'moved' : 'not moved'),
          (error: unknown) => (error as { code: string }).code,
        );
        expect(`${from} to ${to}: ${answer}`).toBe(
          `${from} to ${to}: ${legal ? 'moved' : 'ILLEGAL_TRANSITION'}`,
        );
      }
    }
  });

  it('lets nobody delete an intent, change its terms or begin one elsewhere', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    const id = [intent.clientOrderId];
    await expect(db.pool.query('delete from order_intent where client_order_id = $1', id)).rejects.toThrow(
      /once, for ever/,
    );
    await expect(
      db.pool.query('update order_intent set quantity = 1000 where client_order_id = $1', id),
    ).rejects.toThrow(/terms/);
    await expect(
      db.pool.query(
        `insert into order_intent (client_order_id, mode, account_id, run_id, symbol, conid, side, quantity,
           reserved_cash, valid_until, state)
         select 'again', mode, account_id, run_id, symbol, conid, side, quantity, 0, valid_until, 'FILLED'
         from order_intent where client_order_id = $1`,
        id,
      ),
    ).rejects.toThrow(/begin as INTENT/);
  });

  it('takes over what a poll found, and keeps it when a later one finds nothing', async () => {
    const intent = newIntent(await newRun());
    await storeIntent(intent);
    const id = intent.clientOrderId;
    await stores.intents.move(id, ['INTENT'], 'SENT', { actor: 'sender' });
    await stores.intents.applyState(id, open, 'ACKNOWLEDGED');
    const legs = [
      { role: 'stop', brokerOrderId: '43', status: 'WORKING', filledQuantity: '0' },
      { role: 'target', brokerOrderId: '44', status: 'WORKING', filledQuantity: '0' },
    ] as const;
    const filled: OrderState = {
      ...open,
      status: 'FILLED',
      filledQuantity: '104',
      averagePrice: '95.99',
      legs,
    };
    await stores.intents.applyState(id, filled, 'FILLED');
    const stored = await stores.intents.get(id);
    expect(stored).toMatchObject({
      state: 'FILLED',
      brokerOrderId: '42',
      filledQuantity: '104',
      averagePrice: '95.99',
      legs,
    });
    await stores.intents.applyState(id, filled, 'FILLED');
    const nothing = { ...open, found: false, brokerOrderId: null, status: null, quantity: null };
    await stores.intents.applyState(id, nothing, 'FILLED');
    expect(await stores.intents.get(id)).toEqual(stored);
    await expect(stores.intents.applyState(id, open, 'ACKNOWLEDGED')).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
    await expect(stores.intents.applyState('nobody', open, 'FILLED')).rejects.toMatchObject({
      code: 'INTENT_MISSING',
    });
  });

  it('finds buys whose stop is over and has not sold, until a sell has filled', async () => {
    const runId = await newRun();
    const { accountId } = newIntent(runId);
    const ids = async (conids = ['265598']) =>
      (await stores.intents.listUnstopped('simulated', accountId, conids)).map(
        ({ clientOrderId }) => clientOrderId,
      );
    const filled = async (more: Partial<NewIntent>, legs: OrderState['legs']): Promise<string> => {
      const intent = newIntent(runId, { accountId, ...more });
      await storeIntent(intent);
      await stores.intents.move(intent.clientOrderId, ['INTENT'], 'SENT', { actor: 'sender' });
      const state = { ...open, status: 'FILLED', filledQuantity: '104', averagePrice: '96', legs } as const;
      await stores.intents.applyState(intent.clientOrderId, state, 'FILLED');
      return intent.clientOrderId;
    };
    const leg = (role: 'stop' | 'target', status: BrokerOrderStatus) => ({
      ...{ role, brokerOrderId: role, status, filledQuantity: '0' },
    });
    const bare = await filled({ clientOrderId: `B1-${accountId}` }, [leg('stop', 'CANCELLED')]);
    const refused = await filled({ clientOrderId: `B2-${accountId}` }, [
      leg('stop', 'REJECTED'),
      leg('target', 'WORKING'),
    ]);
    await filled({ clientOrderId: `B3-${accountId}` }, [leg('stop', 'WORKING')]);
    await filled({ clientOrderId: `B4-${accountId}` }, [leg('stop', 'CANCELLED'), leg('target', 'FILLED')]);
    await filled({ clientOrderId: `B5-${accountId}`, conid: '1' }, [leg('stop', 'CANCELLED')]);
    expect(await ids()).toEqual([bare, refused]);
    expect(await ids(['1', '2'])).toEqual([`B5-${accountId}`]);
    await filled({ clientOrderId: `S1-${accountId}`, side: 'SELL', stop: null, target: null }, []);
    expect(await ids()).toEqual([]);
    const again = await filled({ clientOrderId: `B6-${accountId}` }, [leg('stop', 'CANCELLED')]);
    expect(await ids()).toEqual([again]);
  });

  it('watches a filled order until its legs have been seen and none works', async () => {
    const runId = await newRun();
    const intent = newIntent(runId);
    const { accountId, clientOrderId: id } = intent;
    const openIds = async () =>
      (await stores.intents.listOpen('simulated', accountId)).map((row) => row.clientOrderId);
    const idsUnderLock = () =>
      stores.intents.withAccountLock('simulated', accountId, async (tx) =>
        (await tx.openIntents()).map((row) => row.clientOrderId),
      );
    await storeIntent(intent);
    expect(await openIds()).toEqual([id]);
    expect(await idsUnderLock()).toEqual([id]);
    await stores.intents.move(id, ['INTENT'], 'SENT', { actor: 'sender' });
    const leg = { role: 'stop', brokerOrderId: '43', status: 'WORKING', filledQuantity: '0' } as const;
    const state: OrderState = { ...open, filledQuantity: '104', averagePrice: '96', legs: [leg] };
    await stores.intents.applyState(id, { ...state, legs: [] }, 'FILLED');
    expect(await openIds()).toEqual([id]);
    await stores.intents.applyState(id, state, 'FILLED');
    expect(await openIds()).toEqual([id]);
    expect(await idsUnderLock()).toEqual([id]);
    await stores.intents.applyState(id, { ...state, legs: [{ ...leg, status: 'FILLED' }] }, 'FILLED');
    expect(await openIds()).toEqual([]);
  });

  it('keeps what may still sell of an order that is over, until a sell has closed the position', async () => {
    const runId = await newRun();
    const bought = newIntent(runId);
    const { accountId, conid, clientOrderId: id } = bought;
    const unproven = async () =>
      (await stores.intents.listUnproven('simulated', accountId, conid)).map((row) => row.clientOrderId);
    const leg = { role: 'stop', brokerOrderId: '44', status: 'CANCELLED', filledQuantity: '0' } as const;
    const state: OrderState = { ...open, filledQuantity: '104', averagePrice: '96', legs: [leg] };
    await storeIntent(bought);
    await stores.intents.move(id, ['INTENT'], 'SENT', { actor: 'sender' });
    await stores.intents.applyState(id, state, 'FILLED');
    expect(await unproven()).toEqual([]);
    const legs = [{ ...leg, unproven: true }] as const;
    await stores.intents.applyState(id, { ...state, legs }, 'FILLED');
    expect(await unproven()).toEqual([id]);
    expect(await stores.intents.listUnproven('simulated', accountId, `${conid}0`)).toEqual([]);
    const sold = newIntent(runId, {
      clientOrderId: `${id}-exit`,
      accountId,
      side: 'SELL',
      stop: null,
      target: null,
    });
    await storeIntent(sold);
    expect(await unproven()).toEqual([id]);
    await stores.intents.move(sold.clientOrderId, ['INTENT'], 'SENT', { actor: 'sender' });
    await stores.intents.applyState(sold.clientOrderId, { ...state, legs: [] }, 'FILLED');
    expect(await unproven()).toEqual([]);
  });

  it('never lets 50 concurrent admissions reserve more than the cash', async () => {
    const runId = await newRun();
    const accountId = `DU-cash-${String(serial)}`;
    const cash = 1000;
    const price = 90;
    // Two processes of Keel: each has a pool and a line of its own.
    const second = connect({
      url: server.url,
      poolSize: 3,
      connectTimeoutMs: 20_000,
      statementTimeoutMs: 20_000,
      lockTimeoutMs: 20_000,
    });
    const both = [stores, createStores(second, 'simulated')];
    const admit = (index: number): Promise<boolean> => {
      const { intents } = both[index % 2] ?? stores;
      return intents.withAccountLock('simulated', accountId, async (tx) => {
        const reserved = (await tx.openIntents()).reduce((sum, row) => sum + Number(row.reservedCash), 0);
        if (cash - reserved < price) return false;
        const clientOrderId = `C${String(serial)}-${String(index)}`;
        await tx.insertIntent(
          newIntent(runId, { clientOrderId, accountId, reservedCash: String(price), quantity: '1' }),
        );
        return true;
      });
    };
    const admitted = await Promise.all(Array.from({ length: 50 }, (_, index) => admit(index)));
    await second.close();
    expect(admitted.filter(Boolean)).toHaveLength(11);
    const open = await stores.intents.listOpen('simulated', accountId);
    expect(open.reduce((sum, row) => sum + Number(row.reservedCash), 0)).toBe(990);
  });

  it('tells under the lock whether the owner of a run may trade: nobody, an active trader, nobody else', async () => {
    const mayTrade = (runId: string) =>
      stores.intents.withAccountLock('simulated', 'DU1', (tx) => tx.ownerMayTrade(runId));
    const runId = await newRun();
    expect(await mayTrade(runId)).toBe(true);
    const username = `owner${String(serial)}`;
    const identity = { email: `${username}@example.com`, username, passwordHash: '$argon2id$none' };
    const { id } = await stores.users.create(
      { ...identity, role: 'trader', mustChangePassword: false },
      'test',
    );
    await db.pool.query(`update run set owner_id = $1 where id = $2`, [id, runId]);
    expect(await mayTrade(runId)).toBe(true);
    await stores.users.change(id, { role: 'viewer' }, 'test');
    expect(await mayTrade(runId)).toBe(false);
    await stores.users.change(id, { role: 'admin', active: false }, 'test');
    expect(await mayTrade(runId)).toBe(false);
    expect(await mayTrade('no-such-run')).toBe(false);
  });

  it('gives up waiting for the account after the lock timeout, and says so', async () => {
    const hasty = connect({
      url: server.url,
      poolSize: 3,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 5000,
      lockTimeoutMs: 200,
    });
    const other = createStores(hasty, 'simulated').intents;
    const accountId = `DU-lock-${String(serial)}`;
    let answers: unknown[] = [];
    await stores.intents.withAccountLock('simulated', accountId, async () => {
      // The first waits in PostgreSQL, the second behind it in this process.
      answers = await Promise.all(
        [1, 2].map(() =>
          other
            .withAccountLock('simulated', accountId, () => Promise.resolve('in'))
            .catch((error: unknown) => (error as { code: string }).code),
        ),
      );
    });
    expect(answers).toEqual(['ACCOUNT_BUSY', 'ACCOUNT_BUSY']);
    expect(await other.withAccountLock('simulated', accountId, () => Promise.resolve('in'))).toBe('in');
    await hasty.close();
  });

  it('ends an admission that hangs, and frees the account', async () => {
    const strict = connect({
      url: server.url,
      poolSize: 2,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 3000,
      lockTimeoutMs: 10_000,
    });
    const { intents } = createStores(strict, 'simulated');
    const intent = newIntent(await newRun());
    const hung = intents.withAccountLock('simulated', intent.accountId, async (tx) => {
      await tx.insertIntent(intent);
      return new Promise<never>(() => undefined);
    });
    await expect(hung).rejects.toMatchObject({ code: 'DATABASE_AWAY', errorClass: 'retryable' });
    expect(await intents.withAccountLock('simulated', intent.accountId, (tx) => tx.openIntents())).toEqual(
      [],
    );
    await strict.close();
  });
});

describe('broker state', () => {
  const order: BrokerOrder = {
    brokerOrderId: '42',
    parentBrokerOrderId: null,
    clientOrderId: 'CLIENT1',
    conid: '265598',
    symbol: 'AAPL',
    side: 'BUY',
    type: 'MKT',
    timeInForce: 'DAY',
    quantity: '104',
    filledQuantity: '0',
    averagePrice: null,
    price: null,
    status: 'WORKING',
    reason: null,
  };
  const execution: BrokerExecution = {
    executionId: 'E1',
    brokerOrderId: '42',
    clientOrderId: 'CLIENT1',
    conid: '265598',
    symbol: 'AAPL',
    side: 'BUY',
    quantity: '104',
    price: '95.99',
    commission: '1.04',
    time: '2014-07-08T13:35:00.000Z',
  };
  const snapshot = (more: Partial<BrokerSnapshot> = {}): BrokerSnapshot => {
    const accountId = `DU${String(serial)}`;
    return {
      mode: 'simulated',
      accountId,
      readStartedAt: '2026-01-01T00:00:01.000Z',
      marketTime: '2014-07-08T13:35:00.000Z',
      marketStep: 3,
      account: { accountId, currency: 'USD', netLiquidation: '100000.00', settledCash: '90016.04' },
      positions: [
        { conid: '265598', symbol: 'AAPL', quantity: '104', averageCost: '96.00', marketPrice: '95.99' },
      ],
      orders: [order],
      executions: [execution],
      ...more,
    };
  };
  const rowsOf = async (table: string) =>
    (
      await db.pool.query<Record<string, unknown>>(
        `select *, xmin::text as version from ${table} where account_id = $1`,
        [`DU${String(serial)}`],
      )
    ).rows;

  it('gives back the last snapshot exactly, and null before the first', async () => {
    const read = snapshot();
    expect(await stores.brokerState.latest('simulated', read.accountId)).toBeNull();
    await stores.brokerState.save(read);
    expect(await stores.brokerState.latest('simulated', read.accountId)).toEqual(read);
    expect(await rowsOf('"order"')).toMatchObject([
      { broker_order_id: '42', status: 'WORKING', quantity: '104' },
    ]);
    expect(await rowsOf('execution')).toMatchObject([{ execution_id: 'E1', price: '95.99' }]);
    expect(await rowsOf('position')).toMatchObject([{ conid: '265598', quantity: '104' }]);
  });

  it('tells at a glance how young the snapshot is, and whether an order of the instrument is on its way', async () => {
    const intent = newIntent(await newRun());
    const { accountId, conid, clientOrderId } = intent;
    const glance = (of = conid) => stores.brokerState.glance('simulated', accountId, of);
    expect(await glance()).toBeNull();
    const read = snapshot();
    await stores.brokerState.save(read);
    await storeIntent(intent);
    const { readStartedAt, marketStep } = read;
    expect(await glance()).toEqual({ readStartedAt, marketStep, inFlight: false });
    await stores.intents.move(clientOrderId, ['INTENT'], 'SENT', { actor: 'a' });
    expect(await glance()).toMatchObject({ inFlight: true });
    expect(await glance('1')).toMatchObject({ inFlight: false });
    await stores.intents.move(clientOrderId, ['SENT'], 'ACKNOWLEDGED', { actor: 'a' });
    expect(await glance()).toMatchObject({ inFlight: false });
  });

  it('wants polls for an order until its legs have been seen, and for a run until it ends', async () => {
    const runId = await newRun();
    const intent = newIntent(runId);
    const { accountId, clientOrderId } = intent;
    const demand = () => stores.brokerState.demand('simulated', accountId);
    expect(await demand()).toEqual({ runs: true, orders: false });
    await storeIntent(intent);
    expect(await demand()).toEqual({ runs: true, orders: true });
    await stores.intents.move(clientOrderId, ['INTENT'], 'SENT', { actor: 'a' });
    const filled: OrderState = {
      clientOrderId,
      found: true,
      pastValidity: false,
      brokerOrderId: `B${String(serial)}`,
      status: 'FILLED',
      quantity: '104',
      filledQuantity: '104',
      averagePrice: '96',
      legs: [],
      position: '104',
      reason: null,
    };
    await stores.intents.applyState(clientOrderId, filled, 'FILLED');
    expect(await demand()).toMatchObject({ orders: true });
    const leg = { role: 'stop', brokerOrderId: 'L1', status: 'WORKING', filledQuantity: '0' } as const;
    await stores.intents.applyState(clientOrderId, { ...filled, legs: [leg] }, 'FILLED');
    expect(await demand()).toMatchObject({ orders: false });
    for (const { id } of await stores.runs.listOpen()) {
      await stores.runs.end(id, { status: 'ended', outcome: 'HOLD', code: 'HOLD', message: null, steps: [] });
    }
    expect(await demand()).toEqual({ runs: false, orders: false });
  });

  it('ignores a snapshot that was read before the stored one', async () => {
    const newer = snapshot({ readStartedAt: '2026-01-01T00:00:05.000Z' });
    expect(await stores.brokerState.save(newer)).toBe(true);
    const older = snapshot({ positions: [], orders: [{ ...order, status: 'CANCELLED' }] });
    expect(await stores.brokerState.save(older)).toBe(false);
    expect(await stores.brokerState.latest('simulated', newer.accountId)).toEqual(newer);
    expect(await rowsOf('"order"')).toMatchObject([{ status: 'WORKING' }]);
    expect(await rowsOf('position')).toHaveLength(1);
  });

  it('replaces a snapshot of the future: a clock was set back', async () => {
    await stores.brokerState.save(
      snapshot({ readStartedAt: new Date(Date.now() + 3_600_000).toISOString() }),
    );
    const now = snapshot({ readStartedAt: new Date().toISOString() });
    expect(await stores.brokerState.save(now)).toBe(true);
    expect(await stores.brokerState.latest('simulated', now.accountId)).toEqual(now);
  });

  it('takes the commission of an execution when it comes later', async () => {
    const commissions = async () => (await rowsOf('execution')).map(({ commission }) => commission);
    await stores.brokerState.save(snapshot({ executions: [{ ...execution, commission: '0' }] }));
    await stores.brokerState.save(
      snapshot({
        readStartedAt: '2026-01-01T00:00:02.000Z',
        executions: [{ ...execution, commission: '1.01' }],
      }),
    );
    await stores.brokerState.save(
      snapshot({
        readStartedAt: '2026-01-01T00:00:03.000Z',
        executions: [{ ...execution, commission: '0' }],
      }),
    );
    expect(await commissions()).toEqual(['1.01']);
  });

  it('leaves equal rows alone, changes what changed and drops closed positions', async () => {
    await stores.brokerState.save(snapshot());
    const before = [await rowsOf('"order"'), await rowsOf('position'), await rowsOf('execution')];
    await stores.brokerState.save(snapshot({ readStartedAt: '2026-01-01T00:00:02.000Z' }));
    expect([await rowsOf('"order"'), await rowsOf('position'), await rowsOf('execution')]).toEqual(before);
    const done: BrokerOrder = {
      ...order,
      status: 'FILLED',
      filledQuantity: '104',
      averagePrice: '95.99',
    };
    const leg: BrokerOrder = {
      ...order,
      brokerOrderId: '43',
      parentBrokerOrderId: '42',
      clientOrderId: null,
      type: 'STP',
      price: '91.50',
    };
    await stores.brokerState.save(
      snapshot({
        readStartedAt: '2026-01-01T00:00:03.000Z',
        orders: [done, leg, leg],
        positions: [],
      }),
    );
    expect((await rowsOf('"order"')).map((row) => row.status).sort()).toEqual(['FILLED', 'WORKING']);
    expect(await rowsOf('position')).toEqual([]);
    expect(await rowsOf('execution')).toEqual(before[2]);
  });

  it('keeps why the last read failed until one that began later is stored', async () => {
    const read = snapshot({ readStartedAt: '2026-01-01T00:00:03.000Z' });
    const { accountId } = read;
    const trouble = { at: '2026-01-01T00:00:05.000Z', code: 'IBKR_AWAY', message: 'nobody there' };
    expect(await stores.brokerState.trouble(accountId)).toBeNull();
    await stores.brokerState.putTrouble(accountId, { ...trouble, code: 'FIRST' });
    await stores.brokerState.putTrouble(accountId, trouble);
    await stores.brokerState.save(read);
    expect(await stores.brokerState.trouble(accountId)).toEqual(trouble);
    expect(await stores.brokerState.trouble('another')).toBeNull();
    expect(await stores.brokerState.trouble(null)).toEqual(trouble);
    await stores.brokerState.save({ ...read, readStartedAt: '2026-01-01T00:00:06.000Z' });
    expect(await stores.brokerState.trouble(accountId)).toBeNull();
    expect(await stores.brokerState.trouble(null)).toBeNull();
    expect(await stores.brokerState.lastReadAt(accountId)).toBe('2026-01-01T00:00:06.000Z');
    // It tells of every account, and other tests have read theirs later.
    await db.pool.query('delete from broker_snapshot where account_id <> $1', [accountId]);
    expect(await stores.brokerState.lastReadAt(null)).toBe('2026-01-01T00:00:06.000Z');
    expect(await stores.brokerState.lastReadAt('DU-nobody')).toBeNull();
  });

  it('mirrors nothing of a snapshot that holds an unreadable order', async () => {
    const broken = { ...order, status: 'Sparkling' } as unknown as BrokerOrder;
    const read = snapshot({ orders: [broken] });
    await expect(stores.brokerState.save(read)).rejects.toMatchObject({ code: 'DATABASE_REJECTED' });
    expect(await stores.brokerState.latest('simulated', read.accountId)).toBeNull();
    expect(await rowsOf('execution')).toEqual([]);
  });

  it('keeps an execution once, also where the list has it twice, and as it was corrected last', async () => {
    const read = snapshot({ executions: [execution, execution] });
    await stores.brokerState.save(read);
    const kept = () =>
      db.pool.query<Record<string, string>>(
        'select execution_id, quantity, price, commission from execution where account_id = $1',
        [read.accountId],
      );
    const first = { execution_id: 'E1', quantity: '104', price: '95.99', commission: '1.04' };
    expect((await kept()).rows).toEqual([first]);
    const corrected = { ...execution, quantity: '54', price: '95.98', commission: '0' };
    await stores.brokerState.save({
      ...read,
      readStartedAt: '2026-01-01T00:00:02.000Z',
      executions: [corrected],
    });
    expect((await kept()).rows).toEqual([{ ...first, quantity: '54', price: '95.98' }]);
  });

  it('finds the executions of an intent by our id, and by the broker id where ours is missing', async () => {
    const intent = newIntent(await newRun());
    const id = intent.clientOrderId;
    await storeIntent(intent);
    await stores.intents.move(id, ['INTENT'], 'SENT', { actor: 'a', brokerOrderId: `B${String(serial)}` });
    const mine = { ...execution, executionId: 'E-mine', clientOrderId: id };
    const byBroker = {
      ...execution,
      executionId: 'E-broker',
      clientOrderId: null,
      brokerOrderId: `B${String(serial)}`,
    };
    const foreign = { ...execution, executionId: 'E-foreign', clientOrderId: null, brokerOrderId: 'B0' };
    await stores.brokerState.save(snapshot({ executions: [mine, byBroker, foreign] }));
    expect(await stores.brokerState.executionsOf(id)).toEqual([byBroker, mine]);
  });
});

describe('audit', () => {
  it('appends, and refuses every change', async () => {
    const subject = `thing-${String(serial)}`;
    await stores.audit.append({ actor: 'tester', action: 'test', subject, facts: { a: [1, 'x'] } });
    const { rows } = await db.pool.query('select actor, mode, facts from audit where subject = $1', [
      subject,
    ]);
    expect(rows).toEqual([{ actor: 'tester', mode: 'simulated', facts: { a: [1, 'x'] } }]);
    for (const sql of ["update audit set actor = 'me'", 'delete from audit', 'truncate audit']) {
      await expect(db.pool.query(sql)).rejects.toThrow(/only grows/);
    }
  });
});

describe('spending', () => {
  const caps = { run: '0.25', day: '1000', month: '1000' };
  const newCall = (runId: string, strategyId: string, change: Partial<NewCall> = {}): NewCall => ({
    ...{ runId, strategyId, purpose: 'daily', turn: 0, contentKey: serial.toString(16).padStart(64, '0') },
    ...{ profile: 'default', api: 'chat', modelAsked: 'm', prompts: [], prompt: object('p'), pictures: [] },
    ...{ inputSha256: 'b'.repeat(64), parameters: {}, numbersOnly: false, reservedUsd: '0.07' },
    priceDate: '2025-08-07',
    ...change,
  });
  const answered: CallResult = {
    ...{ state: 'answered', outcome: 'ok', code: null, down: false, message: null, modelAnswered: 'm' },
    ...{ fingerprint: null, responseId: null, requestId: null, finishReason: 'stop', inputTokens: 1200 },
    ...{ cachedTokens: 0, outputTokens: 340, costUsd: '0.0049', answer: object('a'), ms: 12 },
  };
  const reserve = async (call: NewCall): Promise<string> => {
    const reservation = await stores.conversations.reserve(call, caps);
    return reservation.kind === 'reserved' ? reservation.id : '';
  };

  it('never passes a cap, however many calls ask at once', async () => {
    const id = await newStrategy();
    const runId = (await stores.runs.open(runInput(id))).id;
    const calls = Array.from({ length: 12 }, (_, index) =>
      newCall(runId, id, { contentKey: index.toString(16).padStart(64, 'e') }),
    );
    const made = await Promise.all(calls.map((call) => stores.conversations.reserve(call, caps)));
    // 0.07 USD fit three times into 0.25.
    expect(made.filter(({ kind }) => kind === 'reserved')).toHaveLength(3);
    expect(made.find(({ kind }) => kind === 'refused')).toMatchObject({
      cap: 'run',
      limitUsd: '0.25',
      spentUsd: '0.21',
    });
    const rows = await stores.conversations.byRun(runId);
    expect(rows.filter(({ outcome }) => outcome === 'budget')).toHaveLength(9);
  });

  it('abandons what a dead worker left reserved, also where another model is asked then', async () => {
    const id = await newStrategy();
    const runId = (await stores.runs.open(runInput(id))).id;
    const cutOff = await reserve(newCall(runId, id));
    const weekly = await reserve(newCall(runId, id, { purpose: 'weekly', contentKey: 'c'.repeat(64) }));
    const repair = await reserve(newCall(runId, id, { turn: 1, contentKey: 'd'.repeat(64) }));
    await reserve(newCall(runId, id, { profile: 'backup', contentKey: 'e'.repeat(64), reservedUsd: '0.01' }));
    const rows = await stores.conversations.byRun(runId);
    const stateOf = (wanted: string) => rows.find((row) => row.id === wanted)?.state;
    expect([cutOff, weekly, repair].map(stateOf)).toEqual(['abandoned', 'reserved', 'reserved']);
    expect(rows.find((row) => row.id === cutOff)?.costUsd, 'it stays counted').toBe('0.07');
  });

  it('is summed by day, month, strategy, run and call, for one owner or for all', async () => {
    await withinOneDay();
    const name = `spender${String(serial)}`;
    const owner = await stores.users.create(
      {
        ...{ email: `${name}@example.com`, username: name, role: 'trader', mustChangePassword: false },
        passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA',
      },
      'tester',
    );
    const id = `spends-${String(serial)}`;
    await stores.strategies.create({ id, name: 'Mine', settings, ownerId: owner.id }, 'tester');
    const runId = (await stores.runs.open(runInput(id))).id;
    const other = (await stores.runs.open(runInput(id, 'after-close-2'))).id;
    await stores.conversations.settle(await reserve(newCall(runId, id)), answered);
    const open = await reserve(newCall(runId, id, { purpose: 'weekly', contentKey: 'c'.repeat(64) }));
    const refused = newCall(runId, id, {
      purpose: 'decision',
      contentKey: 'd'.repeat(64),
      reservedUsd: '0.2',
    });
    expect(await reserve(refused)).toBe('');
    const found = await stores.conversations.answered(newCall(runId, id).contentKey, runId);
    if (found === null) throw new Error('the answer is not found again');
    await stores.conversations.reuse(newCall(other, id, { reservedUsd: '0' }), found);

    const today = new Date().toISOString().slice(0, 10);
    const rows = (by: SpendingGroup, ownerId: string | null = owner.id) =>
      stores.conversations.spending({ by, since: today, ownerId, limit: 50 });
    const tokens = { inputTokens: 1200, outputTokens: 340 };
    const all = { calls: 2, reused: 1, refused: 1, ...tokens, usd: '0.0749', openUsd: '0.07' };
    expect(await rows('day')).toMatchObject([{ key: today, strategyId: null, runId: null, ...all }]);
    expect(await rows('month')).toMatchObject([{ key: today.slice(0, 7), ...all }]);
    expect(await rows('strategy')).toMatchObject([{ key: id, strategyId: id, runId: null, ...all }]);
    expect((await rows('run')).find(({ key }) => key === runId)).toMatchObject({ runId, ...all, reused: 0 });
    expect((await rows('run')).find(({ key }) => key === other)).toMatchObject({ calls: 0, usd: '0' });
    const calls = await rows('call');
    expect(calls).toHaveLength(4);
    expect(calls.find(({ key }) => key === open)).toMatchObject({
      runId,
      purpose: 'weekly',
      openUsd: '0.07',
    });
    expect(Number((await rows('day', null))[0]?.usd)).toBeGreaterThanOrEqual(0.0749);
    const nobody = '00000000-0000-4000-8000-000000000000';
    expect(await rows('day', nobody)).toEqual([]);
    const tomorrow = { by: 'day', since: '9999-01-01', ownerId: owner.id, limit: 50 } as const;
    expect(await stores.conversations.spending(tomorrow)).toEqual([]);
  });
});
