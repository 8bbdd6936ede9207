// Small in-memory implementations of the API's ports. Used by tests only.
import pino from 'pino';
import swaggerUi from 'swagger-ui-dist/absolute-path.js';
import { runWorkflowId, type RunIdentity } from '../../contracts/wire/names.js';
import type { RunProgress, StepProgress } from '../../contracts/wire/run.js';
import type { Strategy } from '../../contracts/wire/strategy.js';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import type { BrokerExecution } from '../../ports/broker.js';
import type { CallRow } from '../../ports/conversations.js';
import { conversationsOf } from './conversations.js';
import { intentsOf } from './intents.js';
import { KeelError } from '../../ports/errors.js';
import type { Price } from '../../ports/prices.js';
import type { BarSetRow, ChartRow, IntentRow, RiskRow, RunRow } from '../../ports/stores.js';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { ApiDeps } from '../app.js';
import { memoryAccess, memoryUsers } from './memoryAccess.js';
import { runIdOf } from '../services/runId.js';
import { platformDeps } from './platform.js';
import { pricesOf } from './prices.js';
import type { RunExecution } from '../services/runWorkflows.js';

export const riskLimits: RiskProfile = {
  riskPerTrade: '0.01',
  maximumPositionShare: '0.10',
  minimumRCoefficient: '1.5',
  priceCollar: '0.05',
  cashReserve: '0.01',
  shortsAllowed: false,
  pyramiding: true,
};

interface Execution extends RunExecution {
  /** What the worker answers to the query; null while there is none. */
  progress: RunProgress | null;
}

export interface Audited {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly facts: Record<string, unknown>;
}

/** Everything that the memory holds; tests read and write it freely. */
export class MemoryWorld {
  readonly strategies = new Map<string, Strategy>();
  readonly rows = new Map<string, RunRow>();
  readonly steps = new Map<string, StepProgress[]>();
  readonly bars: BarSetRow[] = [];
  readonly charts: ChartRow[] = [];
  readonly analyses = new Map<string, Analysis[]>();
  readonly decisions = new Map<string, { decision: Decision; input: ObjectRef }>();
  readonly risk: RiskRow[] = [];
  readonly intents = new Map<string, IntentRow>();
  readonly executions: BrokerExecution[] = [];
  readonly calls: CallRow[] = [];
  readonly objects = new Map<string, Uint8Array>();
  readonly audit: Audited[] = [];
  readonly workflows = new Map<string, Execution>();
  readonly cancelled: string[] = [];
  readonly cancelAsked = new Set<string>();
  readonly log: string[] = [];
  readonly stop = new AbortController();
  /** Thrown by what it names, when set. */
  readonly away: { database?: Error; temporal?: Error; market?: Error } = {};
  readonly prices = new Map<string, Price>();
  progressQueries = 0;
  marketNow = '2014-07-07T20:30:00.000Z';

  /** The value, unless the server that holds it is away. */
  from<T>(server: 'database' | 'temporal' | 'market', value: () => T): Promise<T> {
    const error = this.away[server];
    return error === undefined ? Promise.resolve().then(value) : Promise.reject(error);
  }
}

export const strategyOf = (id: string, symbols: readonly string[] = ['AAPL']): Strategy => ({
  id,
  name: id,
  mode: 'simulated',
  active: true,
  version: 1,
  settings: {
    symbols,
    timeframes: ['daily', 'weekly'],
    indicators: defaultIndicators,
    analyst: 'rules',
    risk: { ...riskLimits, pyramiding: false },
    slot: 'after-close',
    workflowId: 'standard',
  },
  createdAt: '2014-01-02T10:00:00.000Z',
  ownerId: memoryUsers.trader.id,
});

export const identityOf = (changes: Partial<RunIdentity> = {}): RunIdentity => ({
  mode: 'simulated',
  strategyId: 'demo-aapl',
  symbol: 'AAPL',
  session: '2014-07-07',
  slot: 'after-close',
  ...changes,
});

export const rowOf = (changes: Partial<RunRow> = {}): RunRow => {
  const identity = identityOf(changes);
  return {
    ...identity,
    id: runIdOf(identity),
    workflowId: runWorkflowId(identity),
    strategyVersion: 1,
    status: 'running',
    outcome: null,
    code: null,
    message: null,
    waitingFor: null,
    startedAt: '2026-01-05T10:00:00.000Z',
    endedAt: null,
    ownerId: memoryUsers.trader.id,
    ...changes,
  };
};

export const progressOf = (changes: Partial<RunProgress> = {}): RunProgress => ({
  ...identityOf(),
  runId: runIdOf(identityOf()),
  status: 'running',
  steps: [],
  waitingFor: null,
  decision: null,
  order: null,
  outcome: null,
  code: null,
  message: null,
  ...changes,
});

export const openExecution = (changes: Partial<Execution> = {}): Execution => ({
  status: 'open',
  startedAt: '2026-01-05T10:00:00.000Z',
  endedAt: null,
  reason: null,
  progress: null,
  ...changes,
});

