// The one limiter of a process for a gateway: a 429 would stop everything for fifteen minutes. Called by client.ts
// and orders.ts; made once by gateway.ts.
import type { Clock } from '../../ports/clocks.js';
import type { SharedPacing } from '../../ports/pacing.js';
import { createEnter, createGates, gateRules, type GateName, type Leave } from './gates.js';
import { createSharedTurns } from './sharedTurns.js';
import type { SharedTurns } from './sharedTurns.js';
import { createSlots } from './slots.js';
import { machineTimer, sleep, type Timer } from './timer.js';

/**
 * Ordinary requests; the one that writes an order, which never goes out where the shared limits cannot be read; cancels,
 * whose share of the 10 requests a second nobody else may use but replies to questions about an order, which wait for nobody.
 */
export type Lane = 'ordinary' | 'order' | 'cancel' | 'reply';

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
  /** When the penalty ends, as this process knows of it, milliseconds since the epoch; null while there is none. */
  stoppedUntil(): number | null;
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
  const slots = createSlots({ clock, factor, timer, shares: shared !== undefined });
  const turns =
    shared === undefined
      ? null
      : createSharedTurns({
          ...{ shared, clock, factor, requestMs, wait: (ms) => sleep(timer, ms) },
          unshared: (deadline) => slots.next('unshared', deadline, lastTurnsMs / factor),
          stopped: (ms) => {
            slots.stop(ms);
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
      await slots.next('ordinary', deadline);
      if (turns === null) return;
      const until = await turns.turn(deadline, strict);
      if (clock.now() > until || slots.isStopped()) continue;
      if (!isWanted()) return;
      if (gate !== null && !(await claimed(turns, gate, until, deadline))) continue;
      if (!slots.isStopped()) return;
    }
  }

  return {
    enter,
    slot(lane, deadline, gate = null, isWanted = () => true) {
      if (lane === 'reply')
        return slots.reply(deadline, (sooner) => ordinarySlot(sooner, true, null, () => true));
      return lane === 'cancel'
        ? slots.next(lane, deadline)
        : ordinarySlot(deadline, lane === 'order', gate, isWanted);
    },
    async reserve(deadline) {
      await ordinarySlot(deadline, true, null, () => true);
      slots.keep();
    },
    takeReserved: () => slots.take(),
    stoppedUntil: () => slots.stoppedUntil(),
    penalize() {
      // A cancel that meets the penalty is told nothing new: each would put off for all when reads and the login go on.
      if (slots.isStopped()) return;
      const forMs = penaltyMs / factor;
      slots.stop(forMs);
      // This process stops in any case; the others learn of it with their next turn.
      shared?.stop(forMs).catch(() => undefined);
    },
  };
}
