// Times each indicator, and all together, over a million bars beside a plain pass over the same memory.
// Called by the benchmark runner; prints nothing.
import { atr } from '../domain/indicators/atr.js';
import { bollinger } from '../domain/indicators/bollinger.js';
import { computeIndicators } from '../domain/indicators/compute.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { ema } from '../domain/indicators/ema.js';
import { macd } from '../domain/indicators/macd.js';
import { rsi } from '../domain/indicators/rsi.js';
import { at } from '../domain/indicators/series.js';
import { sma } from '../domain/indicators/sma.js';
import { superTrend } from '../domain/indicators/superTrend.js';
import type { BarColumns } from '../domain/indicators/types.js';
import { volumeAverage } from '../domain/indicators/volumeAverage.js';

const bars = 1_000_000;
const warmUps = 4;
const runs = 11;

export interface IndicatorTiming {
  readonly name: string;
  /** Median of the runs after warm-up, wall milliseconds. */
  readonly ms: number;
  /** Against the plain pass of the same columns: those it reads, and as many as it writes. */
  readonly ratio: number;
}

/** A seeded walk, so that every benchmark sees the same bars. */
function walk(length: number): BarColumns {
  const column = (): Float64Array => new Float64Array(length);
  const columns = { open: column(), high: column(), low: column(), close: column(), volume: column() };
  let state = 20_140_707;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  let price = 100;
  for (let i = 0; i < length; i++) {
    const next = price * (1 + (random() - 0.5) * 0.02);
    columns.open[i] = price;
    columns.close[i] = next;
    columns.high[i] = Math.max(price, next) * (1 + random() * 0.005);
    columns.low[i] = Math.min(price, next) * (1 - random() * 0.005);
    columns.volume[i] = Math.floor(random() * 1e7);
    price = next;
  }
  return columns;
}

/** Reads every source once and writes new columns, one addition a value: the least that memory allows. */
function plainPass(sources: readonly Float64Array[], writes: number): number {
  let sum = 0;
  for (let index = 0; index < Math.max(writes, sources.length); index++) {
    const source = sources[index % sources.length] ?? new Float64Array();
    if (index < writes) sum += copyPlusOne(source).length;
    else for (let i = 0; i < source.length; i++) sum += at(source, i);
  }
  return sum;
}

function copyPlusOne(source: Float64Array): Float64Array {
  const target = new Float64Array(source.length);
  for (let i = 0; i < source.length; i++) target[i] = at(source, i) + 1;
  return target;
}

/** The result is handed to a sink, or the engine could leave the work out. */
let sink: unknown;

function median(run: () => unknown): number {
  const times: number[] = [];
  for (let i = 0; i < warmUps + runs; i++) {
    const start = performance.now();
    sink = run();
    const ms = performance.now() - start;
    if (i >= warmUps) times.push(ms);
  }
  if (sink === undefined) return NaN;
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? NaN;
}

/** Times every indicator with its default parameters over 1,000,000 bars. Takes a few seconds. */
export function benchIndicators(): IndicatorTiming[] {
  const columns = walk(bars);
  const { open, high, low, close, volume } = columns;
  const parameters = defaultIndicators;
  const cases: readonly (readonly [string, readonly Float64Array[], number, () => unknown])[] = [
    ...parameters.sma.map((period) => [`sma${period}`, [close], 1, () => sma(close, period)] as const),
    ...parameters.ema.map((period) => [`ema${period}`, [close], 1, () => ema(close, period)] as const),
    ['rsi', [close], 1, () => rsi(close, parameters.rsi)],
    ['macd', [close], 3, () => macd(close, parameters.macd)],
    ['bollinger', [close], 3, () => bollinger(close, parameters.bollinger)],
    ['atr', [high, low, close], 1, () => atr(columns, parameters.atr)],
    ['superTrend', [high, low, close], 2, () => superTrend(columns, parameters.superTrend)],
    ['volumeAverage', [volume], 1, () => volumeAverage(volume, parameters.volumeAverage)],
    ['all', [open, high, low, close, volume], 16, () => computeIndicators(columns, parameters)],
  ];
  return cases.map(([name, sources, writes, run]) => {
    const ms = median(run);
    return { name, ms, ratio: ms / median(() => plainPass(sources, writes)) };
  });
}
