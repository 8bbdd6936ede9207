// Executions that the broker puts right afterwards: told once more under an id whose last part is raised, at another price.
// Called by engine.ts; corrected.ts books it.
import { price } from '../../domain/money/decimal.js';
import type { Exchange } from './command.js';
import { PRICE_INCREMENT } from './types.js';

/**
 * Corrects executions, each once, by a step of the price in the customer's favour: nobody is overdrawn by it. One that was
 * bought at the least price stays as it is.
 */
export function correctExecutions({ state, emit }: Exchange, executionIds: ReadonlySet<string>): void {
  const told = new Set(state.executions.map(({ executionId }) => executionId));
  for (const first of [...state.executions]) {
    if (!executionIds.has(first.executionId)) continue;
    const executionId = first.executionId.replace(/\.01$/, '.02');
    const better = price(first.price).plus(first.side === 'BUY' ? `-${PRICE_INCREMENT}` : PRICE_INCREMENT);
    if (told.has(executionId) || better.lte(0)) continue;
    const changed = { executionId, price: better.toString(), corrects: first.executionId };
    emit({ ...first, ...changed, type: 'correction', at: state.now });
  }
}
