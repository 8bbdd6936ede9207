import { describe, expect, it } from 'vitest';
import { sentIntent } from '../../activities/testing/orders.js';
import type { IntentState } from '../../contracts/wire/order.js';
import { KeelError } from '../../ports/errors.js';
import type { RunRow } from '../../ports/stores.js';
import { identityOf, memoryDeps, openExecution, rowOf, strategyOf } from '../testing/memory.js';
import { MemoryWorld } from '../testing/world.js';
import { memoryUsers } from '../testing/memoryAccess.js';
import { executeStrategy, slotsPerSession } from './execute.js';
import { InvalidInputError } from './invalidInput.js';
import { runIdOf } from './runId.js';

const { id: userId, role } = memoryUsers.trader;
const owner = { viewer: { userId, role }, actor: 'test' };

const execute = (
  world: MemoryWorld,
  request: { symbol?: string; reason?: string; again?: boolean } = {},
  id = 'demo-aapl',
) =>
  executeStrategy(
    { ...memoryDeps(world), strategies: { get: (key) => get(world, key) } },
    id,
    request,
    owner,
  );

const get = (world: MemoryWorld, key: string) =>
  Promise.resolve(world.strategies.get(key) ?? (key === 'demo-aapl' ? strategyOf(key) : null));

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  return error instanceof KeelError ? error.code : String(error);
}

