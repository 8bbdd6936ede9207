// The processes of docker-compose.yml, without containers: a run goes on when the worker that has it and the API that
// started it are killed, and sends one order.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { z } from 'zod';
import { openMarket } from '../cli/market.js';
import { marketWords } from '../cli/topology/main.js';
import { startTopology, type Topology, type TopologyProcess } from '../cli/topology/start.js';
import { poll } from '../cli/supervisor/wait.js';
import { detailedHealth } from '../contracts/http/status.js';
import { executeAnswer, runDetail } from '../contracts/http/run.js';
import { strategy } from '../contracts/http/strategy.js';
import { makeUser } from './support/access.js';
import { wholeLines } from './support/lines.js';
import { tempFolder } from './support/temp.js';
import type { LedgerLine } from './support/stack.js';

const folder = tempFolder('topology');
const said: string[] = [];
let topology: Topology;
let stop = (): Promise<void> => Promise.resolve();

beforeAll(async () => {
  topology = await startTopology({
    dataDir: folder.path,
    say: (line) => said.push(line),
    temporalCli: inject('temporalCli') ?? '',
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  stop = () => topology.stop();
});
afterAll(async () => {
  await stop();
  folder.remove();
});

async function ask<S extends z.ZodType>(
  schema: S,
  url: string,
  key: string,
  body?: unknown,
): Promise<z.output<S>> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${JSON.stringify(answer)}`);
  return schema.parse(answer);
}

/** The worker that has the run: whoever took its last workflow task. */
async function workerOf(workflowId: string): Promise<TopologyProcess> {
  const connection = await Connection.connect({ address: topology.temporalAddress });
  try {
    const handle = new Client({ connection }).workflow.getHandle(workflowId);
    const found = await poll(20_000, 50, async () => {
      const { events } = await handle.fetchHistory();
      const took = (events ?? []).findLast((event) => event.workflowTaskStartedEventAttributes);
      const identity = took?.workflowTaskStartedEventAttributes?.identity ?? '';
      return topology.workers.find(({ pid }) => identity.startsWith(`${pid}@`)) ?? null;
    });
    if (found === null) throw new Error('no worker of the topology took the run');
    return found;
  } finally {
    await connection.close();
  }
}

const ledger = (): readonly LedgerLine[] =>
  wholeLines(readFileSync(topology.simulator.ledgerFile, 'utf8')).map(
    (line) => JSON.parse(line) as LedgerLine,
  );

test('a run ends with one order although its worker and its API are killed', async () => {
  const [api1, api2] = topology.apis;
  if (api1 === undefined || api2 === undefined) throw new Error('there are two APIs');
  const { adminUrl, adminToken } = topology.simulator;
  const market = await openMarket({
    mode: 'simulated',
    accountId: 'DU1234567',
    databaseUrl: topology.databaseUrl,
    temporal: { address: topology.temporalAddress, namespace: 'default', uiUrl: '' },
    simulator: { adminUrl, adminToken },
  });
  const { key } = await makeUser(market.stores, 'maria', 'trader');
  const admin = await makeUser(market.stores, 'root', 'admin');
  // Where a new market begins: nobody has to move it before a first run.
  expect((await market.now()).now).toBe('2014-07-07T20:00:00.000Z');
  await market.close();
  await ask(strategy, `${api1.url}/api/v1/strategies`, key, {
    id: 'demo',
    name: 'demo',
    settings: { symbols: ['AAPL'] },
  });
  const started = await ask(executeAnswer, `${api1.url}/api/v1/strategies/demo/execute`, key, {
    symbol: 'AAPL',
  });
  expect(started).toMatchObject({ session: '2014-07-07', existing: false });
  const run = `${api2.url}/api/v1/runs/${encodeURIComponent(started.runId)}`;
  const { workflowId } = await ask(runDetail, run, key);

  const victim = await workerOf(workflowId);
  victim.kill();
  api1.kill();
  expect((await ask(runDetail, run, key)).outcome).toBeNull();

  const ended = await poll(180_000, 200, async () => {
    const detail = await ask(runDetail, run, key);
    return detail.outcome === null ? null : detail;
  });
  expect(ended).toMatchObject({ status: 'ended', outcome: 'FILLED', order: { state: 'FILLED' } });
  expect(ended?.temporalUrl).toContain(`${topology.temporalUiUrl}/`);
  await expect(fetch(`${api1.url}/health`)).rejects.toThrow('fetch failed');

  const entries = ledger().filter(({ type, parentId }) => type === 'order' && parentId === null);
  expect(entries.map(({ cOID, side }) => ({ cOID, side }))).toEqual([
    { cOID: ended?.order?.clientOrderId, side: 'BUY' },
  ]);

  // What the worker that is left has read of the broker may be a moment old.
  const looked = () => ask(detailedHealth, `${api2.url}/health/detailed`, admin.key);
  await expect
    .poll(async () => (await looked()).parts.filter(({ status }) => status !== 'ok'), { timeout: 60_000 })
    .toEqual([]);
  const health = await looked();
  expect(health.parts.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['postgres', 'temporal', 'worker', 'objectStore', 'broker', 'cache']),
  );
});

test('says which process has ended, and how its market is moved on', () => {
  // In the order in which the machine tells of their ends.
  const ends = said
    .filter((line) => line.includes('has ended'))
    .sort((one, other) => one.localeCompare(other));
  expect(ends).toEqual([
    expect.stringMatching(/api 1 has ended \(signal SIGKILL\) and is not started again: see .*api/),
    expect.stringMatching(/worker [12] has ended \(signal SIGKILL\) and is not started again: see .*worker/),
  ]);
  const [words, settings = '', ...commands] = marketWords(topology.simulator, folder.path);
  expect(words).toContain('next one');
  const script = [settings, ...commands.map((line) => line.replace('npx keel', 'node cli/bin/image.mjs'))];
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const { status, stdout } = spawnSync('sh', ['-ec', script.join('\n')], { encoding: 'utf8', env });
  expect([status, stdout.match(/"now": "([^"]+)"/g)?.at(-1)]).toEqual([
    0,
    '"now": "2014-07-08T20:00:00.000Z"',
  ]);
});

test('tells of each part, and its health checks are those of the containers', () => {
  expect(said.join('\n')).toMatch(/one-time password: \w{5}-\w{5}-\w{5}-\w{5}/);
  expect(said.join('\n')).toMatch(/development server \(not on PostgreSQL\)/);
  const check = path.resolve('deploy/docker/healthy.mjs');
  const healthy = (...args: string[]): number | null => spawnSync(process.execPath, [check, ...args]).status;
  const [api1, api2] = topology.apis;
  expect(healthy(`${api2?.url ?? ''}/health`)).toBe(0);
  expect(healthy(`${api1?.url ?? ''}/health`)).toBe(1);
  expect(healthy(`file:${path.join(folder.path, 'tmp/keel-market-looked')}`, '30')).toBe(0);
  expect(healthy(`file:${path.join(folder.path, 'tmp/nothing')}`, '30')).toBe(1);
});
