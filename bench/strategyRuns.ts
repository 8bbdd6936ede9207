// Whole strategy runs: a hundred at once through one worker, from the start of the workflow to the filled and protected
// order. Fails when the simulator's ledger does not hold exactly one entry order a run. Called by the runner.
import { readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import { poll } from '../cli/supervisor/wait.js';
import { orderWorkflowId, runWorkflowId } from '../contracts/wire/names.js';
import type { RunResult, StrategyRunInput } from '../contracts/wire/run.js';
import type { Usage } from './cpu.js';
import { measured, peakMemoryMb } from './cpu.js';
import type { Keel } from './keel.js';
import { startKeel } from './keel.js';
import { benchSettings, prepareRuns, startRun } from './runs.js';
import type { Servers } from './servers.js';

export interface History {
  readonly events: number;
  readonly bytes: number;
}

export interface StrategyRunsTiming {
  readonly usage: Usage;
  /** Wall milliseconds until the last run waited for the market. */
  readonly decidedMs: number;
  /** The longest histories of a run, and of the lifecycle of its order. */
  readonly run: History;
  readonly lifecycle: History;
  readonly workerPeakMb: number;
}

/** The rules hold on the first session, so that warming up leaves no order; on the second they buy. */
const sessions = { warmUp: '2014-07-03', measured: '2014-07-07' };
const warmUps = 10;
const deadlineMs = 10 * 60_000;

/** @throws Error when a run does not end filled, or the broker has another number of entry orders */
export async function benchStrategyRuns(
  servers: Servers,
  count: number,
  pacingFactor: number,
): Promise<StrategyRunsTiming> {
  const keel = await startKeel(servers, pacingFactor);
  try {
    const warm = await prepareRuns(keel, 'warm', warmUps, sessions.warmUp, () => benchSettings);
    await runAll(servers.client, keel, warm);
    const trees = {
      worker: keel.worker.pid,
      temporal: servers.temporal.pid,
      postgres: servers.postgresPid,
      simulator: keel.simulator.pid,
    };
    const prepared = await prepareRuns(keel, 'bench', count, sessions.measured, () => benchSettings);
    const { result, usage } = await measured(trees, () => runAll(servers.client, keel, prepared));
    checkOutcomes(result.results);
    checkLedger(keel.ledgerFile, count);
    const [run, lifecycle] = await longest(servers.client, keel, prepared);
    return {
      usage,
      decidedMs: result.decidedMs,
      run,
      lifecycle,
      workerPeakMb: peakMemoryMb(keel.worker.pid),
    };
  } finally {
    await keel.stop();
  }
}

async function runAll(client: Client, { market }: Keel, inputs: readonly StrategyRunInput[]) {
  const began = performance.now();
  const handles = await Promise.all(inputs.map((input) => startRun(client, input)));
  const results = Promise.all(handles.map((handle) => handle.result() as Promise<RunResult>));
  results.catch(() => undefined);
  await allDecided(market, inputs);
  const decidedMs = performance.now() - began;
  const over = new AbortController();
  const driving = market.drive(over.signal, (trouble) => process.stderr.write(`driver: ${trouble}\n`));
  const timer = setTimeout(() => {
    over.abort();
  }, deadlineMs);
  const late = new Promise<never>((_resolve, reject) => {
    over.signal.addEventListener('abort', () => {
      reject(new Error(`the runs have not ended after ${String(deadlineMs / 60_000)} minutes`));
    });
  });
  late.catch(() => undefined);
  try {
    return { results: await Promise.race([results, late]), decidedMs };
  } finally {
    clearTimeout(timer);
    over.abort();
    await driving;
  }
}

/** The market is stepped once for all of them: when each waits for it, or has ended without an order. */
async function allDecided({ stores }: Keel['market'], inputs: readonly StrategyRunInput[]): Promise<void> {
  const decided = await poll(deadlineMs, 500, async () => {
    const rows = await stores.runs.list({ limit: 1000 });
    const done = new Set(
      rows.filter((row) => row.waitingFor !== null || row.endedAt !== null).map(({ id }) => id),
    );
    return inputs.every(({ runId }) => done.has(runId)) ? true : null;
  });
  if (decided === null) throw new Error('some runs have not come to their decision');
}

function checkOutcomes(results: readonly RunResult[]): void {
  const other = results.filter(({ outcome }) => outcome !== 'FILLED');
  const [first] = other;
  if (first === undefined) return;
  const said = `${first.runId}: ${first.outcome}, ${first.code ?? ''} ${first.message ?? ''}`;
  throw new Error(
    `${String(other.length)} of ${String(results.length)} runs did not end filled, such as ${said}`,
  );
}

interface LedgerLine {
  readonly type: string;
  readonly parentId?: number | null;
}

function checkLedger(file: string, count: number): void {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const entries = lines
    .map((line) => JSON.parse(line) as LedgerLine)
    .filter(({ type, parentId }) => type === 'order' && parentId === null);
  if (entries.length === count) return;
  throw new Error(`the ledger holds ${String(entries.length)} entry orders for ${String(count)} runs`);
}

async function longest(
  client: Client,
  { market }: Keel,
  inputs: readonly StrategyRunInput[],
): Promise<[History, History]> {
  const sizes = await Promise.all(
    inputs.map(async (input) => {
      const intent = await market.stores.intents.byRun(input.runId);
      const order = orderWorkflowId(input.mode, intent?.clientOrderId ?? '');
      return Promise.all([historyOf(client, runWorkflowId(input)), historyOf(client, order)]);
    }),
  );
  const most = (histories: readonly History[]): History => ({
    events: Math.max(...histories.map(({ events }) => events)),
    bytes: Math.max(...histories.map(({ bytes }) => bytes)),
  });
  return [most(sizes.map(([run]) => run)), most(sizes.map(([, lifecycle]) => lifecycle))];
}

async function historyOf(client: Client, workflowId: string): Promise<History> {
  const { historyLength, historySize } = await client.workflow.getHandle(workflowId).describe();
  return { events: historyLength, bytes: historySize ?? NaN };
}