function storesOf(
  world: MemoryWorld,
): Pick<ApiDeps, 'strategies' | 'runs' | 'evidence' | 'intents' | 'conversations'> {
  const stored = <T>(value: () => T): Promise<T> => world.from('database', value);
  return {
    strategies: {
      create: ({ id, name, settings, ownerId = null }) =>
        stored(() => {
          if (world.strategies.has(id)) throw new KeelError('STRATEGY_EXISTS', `There is a strategy ${id}.`);
          const made: Strategy = { ...strategyOf(id), name, settings, ownerId };
          world.strategies.set(id, made);
          return made;
        }),
      get: (id) => stored(() => world.strategies.get(id) ?? null),
      list: () => stored(() => [...world.strategies.values()]),
    },
    runs: {
      get: (id) => stored(() => world.rows.get(id) ?? null),
      list: ({ strategyId, symbol, ownerId, limit }) =>
        stored(() =>
          [...world.rows.values()]
            .filter((row) => strategyId === undefined || row.strategyId === strategyId)
            .filter((row) => symbol === undefined || row.symbol === symbol)
            .filter((row) => ownerId === undefined || row.ownerId === ownerId)
            .slice(0, limit),
        ),
      steps: (id) => stored(() => world.steps.get(id) ?? []),
    },
    evidence: {
      bars: (id) => stored(() => world.bars.filter(({ runId }) => runId === id)),
      charts: (id) => stored(() => world.charts.filter(({ runId }) => runId === id)),
      chartByKey: (key, ownerId) =>
        stored(() => {
          const seen = (runId: string): boolean =>
            ownerId === null || world.rows.get(runId)?.ownerId === ownerId;
          return world.charts.find(({ object, runId }) => object.key === key && seen(runId)) ?? null;
        }),
      analyses: (id) => stored(() => world.analyses.get(id) ?? []),
      decision: (id) => stored(() => world.decisions.get(id) ?? null),
      risk: (id) => stored(() => world.risk.filter(({ runId }) => runId === id)),
    },
    intents: intentsOf(world),
    conversations: conversationsOf(world),
  };
}

function workflowsOf(world: MemoryWorld): ApiDeps['workflows'] {
  return {
    start: (input, reason) =>
      world.from('temporal', () => {
        const id = runWorkflowId(input);
        if (world.workflows.has(id)) return 'existing';
        world.workflows.set(id, openExecution({ reason }));
        return 'started';
      }),
    cancel: (id) =>
      world.from('temporal', () => {
        if (world.workflows.get(id)?.status !== 'open') return 'not-open';
        world.cancelled.push(id);
        return 'requested';
      }),
    progress: (id) => {
      world.progressQueries += 1;
      return Promise.resolve(world.away.temporal ? null : (world.workflows.get(id)?.progress ?? null));
    },
    describe: (id) => world.from('temporal', () => world.workflows.get(id) ?? null),
  };
}

/** The dependencies of an API whose strategy demo-aapl trades AAPL, after the close of 2014-07-07. */
export function memoryDeps(world: MemoryWorld): ApiDeps {
  world.strategies.set('demo-aapl', strategyOf('demo-aapl'));
  return {
    mode: 'simulated',
    version: '0.0.0',
    ...storesOf(world),
    ...memoryAccess(),
    brokerState: {
      executionsOf: (clientOrderId) =>
        world.from('database', () => world.executions.filter((each) => each.clientOrderId === clientOrderId)),
    },
    audit: {
      append: (entry) =>
        world.from('database', () => {
          world.audit.push(entry);
        }),
    },
    objects: {
      get: (key) => {
        const bytes = world.objects.get(key);
        return bytes === undefined
          ? Promise.reject(new KeelError('OBJECT_MISSING', `There is no object ${key}.`))
          : Promise.resolve(bytes);
      },
    },
    prices: pricesOf(world.prices),
    ...platformDeps(),
    workflows: workflowsOf(world),
    calendar: createNyseCalendar(),
    marketClock: { now: () => world.from('market', () => ({ now: world.marketNow, step: 1 })) },
    strategyDefaults: {
      indicators: defaultIndicators,
      risk: { ...riskLimits, pyramiding: false },
      slot: 'after-close',
      workflowId: 'standard',
    },
    riskLimits,
    modelState: { model: null, caps: { run: '0.25', day: '5', month: '50' }, priceDate: '2025-08-07' },
    temporalUrl: (workflowId) => `http://localhost:8233/${encodeURIComponent(workflowId)}`,
    progressPollMs: 5,
    progressHeartbeatMs: 20,
    stopping: world.stop.signal,
    log: pino({ level: 'info' }, { write: (line) => world.log.push(line) }),
    allowedHosts: ['keel.example.com'],
    ...{ trustedProxies: [], callsPerMinute: 100_000, streamsPerUser: 3 },
    bodyLimitKb: 10,
    docsAssets: swaggerUi(),
  };
}
