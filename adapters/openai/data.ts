// What a model is given as numbers: the last bars with their indicators, levels and facts computed by code, and every
// price of that for the check of what it claims.
import { computeIndicators } from '../../domain/indicators/compute.js';
import type { IndicatorSet, Series } from '../../domain/indicators/types.js';
import type { Bar } from '../../domain/market/bar.js';
import { toColumns } from '../../domain/market/columns.js';
import type { TimeframeInput } from '../../ports/analyst.js';

/** Bars in the table, and bars that levels are taken from. */
const tableBars = 30;
const levelBars = [20, 60, 252] as const;

const significant = (value: number): number => Number(value.toPrecision(7));

/** The value of a series at an index; null while it warms up. */
function at(series: Series | null | undefined, index: number): number | null {
  const value = series?.[index];
  return value === undefined || Number.isNaN(value) ? null : significant(value);
}

function columnsOf(set: IndicatorSet): Readonly<Record<string, Series | null | undefined>> {
  const averages = (name: string, series: Readonly<Record<number, Series | null>>) =>
    Object.entries(series).map(([period, values]) => [`${name}${period}`, values] as const);
  return {
    ...Object.fromEntries([...averages('sma', set.sma), ...averages('ema', set.ema)]),
    rsi: set.rsi,
    macdHistogram: set.macd?.histogram,
    bollingerUpper: set.bollinger?.upper,
    bollingerLower: set.bollinger?.lower,
    atr: set.atr,
    superTrend: set.superTrend?.line,
    superTrendSide: set.superTrend?.direction,
  };
}

export interface TimeframeData {
  readonly close: number;
  readonly atr: number | null;
  /** What the prompt shows. */
  readonly shown: object;
  /** Every price in it. */
  readonly prices: readonly number[];
}

/** @throws RangeError without bars */
export function dataOf({ timeframe, bars, indicators }: TimeframeInput): TimeframeData {
  const last = bars.at(-1);
  if (last === undefined) throw new RangeError(`no ${timeframe} bars to read`);
  const columns = Object.entries(columnsOf(computeIndicators(toColumns(bars), indicators)));
  const first = Math.max(0, bars.length - tableBars);
  const rows = bars.slice(first).map((bar, offset) => {
    const values = columns.map(([, series]) => at(series, first + offset));
    return [bar.time.slice(0, 10), bar.open, bar.high, bar.low, bar.close, bar.volume, ...values];
  });
  const levels = levelBars.map((count) => levelOf(bars, count));
  const header = ['date', 'open', 'high', 'low', 'close', 'volume', ...columns.map(([name]) => name)];
  const shown = {
    timeframe,
    lastBar: last.time,
    barCount: bars.length,
    columns: header,
    rows,
    levels,
    market: contextOf(bars),
  };
  const atrColumn = header.indexOf('atr');
  const atr = rows.at(-1)?.[atrColumn];
  return {
    close: last.close,
    atr: typeof atr === 'number' ? atr : null,
    shown,
    prices: [
      ...rows.flatMap((row) => row.filter((value): value is number => typeof value === 'number')),
      ...levels.flatMap(({ high, low }) => [high, low]),
    ],
  };
}

function levelOf(bars: readonly Bar[], count: number) {
  const part = bars.slice(-count);
  return {
    bars: part.length,
    high: Math.max(...part.map(({ high }) => high)),
    low: Math.min(...part.map(({ low }) => low)),
  };
}

/** Changes of the close over some bars as shares, and how wide the days are. */
function contextOf(bars: readonly Bar[]) {
  const closes = bars.map(({ close }) => close);
  const last = closes.at(-1) ?? NaN;
  const change = (count: number): number | null => {
    const before = closes.at(-1 - count);
    return before === undefined ? null : significant(last / before - 1);
  };
  const range = bars.slice(-20).map(({ high, low, close }) => (high - low) / close);
  return {
    changeOver: { bars1: change(1), bars5: change(5), bars20: change(20), bars60: change(60) },
    averageRangeOver20Bars: significant(range.reduce((sum, value) => sum + value, 0) / range.length),
  };
}
