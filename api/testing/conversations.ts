// Calls to models in memory, for the tests of the API. Used by memory.ts.
import type { ApiDeps } from '../app.js';
import type { CallRow } from '../../ports/conversations.js';

interface Calls {
  readonly calls: readonly CallRow[];
  from<T>(server: 'database', value: () => T): Promise<T>;
}

const nothing = { calls: 0, inputTokens: 0, outputTokens: 0, usd: '0' };

export const conversationsOf = (world: Calls): ApiDeps['conversations'] => ({
  byRun: (id) => world.from('database', () => world.calls.filter(({ runId }) => runId === id)),
  spent: () =>
    world.from('database', () => ({
      mode: 'simulated',
      day: nothing,
      month: { ...nothing, calls: 3, usd: '1.5' },
    })),
});
