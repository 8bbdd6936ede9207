// The lines of market data that this process has opened at the gateway: a snapshot opens one for each contract, and it stays
// open until it is given back. IBKR has a hundred for a login. Made by gateway.ts, used by broker.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';

/** Contracts of one question. With it no more lines than these stay open here: the others are for whoever else is logged in. */
export const mostLines = 80;

/** Who asks for prices does so every minute; what nobody has asked for since is not wanted any more. */
const idleMs = 5 * 60_000;
/** A quote that is being read, perhaps for an order, keeps its line. */
const busyMs = 30_000;
/** Idle lines given back in one go: each is a request, and orders have their turn among them. */
const idleAtOnce = 5;

export interface Lines {
  /** Somebody asks for these now. */
  asked(conids: readonly string[]): void;
  /** Gives back what is idle, a few at a time, and what would be too many beside `wanted`. Never fails: it tries again later. */
  makeRoom(wanted: readonly string[]): Promise<void>;
}

/**
 * @param release gives one line back; the gateway's "there is none" is no error
 * @param factor all times are divided by it, as the gateway's limits are multiplied
 */
export function createLines(clock: Clock, factor: number, release: (conid: string) => Promise<void>): Lines {
  const askedAt = new Map<string, number>();
  /** The longest idle first. */
  const toGiveBack = (wanted: ReadonlySet<string>): readonly (readonly [string, number])[] => {
    const others = [...askedAt].filter(([conid]) => !wanted.has(conid)).sort(([, a], [, b]) => a - b);
    const tooMany = others.length + wanted.size - mostLines;
    const olderThan = (at: number, ms: number): boolean => clock.now() - at >= ms / factor;
    return others.filter(([, at], index) =>
      index < tooMany ? olderThan(at, busyMs) : index < idleAtOnce && olderThan(at, idleMs),
    );
  };
  return {
    asked: (conids) => {
      for (const conid of conids) askedAt.set(conid, clock.now());
    },
    makeRoom: async (wanted) => {
      for (const [conid, at] of toGiveBack(new Set(wanted))) {
        // Each waits for its turn, and meanwhile an order may read the quote of the next, or open this line again.
        const isIdle = (): boolean => askedAt.get(conid) === at;
        if (!isIdle()) continue;
        try {
          await release(conid);
        } catch (error) {
          // Whoever asks for prices next learns what is wrong; this line is given back another time.
          if (error instanceof KeelError) return;
          throw error;
        }
        if (isIdle()) askedAt.delete(conid);
      }
    },
  };
}
