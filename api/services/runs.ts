// Lists, reads and cancels runs. Called by api/routes/runs.ts.
import type { BrokerExecution } from '../../ports/broker.js';
import type { CallRow, ConversationStore } from '../../ports/conversations.js';
import type { DefinitionStore } from '../../ports/definitions.js';
import { KeelError } from '../../ports/errors.js';
import type { BarSetRow, ChartRow, EvidenceStore, RiskRow } from '../../ports/evidence.js';
import type { AuditStore } from '../../ports/audit.js';
import type { BrokerStateStore, IntentRow, IntentStore, RunRow, RunStore } from '../../ports/stores.js';
import type { DefinitionVersion } from '../../contracts/wire/definition.js';
import type { StepProgress } from '../../contracts/wire/run.js';
import type { Viewer } from '../../domain/access/ownership.js';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { RulesOpinion, RulesOpinionStore } from '../../ports/rulesOpinions.js';
import type { FindRunDeps } from './findRun.js';
import { findRun } from './findRun.js';
import { heldUpBy, type HeldUpDeps } from './heldUp.js';
import type { RunWorkflows } from './runWorkflows.js';

export interface RunDeps extends FindRunDeps, Omit<HeldUpDeps, 'brokerState'> {
  readonly runs: Pick<RunStore, 'get' | 'list' | 'steps'>;
  readonly evidence: Pick<EvidenceStore, 'bars' | 'charts' | 'analyses' | 'decision' | 'risk'>;
  readonly intents: Pick<IntentStore, 'byRun' | 'askCancel'>;
  readonly brokerState: Pick<BrokerStateStore, 'executionsOf' | 'trouble' | 'lastReadAt'>;
  readonly conversations: Pick<ConversationStore, 'byRun'>;
  readonly definitions: Pick<DefinitionStore, 'version'>;
  readonly rulesOpinions: Pick<RulesOpinionStore, 'byRun'>;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly workflows: RunWorkflows;
}

export interface RunFacts {
  readonly row: RunRow;
  readonly definition: DefinitionVersion | null;
  readonly steps: readonly StepProgress[];
  readonly bars: readonly BarSetRow[];
  readonly charts: readonly ChartRow[];
  readonly analyses: readonly Analysis[];
  readonly decision: { readonly decision: Decision; readonly input: ObjectRef } | null;
  readonly risk: readonly RiskRow[];
  readonly intent: IntentRow | null;
  readonly executions: readonly BrokerExecution[];
  readonly calls: readonly CallRow[];
  readonly rulesOpinions: readonly RulesOpinion[];
  readonly heldUpBy: string | undefined;
}

/** Everything that is stored of a run. @throws KeelError RUN_NOT_FOUND */
export async function readRun(deps: RunDeps, id: string, viewer: Viewer): Promise<RunFacts> {
  const row = await findRun(deps, id, viewer);
  const [definition, steps, bars, charts, analyses, decision, risk, intent, calls, rulesOpinions] =
    await Promise.all([
      definitionOf(deps, row),
      deps.runs.steps(id),
      deps.evidence.bars(id),
      deps.evidence.charts(id),
      deps.evidence.analyses(id),
      deps.evidence.decision(id),
      deps.evidence.risk(id),
      deps.intents.byRun(id),
      deps.conversations.byRun(id),
      deps.rulesOpinions.byRun(id),
    ]);
  const executions = intent === null ? [] : await deps.brokerState.executionsOf(intent.clientOrderId);
  return {
    row,
    heldUpBy: await heldUpBy(deps, { status: row.status, steps }),
    definition,
    steps,
    bars,
    charts,
    analyses,
    decision,
    risk,
    intent,
    executions,
    calls,
    rulesOpinions,
  };
}

const definitionOf = (
  { definitions }: RunDeps,
  { definitionId, definitionVersion }: RunRow,
): Promise<DefinitionVersion | null> =>
  definitionId === null || definitionVersion === null
    ? Promise.resolve(null)
    : definitions.version(definitionId, definitionVersion);

/**
 * Asks a run to stop. Before its order is sent that ends it; afterwards it asks the order's lifecycle.
 * @throws KeelError RUN_NOT_FOUND, RUN_ENDED
 */
export async function cancelRun(
  deps: RunDeps,
  id: string,
  { viewer, actor }: { readonly viewer: Viewer; readonly actor: string },
): Promise<RunRow> {
  const row = await findRun(deps, id, viewer);
  if (row.endedAt !== null) throw ended(row, `it ended at ${row.endedAt} as ${row.outcome ?? row.status}`);
  await deps.audit.append({
    actor,
    action: 'run.cancel',
    subject: id,
    facts: { workflowId: row.workflowId },
  });
  // Before Temporal hears of it: with no worker about, an order must not go out first when one starts.
  await deps.intents.askCancel(id, actor);
  const answer = await deps.workflows.cancel(row.workflowId);
  if (answer === 'not-open') throw ended(row, 'its workflow is not open any more');
  return row;
}

const ended = (row: RunRow, why: string): KeelError =>
  new KeelError('RUN_ENDED', `Run ${row.id} can not be cancelled: ${why}.`);
