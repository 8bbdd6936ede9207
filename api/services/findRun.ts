// Finds a run by its id, also in the moments before its worker has stored it. Called by the services of runs.
import type { Mode, RunIdentity } from '../../contracts/wire/names.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import type { Strategy } from '../../contracts/wire/strategy.js';
import type { Viewer } from '../../domain/access/ownership.js';
import { maySee } from '../../domain/access/ownership.js';
import { KeelError } from '../../ports/errors.js';
import type { RunRow, RunStore, StrategyStore } from '../../ports/stores.js';
import type { ExecuteDeps } from './execute.js';
import { lastClosedSession, slotsPerSession } from './execute.js';
import { runIdOf } from './runId.js';
import type { RunWorkflows } from './runWorkflows.js';
import { listStrategies } from './strategies.js';

export interface FindRunDeps extends Pick<ExecuteDeps, 'calendar' | 'marketClock'> {
  readonly mode: Mode;
  readonly strategies: Pick<StrategyStore, 'list'>;
  readonly runs: Pick<RunStore, 'get'>;
  readonly workflows: Pick<RunWorkflows, 'describe'>;
}

/** An id is a hash and can not be read back, so the runs that may have been started just now are tried. */
async function startedJustNow(
  deps: FindRunDeps,
  id: string,
  viewer: Viewer,
): Promise<{ identity: RunIdentity; strategy: Strategy } | null> {
  const strategies = await listStrategies(deps, viewer);
  const session = await lastClosedSession(deps);
  for (const strategy of strategies) {
    const { id: strategyId, settings } = strategy;
    for (const symbol of settings.symbols) {
      for (let count = 1; count <= slotsPerSession; count += 1) {
        const slot = count === 1 ? settings.slot : `${settings.slot}-${count}`;
        const identity = { mode: deps.mode, strategyId, symbol, session, slot };
        if (runIdOf(identity) === id) return { identity, strategy };
      }
    }
  }
  return null;
}

async function notYetStored(deps: FindRunDeps, id: string, viewer: Viewer): Promise<RunRow | null> {
  const started = await startedJustNow(deps, id, viewer);
  if (started === null) return null;
  const workflowId = runWorkflowId(started.identity);
  const execution = await deps.workflows.describe(workflowId);
  if (execution === null) return null;
  const { strategy } = started;
  const row = {
    ...started.identity,
    id,
    workflowId,
    strategyVersion: strategy.version,
    definitionId: strategy.settings.workflowId,
    definitionVersion: strategy.settings.workflowVersion,
    waitingFor: null,
    startedAt: execution.startedAt,
    endedAt: execution.endedAt,
    restoredAt: null,
    ownerId: strategy.ownerId,
  };
  if (execution.status === 'open') {
    const message = 'Started; no worker has taken it yet.';
    return { ...row, status: 'running', outcome: null, code: 'NOT_TAKEN_YET', message };
  }
  const cancelled = execution.status === 'cancelled';
  return {
    ...row,
    status: cancelled ? 'cancelled' : 'failed',
    outcome: cancelled ? 'CANCELLED' : 'FAILED',
    code: 'ENDED_UNSTORED',
    message:
      'The workflow has ended and its run is not stored: a restore has taken it back, or it ended before it was stored. Its history in the Temporal Web UI says how.',
  };
}

/**
 * The run's row, or one made of what Temporal knows while the worker has not stored it yet.
 * @throws KeelError RUN_NOT_FOUND, also for another user's
 */
export async function findRun(deps: FindRunDeps, id: string, viewer: Viewer): Promise<RunRow> {
  const row = (await deps.runs.get(id)) ?? (await notYetStored(deps, id, viewer));
  if (row === null || !maySee(viewer, row.ownerId)) throw runNotFound(id);
  return row;
}

const runNotFound = (id: string): KeelError =>
  new KeelError('RUN_NOT_FOUND', `There is no run "${id.slice(0, 40)}"; GET /api/v1/runs lists them.`);
