// Times one chart as a server draws it: through the pool, with the thread's work counted. Called by the benchmark
// runner; prints nothing.
import { createChartRenderer } from '../adapters/charts/renderer.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { timeframeRules, type Bar } from '../domain/market/bar.js';
import type { ChartRequest } from '../ports/chartRenderer.js';

const warmUps = 10;
const runs = 30;
const millisecondsOfDay = 86_400_000;

/** A seeded walk, so that every benchmark draws the same picture. */
export function walk(length: number): Bar[] {
  let state = 20_140_707;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const start = Date.UTC(2017, 0, 2, 14, 30);
  let close = 100;
  return Array.from({ length }, (_, day) => {
    const open = close;
    close = open * (1 + (random() - 0.49) * 0.03);
    return {
      time: new Date(start + day * millisecondsOfDay).toISOString(),
      open,
      high: Math.max(open, close) * (1 + random() * 0.008),
      low: Math.min(open, close) * (1 - random() * 0.008),
      close,
      volume: Math.floor(1e7 + random() * 4e7),
    };
  });
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

export interface ChartTiming {
  /** Median wall milliseconds of one chart, request to PNG. */
  readonly ms: number;
  /** Median CPU milliseconds of one chart, all threads of the process. */
  readonly cpuMs: number;
  /** Size of the PNG. */
  readonly bytes: number;
}

/** Draws a daily chart of one year with every indicator warmed up, one after the other. Takes a few seconds. */
export async function benchCharts(): Promise<ChartTiming> {
  const { warmUp, window } = timeframeRules.daily;
  const request: ChartRequest = {
    symbol: 'WALK',
    timeframe: 'daily',
    bars: walk(warmUp + window),
    window,
    indicators: defaultIndicators,
    source: 'benchmark',
  };
  const renderer = createChartRenderer();
  const wall: number[] = [];
  const cpu: number[] = [];
  let bytes = 0;
  try {
    for (let index = 0; index < warmUps + runs; index += 1) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      bytes = (await renderer.render(request)).png.byteLength;
      const { user, system } = process.cpuUsage(used);
      if (index < warmUps) continue;
      wall.push(performance.now() - start);
      cpu.push((user + system) / 1000);
    }
  } finally {
    await renderer.close();
  }
  return { ms: median(wall), cpuMs: median(cpu), bytes };
}
