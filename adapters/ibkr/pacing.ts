// The one limiter of a process for a gateway: a 429 would stop everything for fifteen minutes. Called by client.ts
// and orders.ts; made once by gateway.ts.
import type { Clock } from '../../ports/clocks.js';
import type { SharedPacing } from '../../ports/pacing.js';
import { createEnter, createGates, gateRules, type GateName, type Leave } from './gates.js';
import { createSharedTurns, refused } from './sharedTurns.js';
import type { SharedTurns } from './sharedTurns.js';
import { machineTimer, sleep, type Timer } from './timer.js';

/**
 * Ordinary requests; the one that writes an order, which never goes out where the shared limits cannot be read; cancels,
 * whose share of the 10 requests a second nobody else may use but replies to questions about an order, which wait for nobody.
 */
export type Lane = 'ordinary' | 'order' | 'cancel' | 'reply';

/** Requests of one process that go out one after the other. */
type Queue = 'ordinary' | 'cancel' | 'unshared';

/**
 * Milliseconds between two requests of a queue, evenly, so that no second ever holds more than 10 on the gateway's side. A
 * process alone: 7 ordinary ones, 2 cancels, and 1 kept slot that is used late.
 */
const aloneGapMs: Record<Queue, number> = { ordinary: 150, cancel: 500, unshared: 150 };

/**
 * Where limits are shared, two processes may ask one gateway. Each has a lane of its own for 1 cancel a second and may use 1
 * kept slot late, beside 6 ordinary requests of both (sharedTurns.ts): 10. While the database is away each sends 3 others a
 * second: 8. Up to 100 ms that the network delays one request more than the next are in it.
 */
const amongTwoGapMs: Record<Queue, number> = { ordinary: 150, cancel: 1100, unshared: 400 };

/** How long a reserved slot waits for its request, wall milliseconds. */
const reservedMs = 1000;

/** Between two uses of reserved slots: the rate has room for one that is used late in each second. */
const reservedGapMs = 1100;

/** What had its turn of the shared rate before the database was away has gone after this. */
const lastTurnsMs = 1000;

const penaltyMs = 15 * 60 * 1000;

export interface Pacing {
  /**
   * Waits for its turn at a gate in this process. The caller runs what is returned when the answer is there, or with `false`
   * when none came: the gateway may still be at work then, so a place among several is kept as long as a request may last.
   * @param deadline wall clock, milliseconds since the epoch
   * @throws KeelError IBKR_PACING_DEADLINE (retryable) when the turn does not come before the deadline.
   */
  enter(gate: GateName, deadline: number): Promise<Leave>;
  /**
   * Waits for a slot of the rate that all requests share, and where an ordinary request has a gate, until no other process
   * holds that. The request must go out at once. Same deadline, same error; DATABASE_AWAY (retryable) from a gate.
   * @param isWanted asked before the gate is claimed: whoever would not send does not keep the others from it
   */
  slot(lane: Lane, deadline: number, gate?: GateName | null, isWanted?: () => boolean): Promise<void>;
  /** Waits for a slot of the lane `order` and keeps it for a request that must not wait any more. Same deadline, same error. */
  reserve(deadline: number): Promise<void>;
  /** Uses a slot that was kept. @returns false when none is fresh, one was used a moment ago, or a penalty has begun since. */
  takeReserved(): boolean;
  /** The gateway has answered 429: everything but cancels stops for the penalty, counted from the first such answer. */
  penalize(): void;
}

export interface PacingOptions {
  readonly clock: Clock;
  /** All rates are multiplied by it, all waits divided; 1 for IBKR itself. */
  readonly factor: number;
  readonly timer?: Timer;
  /** The same limits among all processes; none where this process is the only one that asks the gateway. */
  readonly shared?: SharedPacing;
  /** Longest life of one request, wall milliseconds; 30 s unless given. */
  readonly requestMs?: number;
}

