// A whole Keel for a test: its own database, simulator and namespace on a shared Temporal server, workers as real processes that
// may be killed at a stated point, and the driver that steps the market.
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { openMarket, type Market } from '../../cli/market.js';
import { brokerEnvironment, simulatorLine } from '../../cli/supervisor/simulatorLine.js';
import {
  brokerSessionWorkflowId,
  brokerStateWorkflowId,
  runWorkflowId,
  taskQueue,
  workflowTypes,
} from '../../contracts/wire/names.js';
import type { RunResult, StrategyRunInput } from '../../contracts/wire/run.js';
import type { StrategySettings } from '../../contracts/wire/strategy.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { riskProfile } from '../../domain/testing/facts.js';
import { recordHistories } from './histories.js';
import { wholeLines } from './lines.js';
import { freePort } from './ports.js';
import { startTestPostgres } from './postgres.js';
import { startServer, type ServerProcess } from './server.js';
import { tempFolder } from './temp.js';
import type { TestTemporal } from './temporal.js';

const accountId = 'DU1234567';
const adminToken = 'a-token-for-tests-only';
const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

export interface LedgerLine {
  readonly type: string;
  readonly orderId?: number;
  readonly parentId?: number | null;
  readonly cOID?: string | null;
  readonly side?: string;
  readonly quantity?: string;
  readonly price?: string | null;
  readonly commission?: string;
  readonly cash?: string;
}

export interface TestStack {
  readonly client: Client;
  readonly market: Market;
  readonly folder: string;
  /** Of every process that belongs to this Keel. */
  readonly env: NodeJS.ProcessEnv;
  /** The same without what this process inherited. */
  readonly settings: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  /** Of the simulator. */
  readonly ledgerFile: string;
  /**
   * Starts a worker, with a fault of worker/faults.ts or none, and waits until it is ready.
   * @param other settings in place of those of this Keel
   */
  startWorker(
    fault?: string,
    other?: Readonly<Record<string, string>>,
  ): Promise<ServerProcess & { readonly logFile: string }>;
  killSimulator(): Promise<void>;
  /** @param other settings in place of those of this Keel */
  startSimulator(other?: Readonly<Record<string, string>>): Promise<void>;
  /** Asks the simulator's admin port. @returns the parsed answer */
  admin(where: string, body?: unknown): Promise<unknown>;
  createStrategy(id: string, change?: Partial<StrategySettings>): Promise<void>;
  /** Steps the market to the close of a session and starts the run of its slot. */
  startRun(strategyId: string, session: string, symbol?: string): Promise<WorkflowHandle>;
  /** Steps the market as runs wait for it, until the run is over. @returns its result, or null when it failed */
  drive(handle: WorkflowHandle): Promise<RunResult | null>;
  ledger(): readonly LedgerLine[];
  stop(): Promise<void>;
}

export const demoSettings: StrategySettings = {
  symbols: ['AAPL'],
  timeframes: ['daily', 'weekly'],
  indicators: defaultIndicators,
  analyst: 'rules',
  risk: riskProfile,
  slot: 'after-close',
  workflowId: 'standard',
  workflowVersion: 1,
};

/** Indicators so quick that the rules sell on a few falling days. */
export const quickSettings: Partial<StrategySettings> = {
  timeframes: ['daily'],
  risk: { ...riskProfile, minimumRCoefficient: '1' },
  indicators: {
    ...defaultIndicators,
    sma: [5, 10, 20],
    ema: [5],
    rsi: 3,
    macd: { fast: 3, slow: 6, signal: 3 },
    bollinger: { period: 5, deviations: 2 },
    superTrend: { period: 3, multiplier: 1 },
  },
};

export const readyLine = (logFile: string): boolean => {
  try {
    return readFileSync(logFile, 'utf8').includes('"ready":true');
  } catch {
    return false;
  }
};

/** One of Keel's processes from dist/, ready with its line. */
async function startProcess(entry: string, args: string[], env: NodeJS.ProcessEnv, logFile: string) {
  const server = await startServer({
    command: process.execPath,
    args: [path.join(dist, entry), ...args],
    env,
    logFile,
    isReady: () => Promise.resolve(readyLine(logFile)),
    readyMs: 60_000,
  });
  return { ...server, logFile };
}