describe('executeStrategy', () => {
  it('starts the run of the session that closed last', async () => {
    const world = new MemoryWorld();
    world.marketNow = '2014-07-06T12:00:00.000Z';
    const started = await execute(world);
    // Sunday, after a Friday that was Independence Day.
    const identity = identityOf({ session: '2014-07-03' });
    expect(started).toEqual({
      runId: runIdOf(identity),
      workflowId: 'run/simulated/demo-aapl/AAPL/2014-07-03/after-close',
      identity,
      existing: false,
    });
    expect([...world.workflows.keys()]).toEqual([started.workflowId]);
  });

  it('finds the same run when it is asked again', async () => {
    const world = new MemoryWorld();
    const first = await execute(world);
    expect(await execute(world)).toEqual({ ...first, existing: true });
    expect(world.workflows.size).toBe(1);
  });

  it('finds a stored run whose workflow Temporal has forgotten', async () => {
    const world = new MemoryWorld();
    const row = rowOf();
    world.rows.set(row.id, row);
    expect(await execute(world)).toMatchObject({ runId: row.id, existing: true });
    expect(world.workflows.size).toBe(0);
  });

  it('starts one run when two ask at once', async () => {
    const world = new MemoryWorld();
    const answers = await Promise.all([execute(world), execute(world)]);
    expect(answers.map(({ existing }) => existing).sort()).toEqual([false, true]);
    expect(world.workflows.size).toBe(1);
  });

  it('gives another run on purpose the next free slot and audits it before it starts', async () => {
    const world = new MemoryWorld();
    await execute(world);
    const second = await execute(world, { reason: 'the data was corrected' });
    const third = await execute(world, { reason: 'and again' });
    expect([second.identity.slot, third.identity.slot]).toEqual(['after-close-2', 'after-close-3']);
    expect(new Set([second.runId, third.runId]).size).toBe(2);
    expect(world.audit.filter(({ action }) => action === 'run.another')).toEqual([
      {
        actor: 'test',
        action: 'run.another',
        subject: second.runId,
        facts: { workflowId: second.workflowId, reason: 'the data was corrected' },
      },
      {
        actor: 'test',
        action: 'run.another',
        subject: third.runId,
        facts: { workflowId: third.workflowId, reason: 'and again' },
      },
    ]);
  });

  it('answers the same reason with the run that it started', async () => {
    const world = new MemoryWorld();
    const first = await execute(world, { reason: 'the data was corrected' });
    expect(await execute(world, { reason: 'the data was corrected' })).toEqual({ ...first, existing: true });
    expect(world.workflows.size).toBe(1);
  });

  it('writes who asked before the run is started, and not again once it is stored', async () => {
    const world = new MemoryWorld();
    const { runId } = await execute(world);
    expect(world.audit).toMatchObject([{ actor: 'test', action: 'run.execute', subject: runId }]);
    world.rows.set(runId, rowOf());
    await execute(world);
    expect(world.audit).toHaveLength(1);
  });

  it('starts no run without its audit', async () => {
    const world = new MemoryWorld();
    const deps = memoryDeps(world);
    const audit = { append: () => Promise.reject(new KeelError('DATABASE_AWAY', 'away')) };
    const work = executeStrategy({ ...deps, audit }, 'demo-aapl', { reason: 'why not' }, owner);
    expect(await codeOf(work)).toBe('DATABASE_AWAY');
    expect(world.workflows.size).toBe(0);
  });

  it('ends the list of slots', async () => {
    const world = new MemoryWorld();
    for (let count = 2; count <= slotsPerSession; count += 1) {
      world.workflows.set(`run/simulated/demo-aapl/AAPL/2014-07-07/after-close-${count}`, openExecution());
    }
    expect(await codeOf(execute(world, { reason: 'one more' }))).toBe('TOO_MANY_RUNS');
  });

  it('takes the symbol of a strategy that has one, and asks for it when there are several', async () => {
    const world = new MemoryWorld();
    world.strategies.set('two', strategyOf('two', ['AAPL', 'BTC/USD']));
    await expect(execute(world, {}, 'two')).rejects.toThrow(InvalidInputError);
    const started = await execute(world, { symbol: 'BTC/USD' }, 'two');
    expect(started.workflowId).toBe('run/simulated/two/BTC%2FUSD/2014-07-07/after-close');
    await expect(execute(world, { symbol: 'SPX' })).rejects.toThrow(InvalidInputError);
  });

  it('refuses what is missing, asleep, of another mode or outside the calendar', async () => {
    const world = new MemoryWorld();
    world.strategies.set('asleep', { ...strategyOf('asleep'), active: false });
    world.strategies.set('paper', { ...strategyOf('paper'), mode: 'paper' });
    expect(await codeOf(execute(world, {}, 'nobody'))).toBe('STRATEGY_NOT_FOUND');
    expect(await codeOf(execute(world, {}, 'asleep'))).toBe('STRATEGY_INACTIVE');
    expect(await codeOf(execute(world, {}, 'paper'))).toBe('MODE_MISMATCH');
    world.marketNow = '2031-01-05T12:00:00.000Z';
    expect(await codeOf(execute(world))).toBe('CALENDAR_ENDED');
    world.marketNow = '1999-12-31T12:00:00.000Z';
    expect(await codeOf(execute(world))).toBe('CALENDAR_ENDED');
    world.marketNow = '2000-01-03T14:30:00.000Z';
    expect(await codeOf(execute(world))).toBe('NO_SESSION_YET');
    expect(world.workflows.size).toBe(0);
  });
});

