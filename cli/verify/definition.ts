// The workflow definition of a run: the stored version, and whether the run kept to it. Called by `keel verify`.
import { beyondDefinition, definitionFaults } from '../../domain/definition/check.js';
import type { WorkflowDefinition } from '../../domain/definition/definition.js';
import type { StrategySettings } from '../../contracts/wire/strategy.js';
import type { DefinitionVersion } from '../../contracts/wire/definition.js';
import type { VerifyFacts } from './evidence.js';

/** @returns the stored version; null for a run of a Keel that had no definitions, and where it is not there any more */
export async function checkDefinition(facts: VerifyFacts): Promise<DefinitionVersion | null> {
  const { list, summary, run, stores } = facts;
  const { definitionId: id, definitionVersion: version } = run;
  if (id === null || version === null) {
    list.same('no workflow definition is stored of the run', summary.definition ?? null, null);
    return null;
  }
  const stored = await stores.definitions.version(id, version);
  list.holds(`workflow ${id} has its version ${String(version)}`, stored !== null, 'it is not stored');
  if (stored === null) return null;
  if (summary.definition !== undefined) {
    list.same('workflow definition is that of the database', summary.definition, stored);
  }
  const settings = await stores.strategies.version(run.strategyId, run.strategyVersion);
  list.same(
    'workflow definition is the one that the strategy version names',
    { id, version },
    { id: settings?.workflowId, version: settings?.workflowVersion },
  );
  list.same('workflow definition is sound', definitionFaults(stored), []);
  if (settings !== null) {
    list.same('strategy version keeps to its workflow definition', beyondDefinition(settings, stored), []);
    await checkTaken(facts, stored, settings);
  }
  return stored;
}

/** Steps, timeframes and analyst that the run really took. */
async function checkTaken(
  { list, run, stores }: VerifyFacts,
  definition: WorkflowDefinition,
  settings: StrategySettings,
): Promise<void> {
  const known: readonly string[] = definition.steps;
  const steps = await stores.runs.steps(run.id);
  const foreign = steps.map(({ name }) => name).filter((name) => !known.includes(name.split(' ')[0] ?? name));
  list.same('run took no step that its workflow definition has not', foreign, []);
  const decision = await stores.evidence.decision(run.id);
  if (decision === null) return;
  const timeframesOf = (rows: readonly { readonly timeframe: string }[]): string[] =>
    rows.map(({ timeframe }) => timeframe).sort();
  const wanted = [...settings.timeframes].sort();
  list.same(
    "decision was made on the strategy version's timeframes",
    timeframesOf(await stores.evidence.bars(run.id)),
    wanted,
  );
  list.same(
    'charts were drawn as the workflow definition says',
    timeframesOf(await stores.evidence.charts(run.id)),
    known.includes('renderChart') ? wanted : [],
  );
  if (definition.analyst !== 'auto') {
    list.same(
      "decision is of the workflow definition's analyst",
      decision.decision.analyst,
      definition.analyst,
    );
  }
}
