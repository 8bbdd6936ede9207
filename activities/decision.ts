// Consolidates the analyses into the decision, and stores what it was made from so that it can be made again.
import type { IndicatorParameters } from '../contracts/wire/strategy.js';
import type { Analysis, Decision } from '../domain/decision/decision.js';
import { makeDecision } from '../domain/decision/makeDecision.js';
import type { Contract } from '../domain/market/contract.js';
import type { AnalystPort } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, ChartRow, EvidenceStore, StrategyStore } from '../ports/stores.js';
import { readBars } from './bars.js';
import { putJson } from './objects.js';
import { settingsOf, type StrategyVersion } from './strategy.js';

export interface DecisionDeps {
  readonly analyst: AnalystPort;
  readonly objects: ObjectStorePort;
  readonly evidence: Pick<EvidenceStore, 'putDecision'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
}

/** Everything that the decision depends on: the stored object `decisions/<sha256>.json`. */
export interface DecisionInput extends StrategyVersion {
  readonly format: 1;
  readonly symbol: string;
  readonly session: string;
  readonly contract: Contract;
  readonly analyst: { readonly name: string; readonly version: string };
  readonly indicators: IndicatorParameters;
  readonly minimumRCoefficient: string;
  readonly bars: readonly BarSetRow[];
  readonly charts: readonly ChartRow[];
  readonly analyses: readonly Analysis[];
}

export interface DecideInput extends StrategyVersion {
  readonly runId: string;
  readonly symbol: string;
  readonly session: string;
  readonly contract: Contract;
  readonly bars: readonly BarSetRow[];
  readonly charts: readonly ChartRow[];
  readonly analyses: readonly Analysis[];
}

export function createDecisionActivities(deps: DecisionDeps) {
  return {
    /** @throws the analyst's code, DECISION_INCOMPLETE or DECISION_INVALID (final). */
    async decide(input: DecideInput): Promise<Decision> {
      const { runId, ...rest } = input;
      const settings = await settingsOf(deps.strategies, input);
      const stored: DecisionInput = {
        format: 1,
        ...rest,
        analyst: { name: deps.analyst.name, version: deps.analyst.version },
        indicators: settings.indicators,
        minimumRCoefficient: settings.risk.minimumRCoefficient,
      };
      const decision = await decideFrom(deps.analyst, stored);
      await deps.evidence.putDecision(runId, decision, await putJson(deps.objects, 'decisions', stored));
      return decision;
    },
  };
}

async function decideFrom(analyst: AnalystPort, input: DecisionInput): Promise<Decision> {
  const proposal = await analyst.decide({
    symbol: input.symbol,
    analyses: input.analyses,
    minimumRCoefficient: Number(input.minimumRCoefficient),
  });
  if (proposal.kind === 'failed') throw new KeelError(proposal.code, proposal.message);
  const outcome = makeDecision(proposal.value, analyst.name, input.contract.priceIncrements);
  if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
  return outcome.decision;
}

/**
 * Makes the decision again from the stored bars, as `keel verify` does: every timeframe is read anew.
 * @throws KeelError ANALYST_CHANGED when the analyst is not the one that decided, or its rules have another version.
 */
export async function recomputeDecision(
  analyst: AnalystPort,
  objects: Pick<ObjectStorePort, 'get'>,
  input: DecisionInput,
): Promise<Decision> {
  if (analyst.name !== input.analyst.name || analyst.version !== input.analyst.version) {
    throw new KeelError(
      'ANALYST_CHANGED',
      `decided by ${input.analyst.name} ${input.analyst.version}, here is ${analyst.name} ${analyst.version}`,
    );
  }
  const analyses: Analysis[] = [];
  for (const set of input.bars) {
    const chart = input.charts.find(({ timeframe }) => timeframe === set.timeframe);
    if (chart === undefined) throw new KeelError('CHART_MISSING', `no ${set.timeframe} chart is recorded`);
    const outcome = await analyst.analyze({
      symbol: input.symbol,
      timeframe: set.timeframe,
      bars: await readBars(objects, set.object),
      indicators: input.indicators,
      chart: chart.object,
    });
    if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
    analyses.push(outcome.value);
  }
  return decideFrom(analyst, { ...input, analyses });
}
