// Refuses what can not be drawn truthfully, before anything is computed. Called in the caller's process and by render.
import { validateBars } from '../../domain/market/validate.js';
import type { ChartRequest } from '../../ports/chartRenderer.js';
import { KeelError } from '../../ports/errors.js';

/** More bars than this leave less than a pixel and a bit for each. */
const maximumWindow = 1000;

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
  const [problem] = validateBars(request.bars);
  if (problem !== undefined) refuse(problem.message, { bar: problem.index + 1 });
}
