// Draws the picture that the analyst and people look at.
import type { Bar, Timeframe } from '../domain/market/bar.js';
import type { IndicatorParameters } from '../contracts/wire/strategy.js';

export interface ChartRequest {
  readonly symbol: string;
  readonly timeframe: Timeframe;
  /** Bars to compute indicators on, oldest first; the last `window` of them are drawn. */
  readonly bars: readonly Bar[];
  readonly window: number;
  readonly indicators: IndicatorParameters;
  /** Shown on the picture, such as `ibkr` or `simulator`. */
  readonly source: string;
}

export interface RenderedChart {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface ChartRendererPort {
  render(request: ChartRequest): Promise<RenderedChart>;
  close(): Promise<void>;
}
