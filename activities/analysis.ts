// Has the analyst read one timeframe.
import type { AnalystPort } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, ChartRow, EvidenceStore } from '../ports/evidence.js';
import type { StrategyStore } from '../ports/stores.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import type { Analysis } from '../domain/decision/decision.js';
import { readBars } from './bars.js';
import { pictureOf, readPicture } from './objects.js';
import { noteRulesReading, type RulesOpinionDeps } from './rulesOpinion.js';
import { settingsOf, type StrategyVersion } from './strategy.js';

export interface AnalysisDeps extends RulesOpinionDeps {
  /** Null where no model is configured. */
  readonly model: AnalystPort | null;
  readonly objects: Pick<ObjectStorePort, 'get'>;
  readonly evidence: Pick<EvidenceStore, 'putAnalysis'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
}

export interface AnalyzeActivityInput extends StrategyVersion {
  readonly runId: string;
  readonly symbol: string;
  readonly bars: BarSetRow;
  /** Null in a run whose workflow definition draws none. */
  readonly chart: ChartRow | null;
}

/**
 * The analyst that a strategy asks for: `auto` is the model where one is configured.
 * @throws KeelError MODEL_NOT_CONFIGURED (final)
 */
export function chooseAnalyst(
  deps: Pick<AnalysisDeps, 'rules' | 'model'>,
  wanted: StrategySettings['analyst'],
): AnalystPort {
  if (wanted === 'rules' || (wanted === 'auto' && deps.model === null)) return deps.rules;
  if (deps.model !== null) return deps.model;
  throw new KeelError(
    'MODEL_NOT_CONFIGURED',
    'the strategy asks for a model and none is configured: set OPENAI_MODEL with OPENAI_API_KEY or OPENAI_BASE_URL',
  );
}

/** A panel is of a model: where a strategy has one, `auto` is the model, configured or not, and never the rules. */
const wantedOf = ({ analyst, panel }: StrategySettings): StrategySettings['analyst'] =>
  analyst === 'auto' && panel === true ? 'openai' : analyst;

export function createAnalysisActivities(deps: AnalysisDeps) {
  return {
    /** @throws the analyst's code (final) when it fails or refuses: never a silent hold. */
    async analyze(input: AnalyzeActivityInput): Promise<Analysis> {
      const { runId, strategyId, symbol, chart } = input;
      const [settings, bars] = await Promise.all([
        settingsOf(deps.strategies, input),
        readBars(deps.objects, input.bars.object),
      ]);
      const analyst = chooseAnalyst(deps, wantedOf(settings));
      const seen = { timeframe: input.bars.timeframe, bars, indicators: settings.indicators };
      if (analyst !== deps.rules) await noteRulesReading(deps, runId, seen);
      const outcome = await analyst.analyze({
        symbol,
        ...seen,
        chart: pictureOf(chart),
        readPicture: () => readPicture(deps.objects, chart?.object ?? null),
        call: { runId, strategyId, ...(settings.models !== undefined && { models: settings.models }) },
      });
      if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
      await deps.evidence.putAnalysis(runId, outcome.value);
      return outcome.value;
    },
  };
}
