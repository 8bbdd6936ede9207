// Small in-memory implementations of the API's ports. Used by tests only.
import pino from 'pino';
import swaggerUi from 'swagger-ui-dist/absolute-path.js';
import type { RunIdentity } from '../../contracts/wire/names.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import type { RunProgress } from '../../contracts/wire/run.js';
import type { Strategy } from '../../contracts/wire/strategy.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { createNyseCalendar } from '../../domain/market/nyse.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import { riskProfile } from '../../domain/testing/facts.js';
import { KeelError } from '../../ports/errors.js';
import type { RunRow } from '../../ports/stores.js';
import type { ApiDeps } from '../app.js';
import { memoryAccess, memoryUsers } from './memoryAccess.js';
import { storesOf, workflowsOf } from './memoryStores.js';
import { runIdOf } from '../services/runId.js';
import { platformDeps } from './platform.js';
import { pricesOf } from './prices.js';
import type { Execution, MemoryWorld } from './world.js';

export const riskLimits: RiskProfile = { ...riskProfile, pyramiding: true };

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
    workflowVersion: 1,
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
    restoredAt: null,
    ownerId: memoryUsers.trader.id,
    definitionId: 'standard',
    definitionVersion: 1,
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
  runId: null,
  startedAt: '2026-01-05T10:00:00.000Z',
  endedAt: null,
  reason: null,
  progress: null,
  ...changes,
});

/** The dependencies of an API whose strategy demo-aapl trades AAPL, after the close of 2014-07-07. */
export function memoryDeps(world: MemoryWorld): ApiDeps {
  world.strategies.set('demo-aapl', strategyOf('demo-aapl'));
  return {
    mode: 'simulated',
    version: '0.0.0',
    ...storesOf(world),
    ...memoryAccess(),
    brokerState: {
      trouble: () => Promise.resolve(null),
      lastReadAt: () => Promise.resolve(null),
      executionsOf: (clientOrderId) =>
        world.from('database', () => world.executions.filter((each) => each.clientOrderId === clientOrderId)),
    },
    audit: {
      append: (entry) =>
        world.from('database', () => {
          world.audit.push(entry);
        }),
      list: () => world.from('database', () => ({ entries: [], next: null })),
    },
    objects: {
      get: (key) =>
        world.from('objects', () => {
          const bytes = world.objects.get(key);
          if (bytes === undefined) throw new KeelError('OBJECT_MISSING', `There is no object ${key}.`);
          return bytes;
        }),
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
    modelState: {
      ...{ model: null, profiles: [{ name: 'cheap', model: 'small' }], priceDate: '2025-08-07' },
      caps: { run: '0.25', day: '5', month: '50' },
    },
    temporalUrl: (workflowId) => `http://localhost:8233/${encodeURIComponent(workflowId)}`,
    progressPollMs: 5,
    progressHeartbeatMs: 20,
    stopping: world.stop.signal,
    log: pino({ level: 'info' }, { write: (line) => world.log.push(line) }),
    allowedHosts: ['keel.example.com'],
    corsOrigins: ['https://dashboard.example.com'],
    ...{ trustedProxies: [], callsPerMinute: 100_000, streamsPerUser: 3 },
    bodyLimitKb: 10,
    docsAssets: swaggerUi(),
  };
}
