// Bars and requests for the chart's tests and its golden picture. No part of the running program.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defaultIndicators } from '../../../domain/indicators/defaults.js';
import type { Bar } from '../../../domain/market/bar.js';
import type { ChartRequest } from '../../../ports/chartRenderer.js';

/** Real daily bars of AAPL, 2013-05-13 to 2018-05-11. */
export function aapl(): Bar[] {
  const file = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const cells = line.split(',');
    const number = (at: number): number => Number(cells[at]);
    const [open, high, low, close] = [number(1), number(2), number(3), number(4)];
    return { time: `${cells[0] ?? ''}T13:30:00.000Z`, open, high, low, close, volume: number(6) };
  });
}

const millisecondsOfDay = 86_400_000;

/** Bars whose open and close come from `prices`: bar n goes from price n to price n + 1. */
export function barsOf(prices: readonly number[]): Bar[] {
  const start = Date.UTC(2017, 0, 2, 14, 30);
  return prices.slice(1).map((close, at) => {
    const open = prices[at] ?? close;
    return {
      time: new Date(start + at * millisecondsOfDay).toISOString(),
      open,
      high: Math.max(open, close) + 0.5,
      low: Math.min(open, close) - 0.5,
      close,
      volume: 1000 + at,
    };
  });
}

export function requestOf(bars: readonly Bar[], change: Partial<ChartRequest> = {}): ChartRequest {
  return {
    symbol: 'AAPL',
    timeframe: 'daily',
    bars,
    window: 252,
    indicators: defaultIndicators,
    source: 'test',
    ...change,
  };
}
