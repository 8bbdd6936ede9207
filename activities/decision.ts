// Consolidates the analyses into the decision, and stores what it was made from so that it can be made again.
import type { IndicatorParameters, ModelRoles } from '../contracts/wire/strategy.js';
import type { ProposalLimits } from '../domain/decision/checks.js';
import { checkProposal } from '../domain/decision/checks.js';
import type { Analysis, Decision } from '../domain/decision/decision.js';
import { makeDecision } from '../domain/decision/makeDecision.js';
import type { Contract } from '../domain/market/contract.js';
import type { AnalystCall, AnalystPort, DecideInput as Question, TimeframeInput } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, ChartRow, EvidenceStore } from '../ports/evidence.js';
import type { StrategyStore } from '../ports/stores.js';
import { chooseAnalyst, type AnalysisDeps } from './analysis.js';
import { readBars } from './bars.js';
import { pictureOf, putJson, readPicture } from './objects.js';
import { noteRulesDecision } from './rulesOpinion.js';
import { settingsOf, type StrategyVersion } from './strategy.js';

export interface DecisionDeps extends Pick<AnalysisDeps, 'rules' | 'model' | 'rulesOpinions'> {
  readonly objects: ObjectStorePort;
  readonly evidence: Pick<EvidenceStore, 'putDecision'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
}

/** Everything that the decision depends on: the stored object `decisions/<sha256>.json`. */
export interface DecisionInput extends StrategyVersion {
  readonly format: 1;
  /** Of a model's decision: whose recorded calls it was made from. */
  readonly runId?: string;
  readonly symbol: string;
  readonly session: string;
  readonly contract: Contract;
  readonly analyst: { readonly name: string; readonly version: string };
  readonly indicators: IndicatorParameters;
  readonly minimumRCoefficient: string;
  /** Of a model's decision, as shares: what its proposal is held to. */
  readonly priceCollar?: string;
  readonly costShare?: string;
  /** Of a model's decision, where the strategy says whose model does what. */
  readonly models?: ModelRoles;
  readonly bars: readonly BarSetRow[];
  readonly charts: readonly ChartRow[];
  readonly analyses: readonly Analysis[];
  /** Of a strategy whose buys a panel reviews. */
  readonly panel?: { readonly version: string };
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
      const { analyst, stored } = await inputOf(deps, input);
      const decision = await decideFrom(analyst, deps.objects, stored);
      await deps.evidence.putDecision(
        input.runId,
        decision,
        await putJson(deps.objects, 'decisions', stored),
      );
      return decision;
    },
  };
}

/** Who decides, and everything that the decision will depend on; beside a model, what the rules say of it is kept. */
export async function inputOf(
  deps: Pick<DecisionDeps, 'rules' | 'model' | 'rulesOpinions' | 'objects' | 'strategies'>,
  input: DecideInput,
): Promise<{ readonly analyst: AnalystPort; readonly stored: DecisionInput }> {
  const { runId, ...rest } = input;
  const { risk, indicators, models } = await settingsOf(deps.strategies, input);
  // Who read the timeframes decides, also when the configuration has changed in between.
  const byRules = input.analyses.every(({ analyst }) => analyst === deps.rules.name);
  const analyst = chooseAnalyst(deps, byRules ? 'rules' : 'openai');
  const ofModel = {
    ...{ runId, priceCollar: risk.priceCollar, costShare: risk.cashReserve },
    ...(models !== undefined && { models }),
  };
  const stored: DecisionInput = {
    format: 1,
    ...rest,
    ...(!byRules && ofModel),
    analyst: { name: analyst.name, version: versionFor(analyst, input) },
    indicators,
    minimumRCoefficient: risk.minimumRCoefficient,
  };
  if (!byRules) {
    const seen = await timeframesOf(deps.objects, stored);
    await noteRulesDecision(deps, runId, seen, limitsOf(stored));
  }
  return { analyst, stored };
}

/** Of the analyst that reads these bars; of daily and weekly ones its version alone. */
const versionFor = ({ version, added = {} }: AnalystPort, { bars }: Pick<DecisionInput, 'bars'>): string =>
  [version, ...bars.flatMap(({ timeframe }) => added[timeframe] ?? [])].join('+');

