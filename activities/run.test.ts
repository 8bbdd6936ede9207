import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../ports/stores.js';
import { createRunActivities, type RunDeps } from './run.js';

const end: RunEnd = { status: 'ended', outcome: 'HOLD', code: 'HOLD', message: null, steps: [] };
const caps = { run: '0.25', day: '5', month: '50' };
const unused = () => Promise.reject(new Error('is not asked'));

function close(conversations: RunDeps['conversations']) {
  const ended: unknown[] = [];
  const activities = createRunActivities({
    ...{ mode: 'simulated', accountId: 'DU1', stepDeadlineMs: 1, analystDeadlineMs: 1, sessionWaitMs: 0 },
    runs: {
      open: unused,
      setWaiting: unused,
      end: (runId, how) => Promise.resolve(void ended.push([runId, how])),
    },
    strategies: { get: unused, version: unused },
    definitions: { version: unused },
    marketClock: { now: unused },
    conversations,
    modelCaps: caps,
  });
  return { ended, told: activities.closeRun({ runId: 'r', end }) };
}

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
