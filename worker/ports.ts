// Makes the ports of the worker from its configuration. Called by main.ts once.
import { readFile } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import type { ActivityDeps } from '../activities/activities.js';
import { lookAtRetention } from '../activities/retention.js';
import { createChartRenderer } from '../adapters/charts/renderer.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createMarketClock } from '../adapters/clocks/market.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { createIbkrGateway, type IbkrGateway } from '../adapters/ibkr/gateway.js';
import { withKeyTexts } from '../adapters/ibkr/oauth/credentials.js';
import { createMinioObjectStore } from '../adapters/minio/objectStore.js';
import { createBrokerPrices } from '../adapters/prices/broker.js';
import { createRulesAnalyst } from '../adapters/rules/analyst.js';
import { modelConfigured } from '../config/model.js';
import type { Config } from '../config/schema.js';
import { connect, type Database } from '../db/connect.js';
import { createLocks } from '../db/locks.js';
import { claimMode } from '../db/mode.js';
import { createSharedPacing } from '../db/pacing.js';
import { createRetentionStore } from '../db/retention.js';
import { createStores } from '../db/stores.js';
import { sessionRules } from '../domain/brokerSession/rules.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { BrokerNewsPort } from '../ports/brokerNews.js';
import type { BrokerPort } from '../ports/broker.js';
import type { Clock } from '../ports/clocks.js';
import type { LocksPort } from '../ports/locks.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import { brokerPricesPerMinute, createCache, createPrices, type PriceParts } from '../api/prices.js';
import { createRunWorkflows } from '../api/temporal.js';
import { createChannels } from './channels.js';
import { createConfiguredModel } from './model.js';
import { createOrderSignals } from './orderSignals.js';
import { createOrderWorkflows } from './orderWorkflows.js';

export interface WorkerPorts {
  readonly deps: ActivityDeps;
  /** Of the connections to PostgreSQL, for the metrics. */
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

/** All but what signs tokens. */
export type WorkerConfig = Omit<Config, 'auth'>;

export const createObjectStore = (config: Config['objectStore']): ObjectStorePort =>
  config.kind === 'filesystem'
    ? createFilesystemObjectStore(config)
    : createMinioObjectStore({ ...config, timeoutMs: 10_000 });

/** No hints: the poller looks when it is time. */
const silence: BrokerNewsPort = {
  open: () => ({ next: () => new Promise(() => undefined), close: () => undefined }),
};

/** Whose brokerage session it is: one owner, one lock of orders. */
export const loginOf = (broker: Config['broker']): string => broker.username || broker.accountId;

/** The broker's own prices, for the API too, and the chain that they are part of. */
function pricesOf(
  { mode, prices, simulator }: WorkerConfig,
  { broker, ...parts }: Omit<PriceParts, 'broker' | 'simulator' | 'mode'> & { readonly broker: BrokerPort },
): Pick<ActivityDeps, 'brokerPrices' | 'prices'> {
  const { timeoutMs } = prices;
  const brokerPrices = createBrokerPrices({ broker, ...parts, timeoutMs, perMinute: brokerPricesPerMinute });
  return { brokerPrices, prices: createPrices(prices, { ...parts, mode, simulator, broker: brokerPrices }) };
}

/** The adapter of the one broker of this process. */
async function gatewayOf(
  { mode, broker }: WorkerConfig,
  db: Database,
  locks: LocksPort,
  clock: Clock,
): Promise<IbkrGateway> {
  const oauth = broker.connection === 'oauth';
  return createIbkrGateway({
    baseUrl: broker.baseUrl,
    ca: broker.caFile === '' ? null : await readFile(broker.caFile, 'utf8'),
    certSha256: broker.certSha256,
    ...(oauth ? { oauth: withKeyTexts(broker.oauth) } : {}),
    timeoutMs: broker.timeoutMs,
    accountId: broker.accountId,
    login: loginOf(broker),
    compete: broker.compete,
    // The simulator's scaled limits are above all that Keel asks, so there each process keeps them for itself.
    ...(mode === 'simulated' ? {} : { sharedPacing: createSharedPacing(db, broker.baseUrl) }),
    // The simulator's login needs no owner: whoever comes first opens it.
    opensSession: mode === 'simulated',
    locks,
    confirmMessageIds: broker.confirmMessageIds,
    suppressMessageIds: broker.suppressMessageIds,
    mode,
    clock,
    pacingFactor: broker.pacingFactor,
    source: broker.kind === 'simulator' ? 'simulator' : 'ibkr',
  });
}

/** @throws KeelError where a part cannot be reached or belongs to another mode. */
export async function createWorkerPorts(
  config: WorkerConfig,
  client: Client,
  stopping: () => boolean,
): Promise<WorkerPorts> {
  const { mode, broker, database } = config;
  const db = connect(database);
  await claimMode(db, mode);
  const stores = createStores(db, mode);
  const objects = createObjectStore(config.objectStore);
  await objects.ensureBucket();
  const clock = createMachineClock();
  const login = loginOf(broker);
  const oauth = broker.connection === 'oauth';
  const locks = createLocks(db);
  const gateway = await gatewayOf(config, db, locks, clock);
  const renderer = createChartRenderer({});
  const marketClock = createMarketClock(config.mode, config.simulator, clock);
  const cache = createCache(config.cache, clock);
  const calendar = createNyseCalendar();
  const deps: ActivityDeps = {
    mode,
    accountId: broker.accountId,
    sessionWaitMs: mode === 'simulated' ? 0 : broker.sessionWaitMs,
    stepDeadlineMs: config.worker.stepDeadlineMs,
    ...stores,
    broker: gateway.broker,
    marketData: gateway.marketData,
    login,
    brokerLogin: gateway.login,
    brokerNews: broker.socket === 'on' ? gateway.feed : silence,
    sessionRules: sessionRules(
      mode === 'simulated' ? Math.min(broker.pacingFactor, 5) : 1,
      broker.compete,
      oauth,
    ),
    objects,
    renderer,
    lookAtRetention: () =>
      lookAtRetention({
        ...{ objects, locks, clock, audit: stores.audit, retention: createRetentionStore(db) },
        retentionRules: config.retention,
      }),
    rules: createRulesAnalyst(),
    ...createConfiguredModel(config.model, { ...stores, objects, clock }),
    modelCaps: config.model.budget,
    analystDeadlineMs: modelConfigured(config.model)
      ? config.model.stepDeadlineMs
      : config.worker.stepDeadlineMs,
    marketClock,
    clock,
    calendar,
    cache,
    ...pricesOf(config, { broker: gateway.broker, cache, clock, marketClock, calendar }),
    orderWorkflows: createOrderWorkflows(client, mode, clock),
    runWorkflows: createRunWorkflows({ client, clock, callTimeoutMs: 5000, queryTimeoutMs: 5000 }),
    channels: createChannels(config.notifier, clock),
    monitorsEveryMs: config.monitors.everyMs,
    wellAfterMs: config.monitors.wellAfterMs,
    outboxLookMs: config.notifier.lookMs,
    leaseMs: config.notifier.leaseMs,
    freshness: { snapshotMaxAgeMs: broker.snapshotMaxAgeMs, waitMs: 30_000, lookMs: 100 },
    pause: (ms) => Context.current().sleep(ms),
    tradingState: () => config.risk.tradingState,
    signals: createOrderSignals(client, mode),
    pollMs: broker.pollMs,
    idlePollMs: broker.idlePollMs,
    stopping,
  };
  return {
    deps,
    pool: db.pool,
    close: async () => {
      gateway.close();
      await renderer.close();
      await cache.close();
      await db.close();
    },
  };
}
