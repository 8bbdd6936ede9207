// The slots of one process: requests that go out one after the other in each queue, slots that are kept for an order, and the
// penalty that stops all but cancels and replies. Called by pacing.ts.
import type { Clock } from '../../ports/clocks.js';
import { jitterMs } from './network.js';
import { limited, refused } from './sharedTurns.js';
import { noticingSteps, sleep, type Timer } from './timer.js';

/** Requests of one process that go out one after the other. */
type Queue = 'ordinary' | 'cancel' | 'unshared';

/**
 * Milliseconds between two requests of a queue, so that no second ever holds more than 10 on the gateway's side, where one may
 * arrive `jitterMs` later after its slot than the next. A process alone: 7 ordinary ones, 2 cancels, and 1 kept slot that is
 * used late.
 */
const aloneGapMs: Record<Queue, number> = { ordinary: 160, cancel: 550, unshared: 160 };

/**
 * Where limits are shared, two processes may ask one gateway. Each has a lane of its own for 1 cancel a second and may use 1
 * kept slot late, beside 6 ordinary requests of both (sharedTurns.ts): 10. While the database is away each sends 3 others a
 * second: 10 too.
 */
const amongTwoGapMs: Record<Queue, number> = { ordinary: 160, cancel: 1100, unshared: 400 };

/** How long a reserved slot waits for its request, wall milliseconds. */
const reservedMs = 1000;

/** Between two uses of reserved slots: the rate has room for one that is used late in each second. */
const reservedGapMs = 1000 + jitterMs;

export interface Slots {
  /**
   * Waits for the next slot of a queue, and no less than `leastMs`, behind those that wait in it already.
   * @throws KeelError IBKR_PACING_DEADLINE as soon as it is known that the slot does not come before the deadline
   */
  next(queue: Queue, deadline: number, leastMs?: number): Promise<void>;
  /**
   * In the room of a cancel, where none waits for it, or of a kept slot that is used late, or else in an ordinary one that
   * comes before these are free again: no longer than until then, however many cancels were asked for. Same error.
   * @param ordinary waits for an ordinary slot, and fails where none comes before its deadline
   */
  reply(deadline: number, ordinary: (deadline: number) => Promise<void>): Promise<void>;
  /** Keeps a slot that has come, and uses one that was kept. */
  keep(): void;
  take(): boolean;
  /** Stops all but cancels and replies for so long from now, or longer if they are stopped already. */
  stop(forMs: number): void;
  isStopped(): boolean;
  /** When the penalty ends, milliseconds since the epoch; null while there is none. */
  stoppedUntil(): number | null;
}

interface SlotsOptions {
  readonly clock: Clock;
  readonly factor: number;
  readonly timer: Timer;
  /** Whether another process may ask the same gateway. */
  readonly shares: boolean;
}

export function createSlots({ clock: machine, factor, timer, shares }: SlotsOptions): Slots {
  const gapMs = shares ? amongTwoGapMs : aloneGapMs;
  /**
   * Who waits, in the order of asking. They go out in it too: timers that are late because the process stood still run in any
   * order, and who asked first would wait behind all who ask since.
   */
  const waiting: Record<Queue, symbol[]> = { ordinary: [], cancel: [], unshared: [] };
  const lastOut: Record<Queue, number> = { ordinary: -Infinity, cancel: -Infinity, unshared: -Infinity };
  const reserved: number[] = [];
  let reservedFreeAt = 0;
  let penaltyEnd = 0;
  const clock = noticingSteps(machine, (byMs) => {
    for (const queue of ['ordinary', 'cancel', 'unshared'] as const) {
      lastOut[queue] += byMs;
    }
    for (const [index, end] of reserved.entries()) reserved[index] = end + byMs;
    reservedFreeAt += byMs;
    penaltyEnd += byMs;
  });

  const isStopped = (queue: Queue): boolean => queue !== 'cancel' && clock.now() < penaltyEnd;

  /** When a request goes out that has so many before it in its queue. What was missed is not made up for at once. */
  function slotBehind(queue: Queue, ahead: number): number {
    const now = clock.now();
    const gap = gapMs[queue] / factor;
    return Math.max(now, lastOut[queue] + gap, queue === 'cancel' ? 0 : penaltyEnd) + ahead * gap;
  }

  async function next(queue: Queue, deadline: number, leastMs = 0): Promise<void> {
    const line = waiting[queue];
    const me = Symbol(queue);
    line.push(me);
    try {
      let least = clock.now() + leastMs;
      for (;;) {
        const at = Math.max(least, slotBehind(queue, line.indexOf(me)));
        const now = clock.now();
        if (at > deadline)
          throw isStopped(queue) ? limited(penaltyEnd) : refused(`the ${queue} lane`, deadline, now);
        if (at <= now) break;
        const seen = lastOut[queue];
        await sleep(timer, at - now);
        // The wait is over, whatever the clock says. All else may have changed: a request went late, a penalty has begun.
        if (lastOut[queue] === seen && line[0] === me && !isStopped(queue)) break;
        least = 0;
      }
      lastOut[queue] = clock.now();
    } finally {
      line.splice(line.indexOf(me), 1);
    }
  }

  async function reply(deadline: number, ordinary: (deadline: number) => Promise<void>): Promise<void> {
    for (;;) {
      const now = clock.now();
      const cancelAt = slotBehind('cancel', waiting.cancel.length);
      if (cancelAt <= now) {
        lastOut.cancel = now;
        return;
      }
      if (reservedFreeAt <= now) {
        reservedFreeAt = now + reservedGapMs / factor;
        return;
      }
      const at = Math.min(cancelAt, reservedFreeAt);
      if (at > deadline) throw refused('a reply', deadline, now);
      const roomAgain = sleep(timer, at - now).then(() => false);
      const came = ordinary(at).then(
        () => true,
        () => roomAgain,
      );
      if (await Promise.race([came, roomAgain])) return;
    }
  }

  return {
    next,
    reply,
    keep() {
      reserved.push(clock.now() + reservedMs);
    },
    take() {
      const now = clock.now();
      while ((reserved[0] ?? Infinity) < now) reserved.shift();
      if (now < penaltyEnd || now < reservedFreeAt || reserved.shift() === undefined) return false;
      reservedFreeAt = now + reservedGapMs / factor;
      return true;
    },
    stop(forMs) {
      penaltyEnd = Math.max(penaltyEnd, clock.now() + forMs);
    },
    isStopped: () => clock.now() < penaltyEnd,
    stoppedUntil: () => (clock.now() < penaltyEnd ? penaltyEnd : null),
  };
}
