// What a run's workflow definition and its strategy's panel forbid, looked up once more where the order goes out. Called by
// admission.ts.
import type { OrderLifecycleInput } from '../contracts/wire/order.js';
import type { DefinitionStore } from '../ports/definitions.js';
import { KeelError } from '../ports/errors.js';
import type { RunStore, StrategyStore } from '../ports/stores.js';
import type { RiskInput } from './riskInput.js';
import { definitionOf, settingsOf } from './strategy.js';

export interface DefinitionDeps {
  readonly runs: Pick<RunStore, 'get'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
  readonly definitions: Pick<DefinitionStore, 'version'>;
}

/**
 * Holds the order to the definition of the run's strategy version, read from the database: while workers are replaced, the
 * plan and the proposal may come from one that knows no definitions, or not this gate.
 * @throws KeelError RUN_MISSING, ADVICE_ONLY, SCORES_MISSING, PANEL_MISSING, and what settingsOf and definitionOf throw (final).
 */
export async function holdToDefinition(
  deps: DefinitionDeps,
  { runId }: OrderLifecycleInput,
  { decision, timeframeScores }: RiskInput,
): Promise<void> {
  const run = await deps.runs.get(runId);
  if (run === null) throw new KeelError('RUN_MISSING', `there is no run ${runId} in the database`);
  const settings = await settingsOf(deps.strategies, run);
  const definition = await definitionOf(deps.definitions, settings);
  const name = `version ${String(definition.version)} of the workflow definition ${definition.id}`;
  if (!definition.steps.includes('orderLifecycle')) {
    throw new KeelError('ADVICE_ONLY', `${name} gives advice and sends no order`);
  }
  if (decision.action === 'buy' && settings.panel === true && decision.review?.panel?.stands !== true) {
    const message =
      'the strategy wants a panel to review every buy, and none has let this one stand: a worker that knows no panel decided it; once all workers are replaced, start a run in another slot';
    throw new KeelError('PANEL_MISSING', message);
  }
  // A sell closes what is held: no timeframe has to agree to it.
  const unweighed = definition.gates.includes('timeframesAgree') && timeframeScores === undefined;
  if (decision.action === 'buy' && unweighed) {
    const message = `${name} wants every timeframe to agree, and a worker that does not know this proposed the order; once all workers are replaced, start a run in another slot`;
    throw new KeelError('SCORES_MISSING', message);
  }
}
