// The cache of one process: a bounded map. Used by the composition roots when there is no REDIS_URL.
import type { CachePort } from '../../ports/cache.js';
import type { Clock } from '../../ports/clocks.js';

/** Far more symbols than anyone watches; the oldest entry makes room. */
const mostEntries = 10_000;

export function createMemoryCache(clock: Clock, most = mostEntries): CachePort {
  const entries = new Map<string, { readonly value: string; readonly endsAt: number }>();
  return {
    get: (key) => {
      const found = entries.get(key);
      if (found === undefined) return Promise.resolve(null);
      if (found.endsAt > clock.now()) return Promise.resolve(found.value);
      entries.delete(key);
      return Promise.resolve(null);
    },
    set: (key, value, ttlMs) => {
      entries.delete(key);
      entries.set(key, { value, endsAt: clock.now() + ttlMs });
      const [oldest] = entries.keys();
      if (entries.size > most && oldest !== undefined) entries.delete(oldest);
      return Promise.resolve();
    },
    check: () => Promise.resolve({ kind: 'memory', ok: true, reason: null }),
    close: () => {
      entries.clear();
      return Promise.resolve();
    },
  };
}
