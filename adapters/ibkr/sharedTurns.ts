// A gateway's limits among all processes, as one process keeps to them: a turn of the common rate, and the claim of a gate at
// the moment its request goes out. Called by pacing.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { SharedPacing } from '../../ports/pacing.js';

/**
 * How much later than its turn a request may go out, wall milliseconds: an answer of the database that was slow, or a
 * process that stood still. The gaps below leave room for it; whoever is later takes another turn.
 */
const lateMs = 75;

/**
 * Milliseconds between two ordinary requests of all processes. A second holds those whose turn came in it or up to twice
 * `lateMs` before (a turn, then a claim): 7, and with two cancels and a kept slot that is used late never more than 10.
 */
const laneGapMs = 165;

/** From one claim of a gate to the next: the limit, what the first may be late, and a twentieth for the network. */
const claimGapMs = (gapMs: number): number => gapMs * 1.05 + lateMs;

export interface SharedTurns {
  /** Waits for an ordinary turn. @returns false where it can no longer be used, so that another must be taken */
  turn(deadline: number, strict: boolean): Promise<boolean>;
  /**
   * Claims a gate for a request that goes out now; where it is not free, waits until it is.
   * @param strict no request where the database cannot be asked; otherwise one after a whole gap more
   * @returns whether the request may go out; if not, it needs a turn of the rate again, as it has waited
   */
  claim(gate: string, gapMs: number, deadline: number, strict: boolean): Promise<boolean>;
}

interface Parts {
  readonly shared: SharedPacing;
  readonly clock: Clock;
  readonly factor: number;
  readonly wait: (ms: number) => Promise<void>;
  /** Hears for how long all requests must stop, milliseconds from now. */
  readonly stopped: (ms: number) => void;
}

export function refused(what: string, deadline: number, now: number): KeelError {
  const left = Math.max(0, Math.round(deadline - now));
  const text = `${what} gets no turn under the gateway's limits within ${left} ms; nothing was sent. Try later.`;
  return new KeelError('IBKR_PACING_DEADLINE', text, {
    errorClass: 'retryable',
    facts: { what, waitMs: left },
  });
}

export function createSharedTurns({ shared, clock, factor, wait, stopped }: Parts): SharedTurns {
  async function waitWithin(what: string, ms: number, deadline: number): Promise<void> {
    const now = clock.now();
    if (now + ms > deadline) throw refused(what, deadline, now);
    if (ms > 0) await wait(ms);
  }

  /** The database's answer; null where it is away and the request is one that goes on without. */
  const ask = <T>(question: Promise<T>, strict: boolean): Promise<T | null> =>
    question.catch((error: unknown) => {
      if (strict) throw error;
      return null;
    });

  return {
    async turn(deadline, strict) {
      const what = 'all requests';
      const asked = clock.now();
      const gapMs = laneGapMs / factor;
      const turn = await ask(shared.take(what, gapMs, Math.max(0, deadline - asked)), strict);
      if (turn === null) {
        // At half the rate, so that the login is kept awake.
        await waitWithin(what, gapMs, deadline);
        return true;
      }
      stopped(turn.stopMs);
      if (turn.waitMs === null) throw refused(what, deadline, clock.now());
      await waitWithin(what, Math.max(turn.waitMs, turn.stopMs), deadline);
      return clock.now() - (asked + turn.waitMs) <= lateMs;
    },
    async claim(gate, gapMs, deadline, strict) {
      const asked = clock.now();
      const claim = await ask(shared.claim(gate, claimGapMs(gapMs) / factor), strict);
      if (claim === null) {
        await waitWithin(gate, gapMs / factor, deadline);
        return true;
      }
      if (claim.taken && clock.now() - asked <= lateMs) return true;
      await waitWithin(gate, claim.waitMs, deadline);
      return false;
    },
  };
}
