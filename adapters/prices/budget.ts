// How often a source is asked, so that no user uses up a key, has this machine refused, or takes the source from all
// others. Used by broker.ts, and around sources by api/prices.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { PriceSource, SourceBatch } from '../../ports/prices.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

interface Budget {
  /** Questions within any minute, and within any 24 hours; a day without a figure has no limit of its own. */
  readonly perMinute: number;
  readonly perDay?: number;
}

interface Question {
  readonly at: number;
  readonly asker: string | undefined;
}

/** What stands in the way of a question: the budget of all, or the asker's share of it. */
interface Refusal {
  readonly restMs: number;
  readonly ofAll: boolean;
}

interface Window {
  readonly ms: number;
  readonly most: number;
}

/** Of a budget one asker has so much; at least one question. */
const share = 0.5;

/** @returns a function that takes one turn of a minute's: null when it has it, else the wall milliseconds until the next one */
export function createMinuteBudget(clock: Clock, perMinute: number): () => number | null {
  const take = createBudget(clock, { perMinute });
  return () => take()?.restMs ?? null;
}

function createBudget(
  clock: Clock,
  { perMinute, perDay = Infinity }: Budget,
): (asker?: string) => Refusal | null {
  const windows: readonly Window[] = [
    { ms: minuteMs, most: perMinute },
    ...(perDay === Infinity ? [] : [{ ms: dayMs, most: perDay }]),
  ];
  const longest = Math.max(...windows.map(({ ms }) => ms));
  let begun: readonly Question[] = [];
  const refusalOf = ({ ms, most }: Window, asker: string | undefined): Refusal | null => {
    const since = begun.filter(({ at }) => at > clock.now() - ms);
    const own = since.filter((each) => asker !== undefined && each.asker === asker);
    const full = (questions: readonly Question[], limit: number, ofAll: boolean): Refusal | null => {
      const [oldest] = questions;
      if (oldest === undefined || questions.length < limit) return null;
      return { restMs: oldest.at + ms - clock.now(), ofAll };
    };
    return full(since, most, true) ?? full(own, Math.max(1, Math.floor(most * share)), false);
  };
  return (asker) => {
    begun = begun.filter(({ at }) => at > clock.now() - longest);
    for (const window of windows) {
      const refusal = refusalOf(window, asker);
      if (refusal !== null) return refusal;
    }
    begun = [...begun, { at: clock.now(), asker }];
    return null;
  };
}

/** The same source, asked so often at most, and by one asker half as often. */
export function withBudget(source: PriceSource, clock: Clock, budget: Budget): PriceSource {
  const take = createBudget(clock, budget);
  const words = `${String(budget.perMinute)} prices a minute${budget.perDay === undefined ? '' : ` and ${String(budget.perDay)} a day`}`;
  const errorOf = (symbol: string, { restMs, ofAll }: Refusal): KeelError => {
    if (ofAll) {
      const text = `${source.name} is asked for ${words} at most.`;
      return new KeelError('PRICE_LIMITED', text, { errorClass: 'retryable', facts: { symbol, restMs } });
    }
    const text = `${source.name} is asked for ${words} at most, and you have had your half of it.`;
    return new KeelError('PRICE_SHARE', text, { errorClass: 'retryable', facts: { symbol } });
  };
  const { prices } = source;
  return {
    name: source.name,
    price: async (symbol, asker) => {
      const refusal = take(asker);
      if (refusal === null) return source.price(symbol, asker);
      throw errorOf(symbol, refusal);
    },
    // Many at once are one question; what they cost beside it is for the source to count.
    ...(prices !== undefined && {
      prices: async (symbols: readonly string[], asker?: string): Promise<SourceBatch> => {
        const refusal = take(asker);
        if (refusal === null) return prices(symbols, asker);
        return new Map(symbols.map((symbol) => [symbol, errorOf(symbol, refusal)]));
      },
    }),
  };
}
