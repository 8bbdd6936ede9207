// Every indicator of one set of bars. Called by the chart and analysis activities, the CLI and the benchmark.
import { atr } from './atr.js';
import { bollinger } from './bollinger.js';
import { ema } from './ema.js';
import { averageLookback, changeLookback, macdLookback } from './lookback.js';
import { macd } from './macd.js';
import { rsi } from './rsi.js';
import { checkLengths } from './series.js';
import { sma } from './sma.js';
import { superTrend } from './superTrend.js';
import type { BarColumns, IndicatorParameters, IndicatorSet, Series } from './types.js';
import { volumeAverage } from './volumeAverage.js';

/**
 * Computes all indicators; appending bars never changes an earlier value.
 * @param columns validated bars (see domain/market/validate.ts): finite numbers, oldest first, one length
 * @param parameters periods in bars
 * @returns series as long as the bars, NaN in warm-up; null, and named in `tooShort`, where there are too few bars
 * @throws RangeError when a parameter is out of range or the columns differ in length
 */
export function computeIndicators(columns: BarColumns, parameters: IndicatorParameters): IndicatorSet {
  const { open, high, low, close, volume } = columns;
  checkLengths(open, high, low, close, volume);
  const byPeriod = (
    periods: readonly number[],
    compute: (values: Float64Array, period: number) => Series | null,
  ): Record<number, Series | null> =>
    Object.fromEntries(periods.map((period) => [period, compute(close, period)]));
  return {
    sma: byPeriod(parameters.sma, sma),
    ema: byPeriod(parameters.ema, ema),
    rsi: rsi(close, parameters.rsi),
    macd: macd(close, parameters.macd),
    bollinger: bollinger(close, parameters.bollinger),
    atr: atr(columns, parameters.atr),
    superTrend: superTrend(columns, parameters.superTrend),
    volumeAverage: volumeAverage(volume, parameters.volumeAverage),
    tooShort: tooShort(close.length, parameters),
  };
}

function tooShort(length: number, parameters: IndicatorParameters): string[] {
  const lookbacks: readonly (readonly [string, number])[] = [
    ...parameters.sma.map((period) => [`sma${period}`, averageLookback(period)] as const),
    ...parameters.ema.map((period) => [`ema${period}`, averageLookback(period)] as const),
    [`rsi${parameters.rsi}`, changeLookback(parameters.rsi)],
    ['macd', macdLookback(parameters.macd)],
    ['bollinger', averageLookback(parameters.bollinger.period)],
    [`atr${parameters.atr}`, changeLookback(parameters.atr)],
    ['superTrend', changeLookback(parameters.superTrend.period)],
    [`volumeAverage${parameters.volumeAverage}`, averageLookback(parameters.volumeAverage)],
  ];
  return lookbacks
    .filter(([, lookback]) => length <= lookback)
    .map(([name, lookback]) => `${name} needs ${lookback + 1} bars, there are ${length}`);
}
