import { describe, expect, it } from 'vitest';
import { runProgress } from '../../contracts/http/run.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import { identityOf, memoryDeps, openExecution, progressOf, rowOf } from '../testing/memory.js';
import { MemoryWorld } from '../testing/world.js';
import { memoryUsers } from '../testing/memoryAccess.js';
import type { IntentRow } from '../../ports/stores.js';
import type { ProgressEvent } from './progress.js';
import { followRun } from './progress.js';

const row = rowOf();
const workflowId = runWorkflowId(identityOf());
const { id: userId, role } = memoryUsers.trader;
const viewer = { userId, role };
const options = { viewer, pollMs: 1, heartbeatMs: 3, signal: new AbortController().signal };
const step = { name: 'openRun' as const, startedAt: '2026-01-05T10:00:00.000Z', ms: 3 };

const follow = (world: MemoryWorld, changes: Partial<typeof options> = {}) =>
  followRun(memoryDeps(world), row.id, { ...options, ...changes });

async function next(events: AsyncGenerator<ProgressEvent, void, undefined>): Promise<ProgressEvent | null> {
  const result = await events.next();
  return result.done === true ? null : result.value;
}

/** The next event that is no heartbeat. */
async function nextChange(events: AsyncGenerator<ProgressEvent, void, undefined>) {
  for (;;) {
    const event = await next(events);
    if (event === null || event.kind !== 'heartbeat') return event;
  }
}

describe('followRun', () => {
  it('tells progress only when it changes, and a heartbeat in between', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, row);
    const execution = openExecution({ progress: progressOf() });
    world.workflows.set(workflowId, execution);
    const events = follow(world);
    expect(await next(events)).toEqual({ kind: 'progress', progress: progressOf() });
    expect(await next(events)).toEqual({ kind: 'heartbeat' });
    execution.progress = progressOf({ steps: [step] });
    expect(await nextChange(events)).toEqual({ kind: 'progress', progress: progressOf({ steps: [step] }) });
    await events.return();
  });

  it('tells of a decision what the contract names, whatever the workflow tells', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, row);
    const told = { action: 'buy', rCoefficient: '2', rationale: 'it rises' } as const;
    const whole = { ...told, entry: '95.97', stop: '93.3', analyst: 'rules', sources: { action: 'analyst' } };
    world.workflows.set(workflowId, openExecution({ progress: progressOf({ decision: whole }) }));
    const events = follow(world);
    const event = await next(events);
    if (event?.kind !== 'progress') throw new Error('no progress came');
    expect(runProgress.parse(event.progress).decision).toEqual(told);
    await events.return();
  });

  it('ends only when the run is stored as ended, with what is stored', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, row);
    const ended = progressOf({ status: 'ended', outcome: 'HOLD' });
    world.workflows.set(workflowId, openExecution({ progress: ended }));
    const events = follow(world);
    expect(await next(events)).toEqual({ kind: 'progress', progress: ended });
    expect(await next(events)).toEqual({ kind: 'heartbeat' });
    const end = {
      status: 'ended',
      outcome: 'HOLD',
      code: 'HOLD',
      endedAt: '2026-01-05T10:00:09.000Z',
    } as const;
    world.rows.set(row.id, { ...row, ...end });
    const stored = progressOf({ status: 'ended', outcome: 'HOLD', code: 'HOLD' });
    expect(await nextChange(events)).toEqual({ kind: 'progress', progress: stored });
    expect(await next(events)).toEqual({ kind: 'end', progress: stored });
    expect(await next(events)).toBeNull();
  });

  it('gives one progress and the end for a run that has ended, and asks no worker', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, {
      ...row,
      status: 'cancelled',
      outcome: 'CANCELLED',
      endedAt: '2026-01-05T10:00:09.000Z',
    });
    const kinds: string[] = [];
    for await (const event of follow(world)) kinds.push(event.kind);
    expect(kinds).toEqual(['progress', 'end']);
    expect(world.progressQueries).toBe(0);
  });

  it('answers from the database while no worker answers', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, { ...row, status: 'waiting', waitingFor: '2014-07-08T13:35:00.000Z' });
    world.steps.set(row.id, [step]);
    const events = follow(world);
    expect(await next(events)).toEqual({
      kind: 'progress',
      progress: progressOf({ status: 'waiting', waitingFor: '2014-07-08T13:35:00.000Z', steps: [step] }),
    });
    await events.return();
  });

  it('stops asking once its signal aborts', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, row);
    world.workflows.set(workflowId, openExecution({ progress: progressOf() }));
    const gone = new AbortController();
    const events = follow(world, { signal: gone.signal, pollMs: 600_000 });
    await next(events);
    const waiting = next(events);
    gone.abort();
    expect(await waiting).toBeNull();
    expect(world.progressQueries).toBe(1);
  });

  it('ends as failed when the workflow was closed from outside', async () => {
    const world = new MemoryWorld();
    world.rows.set(row.id, row);
    world.workflows.set(workflowId, openExecution({ status: 'cancelled', progress: progressOf() }));
    const events = follow(world);
    await next(events);
    expect(await nextChange(events)).toMatchObject({
      kind: 'end',
      progress: { status: 'failed', outcome: 'FAILED', code: 'WORKFLOW_CLOSED' },
    });
  });

  it.each([
    ['FILLED', '10', 'FILLED'],
    ['CANCELLED', '4', 'FILLED'],
    ['CANCELLED', '0.00000000', 'NOT_FILLED'],
    ['EXPIRED', '0', 'NOT_FILLED'],
    ['REJECTED', '0', 'REJECTED'],
    ['SENT_NOT_FOUND_EXPIRED', '0', 'SENT_NOT_FOUND_EXPIRED'],
    ['ACKNOWLEDGED', '4', null],
    ['UNKNOWN', '0', null],
  ] as const)(
    'shows a stored order in state %s with %s filled as %s',
    async (state, filledQuantity, outcome) => {
      const world = new MemoryWorld();
      world.rows.set(row.id, row);
      const intent: IntentRow = {
        clientOrderId: 'abc',
        mode: 'simulated',
        accountId: 'DU1',
        runId: row.id,
        symbol: 'AAPL',
        conid: '265598',
        side: 'BUY',
        quantity: '10',
        limit: null,
        stop: null,
        target: null,
        reservedCash: '1000',
        validUntil: '2014-07-08T20:00:00.000Z',
        state,
        brokerOrderId: '1',
        filledQuantity,
        averagePrice: null,
        legs: [],
        reason: null,
        updatedAt: '2026-01-05T10:00:05.000Z',
      };
      world.intents.set(row.id, intent);
      const events = follow(world);
      const event = await next(events);
      await events.return();
      if (event?.kind !== 'progress') throw new Error('expected progress');
      expect(event.progress.order?.outcome ?? null).toBe(outcome);
    },
  );
});
