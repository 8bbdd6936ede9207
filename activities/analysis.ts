// Has the analyst read one timeframe.
import type { AnalystPort } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, ChartRow, EvidenceStore, StrategyStore } from '../ports/stores.js';
import type { Analysis } from '../domain/decision/decision.js';
import { readBars } from './bars.js';
import { settingsOf, type StrategyVersion } from './strategy.js';

export interface AnalysisDeps {
  readonly analyst: AnalystPort;
  readonly objects: Pick<ObjectStorePort, 'get'>;
  readonly evidence: Pick<EvidenceStore, 'putAnalysis'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
}

export interface AnalyzeActivityInput extends StrategyVersion {
  readonly runId: string;
  readonly symbol: string;
  readonly bars: BarSetRow;
  readonly chart: ChartRow;
}

export function createAnalysisActivities(deps: AnalysisDeps) {
  return {
    /** @throws the analyst's code (final) when it fails or refuses: never a silent hold. */
    async analyze(input: AnalyzeActivityInput): Promise<Analysis> {
      const [settings, bars] = await Promise.all([
        settingsOf(deps.strategies, input),
        readBars(deps.objects, input.bars.object),
      ]);
      const outcome = await deps.analyst.analyze({
        symbol: input.symbol,
        timeframe: input.bars.timeframe,
        bars,
        indicators: settings.indicators,
        chart: input.chart.object,
      });
      if (outcome.kind === 'failed') throw new KeelError(outcome.code, outcome.message);
      await deps.evidence.putAnalysis(input.runId, outcome.value);
      return outcome.value;
    },
  };
}