type Objects = Pick<ObjectStorePort, 'get'>;

/** What the analyst, and a panel after it, is asked. */
export const questionOf = async (objects: Objects, input: DecisionInput): Promise<Question> => ({
  symbol: input.symbol,
  name: input.contract.name,
  analyses: input.analyses,
  // Rules decide by the analyses alone.
  timeframes: input.runId === undefined ? [] : await timeframesOf(objects, input),
  limits: limitsOf(input),
  call: callOf(input),
});

/** @throws KeelError the analyst's code, DECISION_INCOMPLETE or DECISION_INVALID (final) */
export async function decideFrom(
  analyst: AnalystPort,
  objects: Objects,
  input: DecisionInput,
): Promise<Decision> {
  const ofModel = input.runId !== undefined;
  const question = await questionOf(objects, input);
  const { limits } = question;
  const proposal = await analyst.decide(question);
  if (proposal.kind === 'failed') throw new KeelError(proposal.code, proposal.message);
  const { review } = proposal.value;
  if (ofModel) refuseUnchecked(checkProposal(proposal.value, input.analyses, limits));
  const outcome = makeDecision(proposal.value, analyst.name, input.contract.priceIncrements);
  if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
  return review === undefined ? outcome.decision : { ...outcome.decision, review };
}

const callOf = ({ runId = '', strategyId, models }: DecisionInput): AnalystCall => ({
  runId,
  strategyId,
  ...(models !== undefined && { models }),
});

/** The model's adapter has checked and complained already; what reaches an order is checked here, whoever proposed. */
function refuseUnchecked(checks: ReturnType<typeof checkProposal>): void {
  const failed = checks.find(({ passed, blocking }) => blocking && !passed);
  if (failed !== undefined) throw new KeelError('DECISION_INVALID', `${failed.code}: ${failed.text}`);
}

/** Without a collar or costs, as of the rules, nothing is held to them. */
function limitsOf(input: DecisionInput): ProposalLimits {
  const daily = input.analyses.find(({ timeframe }) => timeframe === 'daily') ?? input.analyses[0];
  return {
    close: daily?.close ?? NaN,
    priceIncrements: input.contract.priceIncrements,
    minimumRCoefficient: Number(input.minimumRCoefficient),
    priceCollar: Number(input.priceCollar ?? '1'),
    costShare: Number(input.costShare ?? '0'),
  };
}

const timeframesOf = (objects: Objects, input: DecisionInput): Promise<readonly TimeframeInput[]> =>
  Promise.all(input.bars.map((set) => timeframeOf(objects, input, set)));

async function timeframeOf(
  objects: Objects,
  { charts, indicators }: DecisionInput,
  set: BarSetRow,
): Promise<TimeframeInput> {
  const chart = pictureOf(charts.find(({ timeframe }) => timeframe === set.timeframe));
  return {
    timeframe: set.timeframe,
    bars: await readBars(objects, set.object),
    indicators,
    chart,
    readPicture: () => readPicture(objects, chart),
  };
}

/**
 * Makes the decision again from the stored bars, as `keel verify` and `keel replay` do: every timeframe is read anew, a
 * model's answers come from where they are stored. Where a panel reviewed it, this is what was proposed to the panel.
 * @throws KeelError ANALYST_CHANGED when the analyst is not the one that decided, or its rules have another version.
 */
export async function recomputeDecision(
  analyst: AnalystPort,
  objects: Objects,
  input: DecisionInput,
): Promise<Decision> {
  const version = versionFor(analyst, input);
  if (analyst.name !== input.analyst.name || version !== input.analyst.version) {
    throw new KeelError(
      'ANALYST_CHANGED',
      `decided by ${input.analyst.name} ${input.analyst.version}, here is ${analyst.name} ${version}`,
    );
  }
  const call = callOf(input);
  const analyses: Analysis[] = [];
  for (const timeframe of await timeframesOf(objects, input)) {
    const outcome = await analyst.analyze({ symbol: input.symbol, call, ...timeframe });
    if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
    analyses.push(outcome.value);
  }
  return decideFrom(analyst, objects, { ...input, analyses });
}
