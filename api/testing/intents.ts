// The order intents of the in-memory world. Used by api/testing/memoryStores.ts.
import type { ApiDeps } from '../app.js';
import type { MemoryWorld } from './world.js';

export const intentsOf = (world: MemoryWorld): ApiDeps['intents'] => ({
  byRun: (id) => world.from('database', () => world.intents.get(id) ?? null),
  askCancel: (id) => world.from('database', () => void world.cancelAsked.add(id)),
});
