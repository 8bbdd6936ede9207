// Renders and stores the picture of a set of bars.
import type { ChartRendererPort } from '../ports/chartRenderer.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { BarSetRow, ChartRow, EvidenceStore } from '../ports/evidence.js';
import type { StrategyStore } from '../ports/stores.js';
import { timeframeRules } from '../domain/market/bar.js';
import { readBars } from './bars.js';
import { putBytes } from './objects.js';
import { settingsOf, type StrategyVersion } from './strategy.js';

export interface ChartDeps {
  readonly renderer: Pick<ChartRendererPort, 'render'>;
  readonly objects: ObjectStorePort;
  readonly evidence: Pick<EvidenceStore, 'putChart'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
}

export interface RenderChartInput extends StrategyVersion {
  readonly symbol: string;
  readonly bars: BarSetRow;
}

export function createChartActivities(deps: ChartDeps) {
  return {
    async renderChart(input: RenderChartInput): Promise<ChartRow> {
      const { runId, timeframe, source, object } = input.bars;
      const [settings, bars] = await Promise.all([
        settingsOf(deps.strategies, input),
        readBars(deps.objects, object),
      ]);
      const { png, width, height } = await deps.renderer.render({
        symbol: input.symbol,
        timeframe,
        bars,
        window: timeframeRules[timeframe].window,
        indicators: settings.indicators,
        source,
      });
      const picture = await putBytes(deps.objects, 'charts', png, {
        extension: 'png',
        contentType: 'image/png',
      });
      const row: ChartRow = { runId, timeframe, object: picture, width, height };
      await deps.evidence.putChart(row);
      return row;
    },
  };
}
