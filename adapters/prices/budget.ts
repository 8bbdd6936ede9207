// How often a source is asked within a minute, so that no user can burn a key or have this machine refused. Used by
// broker.ts, and around sources on the internet by api/prices.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { PriceSource } from '../../ports/prices.js';

const minuteMs = 60_000;

/** @returns a function that takes one turn: null when it has it, else the wall milliseconds until the next one */
export function createMinuteBudget(clock: Clock, perMinute: number): () => number | null {
  let begun: readonly number[] = [];
  return () => {
    begun = begun.filter((at) => at > clock.now() - minuteMs);
    const [oldest] = begun;
    if (oldest !== undefined && begun.length >= perMinute) return oldest + minuteMs - clock.now();
    begun = [...begun, clock.now()];
    return null;
  };
}

/** The same source, asked so often a minute at most. */
export function withBudget(source: PriceSource, clock: Clock, perMinute: number): PriceSource {
  const take = createMinuteBudget(clock, perMinute);
  return {
    name: source.name,
    price: async (symbol) => {
      const restMs = take();
      if (restMs === null) return source.price(symbol);
      const words = `${source.name} is asked for ${String(perMinute)} prices a minute at most (prices.perMinute).`;
      throw new KeelError('PRICE_LIMITED', words, { errorClass: 'retryable', facts: { symbol, restMs } });
    },
  };
}
