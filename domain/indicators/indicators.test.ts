// Laws of all indicators (no look-ahead, length, scale), edge cases, and accuracy against exact windows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IndicatorParameters as WireParameters } from '../../contracts/wire/strategy.js';
import { directionalMovement } from './adx.js';
import { atr } from './atr.js';
import { bollinger } from './bollinger.js';
import { computeIndicators } from './compute.js';
import { defaultIndicators } from './defaults.js';
import { ema } from './ema.js';
import { macd } from './macd.js';
import { rsi } from './rsi.js';
import { sma } from './sma.js';
import { superTrend } from './superTrend.js';
import type { BarColumns, IndicatorParameters, IndicatorSet, Series } from './types.js';

const small: IndicatorParameters = {
  sma: [1, 4],
  ema: [1, 5],
  rsi: 3,
  macd: { fast: 2, slow: 4, signal: 3 },
  bollinger: { period: 4, deviations: 2 },
  atr: 3,
  superTrend: { period: 3, multiplier: 1 },
  volumeAverage: 4,
};

const cut = (columns: BarColumns, length: number): BarColumns => ({
  open: columns.open.slice(0, length),
  high: columns.high.slice(0, length),
  low: columns.low.slice(0, length),
  close: columns.close.slice(0, length),
  volume: columns.volume.slice(0, length),
});

/** Series of a set that exist, by name. */
function present(set: IndicatorSet): Record<string, Series> {
  const all: [string, Series | null | undefined][] = [
    ...Object.entries(set.sma).map(([n, s]): [string, Series | null] => [`sma${n}`, s]),
    ...Object.entries(set.ema).map(([n, s]): [string, Series | null] => [`ema${n}`, s]),
    ['rsi', set.rsi],
    ...Object.entries(set.macd ?? {}),
    ...Object.entries(set.bollinger ?? {}),
    ['atr', set.atr],
    ['superTrend', set.superTrend?.line],
    ['direction', set.superTrend?.direction],
    ['volumeAverage', set.volumeAverage],
  ];
  return Object.fromEntries(all.flatMap(([name, series]) => (series ? [[name, series]] : [])));
}

const bars = (minLength: number, maxLength = 120): fc.Arbitrary<BarColumns> => {
  const price = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  return fc.array(fc.tuple(price, price, price, price, fc.nat()), { minLength, maxLength }).map((rows) => {
    const column = (pick: (row: (typeof rows)[number]) => number): Float64Array =>
      Float64Array.from(rows, pick);
    return {
      open: column(([open]) => open),
      high: column(([a, b, c, d]) => Math.max(a, b, c, d)),
      low: column(([a, b, c, d]) => Math.min(a, b, c, d)),
      close: column(([, , , close]) => close),
      volume: column(([, , , , volume]) => volume),
    };
  });
};
const flat = (length: number, value = 12.34): BarColumns => {
  const column = new Float64Array(length).fill(value);
  return { open: column, high: column, low: column, close: column, volume: column };
};

