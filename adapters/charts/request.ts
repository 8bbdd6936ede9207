// Refuses what can not be drawn truthfully, before anything is computed. Called in the caller's process and by render.
import type { Bar } from '../../domain/market/bar.js';
import { isInstant } from '../../domain/market/dates.js';
import type { ChartRequest } from '../../ports/chartRenderer.js';
import { KeelError } from '../../ports/errors.js';

/** More bars than this leave less than a pixel and a bit for each. */
const maximumWindow = 1000;

function problemOf(bar: Bar, before: Bar | undefined): string | null {
  const prices = [bar.open, bar.high, bar.low, bar.close];
  if (!prices.every(Number.isFinite)) return 'has a price that is not a finite number';
  if (!Number.isFinite(bar.volume) || bar.volume < 0) return 'has a volume that is negative or not a number';
  if (bar.high < Math.max(...prices) || bar.low > Math.min(...prices))
    return 'has an open or close outside low to high';
  if (!isInstant(bar.time)) return 'has a time that is not ISO 8601 UTC with milliseconds';
  if (before !== undefined && bar.time <= before.time) return 'is not later than the bar before it';
  return null;
}

/** @throws KeelError CHART_INPUT, final, that names the first bar at fault. */
export function checkRequest(request: ChartRequest): void {
  const refuse = (message: string, facts: Record<string, string | number> = {}): never => {
    throw new KeelError('CHART_INPUT', `No chart of ${request.symbol} (${request.timeframe}): ${message}.`, {
      errorClass: 'final',
      facts: { symbol: request.symbol, timeframe: request.timeframe, ...facts },
    });
  };
  if (request.bars.length === 0) refuse('there are no bars; fetch some first');
  if (!Number.isInteger(request.window) || request.window < 1 || request.window > maximumWindow)
    refuse(`the window must be a whole number of bars from 1 to ${maximumWindow}, not ${request.window}`);
  for (const [index, bar] of request.bars.entries()) {
    const problem = problemOf(bar, request.bars[index - 1]);
    if (problem !== null) refuse(`bar ${index + 1} (${bar.time}) ${problem}`, { bar: index + 1 });
  }
}