describe('another run of a session whose runs have sent nothing', () => {
  /** A world whose run of the session has ended so, with an order in that state or without one. */
  function worldAfter(end: Partial<RunRow>, order: IntentState | null = null): MemoryWorld {
    const world = new MemoryWorld();
    ended(world, {}, end, order);
    return world;
  }
  function ended(
    world: MemoryWorld,
    identity: Partial<RunRow>,
    end: Partial<RunRow>,
    order: IntentState | null = null,
  ): void {
    const row = rowOf({ ...identity, status: 'ended', endedAt: '2026-01-05T10:01:00.000Z', ...end });
    world.rows.set(row.id, row);
    if (order !== null) world.intents.set(row.id, { ...sentIntent, runId: row.id, state: order });
  }

  it.each<[string, Partial<RunRow>, IntentState | null]>([
    ['failed before any order', { outcome: 'FAILED', code: 'IBKR_TLS' }, null],
    ['was refused', { outcome: 'REFUSED', code: 'STALE_BARS' }, null],
    ['was turned away', { outcome: 'NOT_SENT', code: 'GATEWAY_NO_SESSION' }, 'NOT_SENT'],
    ['was cancelled', { outcome: 'CANCELLED', code: 'CANCELLED' }, 'ABANDONED'],
  ])('starts in the next slot where the first %s', async (_case, end, order) => {
    const world = worldAfter(end, order);
    const first = runIdOf(identityOf());
    const started = await execute(world, { again: true });
    expect(started).toMatchObject({ identity: { slot: 'after-close-2' }, existing: false });
    expect(world.audit).toMatchObject([{ action: 'run.another', subject: started.runId }]);
    expect(world.workflows.get(started.workflowId)?.reason).toContain(first);
  });

  it.each<[string, Partial<RunRow>, IntentState | null]>([
    ...(
      ['INTENT', 'SENT', 'UNKNOWN', 'ACKNOWLEDGED', 'REJECTED', 'FILLED', 'SENT_NOT_FOUND_EXPIRED'] as const
    ).map((state): [string, Partial<RunRow>, IntentState] => [
      `its order stands as ${state}`,
      { outcome: 'FAILED', code: 'DATABASE_AWAY' },
      state,
    ]),
    ['it decided to hold', { outcome: 'HOLD', code: 'HOLD' }, null],
    ['its order has a workflow that may go on', { outcome: 'FAILED', code: 'LIFECYCLE_LOST' }, null],
    ['its workflow was lost', { outcome: 'FAILED', code: 'WORKFLOW_LOST' }, null],
    ['somebody ended its workflow', { outcome: 'FAILED', code: 'WORKFLOW_CLOSED' }, null],
    [
      'a restore brought it back',
      { outcome: 'FAILED', code: 'X', restoredAt: '2026-01-06T00:00:00.000Z' },
      null,
    ],
  ])('is refused where %s', async (_case, end, order) => {
    const world = worldAfter(end, order);
    expect(await codeOf(execute(world, { again: true }))).toBe('RUN_NOT_REPEATABLE');
    expect(world.workflows.size).toBe(0);
  });

  it('is refused where an earlier one has traded, whatever the last has done', async () => {
    const world = worldAfter({ outcome: 'FILLED', code: null }, 'FILLED');
    ended(world, { slot: 'after-close-2' }, { outcome: 'FAILED', code: 'IBKR_TLS' });
    expect(await codeOf(execute(world, { again: true }))).toBe('RUN_NOT_REPEATABLE');
  });

  it('is refused where one that was asked for with a reason has traded, and the first never was', async () => {
    const world = new MemoryWorld();
    ended(world, { slot: 'after-close-2' }, { outcome: 'FILLED', code: null }, 'FILLED');
    expect(await codeOf(execute(world, { again: true }))).toBe('RUN_NOT_REPEATABLE');
  });

  it('is refused where Temporal alone knows the first, and is not open any more', async () => {
    const world = new MemoryWorld();
    world.workflows.set(rowOf().workflowId, openExecution({ status: 'failed' }));
    expect(await codeOf(execute(world, { again: true }))).toBe('RUN_NOT_REPEATABLE');
  });

  it('finds one that is open, and is the first where there is none', async () => {
    const world = new MemoryWorld();
    const first = await execute(world, { again: true });
    expect(first).toMatchObject({ identity: { slot: 'after-close' }, existing: false });
    expect(await execute(world, { again: true })).toEqual({ ...first, existing: true });
  });

  it('is one where two ask at once, and may be followed by a third', async () => {
    const world = worldAfter({ outcome: 'FAILED', code: 'IBKR_TLS' });
    const answers = await Promise.all([execute(world, { again: true }), execute(world, { again: true })]);
    expect(answers.map(({ existing }) => existing).sort()).toEqual([false, true]);
    expect(world.workflows.size).toBe(1);
    ended(world, { slot: 'after-close-2' }, { outcome: 'FAILED', code: 'IBKR_TLS' });
    expect((await execute(world, { again: true })).identity.slot).toBe('after-close-3');
  });
});
