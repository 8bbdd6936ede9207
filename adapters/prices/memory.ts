// What the chain remembers of its sources: who answered last, who failed how, who has to be left alone. Used by chain.ts.
import type { Clock } from '../../ports/clocks.js';
import type { KeelError } from '../../ports/errors.js';
import type { PriceSource, PriceSourceName, SourceMemory } from '../../ports/prices.js';

export interface Memories {
  readonly all: () => readonly SourceMemory[];
  /** Why the source is not to be asked now, in words; null when it may be. */
  readonly resting: (source: PriceSourceName) => string | null;
  readonly answered: (source: PriceSourceName) => void;
  readonly failed: (source: PriceSourceName, error: KeelError) => void;
}

const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

interface Entry {
  answeredAt: number | null;
  failedAt: number | null;
  failure: string | null;
  /** Wall milliseconds; long past when it was never told to rest. */
  restsUntil: number;
}

export function createMemories(sources: readonly PriceSource[], clock: Clock): Memories {
  const entries = new Map<PriceSourceName, Entry>(
    sources.map(({ name }) => [name, { answeredAt: null, failedAt: null, failure: null, restsUntil: 0 }]),
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
        restsUntil: entry.restsUntil > clock.now() ? instant(entry.restsUntil) : null,
      })),
    resting: (source) => {
      const entry = entries.get(source);
      if (entry === undefined || entry.restsUntil <= clock.now()) return null;
      return `${source} is left alone until ${new Date(entry.restsUntil).toISOString()} (${entry.failure ?? ''}).`;
    },
    // A rest is never ended by an answer: that of a question asked before the limit may come after it.
    answered: (source) => {
      change(source, { answeredAt: clock.now() });
    },
    failed: (source, { code, facts }) => {
      // One asker has had enough of it; the source was not asked.
      if (code === 'PRICE_SHARE') return;
      // A symbol that is not there is an answer of the source, and no failure.
      if (code === 'PRICE_UNKNOWN_SYMBOL') {
        change(source, { answeredAt: clock.now() });
        return;
      }
      const rest = facts['restMs'];
      const asked = typeof rest === 'number' ? clock.now() + rest : 0;
      const stands = entries.get(source)?.restsUntil ?? 0;
      // Of two rests the later one, with its reason: a time-out may come after the limit that it overlapped.
      if (asked < stands && stands > clock.now()) return;
      change(source, { failedAt: clock.now(), failure: code, restsUntil: Math.max(asked, stands) });
    },
  };
}
