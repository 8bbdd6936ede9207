import { describe, expect, it } from 'vitest';
import type { BrokerTrouble } from '../domain/brokerSession/trouble.js';
import type { RunEnd } from '../ports/stores.js';
import { createRunActivities, type RunDeps } from './run.js';

const end: RunEnd = { status: 'ended', outcome: 'HOLD', code: 'HOLD', message: null, steps: [] };
const caps = { run: '0.25', day: '5', month: '50' };
const unused = () => Promise.reject(new Error('is not asked'));

function close(
  conversations: RunDeps['conversations'],
  trouble: BrokerTrouble | null = null,
  how: RunEnd = end,
) {
  const ended: unknown[] = [];
  const activities = createRunActivities({
    ...{ mode: 'simulated', accountId: 'DU1', stepDeadlineMs: 1, analystDeadlineMs: 1, sessionWaitMs: 0 },
    runs: {
      open: unused,
      setWaiting: unused,
      end: (runId, stored) => Promise.resolve(void ended.push([runId, stored])),
    },
    strategies: { get: unused, version: unused },
    definitions: { version: unused },
    marketClock: { now: unused },
    conversations,
    modelCaps: caps,
    brokerState: { trouble: () => Promise.resolve(trouble) },
    clock: { now: () => 60_000 },
  });
  return { ended, told: activities.closeRun({ runId: 'r', end: how }) };
}

describe('the end of a run', () => {
  const silent: RunEnd = {
    ...end,
    status: 'failed',
    outcome: 'FAILED',
    code: 'STEP_TIMEOUT',
    message: 'no answer',
  };
  const trouble = {
    at: '1970-01-01T00:00:30.000Z',
    ...{ code: 'IBKR_AWAY', message: 'found nobody there (ECONNREFUSED).' },
  };
  const none = { byRun: () => Promise.resolve([]), spent: unused };

  it('names what the broker has where a step brought no answer', async () => {
    const { ended, told } = close(none, trouble, silent);
    await told;
    const message = 'no answer. The broker: IBKR_AWAY: found nobody there (ECONNREFUSED).';
    expect(ended).toEqual([['r', { ...silent, message }]]);
  });

  it.each<[string, BrokerTrouble, RunEnd]>([
    ['another end', trouble, end],
    ['a trouble that nobody has told lately', { ...trouble, at: '1969-12-31T23:58:59.000Z' }, silent],
  ])('stays as it is with %s', async (_what, given, how) => {
    const { ended, told } = close(none, given, how);
    await told;
    expect(ended).toEqual([['r', how]]);
  });
});

describe('closing a run', () => {
  it('tells nothing of models where none was asked', async () => {
    const { ended, told } = close({ byRun: () => Promise.resolve([]), spent: unused });
    expect(await told).toBeNull();
    expect(ended).toEqual([['r', end]]);
  });

  it('ends it also where nobody can tell what its models have cost', async () => {
    const { ended, told } = close({ byRun: unused, spent: unused });
    expect(await told).toBeNull();
    expect(ended).toEqual([['r', end]]);
  });
});
