// Indicators against committed values of TA-Lib, and SuperTrend against Pine's definition (scripts/indicator-goldens.py).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toColumns } from '../market/columns.js';
import { parseCsv } from '../market/csv.js';
import { directionalMovement } from './adx.js';
import { computeIndicators } from './compute.js';
import type { BarColumns, IndicatorParameters, IndicatorSet, Series } from './types.js';

interface Column {
  readonly lookback: number;
  readonly values: readonly number[];
}
interface Golden {
  readonly oracle: string;
  readonly source: string;
  readonly stride: number;
  readonly bars?: Readonly<Record<keyof BarColumns, readonly number[]>>;
  readonly sets: readonly {
    readonly parameters: IndicatorParameters;
    readonly series: Readonly<Record<string, Column>>;
  }[];
}
interface DirectionalGolden {
  readonly cases: readonly {
    readonly golden: string;
    readonly period: number;
    readonly stride: number;
    readonly series: Readonly<Record<'adx' | 'plus' | 'minus', Column>>;
  }[];
}
interface ShortGolden {
  readonly bars: Readonly<Record<keyof BarColumns, readonly number[]>>;
  readonly parameters: IndicatorParameters;
  readonly cases: readonly {
    readonly length: number;
    readonly last: Readonly<Record<string, readonly number[] | null>>;
  }[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./goldens/${name}.json`, import.meta.url), 'utf8'));

function columnsOf({ bars, source }: Pick<Golden, 'bars' | 'source'>): BarColumns {
  if (bars === undefined) return toColumns(parseCsv(readFileSync(source, 'utf8')).bars);
  const column = (name: keyof BarColumns): Float64Array => Float64Array.from(bars[name]);
  return {
    open: column('open'),
    high: column('high'),
    low: column('low'),
    close: column('close'),
    volume: column('volume'),
  };
}

/** Every series of a set under the name that the goldens use. */
function named(set: IndicatorSet): Record<string, Series | null> {
  const byPeriod = (name: string, series: IndicatorSet['sma']): [string, Series | null][] =>
    Object.entries(series).map(([period, values]) => [`${name}${period}`, values]);
  return {
    ...Object.fromEntries([...byPeriod('sma', set.sma), ...byPeriod('ema', set.ema)]),
    rsi: set.rsi,
    macd: set.macd?.line ?? null,
    macdSignal: set.macd?.signal ?? null,
    macdHistogram: set.macd?.histogram ?? null,
    bollingerUpper: set.bollinger?.upper ?? null,
    bollingerMiddle: set.bollinger?.middle ?? null,
    bollingerLower: set.bollinger?.lower ?? null,
    atr: set.atr,
    superTrend: set.superTrend?.line ?? null,
    superTrendDirection: set.superTrend?.direction ?? null,
    volumeAverage: set.volumeAverage,
  };
}

/**
 * The largest relative difference. MACD is a difference of prices, whose own rounding (3 units in the last place of
 * the price) is no error of the indicator however close to zero the difference is.
 */
function worst(ours: readonly number[], theirs: readonly number[], rounding: number): number {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(
    ...theirs.map((value, i) => {
      const distance = Math.max(Math.abs((ours[i] ?? NaN) - value) - rounding, 0);
      return distance === 0 ? 0 : distance / Math.abs(value);
    }),
  );
}
const roundingOf = (name: string, columns: BarColumns): number =>
  name.startsWith('macd') ? Math.max(...columns.close) * 3 * Number.EPSILON : 0;

const golden = ['aapl', 'sp500', 'walk', 'flat', 'still', 'gaps', 'large'].map(
  (name) => [name, read(name) as Golden] as const,
);
const rows = golden.flatMap(([name, { sets, ...file }]) =>
  sets.flatMap(({ parameters, series }, index) =>
    Object.entries(series).map(([indicator, column]) => ({
      name,
      set: index + 1,
      indicator,
      column,
      parameters,
      file,
    })),
  ),
);

/** Our series has its first value where TA-Lib has one, and agrees from there on. */
function expectAgreement(
  ours: Series | null | undefined,
  { lookback, values: theirs }: Column,
  stride: number,
  rounding: number,
): void {
  const values = [...(ours ?? [])];
  expect(values.findIndex((value) => !Number.isNaN(value))).toBe(lookback);
  expect(values.slice(0, lookback).every(Number.isNaN)).toBe(true);
  const sampled = values.filter((_, i) => i >= lookback && (i - lookback) % stride === 0);
  expect(worst(sampled, theirs, rounding)).toBeLessThan(1e-9);
}

describe('agrees with TA-Lib to 1e-9 relative after exactly its warm-up', () => {
  it.each(rows)('$indicator of $name, parameters $set', ({ file, indicator, column, parameters }) => {
    const columns = columnsOf(file);
    const ours = named(computeIndicators(columns, parameters))[indicator];
    expect(ours).toHaveLength(columns.close.length);
    expectAgreement(ours, column, file.stride, roundingOf(indicator, columns));
  });

  const { cases } = read('directional') as DirectionalGolden;
  it.each(cases)(
    'ADX, +DI and −DI of $golden, period $period',
    ({ golden: name, period, stride, series }) => {
      const columns = columnsOf(read(name) as Golden);
      const ours = directionalMovement(columns, period);
      for (const key of ['adx', 'plus', 'minus'] as const) {
        expect(ours?.[key]).toHaveLength(columns.close.length);
        expectAgreement(ours?.[key], series[key], stride, 0);
      }
      const short = (count: number) => ({
        high: columns.high.slice(0, count),
        low: columns.low.slice(0, count),
        close: columns.close.slice(0, count),
      });
      expect(directionalMovement(short(2 * period - 1), period)).toBeNull();
      expect(directionalMovement(short(2 * period), period)?.adx.at(-1)).toBe(ours?.adx[2 * period - 1]);
    },
  );
});

describe('around every warm-up', () => {
  const short = read('short') as ShortGolden;
  it.each(short.cases)(
    'a series of $length bars has a value exactly where TA-Lib has one',
    ({ length, last }) => {
      const all = columnsOf({ bars: short.bars, source: '' });
      const cut = (values: Float64Array): Float64Array => values.slice(0, length);
      const columns = {
        open: cut(all.open),
        high: cut(all.high),
        low: cut(all.low),
        close: cut(all.close),
        volume: cut(all.volume),
      };
      const ours = named(computeIndicators(columns, short.parameters));
      expect(Object.keys(ours).sort()).toEqual(Object.keys(last).sort());
      for (const [name, values] of Object.entries(last)) {
        const series = ours[name] ?? null;
        if (values === null) expect(series, name).toBeNull();
        else {
          const found = [...(series ?? [])].filter((value) => !Number.isNaN(value)).slice(-3);
          expect(worst(found, values, roundingOf(name, columns)), name).toBeLessThan(1e-9);
        }
      }
    },
  );
});