describe('laws', () => {
  it('bars that come later never change an earlier value, to the bit', () => {
    fc.assert(
      fc.property(bars(2), fc.double({ min: 0, max: 1, noNaN: true }), (columns, share) => {
        const length = Math.floor(share * columns.close.length);
        const whole = present(computeIndicators(columns, small));
        for (const [name, series] of Object.entries(present(computeIndicators(cut(columns, length), small))))
          expect(series, name).toEqual(whole[name]?.slice(0, length));
      }),
    );
  });

  it('bars that come later change no earlier ADX either, and it stays between 0 and 100', () => {
    fc.assert(
      fc.property(bars(7), fc.double({ min: 0, max: 1, noNaN: true }), (columns, share) => {
        const length = Math.floor(share * columns.close.length);
        const whole = directionalMovement(columns, 3);
        const before = directionalMovement(cut(columns, length), 3);
        for (const key of ['adx', 'plus', 'minus'] as const) {
          if (before !== null) expect(before[key]).toEqual(whole?.[key].slice(0, length));
          const known = [...(whole?.[key] ?? [])].filter((value) => !Number.isNaN(value));
          expect(known.length).toBeGreaterThan(0);
          expect(known.every((value) => value >= 0 && value <= 100 + 1e-9)).toBe(true);
        }
      }),
    );
  });

  it('the same holds across the fresh sums of a long series', () => {
    const long = Float64Array.from({ length: 9_000 }, (_, i) => 100 + Math.sin(i) * (1 + (i % 7)));
    for (const length of [4_100, 4_116, 4_117, 8_210, 8_211]) {
      expect(sma(long.slice(0, length), 20)).toEqual(sma(long, 20)?.slice(0, length));
      expect(bollinger(long.slice(0, length), { period: 20, deviations: 2 })?.upper).toEqual(
        bollinger(long, { period: 20, deviations: 2 })?.upper.slice(0, length),
      );
    }
  });

  it('every series is as long as the bars, and finite from its first value on', () => {
    fc.assert(
      fc.property(bars(0), (columns) => {
        for (const [name, series] of Object.entries(present(computeIndicators(columns, small)))) {
          expect(series, name).toHaveLength(columns.close.length);
          const first = series.findIndex((value) => !Number.isNaN(value));
          expect(first, name).toBeGreaterThanOrEqual(0);
          expect(series.slice(first).every(Number.isFinite), name).toBe(true);
        }
      }),
    );
  });

  it('prices four times as high give lines four times as high, and the same RSI and direction', () => {
    fc.assert(
      fc.property(bars(10), (columns) => {
        const scaled = (values: Float64Array): Float64Array => values.map((value) => value * 4);
        const { open, high, low, close, volume } = columns;
        const before = present(computeIndicators(columns, small));
        const after = present(
          computeIndicators(
            { open: scaled(open), high: scaled(high), low: scaled(low), close: scaled(close), volume },
            small,
          ),
        );
        for (const [name, series] of Object.entries(before))
          expect(after[name], name).toEqual(
            ['rsi', 'direction', 'volumeAverage'].includes(name) ? series : scaled(series),
          );
      }),
    );
  });

  it('RSI stays within 0 and 100, bands are in order, ATR is not negative', () => {
    fc.assert(
      fc.property(bars(10), (columns) => {
        const set = computeIndicators(columns, small);
        expect(set.rsi?.every((value) => Number.isNaN(value) || (value >= 0 && value <= 100))).toBe(true);
        expect(set.atr?.every((value) => Number.isNaN(value) || value >= 0)).toBe(true);
        set.bollinger?.middle.forEach((middle, i) => {
          if (Number.isNaN(middle)) return;
          expect(set.bollinger?.upper[i]).toBeGreaterThanOrEqual(middle);
          expect(set.bollinger?.lower[i]).toBeLessThanOrEqual(middle);
        });
      }),
    );
  });
});

describe('RSI of a series that only rose and rested', () => {
  it('is 100 and no more', () => {
    const close = Float64Array.from([
      0.01,
      0.01,
      0.01,
      0.01,
      15.950206001665867,
      ...Array<number>(40).fill(15.950206001665867),
    ]);
    const values = [3, 5, 7, 14].flatMap((period) => [...(rsi(close, period) ?? [])]);
    expect(Math.max(...values.filter((value) => !Number.isNaN(value)))).toBe(100);
  });
});

describe('too few bars', () => {
  it('is said for every series of an empty input, and nothing throws', () => {
    const set = computeIndicators(flat(0), defaultIndicators);
    expect(present(set)).toEqual({});
    expect(set.tooShort).toEqual([
      'sma20 needs 20 bars, there are 0',
      'sma50 needs 50 bars, there are 0',
      'sma200 needs 200 bars, there are 0',
      'ema12 needs 12 bars, there are 0',
      'ema26 needs 26 bars, there are 0',
      'rsi14 needs 15 bars, there are 0',
      'macd needs 34 bars, there are 0',
      'bollinger needs 20 bars, there are 0',
      'atr14 needs 15 bars, there are 0',
      'superTrend needs 11 bars, there are 0',
      'volumeAverage20 needs 20 bars, there are 0',
    ]);
  });

  it('one bar is enough for an average of one bar and nothing else', () => {
    expect(Object.keys(present(computeIndicators(flat(1), small)))).toEqual(['sma1', 'ema1']);
  });

  it('names a series exactly when it is null', () => {
    fc.assert(
      fc.property(fc.nat(210), (length) => {
        const set = computeIndicators(flat(length), defaultIndicators);
        const missing: unknown[] = [
          ...Object.values(set.sma),
          ...Object.values(set.ema),
          set.rsi,
          set.macd,
          set.bollinger,
        ];
        missing.push(set.atr, set.superTrend, set.volumeAverage);
        expect(set.tooShort).toHaveLength(missing.filter((series) => series === null).length);
      }),
    );
  });
});

describe('a price that never moves', () => {
  const set = computeIndicators(flat(300), defaultIndicators);
  it('has an RSI of 0, as TA-Lib answers, and no MACD, range or width at all', () => {
    expect(set.rsi?.at(-1)).toBe(0);
    expect([set.macd?.line.at(-1), set.macd?.signal.at(-1), set.macd?.histogram.at(-1)]).toEqual([0, 0, 0]);
    expect(set.atr?.at(-1)).toBe(0);
    expect([set.bollinger?.upper.at(-1), set.bollinger?.middle.at(-1)]).toEqual([12.34, 12.34]);
  });
});

