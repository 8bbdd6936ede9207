// Another run of a session whose runs have all ended without an order that may have gone out, because a person asks for it.
// Called by execute.ts.
import type { RunIdentity } from '../../contracts/wire/names.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import { endedUnsent } from '../../contracts/wire/run.js';
import { KeelError } from '../../ports/errors.js';
import type { IntentStore, RunRow, RunStore } from '../../ports/stores.js';
import { runIdOf } from './runId.js';
import type { RunWorkflows } from './runWorkflows.js';

export interface AgainDeps {
  readonly runs: Pick<RunStore, 'get'>;
  readonly intents: Pick<IntentStore, 'byRun'>;
  readonly workflows: Pick<RunWorkflows, 'describe'>;
}

/** The last run of a session, if it has had any. */
export type LastRun =
  { readonly kind: 'none' } | { readonly kind: 'open' | 'unsent'; readonly identity: RunIdentity };

/**
 * The last run of a session's slots: open, or ended like all before it without an order that may have gone out.
 * @param slots those that the session may have, in their order
 * @throws KeelError RUN_NOT_REPEATABLE where an order of one of them may live, or nobody can tell
 */
export async function lastRun(deps: AgainDeps, slots: readonly RunIdentity[]): Promise<LastRun> {
  let last: LastRun = { kind: 'none' };
  for (const identity of slots) {
    const row = await deps.runs.get(runIdOf(identity));
    const execution = await deps.workflows.describe(runWorkflowId(identity));
    if (row === null && execution === null) continue;
    const open = row === null ? execution?.status === 'open' : row.endedAt === null;
    if (!open) await refuseSent(deps, identity, row);
    last = { kind: open ? 'open' : 'unsent', identity };
    if (open) return last;
  }
  return last;
}

async function refuseSent(deps: AgainDeps, identity: RunIdentity, row: RunRow | null): Promise<void> {
  const { strategyId, symbol, session, slot } = identity;
  const refuse = (why: string): KeelError =>
    new KeelError(
      'RUN_NOT_REPEATABLE',
      `The run of ${strategyId} on ${symbol} in slot ${slot} of ${session} is not run again: ${why}. ` +
        'The next session has a run of its own; before that, only a reason (the field `reason` of this call) starts another one.',
    );
  if (row === null) throw refuse('nothing is stored of how it ended, as after a restore');
  if (row.restoredAt !== null)
    throw refuse('a restore brought it back, and what it has sent may not be stored');
  const intent = await deps.intents.byRun(row.id);
  if (!endedUnsent(row, intent?.state ?? null)) {
    const order = intent === null ? '' : `, and its order ${intent.clientOrderId} stands as ${intent.state}`;
    throw refuse(
      `it ended as ${row.outcome ?? row.status}${row.code === null ? '' : ` (${row.code})`}${order}`,
    );
  }
}
