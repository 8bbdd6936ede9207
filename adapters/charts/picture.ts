// Everything a chart shows, computed before anything is drawn: what lies in the window, the ranges of the panels,
// the texts. Pure; called by render.ts.
import type { IndicatorSet, Series } from '../../domain/indicators/types.js';
import type { Bar } from '../../domain/market/bar.js';
import type { IndicatorParameters } from '../../contracts/wire/strategy.js';
import type { ChartRequest } from '../../ports/chartRenderer.js';
import { legendOf } from './legend.js';
import type { Picture, PriceLines, Range } from './types.js';

/** An overlay may widen the price panel by this share of the candles' own span on either side, then it is cut. */
const overlayShare = 0.3;

/** Lowest and highest number, NaN ignored; null when there is none. */
function extent(series: readonly (readonly number[])[]): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const values of series)
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return low <= high ? { low, high } : null;
}

function priceRange(bars: readonly Bar[], lines: PriceLines): Range {
  const candles = extent([bars.map((bar) => bar.low), bars.map((bar) => bar.high)]) ?? { low: 0, high: 1 };
  const overlays = extent([
    ...lines.averages.map(({ values }) => values ?? []),
    ...(lines.bollinger === null ? [] : [lines.bollinger.upper, lines.bollinger.lower]),
    ...(lines.superTrend === null ? [] : [lines.superTrend.up, lines.superTrend.down]),
  ]);
  const span = candles.high - candles.low;
  const room = span * overlayShare;
  const low = Math.max(candles.low - room, Math.min(candles.low, overlays?.low ?? candles.low));
  const high = Math.min(candles.high + room, Math.max(candles.high, overlays?.high ?? candles.high));
  const flat = Math.abs(candles.high) * 0.01 || 1;
  const margin = high > low ? (high - low) * 0.03 : flat;
  return { low: low - margin, high: high + margin };
}

/** Always holds zero; never empty. */
function macdRange(macd: Picture['macd']): Range {
  const found = macd === null ? null : extent([macd.line, macd.signal, macd.histogram]);
  const low = Math.min(0, found?.low ?? 0);
  const high = Math.max(0, found?.high ?? 0);
  const margin = (high - low) * 0.06 || 1;
  return { low: low - margin, high: high + margin };
}

/** Cuts each series to the drawn bars. */
function priceLines(indicators: IndicatorSet, parameters: IndicatorParameters, window: Window): PriceLines {
  const { bollinger, superTrend } = indicators;
  const direction = superTrend === null ? [] : window(superTrend.direction);
  const trend = superTrend === null ? [] : window(superTrend.line);
  const where = (sign: number): number[] => trend.map((value, at) => (direction[at] === sign ? value : NaN));
  return {
    averages: parameters.sma.map((period) => {
      const series = indicators.sma[period] ?? null;
      return { period, values: series === null ? null : window(series) };
    }),
    bollinger: bollinger && {
      upper: window(bollinger.upper),
      middle: window(bollinger.middle),
      lower: window(bollinger.lower),
    },
    superTrend: superTrend && { up: where(1), down: where(-1) },
  };
}

type Window = (series: Series) => number[];

/**
 * @param request checked by checkRequest.
 * @param indicators of all bars of the request, not only the drawn ones.
 */
export function pictureOf(request: ChartRequest, indicators: IndicatorSet): Picture {
  const from = Math.max(0, request.bars.length - request.window);
  const bars = request.bars.slice(from);
  const last = bars[bars.length - 1];
  if (last === undefined) throw new RangeError('a picture needs at least one bar');
  const window: Window = (series) => Array.from(series.subarray(from));
  const lines = priceLines(indicators, request.indicators, window);
  const volumeAverage = indicators.volumeAverage && window(indicators.volumeAverage);
  const macd = indicators.macd && {
    line: window(indicators.macd.line),
    signal: window(indicators.macd.signal),
    histogram: window(indicators.macd.histogram),
  };
  return {
    symbol: request.symbol,
    timeframe: request.timeframe,
    source: request.source,
    bars,
    last,
    previousClose: request.bars[request.bars.length - 2]?.close ?? null,
    parameters: request.indicators,
    lines,
    volumeAverage,
    rsi: indicators.rsi && window(indicators.rsi),
    macd,
    priceRange: priceRange(bars, lines),
    macdRange: macdRange(macd),
    volumeTop:
      Math.max(...bars.map((bar) => bar.volume), ...(volumeAverage ?? []).filter(Number.isFinite)) || 1,
    legend: legendOf(lines, request.indicators),
  };
}
