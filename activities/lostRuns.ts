// Runs whose row is open and whose workflow is not: a restore brings back rows without Temporal's histories, or rows of runs
// that have gone on since, and a person may end a workflow in Temporal. Nobody else would ever end such a row. A worker that
// was given another Temporal by mistake must not end the runs that live in theirs: a workflow that is not known is lost only
// where a restore brought its row back. Called by each worker that starts, before it takes work, and by the monitor of orders.
import type { RunWorkflowsPort } from '../ports/monitors.js';
import type { IntentRow, IntentStore, RunRow, RunStore } from '../ports/stores.js';
import { clientOrderId } from './clientOrderId.js';

export interface LostRunsDeps {
  readonly accountId: string;
  readonly runs: Pick<RunStore, 'listOpen' | 'get' | 'end'>;
  readonly intents: Pick<IntentStore, 'byRun' | 'askCancel'>;
  readonly runWorkflows: RunWorkflowsPort;
}

/**
 * Ends the rows of such runs, each with what a person has to look at. Repeatable, by however many workers. Sends and
 * cancels nothing, and leaves order intents as they are: the poller goes on looking up what was sent by them.
 * @returns the workflow ids of the runs that were ended
 * @throws KeelError TEMPORAL_AWAY (retryable): nothing is known of a run then
 */
export async function endLostRuns(deps: LostRunsDeps): Promise<readonly string[]> {
  const ended: string[] = [];
  const rows = await deps.runs.listOpen();
  if (rows.length === 0) return ended;
  // Nearly all of them go on: only of the others is each asked for.
  const open = await deps.runWorkflows.listOpen();
  for (const { id, workflowId, restoredAt } of rows) {
    if (open.has(workflowId)) continue;
    const execution = await deps.runWorkflows.describe(workflowId);
    if (execution?.status === 'open') continue;
    // Else it is this Temporal that may be another than the run's: it goes on there.
    if (execution?.runId !== id && restoredAt === null) continue;
    // A workflow stores its end before it closes: one that did so since the list was read is not lost.
    const run = await deps.runs.get(id);
    if (run === null || run.endedAt !== null) continue;
    // Whatever may still know of it, on a Temporal that comes back, sends no buy for a run that is over.
    await deps.intents.askCancel(id, 'reconciliation');
    const { code, why } = execution?.runId === id ? closed : lost;
    const message = `${why} ${orderWords(run, deps.accountId, await deps.intents.byRun(id))}`;
    await deps.runs.end(id, { status: 'failed', outcome: 'FAILED', code, message, steps: [] });
    ended.push(workflowId);
  }
  return ended;
}

const lost = {
  code: 'WORKFLOW_LOST',
  why: 'Temporal does not know this run, as after a restore without its histories, so nobody goes on with it.',
};
const closed = {
  code: 'WORKFLOW_CLOSED',
  why: 'Its workflow is closed and its end was not stored: it was ended in Temporal, or a restore took its end back; its history in the Temporal Web UI says how.',
};

/** An order that may have gone out is named, also one that this database does not have: its id is made of the run's keys. */
function orderWords(run: RunRow, accountId: string, intent: IntentRow | null): string {
  const { strategyId, symbol, session, slot } = run;
  if (intent === null) {
    const id = clientOrderId({ accountId, strategyId, symbol, session, slot, leg: 'entry' });
    return `No order of it is stored here; one that was sent all the same has the client order id ${id}: look for it at the broker before you trade ${symbol}.`;
  }
  const atBroker = intent.brokerOrderId === null ? '' : ` (${intent.brokerOrderId} at the broker)`;
  return `Its order ${intent.clientOrderId}${atBroker} stands here as ${intent.state} and may have gone further: look at it and its protective legs at the broker before you trade ${symbol}.`;
}