/** @throws RangeError when the factor is not positive. */
export function createPacing(options: PacingOptions): Pacing {
  const { clock, factor, timer = machineTimer, shared, requestMs = 30_000 } = options;
  if (!(factor > 0)) throw new RangeError(`the pacing factor must be positive: ${factor}`);
  const gapMs = shared === undefined ? aloneGapMs : amongTwoGapMs;
  const nextSlot: Record<Queue, number> = { ordinary: 0, cancel: 0, unshared: 0 };
  const reserved: number[] = [];
  let reservedFreeAt = 0;
  let penaltyEnd = 0;

  const turns =
    shared === undefined
      ? null
      : createSharedTurns({
          ...{ shared, clock, factor, requestMs, wait: (ms) => sleep(timer, ms) },
          unshared: (deadline) => slot('unshared', deadline, lastTurnsMs / factor),
          stopped: (ms) => {
            penaltyEnd = Math.max(penaltyEnd, clock.now() + ms);
          },
        });

  /** Only the login must be kept awake while the database is away; what else has a gate waits for it. */
  async function claimed(
    among: SharedTurns,
    gate: GateName,
    until: number,
    deadline: number,
  ): Promise<boolean> {
    const { gapMs: between } = gateRules[gate];
    return between === 0 || among.claim(gate, between, until, deadline, gate !== 'tickle');
  }

  const enter = createEnter({
    clock,
    timer,
    requestMs,
    turns,
    enterHere: createGates({ clock, factor, timer }),
  });

  /**
   * A slot here, then a turn among all processes, then the gate's claim: last, because nothing must come between it and the
   * request. What has waited since its slot, or was told of a penalty, begins again.
   */
  async function ordinarySlot(
    deadline: number,
    strict: boolean,
    gate: GateName | null,
    isWanted: () => boolean,
  ): Promise<void> {
    for (;;) {
      await slot('ordinary', deadline);
      if (turns === null) return;
      const until = await turns.turn(deadline, strict);
      if (clock.now() > until || clock.now() < penaltyEnd) continue;
      if (!isWanted()) return;
      if (gate !== null && !(await claimed(turns, gate, until, deadline))) continue;
      if (clock.now() >= penaltyEnd) return;
    }
  }

  async function slot(queue: Queue, deadline: number, leastMs = 0): Promise<void> {
    for (;;) {
      const now = clock.now();
      const at = Math.max(now + leastMs, nextSlot[queue], queue === 'cancel' ? 0 : penaltyEnd);
      if (at > deadline) throw refused(`the ${queue} lane`, deadline, now);
      nextSlot[queue] = at + gapMs[queue] / factor;
      if (at > now) await sleep(timer, at - now);
      // A penalty may have begun while this one slept.
      if (queue === 'cancel' || clock.now() >= penaltyEnd) return;
    }
  }

  /**
   * In the room of a cancel, where none waits for it, or else of a kept slot that is used late: no longer than until that is
   * free again, however many cancels were asked for.
   */
  async function replySlot(deadline: number): Promise<void> {
    for (;;) {
      const now = clock.now();
      if (nextSlot.cancel <= now) {
        nextSlot.cancel = now + gapMs.cancel / factor;
        return;
      }
      if (reservedFreeAt <= now) {
        reservedFreeAt = now + reservedGapMs / factor;
        return;
      }
      const at = Math.min(nextSlot.cancel, reservedFreeAt);
      if (at > deadline) throw refused('a reply', deadline, now);
      await sleep(timer, at - now);
    }
  }

  return {
    enter,
    slot(lane, deadline, gate = null, isWanted = () => true) {
      if (lane === 'reply') return replySlot(deadline);
      return lane === 'cancel'
        ? slot(lane, deadline)
        : ordinarySlot(deadline, lane === 'order', gate, isWanted);
    },
    async reserve(deadline) {
      await ordinarySlot(deadline, true, null, () => true);
      reserved.push(clock.now() + reservedMs);
    },
    takeReserved() {
      const now = clock.now();
      while ((reserved[0] ?? Infinity) < now) reserved.shift();
      if (now < penaltyEnd || now < reservedFreeAt || reserved.shift() === undefined) return false;
      reservedFreeAt = now + reservedGapMs / factor;
      return true;
    },
    penalize() {
      // A cancel that meets the penalty is told nothing new: each would put off for all when reads and the login go on.
      if (clock.now() < penaltyEnd) return;
      penaltyEnd = clock.now() + penaltyMs / factor;
      // This process stops in any case; the others learn of it with their next turn.
      shared?.stop(penaltyMs / factor).catch(() => undefined);
    },
  };
}
