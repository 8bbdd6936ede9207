// Small tools of the indicator loops: in-bounds reads, series with their warm-up, checks of parameters.
import type { Series } from './types.js';

/** Reads inside the bounds; the loops guarantee them, and the engine removes the check. */
export const at = (values: Float64Array, index: number): number => values[index] ?? NaN;

/** A series whose first `lookback` values are NaN; the rest is for the caller to fill. */
export function warmingUp(length: number, lookback: number): Series {
  return new Float64Array(length).fill(NaN, 0, lookback);
}

/** @throws RangeError when a period is no whole number of bars, or too small for the indicator to mean anything */
export function checkPeriod(name: string, period: number, minimum: number): void {
  if (!Number.isInteger(period) || period < minimum)
    throw new RangeError(`${name} must be a whole number of bars, at least ${minimum}: ${period}`);
}

/** @throws RangeError when a width is not a positive finite number */
export function checkWidth(name: string, width: number): void {
  if (!Number.isFinite(width) || width <= 0)
    throw new RangeError(`${name} must be a positive number: ${width}`);
}

/** @throws RangeError when columns that belong together differ in length */
export function checkLengths(...columns: readonly Float64Array[]): void {
  if (columns.some((column) => column.length !== columns[0]?.length))
    throw new RangeError(`columns differ in length: ${columns.map((column) => column.length).join(', ')}`);
}
