// Bars as columns: the form that indicators and charts compute with.
import type { BarColumns } from '../indicators/types.js';
import type { Bar } from './bar.js';

/** Copies bars into one typed array a field, in the same order. */
export function toColumns(bars: readonly Bar[]): BarColumns {
  return {
    open: Float64Array.from(bars, (bar) => bar.open),
    high: Float64Array.from(bars, (bar) => bar.high),
    low: Float64Array.from(bars, (bar) => bar.low),
    close: Float64Array.from(bars, (bar) => bar.close),
    volume: Float64Array.from(bars, (bar) => bar.volume),
  };
}
