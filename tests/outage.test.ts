// A run of paper mode over an outage of its login in which Keel is stopped and started again: real worker processes, against a
// gateway that owes nothing to the simulator. The market is the machine's, so the run ends as the day has it.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runWorkflowId, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import type { RunResult, StrategyRunInput } from '../contracts/wire/run.js';
import { connect } from '../db/connect.js';
import { createStores } from '../db/stores.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { gatewayAccount, startGateway } from './support/gateway.js';
import { startTestPostgres } from './support/postgres.js';
import { startServer, type ServerProcess } from './support/server.js';
import { demoSettings, readyLine } from './support/stack.js';
import { tempFolder } from './support/temp.js';
import { startTemporal } from './support/temporal.js';
import { until } from './support/until.js';

const limits = { poolSize: 2, connectTimeoutMs: 20_000, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 };
const entry = fileURLToPath(new URL('../dist/worker/main.js', import.meta.url));

const undo: (() => unknown)[] = [];
let keel: Awaited<ReturnType<typeof begin>>;

async function begin() {
  const folder = tempFolder('outage');
  undo.push(folder.remove);
  const [temporal, postgres, gateway] = await Promise.all([
    startTemporal(),
    startTestPostgres(),
    startGateway(folder.path),
  ]);
  undo.push(
    () => temporal.stop(),
    () => postgres.stop(),
    () => gateway.close(),
  );
  const db = connect({ url: postgres.url, ...limits });
  undo.push(() => db.close());
  const connection = await Connection.connect({ address: temporal.address });
  undo.push(() => connection.close());
  const { workflow } = new Client({ connection, namespace: temporal.namespace });
  let starts = 0;
  const startWorker = async (): Promise<ServerProcess> => {
    const logFile = path.join(folder.path, `worker-${String((starts += 1))}.log`);
    const worker = await startServer({
      command: process.execPath,
      args: [entry],
      env: {
        ...process.env,
        KEEL_ENV: 'testing',
        KEEL_MODE: 'paper',
        KEEL_BROKER: 'ibkr',
        KEEL_DATA_DIR: folder.path,
        DATABASE_URL: postgres.url,
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: temporal.namespace,
        IBKR_BASE_URL: gateway.baseUrl,
        IBKR_CA_FILE: gateway.caFile,
        IBKR_CERT_SHA256: gateway.certSha256,
        IBKR_ACCOUNT: gatewayAccount,
        // The gateway of the test has no limits; the waits of IBKR's would take a minute.
        KEEL_PACING_FACTOR: '50',
        // How long a step tries before its run begins to wait.
        KEEL_STEP_DEADLINE_MS: '20000',
      },
      logFile,
      isReady: () => Promise.resolve(readyLine(logFile)),
      readyMs: 60_000,
    });
    undo.push(() => worker.stop());
    return worker;
  };
  return { gateway, workflow, stores: createStores(db, 'paper'), startWorker };
}

beforeAll(async () => {
  keel = await begin();
});
afterAll(async () => {
  for (const each of undo.reverse()) await each();
});

async function startRun(strategyId: string): Promise<WorkflowHandle> {
  const { stores, workflow } = keel;
  await stores.strategies.create({ id: strategyId, name: strategyId, settings: demoSettings }, 'test');
  const identity = {
    mode: 'paper',
    strategyId,
    symbol: 'AAPL',
    slot: 'after-close',
    session: createNyseCalendar().lastClosed(new Date().toISOString()).date,
  } as const;
  const input: StrategyRunInput = { ...identity, runId: strategyId, noWait: true };
  return workflow.start(workflowTypes.strategyRun, {
    workflowId: runWorkflowId(identity),
    taskQueue: taskQueue('paper'),
    args: [input],
  });
}

/** The wait of a run for its login, as the server has it. */
async function waitOf(handle: WorkflowHandle) {
  const { raw } = await handle.describe();
  return raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'awaitSession') ?? null;
}

test('a run that waits for its login waits on where Keel is stopped, and goes on with the next one', async () => {
  const { gateway, startWorker } = keel;
  gateway.session = 'gone';
  const first = await startWorker();
  const handle = await startRun('patient');
  // A worker has it, and looks.
  await until(async () => ((await waitOf(handle))?.lastStartedTime ? true : null));
  await first.stop();
  expect((await handle.describe()).status.name).toBe('RUNNING');
  expect((await waitOf(handle))?.lastFailure?.applicationFailureInfo?.type).toBe('WORKER_STOPS');

  gateway.session = 'up';
  const second = await startWorker();
  const result = (await handle.result()) as RunResult;
  const sent = gateway.orders.filter(({ parent }) => parent === null);
  if (result.outcome === 'REFUSED') {
    expect([result.status, result.code, sent.length]).toEqual(['ended', 'MARKET_SHUT', 0]);
  } else {
    expect([result.status, result.outcome, sent.length]).toEqual(['ended', 'FILLED', 1]);
    expect(sent[0]?.wire['cOID']).toBe(result.order?.clientOrderId);
  }
  await second.stop();
});

test('a run whose step failed for want of the login goes on, too, where its deadline passed while Keel was stopped', async () => {
  const { gateway, startWorker } = keel;
  gateway.session = 'gone';
  const first = await startWorker();
  const handle = await startRun('stopped');
  const pending = async () => (await handle.describe()).raw.pendingActivities?.[0] ?? null;
  const failed = await until(async () => {
    const step = await pending();
    return step?.lastFailure?.applicationFailureInfo?.type === 'BROKER_SESSION' ? step : null;
  });
  await first.stop();
  // With the deadline the server has given the step up; nobody has told the run yet.
  await until(async () => ((await pending())?.activityId === failed.activityId ? null : true));
  expect((await handle.describe()).status.name).toBe('RUNNING');

  gateway.session = 'up';
  await startWorker();
  expect((await handle.result()) as RunResult).toMatchObject({ status: 'ended' });
});
