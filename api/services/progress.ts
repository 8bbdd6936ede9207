// Reads how far a run is and follows it until it has ended. Called by api/routes/progress.ts.
import type { OrderOutcome, OrderReport } from '../../contracts/wire/order.js';
import type { RunProgress } from '../../contracts/wire/run.js';
import type { Viewer } from '../../domain/access/ownership.js';
import type { EvidenceStore } from '../../ports/evidence.js';
import type { IntentRow, IntentStore, RunRow, RunStore } from '../../ports/stores.js';
import type { FindRunDeps } from './findRun.js';
import { findRun } from './findRun.js';
import { heldUpBy, type HeldUpDeps } from './heldUp.js';
import type { RunWorkflows } from './runWorkflows.js';

export interface ProgressDeps extends FindRunDeps, HeldUpDeps {
  readonly runs: Pick<RunStore, 'get' | 'steps'>;
  readonly evidence: Pick<EvidenceStore, 'decision'>;
  readonly intents: Pick<IntentStore, 'byRun'>;
  readonly workflows: Pick<RunWorkflows, 'describe' | 'progress'>;
}

/** With what holds the run up at the broker; absent where nothing does. */
export type ShownProgress = RunProgress & { readonly heldUpBy?: string };

/** What followRun sends: heartbeats say that the stream still lives. */
export type ProgressEvent =
  { readonly kind: 'progress' | 'end'; readonly progress: ShownProgress } | { readonly kind: 'heartbeat' };

export interface FollowOptions {
  readonly viewer: Viewer;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  /** Ends the following at once: the client has gone or the server stops. */
  readonly signal: AbortSignal;
}

function outcomeOf(intent: IntentRow): OrderOutcome | null {
  switch (intent.state) {
    case 'FILLED':
    case 'REJECTED':
    case 'NOT_SENT':
    case 'ABANDONED':
    case 'SENT_NOT_FOUND_EXPIRED':
      return intent.state;
    case 'CANCELLED':
    case 'EXPIRED':
      return /[1-9]/.test(intent.filledQuantity) ? 'FILLED' : 'NOT_FILLED';
    default:
      return null;
  }
}

function reportOf(intent: IntentRow, row: RunRow): OrderReport | null {
  const outcome = row.outcome === 'UNPROTECTED' ? row.outcome : outcomeOf(intent);
  if (outcome === null) return null;
  return {
    outcome,
    code: intent.state,
    message: intent.reason ?? '',
    clientOrderId: intent.clientOrderId,
    brokerOrderId: intent.brokerOrderId,
    filledQuantity: intent.filledQuantity,
    averagePrice: intent.averagePrice,
  };
}

/** A workflow tells all of its decision; people are told what the contract names, and clients refuse the rest. */
const shown = ({ decision, ...progress }: RunProgress): RunProgress => ({
  ...progress,
  decision: decision && {
    action: decision.action,
    rCoefficient: decision.rCoefficient,
    rationale: decision.rationale,
  },
});

async function storedProgress(deps: ProgressDeps, row: RunRow): Promise<RunProgress> {
  const [steps, decided, intent] = await Promise.all([
    deps.runs.steps(row.id),
    deps.evidence.decision(row.id),
    deps.intents.byRun(row.id),
  ]);
  const decision = decided?.decision ?? null;
  return shown({
    runId: row.id,
    mode: row.mode,
    strategyId: row.strategyId,
    symbol: row.symbol,
    session: row.session,
    slot: row.slot,
    status: row.status,
    steps,
    waitingFor: row.waitingFor,
    decision,
    order: intent && reportOf(intent, row),
    outcome: row.outcome,
    code: row.code,
    message: row.message,
  });
}

/** Progress and whether the run's end is stored. The workflow is asked first, the database answers when it does not. */
async function read(
  deps: ProgressDeps,
  row: RunRow,
  viewer: Viewer,
): Promise<{ progress: ShownProgress; ended: boolean }> {
  const live = row.endedAt === null ? await deps.workflows.progress(row.workflowId) : null;
  const open = live !== null && (live.status === 'running' || live.status === 'waiting');
  if (open) {
    const held = await heldUpBy(deps, live);
    return { progress: { ...shown(live), ...(held !== undefined && { heldUpBy: held }) }, ended: false };
  }
  // Terminal by the workflow's word is not the end yet: the row must say so too, so that a reader of the run agrees.
  const now = await findRun(deps, row.id, viewer);
  if (live !== null && now.endedAt === null) return { progress: shown(live), ended: false };
  return { progress: await storedProgress(deps, now), ended: now.endedAt !== null };
}

/** Waits; resolves at once when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

/** A workflow that was terminated by hand stores no end; its last progress then says so. Null while it is open. */
async function closedOutside(
  deps: ProgressDeps,
  workflowId: string,
  last: RunProgress,
): Promise<RunProgress | null> {
  const execution = await deps.workflows.describe(workflowId);
  if (execution === null || execution.status === 'open') return null;
  const stored = await deps.runs.get(last.runId);
  if (stored === null || stored.endedAt !== null) return null;
  const message =
    'The workflow was closed from outside before the run stored its end; its history in the Temporal Web UI says how.';
  return { ...last, status: 'failed', outcome: 'FAILED', code: 'WORKFLOW_CLOSED', message };
}

/**
 * Follows a run: an event whenever its progress has changed, a heartbeat while nothing does, `end` with the last
 * progress. A run that has ended gives one progress and the end.
 * @throws KeelError RUN_NOT_FOUND before the first event
 */
export async function* followRun(
  deps: ProgressDeps,
  id: string,
  options: FollowOptions,
): AsyncGenerator<ProgressEvent, void, undefined> {
  const row = await findRun(deps, id, options.viewer);
  let last = '';
  let quietMs = 0;
  while (!options.signal.aborted) {
    const { progress, ended } = await read(deps, row, options.viewer);
    const text = JSON.stringify(progress);
    if (text !== last) {
      yield { kind: 'progress', progress };
      quietMs = 0;
    } else if (quietMs >= options.heartbeatMs) {
      yield { kind: 'heartbeat' };
      quietMs = 0;
      const lost = await closedOutside(deps, row.workflowId, progress);
      if (lost !== null) {
        yield { kind: 'end', progress: lost };
        return;
      }
    }
    if (ended) {
      yield { kind: 'end', progress };
      return;
    }
    last = text;
    await pause(options.pollMs, options.signal);
    quietMs += options.pollMs;
  }
}
