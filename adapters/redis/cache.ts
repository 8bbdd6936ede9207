// The cache in Redis, shared by all processes. Every value is kept in this process too, and answers while Redis does
// not. Used by the composition roots when REDIS_URL is set.
import KeyvRedis from '@keyv/redis';
import pTimeout, { TimeoutError } from 'p-timeout';
import type { CachePort, CacheState } from '../../ports/cache.js';
import type { Clock } from '../../ports/clocks.js';

export interface RedisCacheOptions {
  /** redis:// or rediss://; holds a password, so it enters no message. */
  readonly url: string;
  readonly clock: Clock;
  /** Stands in for Redis; closed with it. */
  readonly fallback: CachePort;
  /** For one command, milliseconds: a slow cache is worth less than none. */
  readonly timeoutMs: number;
}

/** After a command that brought no answer Redis is left alone for so long, so that not every request waits for it. */
const restMs = 5000;
const longestReconnectMs = 5000;

/** Makes no connection; the first command does. */
export function createRedisCache({ url, clock, fallback, timeoutMs }: RedisCacheOptions): CachePort {
  const store = new KeyvRedis<string>(
    {
      url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: timeoutMs,
        reconnectStrategy: (tries: number) => Math.min(100 * 2 ** tries, longestReconnectMs),
      },
    },
    { throwOnErrors: true, throwOnConnectError: true, connectionTimeout: timeoutMs },
  );
  // The words of each failure come with the command that failed; an event without a listener would end the process.
  store.on('error', () => undefined);
  let restsUntil = -Infinity;
  let reason: string | null = null;

  /** @returns undefined when Redis has no answer in time */
  async function ask<T>(work: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    if (clock.now() < restsUntil) return undefined;
    try {
      const value = await pTimeout(work(), {
        milliseconds: timeoutMs,
        message: `no answer within ${timeoutMs} ms`,
      });
      reason = null;
      return { value };
    } catch (error) {
      reason = wordsOf(error);
      restsUntil = clock.now() + restMs;
      return undefined;
    }
  }
  const state = (): CacheState => ({ kind: 'redis', ok: reason === null, reason });

  return {
    get: async (key) => {
      const found = await ask(() => store.get<string>(key));
      return found === undefined ? fallback.get(key) : (found.value ?? null);
    },
    set: async (key, value, ttlMs) => {
      await fallback.set(key, value, ttlMs);
      await ask(() => store.set(key, value, ttlMs));
    },
    check: async () => {
      restsUntil = -Infinity;
      await ask(() => store.has('keel:check'));
      return state();
    },
    close: async () => {
      await pTimeout(store.disconnect(true), { milliseconds: timeoutMs }).catch(() => undefined);
      await fallback.close();
    },
  };
}

/** The kind of failure only: the client's own text may name the URL. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unreachable';
  if (error instanceof TimeoutError) return error.message;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.constructor.name;
  return `Redis does not answer (${code})`;
}
