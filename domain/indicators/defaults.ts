// The indicator parameters of a strategy that names none, and of `keel indicators`.
import type { IndicatorParameters } from './types.js';

export const defaultIndicators: IndicatorParameters = {
  sma: [20, 50, 200],
  ema: [12, 26],
  rsi: 14,
  macd: { fast: 12, slow: 26, signal: 9 },
  bollinger: { period: 20, deviations: 2 },
  atr: 14,
  superTrend: { period: 10, multiplier: 3 },
  volumeAverage: 20,
};
