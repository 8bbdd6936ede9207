// What goes wrong in a run, end to end: each case takes one part away from a whole Keel. The run ends with the reason
// stored, and what it has stored is whole. docs/failures.md names these tests.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type WorkflowHandle, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runWorkflowId, signalNames, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import type { RunRow } from '../ports/stores.js';
import { startGate, type Gate } from './support/api.js';
import { startOwnPostgres, type TestPostgres } from './support/postgres.js';
import { startStack, type TestStack } from './support/stack.js';
import { tempFolder } from './support/temp.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';
import { until } from './support/until.js';

/** The close of the demo's default session; the rules buy there, and the order waits for the next open. */
const close = '2014-07-07T20:00:00.000Z';
const session = close.slice(0, 10);
const deadlineMs = 10_000;

let temporal: TestTemporal;
let postgres: TestPostgres;
let gate: Gate;

beforeAll(async () => {
  [temporal, postgres] = await Promise.all([startTemporal(), startOwnPostgres()]);
  const url = new URL(postgres.url);
  gate = await startGate(url.hostname, Number(url.port));
  url.port = String(gate.port);
  vi.stubEnv('DATABASE_URL', url.href);
  vi.stubEnv('KEEL_STEP_DEADLINE_MS', String(deadlineMs));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  gate.close();
  await Promise.all([temporal.stop(), postgres.stop()]);
});

let stack: TestStack | null = null;
afterEach(async () => {
  await stack?.stop();
  stack = null;
});

async function start(strategyId: string, symbol = 'AAPL'): Promise<TestStack> {
  stack = await startStack(temporal);
  await stack.createStrategy(strategyId, { symbols: [symbol] });
  return stack;
}

/** Starts a run where the market stands: without a step, which would need a simulator that answers. */
function startHere(
  { client }: TestStack,
  strategyId: string,
  symbol = 'AAPL',
  day = session,
): Promise<WorkflowHandle> {
  const identity = { mode: 'simulated', strategyId, symbol, session: day, slot: 'after-close' } as const;
  return client.workflow.start(workflowTypes.strategyRun, {
    workflowId: runWorkflowId(identity),
    taskQueue: taskQueue('simulated'),
    args: [{ ...identity, runId: strategyId }],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  });
}

const rowOf = async ({ market }: TestStack, runId: string): Promise<RunRow | null> =>
  market.stores.runs.get(runId);

/** Resolves once the run waits for the market. */
const waits = ({ market }: TestStack, runId: string): Promise<void> =>
  expect.poll(async () => (await market.stores.runs.get(runId))?.status, { timeout: 60_000 }).toBe('waiting');

/** Tells a waiting run that the market has moved, so that it looks at once. */
const wake = (handle: WorkflowHandle): Promise<void> =>
  handle.signal(signalNames.marketReached, { now: '2014-07-09T00:00:00.000Z' });

/** Resolves once the run has given a step up, which stands in its history; that its end is stored comes after it. */
const givenUp = (handle: WorkflowHandle): Promise<true> =>
  until(async () => {
    const { events } = await handle.fetchHistory();
    const failed = (events ?? []).some((event) => event.markerRecordedEventAttributes?.failure != null);
    return failed ? true : null;
  });

/** The run has failed in Temporal and, with the same reason, in the database; nothing was ordered. */
async function expectFailed(
  keel: TestStack,
  handle: WorkflowHandle,
  codes: string | readonly string[],
  words: RegExp,
): Promise<void> {
  const failure: unknown = await handle.result().catch((error: unknown) => error);
  const code =
    failure instanceof WorkflowFailedError && failure.cause instanceof ApplicationFailure
      ? failure.cause.type
      : '';
  expect([codes].flat(), String(failure)).toContain(code);
  const runId = (await keel.market.stores.runs.list({ limit: 1 }))[0]?.id ?? '';
  const row = await rowOf(keel, runId);
  expect(row).toMatchObject({ status: 'failed', outcome: 'FAILED', code, waitingFor: null });
  expect(row?.endedAt).not.toBeNull();
  expect(row?.message).toMatch(words);
  expect(await keel.market.stores.runs.steps(runId)).not.toEqual([]);
  expect(await keel.market.stores.intents.byRun(runId)).toBeNull();
  expect(keel.ledger().filter(({ type }) => type === 'order')).toEqual([]);
}

describe('a run of a symbol', () => {
  it('that the broker does not know ends with the reason', async () => {
    const keel = await start('unknown', 'ZZZZ');
    await keel.startWorker();
    const handle = await startHere(keel, 'unknown', 'ZZZZ');
    await expectFailed(keel, handle, 'UNKNOWN_SYMBOL', /ZZZZ/);
  });

  it('whose bars end before the session that has closed is refused, and nothing is decided on them', async () => {
    const keel = await start('stale');
    await keel.startWorker();
    // The first session after the data of AAPL.
    const late = '2018-05-14';
    await keel.market.stepThrough([`${late}T20:00:00.000Z`]);
    const handle = await startHere(keel, 'stale', 'AAPL', late);
    const words = /the last daily bar of AAPL is that of 2018-05-11, and that of 2018-05-14 should be there/;
    const end = { status: 'ended', outcome: 'REFUSED', code: 'STALE_BARS' };
    expect(await handle.result()).toMatchObject({ ...end, message: expect.stringMatching(words) as string });
    expect(await rowOf(keel, 'stale')).toMatchObject(end);
    expect(await keel.market.stores.evidence.decision('stale')).toBeNull();
    expect(keel.ledger().filter(({ type }) => type === 'order')).toEqual([]);
  });

  it('on a day that is no session ends with the reason', async () => {
    const keel = await start('shut');
    await keel.startWorker();
    await keel.market.stepThrough([close]);
    const identity = {
      mode: 'simulated',
      strategyId: 'shut',
      symbol: 'AAPL',
      session: '2014-07-05',
      slot: 'after-close',
    } as const;
    const handle = await keel.client.workflow.start(workflowTypes.strategyRun, {
      workflowId: runWorkflowId(identity),
      taskQueue: taskQueue('simulated'),
      args: [{ ...identity, runId: 'shut' }],
    });
    await expectFailed(keel, handle, 'NO_SESSION', /2014-07-05/);
  });
});

