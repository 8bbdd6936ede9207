import { describe, expect, it } from 'vitest';
import { KeelError } from '../ports/errors.js';
import type { RunExecutionStatus } from '../ports/monitors.js';
import type { IntentRow, RunEnd, RunRow } from '../ports/stores.js';
import { clientOrderId } from './clientOrderId.js';
import { endLostRuns } from './lostRuns.js';

const accountId = 'DU1234567';
const run = {
  ...{
    id: 'r1',
    workflowId: 'run/paper/demo/AAPL/2026-01-02/after-close',
    mode: 'paper',
    strategyId: 'demo',
  },
  ...{ symbol: 'AAPL', session: '2026-01-02', slot: 'after-close', status: 'waiting', endedAt: null },
  restoredAt: '2026-01-05T14:00:00.000Z',
} as RunRow;
const order = clientOrderId({ ...run, accountId, leg: 'entry' });

/** One open run; what Temporal says of it, and what is stored of its order. */
function world(status: RunExecutionStatus | null, intent: Partial<IntentRow> | null = null, row = run) {
  const acts: string[] = [];
  const ends: RunEnd[] = [];
  const rows = { now: row };
  const deps = {
    accountId,
    runs: {
      listOpen: () => Promise.resolve(rows.now.endedAt === null ? [row] : []),
      get: () => Promise.resolve(rows.now),
      end: (id: string, end: RunEnd) => {
        acts.push(`end ${id}`);
        ends.push(end);
        rows.now = { ...run, endedAt: '2026-01-05T15:00:00.000Z' };
        return Promise.resolve();
      },
    },
    intents: {
      byRun: () => Promise.resolve(intent as IntentRow | null),
      askCancel: (id: string, actor: string) => {
        acts.push(`cancel ${id} by ${actor}`);
        return Promise.resolve();
      },
    },
    runWorkflows: {
      listOpen: () => Promise.resolve(new Set<string>()),
      describe: () => Promise.resolve(status === null ? null : { status, runId: row.id }),
    },
  };
  return { deps, acts, ends, rows };
}

describe('a run whose workflow Temporal does not know', () => {
  it('ends as lost, once, after any buy of it was forbidden, and names the order that it would have', async () => {
    const { deps, acts, ends } = world(null);
    expect(await endLostRuns(deps)).toEqual([run.workflowId]);
    expect(await endLostRuns(deps)).toEqual([]);
    expect(acts).toEqual(['cancel r1 by reconciliation', 'end r1']);
    expect(ends).toMatchObject([{ status: 'failed', outcome: 'FAILED', code: 'WORKFLOW_LOST' }]);
    expect(ends[0]?.message).toContain(`has the client order id ${order}: look for it at the broker`);
  });

  it('names the order that is stored, as it stands', async () => {
    const { deps, ends } = world(null, { clientOrderId: order, brokerOrderId: '77', state: 'ACKNOWLEDGED' });
    await endLostRuns(deps);
    expect(ends[0]?.message).toContain(`Its order ${order} (77 at the broker) stands here as ACKNOWLEDGED`);
  });
});

describe('a run whose workflow is closed while its row is open', () => {
  it.each(['closed', 'failed', 'cancelled'] as const)('(%s) ends as closed elsewhere', async (status) => {
    const { deps, ends } = world(status);
    await endLostRuns(deps);
    expect(ends).toMatchObject([{ outcome: 'FAILED', code: 'WORKFLOW_CLOSED' }]);
  });

  it('and has stored its end since the rows were listed is left as it ended', async () => {
    const { deps, acts, rows } = world('closed');
    deps.runWorkflows.describe = () => {
      rows.now = { ...run, endedAt: '2026-01-05T15:00:00.000Z' };
      return Promise.resolve({ status: 'closed', runId: run.id });
    };
    expect(await endLostRuns(deps)).toEqual([]);
    expect(acts).toEqual([]);
  });
});

describe('a run that goes on', () => {
  const elsewhere: RunRow = { ...run, restoredAt: null };

  it('in a Temporal that a worker was not given, or beside another run of its name there, is left alone', async () => {
    const unknown = world(null, null, elsewhere);
    expect(await endLostRuns(unknown.deps)).toEqual([]);
    const other = world('closed', null, elsewhere);
    other.deps.runWorkflows.describe = () => Promise.resolve({ status: 'closed', runId: 'r2' });
    expect(await endLostRuns(other.deps)).toEqual([]);
    expect([...unknown.acts, ...other.acts]).toEqual([]);
    const own = world('closed', null, elsewhere);
    expect(await endLostRuns(own.deps)).toEqual([run.workflowId]);
  });

  it('is not asked for, nor is Temporal where no run is open', async () => {
    const { deps, acts, rows } = world('closed');
    const away = () => Promise.reject(new KeelError('TEMPORAL_AWAY', 'it does not answer'));
    deps.runWorkflows = { listOpen: () => Promise.resolve(new Set([run.workflowId])), describe: away };
    expect(await endLostRuns(deps)).toEqual([]);
    rows.now = { ...run, endedAt: '2026-01-05T15:00:00.000Z' };
    deps.runWorkflows.listOpen = away;
    expect(await endLostRuns(deps)).toEqual([]);
    expect(acts).toEqual([]);
  });

  it('is left alone, and so is one of which Temporal tells nothing', async () => {
    const { deps, acts } = world('open');
    expect(await endLostRuns(deps)).toEqual([]);
    deps.runWorkflows.describe = () => Promise.reject(new KeelError('TEMPORAL_AWAY', 'it does not answer'));
    await expect(endLostRuns(deps)).rejects.toThrow('it does not answer');
    expect(acts).toEqual([]);
  });
});