export async function startStack(
  temporal: TestTemporal,
  extra: Readonly<Record<string, string>> = {},
): Promise<TestStack> {
  const { path: folder, remove } = tempFolder('stack');
  const lane = temporal.takeLane();
  const { namespace } = lane;
  const postgres = await startTestPostgres();
  const [port, adminPort, oauthPort] = [await freePort(), await freePort(), await freePort()];
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const shared = {
    KEEL_ENV: 'testing',
    KEEL_DATA_DIR: folder,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: namespace,
    KEEL_SIMULATOR_PORT: String(port),
    KEEL_SIMULATOR_ADMIN_PORT: String(adminPort),
    KEEL_SIMULATOR_OAUTH_PORT: String(oauthPort),
    KEEL_SIMULATOR_ADMIN_TOKEN: adminToken,
    KEEL_SIMULATOR_ADMIN_URL: adminUrl,
    ...extra,
  };
  const base: NodeJS.ProcessEnv = { ...process.env, ...shared };
  let starts = 0;
  const log = (name: string): string => path.join(folder, `${name}-${String((starts += 1))}.log`);
  let simulator = await startProcess('simulator/main.js', [], base, log('simulator'));
  const ready = readFileSync(simulator.logFile, 'utf8')
    .split('\n')
    .find((line) => line.includes('"ready"'));
  const facts = simulatorLine.parse(JSON.parse(ready ?? '{}'));
  const settings = { ...shared, ...brokerEnvironment(facts) };
  const env: NodeJS.ProcessEnv = { ...process.env, ...settings };
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace });
  const market = await openMarket({
    mode: 'simulated',
    accountId,
    databaseUrl: postgres.url,
    temporal: { address: temporal.address, namespace, uiUrl: temporal.uiUrl },
    simulator: { adminUrl, adminToken },
  });
  const workers: ServerProcess[] = [];
  return {
    client,
    market,
    folder,
    env,
    settings,
    databaseUrl: postgres.url,
    ledgerFile: facts.ledgerFile,
    startWorker: async (fault, other = {}) => {
      const args = fault === undefined ? [] : ['--fault', fault];
      const worker = await startProcess('worker/main.js', args, { ...env, ...other }, log('worker'));
      workers.push(worker);
      return worker;
    },
    killSimulator: () => simulator.kill(),
    startSimulator: async (other = {}) => {
      simulator = await startProcess('simulator/main.js', [], { ...base, ...other }, log('simulator'));
    },
    admin: async (where, body) => {
      const response = await fetch(`${adminUrl}${where}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { Authorization: `Bearer ${adminToken}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`the simulator answered ${String(response.status)} to ${where}`);
      return response.json();
    },
    createStrategy: async (id, change = {}) => {
      await market.stores.strategies.create(
        { id, name: id, settings: { ...demoSettings, ...change } },
        'test',
      );
    },
    startRun: async (strategyId, session, symbol = 'AAPL') => {
      await market.stepThrough([session]);
      const identity = {
        mode: 'simulated',
        strategyId,
        symbol,
        session: session.slice(0, 10),
        slot: 'after-close',
      } as const;
      const input: StrategyRunInput = { ...identity, runId: `${strategyId}-${identity.session}` };
      return client.workflow.start(workflowTypes.strategyRun, {
        workflowId: runWorkflowId(identity),
        taskQueue: taskQueue('simulated'),
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
    },
    drive: async (handle) => {
      const over = new AbortController();
      const driving = market.drive(over.signal, () => undefined);
      try {
        return (await handle.result()) as RunResult;
      } catch {
        return null;
      } finally {
        over.abort();
        await driving;
      }
    },
    ledger: () =>
      wholeLines(readFileSync(facts.ledgerFile, 'utf8')).map((line) => JSON.parse(line) as LedgerLine),
    stop: async () => {
      const recorded = process.env.RECORD_HISTORIES;
      if (recorded !== undefined) {
        const strategies = (await market.stores.strategies.list()).map(({ id }) => id);
        const wanted = recorded.split(',');
        await recordHistories(
          client,
          strategies.filter((id) => recorded === 'all' || wanted.includes(id)),
        );
      }
      await endWorkflows(client);
      await Promise.all(workers.map((worker) => worker.stop()));
      await market.close();
      await connection.close();
      await simulator.stop();
      await postgres.stop();
      lane.release();
      remove();
    },
  };
}

/** A whole Keel for one test, stopped whatever becomes of it; `extra` are more settings of its processes. */
export async function onStack(
  temporal: TestTemporal,
  work: (stack: TestStack) => Promise<void>,
  extra: Readonly<Record<string, string>> = {},
): Promise<void> {
  const stack = await startStack(temporal, extra);
  try {
    await work(stack);
  } finally {
    await stack.stop();
  }
}

/** Workflows of this test must not reach the next one's worker, which serves the same queue. */
async function endWorkflows(client: Client): Promise<void> {
  const ids = [
    brokerStateWorkflowId('simulated', accountId),
    brokerSessionWorkflowId('simulated', accountId),
  ];
  for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    ids.push(workflowId);
  }
  for (const id of new Set(ids)) {
    await client.workflow
      .getHandle(id)
      .terminate('the test is over')
      .catch(() => undefined);
  }
}
