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
  spending: ({ by, ownerId }) =>
    world.from('database', () => {
      const counts = { calls: 3, reused: 0, refused: 0, inputTokens: 3600, outputTokens: 1020 };
      const key = { day: '2026-01-05', month: '2026-01', strategy: 'demo', run: 'r', call: 'c' }[by];
      const whose = { strategyId: ownerId, runId: null, purpose: null };
      return [{ key, ...whose, ...counts, usd: '0.3', openUsd: '0.1' }];
    }),
  spent: () =>
    world.from('database', () => ({
      mode: 'simulated',
      day: nothing,
      month: { ...nothing, calls: 3, usd: '1.5' },
    })),
});
