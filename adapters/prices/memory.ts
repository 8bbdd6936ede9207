// What the chain remembers of its sources: who answered last, who failed how, who has to be left alone. Used by chain.ts.
import type { Clock } from '../../ports/clocks.js';
import type { KeelError } from '../../ports/errors.js';
import type { PriceSource, PriceSourceName, SourceMemory } from '../../ports/prices.js';

export interface Memories {
  readonly all: () => readonly SourceMemory[];
  readonly rests: (source: PriceSourceName) => boolean;
  readonly answered: (source: PriceSourceName) => void;
  readonly failed: (source: PriceSourceName, error: KeelError) => void;
}

const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

interface Entry {
  answeredAt: number | null;
  failedAt: number | null;
  failure: string | null;
  restsUntil: number | null;
}

export function createMemories(sources: readonly PriceSource[], clock: Clock): Memories {
  const entries = new Map<PriceSourceName, Entry>(
    sources.map(({ name }) => [name, { answeredAt: null, failedAt: null, failure: null, restsUntil: null }]),
  );
  const change = (source: PriceSourceName, part: Partial<Entry>): void => {
    const entry = entries.get(source);
    if (entry !== undefined) Object.assign(entry, part);
  };
  return {
    all: () =>
      [...entries].map(([source, entry]) => ({
        source,
        answeredAt: instant(entry.answeredAt),
        failedAt: instant(entry.failedAt),
        failure: entry.failure,
        restsUntil: instant(entry.restsUntil),
      })),
    rests: (source) => (entries.get(source)?.restsUntil ?? -Infinity) > clock.now(),
    answered: (source) => {
      change(source, { answeredAt: clock.now(), restsUntil: null });
    },
    failed: (source, { code, facts }) => {
      // A symbol that is not there is an answer of the source, and no failure.
      if (code === 'PRICE_UNKNOWN_SYMBOL') {
        change(source, { answeredAt: clock.now() });
        return;
      }
      const rest = facts['restMs'];
      const restsUntil = typeof rest === 'number' ? clock.now() + rest : null;
      change(source, { failedAt: clock.now(), failure: code, restsUntil });
    },
  };
}