describe('in mid-run', () => {
  it('PostgreSQL away: given up at the deadline, and the end is stored once it is back', async () => {
    const keel = await start('db-away');
    await keel.startWorker();
    const handle = await keel.startRun('db-away', close);
    await waits(keel, `db-away-${session}`);
    gate.shut();
    await wake(handle);
    await givenUp(handle);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    gate.open();
    await expectFailed(keel, handle, 'DATABASE_AWAY', /does not answer/);
  });

  it('PostgreSQL away for a moment: the run goes on', async () => {
    const keel = await start('db-blink');
    await keel.startWorker();
    const handle = await keel.startRun('db-blink', close);
    await waits(keel, `db-blink-${session}`);
    gate.shut();
    await wake(handle);
    gate.open();
    expect((await keel.drive(handle))?.outcome).toBe('FILLED');
  });

  it('PostgreSQL frozen: given up at the deadline, and the end is stored once it answers', async () => {
    const keel = await start('db-frozen');
    await keel.startWorker();
    const handle = await keel.startRun('db-frozen', close);
    await waits(keel, `db-frozen-${session}`);
    process.kill(postgres.pid ?? 0, 'SIGSTOP');
    const backends = spawnSync('pgrep', ['-P', String(postgres.pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    for (const pid of backends) process.kill(Number(pid), 'SIGSTOP');
    try {
      await wake(handle);
      await givenUp(handle);
      expect((await handle.describe()).status.name).toBe('RUNNING');
    } finally {
      for (const pid of [...backends, String(postgres.pid)]) process.kill(Number(pid), 'SIGCONT');
    }
    // Its own error where an attempt came to its end before the deadline, else silence.
    const codes = ['DATABASE_AWAY', 'STEP_TIMEOUT'];
    await expectFailed(
      keel,
      handle,
      codes,
      /PostgreSQL at .* does not answer|checkMarket got no answer .*PostgreSQL/,
    );
  });

  it('the simulator away: given up at the deadline', async () => {
    const keel = await start('sim-away');
    await keel.startWorker();
    await keel.market.stepThrough([close]);
    await keel.killSimulator();
    await expectFailed(keel, await startHere(keel, 'sim-away'), 'IBKR_AWAY', /./);
  });

  it('the market clock away: given up at the deadline', async () => {
    const keel = await start('clock-away');
    await keel.startWorker();
    const handle = await keel.startRun('clock-away', close);
    await waits(keel, `clock-away-${session}`);
    await keel.killSimulator();
    await wake(handle);
    await expectFailed(keel, handle, 'MARKET_CLOCK_AWAY', /./);
  });
});

const disk = tempFolder('small-disk');
const mounted =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk.path]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [disk.path]);
  disk.remove();
});

// Skipped, and counted so, where this user may not mount a small disk.
describe.skipIf(!mounted)('in mid-run, the object store', () => {
  const objects = path.join(disk.path, 'objects');
  const filler = path.join(disk.path, 'filler');
  beforeAll(() => {
    mkdirSync(objects);
    vi.stubEnv('KEEL_OBJECT_DIR', objects);
  });
  afterAll(() => {
    vi.stubEnv('KEEL_OBJECT_DIR', undefined);
  });
  /** Takes every block that is left. */
  const fill = (): void => {
    const file = openSync(filler, 'w');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(file);
    }
  };
  const stored = (): string[] =>
    readdirSync(objects, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);

  it('full: given up at the deadline, and nothing is half-written', async () => {
    const keel = await start('full');
    await keel.startWorker();
    fill();
    const handle = await keel.startRun('full', close);
    await expectFailed(keel, handle, 'OBJECT_STORE_FULL', /disk is full.*Free space/);
    rmSync(filler);
    const { evidence } = keel.market.stores;
    const runId = `full-${session}`;
    expect(await evidence.charts(runId)).toEqual([]);
    expect(await evidence.analyses(runId)).toEqual([]);
    const bars = (await evidence.bars(runId)).map(({ object }) => path.basename(object.key));
    expect(stored().sort(), 'every object is whole and has its row').toEqual(bars.sort());
  });

  it('full for a moment: the run goes on', async () => {
    const keel = await start('full-blink');
    await keel.startWorker();
    fill();
    const handle = await keel.startRun('full-blink', close);
    await expect.poll(() => rowOf(keel, `full-blink-${session}`), { timeout: 30_000 }).not.toBeNull();
    rmSync(filler);
    expect((await keel.drive(handle))?.outcome).toBe('FILLED');
  });

  it('read-only: the run ends at once, and nothing is half-written', async () => {
    for (const name of readdirSync(objects)) rmSync(path.join(objects, name), { recursive: true });
    const keel = await start('read-only');
    await keel.startWorker();
    expect(spawnSync('mount', ['-o', 'remount,ro', disk.path]).status).toBe(0);
    const handle = await keel.startRun('read-only', close);
    await expectFailed(keel, handle, 'OBJECT_STORE_READONLY', /writable/);
    expect(stored()).toEqual([]);
    spawnSync('mount', ['-o', 'remount,rw', disk.path]);
  });
});
