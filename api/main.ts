// The API as a process: its composition root. Started by the supervisor or an operator; ends on SIGTERM or SIGINT.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import swaggerUi from 'swagger-ui-dist/absolute-path.js';
import { keepsAll } from '../activities/retention.js';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createMarketClock } from '../adapters/clocks/market.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../adapters/minio/objectStore.js';
import { refusalOf } from '../adapters/notify/post.js';
import { temporalConnection } from '../adapters/temporal/connection.js';
import { loadConfig } from '../config/load.js';
import { maskedConfig, secretValues } from '../config/print.js';
import { keelVersion } from '../config/version.js';
import { taskQueue } from '../contracts/wire/names.js';
import { modelState } from '../config/model.js';
import { connect } from '../db/connect.js';
import { migrateUp, migrationStatus } from '../db/migrate.js';
import { claimMode } from '../db/mode.js';
import { createStores } from '../db/stores.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { createRedact } from '../domain/redaction/redact.js';
import type { RiskProfile } from '../domain/risk/types.js';
import type { UserStore } from '../ports/access.js';
import type { CachePort } from '../ports/cache.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import { KeelError } from '../ports/errors.js';
import { openAccess } from './accessParts.js';
import { tellCause, tellsCauses } from './causes.js';
import type { ApiDeps } from './app.js';
import { createApp } from './app.js';
import { answerUnreadable, drain, isOfThisMachine, listen } from './listen.js';
import { observe } from './observe.js';
import { createWorkerPrices } from './brokerPrices.js';
import { createCache, createPrices } from './prices.js';
import { createProbes } from './probes.js';
import { createRunWorkflows } from './temporal.js';

const readConfig = () =>
  loadConfig(undefined, {
    need: [
      'log',
      'metrics',
      'tracing',
      'errorReports',
      'database',
      'temporal',
      'objectStore',
      'simulator',
      'api',
      'auth',
      'oidc',
      'risk',
      'cache',
      'prices',
      'monitors',
      'retention',
      'notifier',
      'model',
    ],
  });
type ApiConfig = ReturnType<typeof readConfig>;

/** Beyond this machine it listens only under names that were given, and only once somebody can watch over it. */
async function mayListen({ host, allowedHosts }: ApiConfig['api'], users: UserStore): Promise<void> {
  if (isOfThisMachine(host)) return;
  const refuse = (what: string): KeelError =>
    new KeelError('API_HOST_REFUSED', `The API does not listen on ${host}: ${what}`);
  if (allowedHosts.length === 0) {
    throw refuse(
      'no name is given under which it may be asked. Set KEEL_API_ALLOWED_HOSTS to it and put TLS before it, ' +
        'or set KEEL_API_HOST to 127.0.0.1 and use an SSH tunnel.',
    );
  }
  if ((await users.firstAdmin()) === null) throw refuse('there is no admin. Make one first: keel admin.');
}

function risksOf(risk: ApiConfig['risk']): Pick<ApiDeps, 'riskLimits'> & { defaults: RiskProfile } {
  const { riskPerTrade, maximumPositionShare, minimumRCoefficient, priceCollar, cashReserve } = risk;
  const shares = { riskPerTrade, maximumPositionShare, minimumRCoefficient, priceCollar, cashReserve };
  return {
    riskLimits: { ...shares, shortsAllowed: false, pyramiding: true },
    defaults: { ...shares, shortsAllowed: false, pyramiding: false },
  };
}

function portsOf(
  config: ApiConfig,
  cache: CachePort,
  client: Client,
): Pick<ApiDeps, 'marketClock' | 'calendar' | 'prices'> & { readonly objects: ObjectStorePort } {
  const { objectStore, simulator, mode } = config;
  const clock = createMachineClock();
  const calendar = createNyseCalendar();
  const marketClock = createMarketClock(mode, simulator, clock);
  return {
    objects:
      objectStore.kind === 'filesystem'
        ? createFilesystemObjectStore(objectStore)
        : createMinioObjectStore({ ...objectStore, timeoutMs: 10_000 }),
    marketClock,
    calendar,
    prices: createPrices(config.prices, {
      ...{ mode, cache, clock, marketClock, calendar, simulator },
      broker: createWorkerPrices({ client, mode, clock, timeoutMs: config.prices.timeoutMs }),
    }),
  };
}

