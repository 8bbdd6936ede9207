// A run that is open in a backup, restored to where Temporal has no history of it: a real Temporal server with a namespace
// for each restore, and the broker's simulator going on, which knows the run's order.
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Client as Postgres } from 'pg';
import { expect, it } from 'vitest';
import { clientOrderId } from '../activities/clientOrderId.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { restoreBackup } from '../cli/backup/restore.js';
import { writeBackup } from '../cli/backup/write.js';
import { runWorkflowId, signalNames, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import { connect } from '../db/connect.js';
import { createStores, type Stores } from '../db/stores.js';
import { startTestPostgres } from './support/postgres.js';
import { sharedServers } from './support/servers.js';
import { demoSettings, onStack, type TestStack } from './support/stack.js';
import { until } from './support/until.js';

const temporal = sharedServers();
const accountId = 'DU1234567';
/** The rules buy AAPL at this close, at a limit that never trades in the session behind it. */
const close = '2014-07-11T20:00:00.000Z';
const admitAt = '2014-07-14T13:35:00.000Z';
const sessionEnd = '2014-07-14T20:00:00.000Z';
const keys = { strategyId: 'open', symbol: 'AAPL', session: '2014-07-11', slot: 'after-close' } as const;
const identity = { mode: 'simulated', ...keys } as const;
const runId = `${keys.strategyId}-${keys.session}`;
const order = clientOrderId({ ...keys, accountId, leg: 'entry' });

const backUp = async (stack: TestStack, name: string): Promise<string> => {
  const client = new Postgres({ connectionString: stack.databaseUrl });
  await client.connect();
  const directory = path.join(stack.folder, name);
  const objects = createFilesystemObjectStore({ directory: path.join(stack.folder, 'objects') });
  await writeBackup({ url: stack.databaseUrl, client, objects, keelVersion: '0', config: {} }, directory);
  await client.end();
  return directory;
};

interface Restored {
  readonly stores: Stores;
  readonly client: Client;
}

/** On a database, a data directory and a namespace that know nothing yet, with a worker that has started. */
async function onRestored(
  stack: TestStack,
  backup: string,
  work: (restored: Restored) => Promise<void>,
): Promise<void> {
  const postgres = await startTestPostgres();
  const folder = `${backup}-restored`;
  const target = new Postgres({ connectionString: postgres.url });
  await target.connect();
  const objects = createFilesystemObjectStore({ directory: path.join(folder, 'objects') });
  await restoreBackup(backup, { client: target, objects, mode: 'simulated', replace: false });
  await target.end();
  const limits = { poolSize: 2, connectTimeoutMs: 5000, statementTimeoutMs: 20_000, lockTimeoutMs: 5000 };
  const db = connect({ url: postgres.url, ...limits });
  // Given back by nobody: what runs in it must reach no other test's worker.
  const { namespace } = temporal().takeLane();
  const connection = await Connection.connect({ address: temporal().address });
  const worker = await stack.startWorker(undefined, {
    DATABASE_URL: postgres.url,
    KEEL_DATA_DIR: folder,
    TEMPORAL_NAMESPACE: namespace,
    KEEL_MONITORS: 'on',
  });
  try {
    await work({
      stores: createStores(db, 'simulated'),
      client: new Client({ connection, namespace }),
    });
  } finally {
    await worker.stop();
    await connection.close();
    await db.close();
    await postgres.stop();
  }
}

const ordersAtBroker = (stack: TestStack) => stack.ledger().filter(({ type }) => type === 'order').length;

async function expectLost(stack: TestStack, { stores, client }: Restored, words: string): Promise<void> {
  // Ended before the worker said that it was ready.
  const run = await stores.runs.get(runId);
  expect(run).toMatchObject({ status: 'failed', outcome: 'FAILED', code: 'WORKFLOW_LOST' });
  expect(run?.message).toContain(words);
  // As somebody would who starts the run's workflow anew: Temporal takes it, for it has no history of it.
  const again = await client.workflow.start(workflowTypes.strategyRun, {
    workflowId: runWorkflowId(identity),
    taskQueue: taskQueue('simulated'),
    args: [{ ...identity, runId }],
  });
  await expect(again.result()).rejects.toMatchObject({ cause: { type: 'RUN_EXISTS' } });
  await until(async () => {
    const alarmed = (await stores.monitors.get('reconciliation'))?.facts['alarmed'];
    return Array.isArray(alarmed) && alarmed.includes(order) ? true : null;
  });
  expect(ordersAtBroker(stack)).toBe(3);
}

it('ends as lost, names its order, and sends nothing again, whether the order went out before the backup or after it', async () => {
  await onStack(temporal(), async (stack) => {
    await stack.createStrategy('open', { risk: { ...demoSettings.risk, entryType: 'LMT' } });
    const { runs, intents } = stack.market.stores;
    const waitsUntil = (instant: string) =>
      until(async () => ((await runs.get(runId))?.waitingFor === instant ? true : null));
    const worker = await stack.startWorker();
    const handle = await stack.startRun('open', close);
    await waitsUntil(admitAt);
    const before = await backUp(stack, 'before');
    await stack.market.stepThrough([admitAt]);
    await handle.signal(signalNames.marketReached, { now: admitAt });
    await waitsUntil(sessionEnd);
    const resting = await until(async () => {
      const intent = await intents.get(order);
      return intent?.state === 'ACKNOWLEDGED' ? intent : null;
    });
    const after = await backUp(stack, 'after');
    await worker.stop();
    // An entry and its two legs.
    expect(ordersAtBroker(stack)).toBe(3);

    await onRestored(stack, before, (restored) =>
      expectLost(stack, restored, `has the client order id ${order}: look for it at the broker`),
    );

    await onRestored(stack, after, async (restored) => {
      const { stores } = restored;
      await expectLost(
        stack,
        restored,
        `(${resting.brokerOrderId ?? ''} at the broker) stands here as ACKNOWLEDGED`,
      );
      // Nobody follows it, and it is looked up all the same: it ends with its session at the broker.
      await stack.admin('/clock/step', { to: sessionEnd });
      await until(async () => ((await stores.intents.get(order))?.state === 'CANCELLED' ? true : null));
      expect(await stores.intents.listOpen('simulated', accountId)).toEqual([]);
    });
  });
});