describe('SuperTrend where prices and bands meet', () => {
  /** Bars without any range after a first step, so that ATR(1) is the distance of two closes. */
  const closes = (...values: number[]): BarColumns => {
    const column = Float64Array.from(values);
    return { open: column, high: column, low: column, close: column, volume: column };
  };
  const directions = (...values: number[]): number[] => [
    ...(superTrend(closes(...values), { period: 1, multiplier: 1 })?.direction ?? []),
  ];

  it('turns up only above the upper band, and down only below the lower one', () => {
    // Bar 1 sets the upper band at 12: a close at 12 is not above it, 13 is, and the lower band is then at 11.
    expect(directions(10, 11, 12)).toEqual([NaN, -1, -1]);
    expect(directions(10, 11, 13)).toEqual([NaN, -1, 1]);
    // A close at 11 is not below that band; 10.5 is.
    expect(directions(10, 11, 13, 11)).toEqual([NaN, -1, 1, 1]);
    expect(directions(10, 11, 13, 10.5)).toEqual([NaN, -1, 1, -1]);
  });

  it('calls a line on which both bands have met the upper one, as Pine does', () => {
    expect(directions(10, 11, 13, 13, 13)).toEqual([NaN, -1, 1, 1, -1]);
  });
});

describe('against exact windows', () => {
  /** Mean and population deviation of integers in hundredths, without any rounding until the last step. */
  const exact = (cents: readonly bigint[]): { mean: number; deviation: number } => {
    const n = BigInt(cents.length);
    const sum = cents.reduce((total, value) => total + value, 0n);
    const squares = cents.reduce((total, value) => total + value * value, 0n);
    const variance = Number(n * squares - sum * sum) / Number(n * n);
    return { mean: Number(sum) / Number(n), deviation: Math.sqrt(variance) };
  };

  it('keeps nine digits of a small deviation on a large price, and after a fall from it', () => {
    const cents = Array.from({ length: 500 }, (_, i) =>
      BigInt((i < 250 ? 100_000_000_000_000 : 10_000) + ((i * 7_919) % 13)),
    );
    const close = Float64Array.from(cents, Number);
    const bands = bollinger(close, { period: 20, deviations: 1 });
    const average = sma(close, 20);
    for (let i = 19; i < 500; i++) {
      if (i >= 250 && i < 269) continue;
      const { mean, deviation } = exact(cents.slice(i - 19, i + 1));
      const [upper = NaN, middle = NaN] = [bands?.upper[i], bands?.middle[i]];
      expect(Math.abs(upper / (mean + deviation) - 1)).toBeLessThan(1e-9);
      expect(Math.abs(middle / mean - 1)).toBeLessThan(1e-12);
      expect(Math.abs((average?.[i] ?? NaN) / mean - 1)).toBeLessThan(1e-5);
      if (i >= 269) expect(Math.abs((upper - middle) / deviation - 1)).toBeLessThan(1e-9);
    }
  });

  it('does not drift over a million bars', () => {
    const cents = Array.from({ length: 1_000_000 }, (_, i) => 10_000 + ((i * 7_919) % 9_973));
    const close = Float64Array.from(cents, (value) => value / 100);
    const average = sma(close, 200)?.at(-1) ?? NaN;
    const { mean } = exact(cents.slice(-200).map(BigInt));
    expect(Math.abs((average * 100) / mean - 1)).toBeLessThan(1e-14);
  });
});

describe('parameters out of range', () => {
  const { close } = flat(50);
  it.each([
    ['SMA', () => sma(close, 0)],
    ['SMA', () => sma(close, 2.5)],
    ['EMA', () => ema(close, 0)],
    ['RSI', () => rsi(close, 1)],
    ['ATR', () => atr(flat(50), NaN)],
    ['the fast period of MACD', () => macd(close, { fast: 1, slow: 26, signal: 9 })],
    ['the slow period of MACD', () => macd(close, { fast: 26, slow: 12, signal: 9 })],
    ['the signal period of MACD', () => macd(close, { fast: 12, slow: 26, signal: 0 })],
    ['the period of Bollinger Bands', () => bollinger(close, { period: 1, deviations: 2 })],
    ['the deviations of Bollinger Bands', () => bollinger(close, { period: 20, deviations: 0 })],
    ['the multiplier of SuperTrend', () => superTrend(flat(50), { period: 10, multiplier: Infinity })],
  ])('%s says so', (name, compute) => {
    expect(compute).toThrow(RangeError);
    expect(compute).toThrow(name);
  });

  it('columns of different lengths are refused', () => {
    const columns = { ...flat(50), volume: new Float64Array(49) };
    expect(() => computeIndicators(columns, small)).toThrow('columns differ in length: 50, 50, 50, 50, 49');
  });
});

it('parameters have the shape that a strategy stores', () => {
  const wire: WireParameters = defaultIndicators;
  const back: IndicatorParameters = wire;
  expect(back).toBe(defaultIndicators);
});