/** What /health/detailed and its like tell of this process. */
function statusOf(
  config: ApiConfig,
): Pick<
  ApiDeps,
  | 'nodeVersion'
  | 'probeTimeoutMs'
  | 'monitorsEveryMs'
  | 'retention'
  | 'environment'
  | 'maskedConfig'
  | 'migrations'
  | 'refuseAddress'
> {
  const { environment, monitors, retention, database } = config;
  return {
    nodeVersion: process.versions.node,
    probeTimeoutMs: 3000,
    monitorsEveryMs: monitors.state === 'on' ? monitors.everyMs : null,
    retention: { everyMs: retention.everyMs, on: !keepsAll(retention) },
    environment,
    maskedConfig: maskedConfig(config),
    refuseAddress: (url) => refusalOf(url, config.notifier.privateAddresses === 'allowed'),
    migrations: {
      status: () => migrationStatus(database.url),
      run: () => migrateUp(database.url),
    },
  };
}

async function main(): Promise<void> {
  const config = readConfig();
  const db = connect(config.database);
  const redact = createRedact(secretValues(config));
  const watch = await observe({
    environment: config.environment,
    logLevel: config.log.level,
    metrics: config.metrics,
    otlpUrl: config.tracing.otlpUrl,
    dsn: config.errorReports.dsn,
    version: keelVersion(),
    redact,
    pool: db.pool,
  });
  const { address, namespace, uiUrl, connectTimeoutMs } = config.temporal;
  // Lazy: the API also answers, and says what is away, before Temporal is there.
  const connection = Connection.lazy({
    ...temporalConnection(address, config.temporal),
    connectTimeout: connectTimeoutMs,
  });
  const stopping = new AbortController();
  const clock = createMachineClock();
  const cache = createCache(config.cache, clock);
  const client = new Client({ connection, namespace, ...watch.clientOptions });
  try {
    await claimMode(db, config.mode);
    const stores = createStores(db, config.mode);
    await mayListen(config.api, stores.users);
    const access = await openAccess(config, stores, watch.log);
    const risks = risksOf(config.risk);
    const ports = portsOf(config, cache, client);
    const ui = `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/`;
    const app = createApp({
      mode: config.mode,
      version: keelVersion(),
      ...stores,
      ...access,
      ...ports,
      ...statusOf(config),
      clock,
      probes: createProbes({
        mode: config.mode,
        db,
        connection,
        namespace,
        taskQueue: taskQueue(config.mode),
        ...{ objects: ports.objects, brokerState: stores.brokerState },
        cache,
        clock,
        timeoutMs: 2000,
      }),
      workflows: createRunWorkflows({ client, clock, callTimeoutMs: 8000, queryTimeoutMs: 2000 }),
      strategyDefaults: {
        indicators: defaultIndicators,
        risk: risks.defaults,
        slot: 'after-close',
        workflowId: 'standard',
      },
      riskLimits: risks.riskLimits,
      modelState: modelState(config.model),
      temporalUrl: (workflowId) => (uiUrl === '' ? null : ui + encodeURIComponent(workflowId)),
      progressPollMs: 300,
      progressHeartbeatMs: 15_000,
      stopping: stopping.signal,
      log: watch.log,
      countRequest: watch.countRequest,
      errorReports: watch.errorReports,
      ...(tellsCauses(config) && { causeOf: tellCause(redact) }),
      allowedHosts: config.api.allowedHosts,
      corsOrigins: config.api.corsOrigins,
      trustedProxies: config.api.trustedProxies,
      callsPerMinute: config.api.callsPerMinute,
      streamsPerUser: config.api.streamsPerUser,
      bodyLimitKb: config.api.bodyLimitKb,
      docsAssets: swaggerUi(),
    });
    const server = createServer(app);
    answerUnreadable(server, watch.log);
    const url = await listen(server, config.api);
    const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);
    await stopped;
    stopping.abort();
    await drain(server, watch.log);
  } finally {
    await cache.close();
    await connection.close();
    await db.close();
    await watch.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`api: ${createRedact()(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 1000).unref();
});
