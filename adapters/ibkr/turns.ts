// When a request of one process goes out: under the limits, and not while IBKR asks about an order. Called by client.ts.
import type { Clock } from '../../ports/clocks.js';
import type { GateName } from './gates.js';
import type { Lane, Pacing } from './pacing.js';
import { latestSendMs, refused } from './sharedTurns.js';
import type { Timer } from './timer.js';

export interface Turns {
  /**
   * Waits for the turn of a request in its lane; it must go out at once. No error but those of pacing.slot.
   * @param what names the request in an error
   */
  turn(what: string, lane: Lane, gate: GateName | undefined, deadline: number): Promise<void>;
  /** Keeps an ordinary request among those that an order waits for. Each ends by its own timeout. */
  watched<T>(request: Promise<T>): Promise<T>;
  /** As in client.ts. */
  quietly<T>(work: () => Promise<T>): Promise<T>;
}

interface TurnsOptions {
  readonly pacing: Pacing;
  readonly clock: Clock;
  readonly timer: Timer;
}

/** How long a cancel leaves an order that is asked about alone, wall milliseconds: an answer to it takes less. */
const cancelWaitMs = 2000;

/** Resolves with the promise, or after so many milliseconds. */
function within(timer: Timer, ms: number, promise: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    const cancel = timer.after(ms, () => {
      resolve(undefined);
    });
    void promise.then((value) => {
      cancel();
      resolve(value);
    });
  });
}

export function createTurns({ pacing, clock, timer }: TurnsOptions): Turns {
  let quiet: Promise<unknown> = Promise.resolve();
  const onTheirWay = new Set<Promise<unknown>>();

  /** Waits for an ordinary turn that comes while no order is asked about: one may have begun while this one waited. */
  async function ordinaryTurn(what: string, gate: GateName | undefined, deadline: number): Promise<void> {
    for (;;) {
      const before = quiet;
      await before;
      await pacing.slot('ordinary', deadline, gate, () => quiet === before);
      // A database that was slow to answer: whoever holds a place at the gate does not have it for longer.
      if (clock.now() > deadline + latestSendMs) throw refused(what, deadline, clock.now());
      if (quiet === before) return;
    }
  }

  /** A cancel that came between would void the order. It needs nobody else, so its patience ends soon. */
  async function cancelTurn(deadline: number): Promise<void> {
    const patience = Math.min(clock.now() + cancelWaitMs, deadline);
    for (;;) {
      const before = quiet;
      await within(timer, Math.max(0, patience - clock.now()), before);
      await pacing.slot('cancel', deadline);
      if (quiet === before || clock.now() >= patience) return;
    }
  }

  async function watched<T>(request: Promise<T>): Promise<T> {
    const ended = request.catch(() => undefined);
    onTheirWay.add(ended);
    try {
      return await request;
    } finally {
      onTheirWay.delete(ended);
    }
  }

  return {
    turn(what, lane, gate, deadline) {
      if (lane === 'ordinary') return ordinaryTurn(what, gate, deadline);
      if (lane === 'cancel') return cancelTurn(deadline);
      return lane === 'order' && pacing.takeReserved() ? Promise.resolve() : pacing.slot(lane, deadline);
    },
    watched,
    quietly(work) {
      const done = Promise.all(onTheirWay).then(work);
      quiet = done.catch(() => undefined);
      return done;
    },
  };
}
