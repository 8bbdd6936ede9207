// The one limiter of a process for a gateway: a 429 would stop everything for fifteen minutes. Called by client.ts
// and orders.ts; made once by gateway.ts.
import type { Clock } from '../../ports/clocks.js';
import type { SharedPacing } from '../../ports/pacing.js';
import { createGates, gateRules, type GateName } from './gates.js';
import { createSharedTurns, refused } from './sharedTurns.js';
import type { SharedTurns } from './sharedTurns.js';
import { machineTimer, sleep, type Timer } from './timer.js';

/** Ordinary requests, and cancels (with declines), whose share of the 10 requests a second nobody else may use. */
export type Lane = 'ordinary' | 'cancel';

/**
 * Milliseconds between two requests of a lane: fewer than 7 and 2 a second, evenly, so that no second ever holds more
 * than 10 on the gateway's side, with a reserved slot that is used a little later and what the network delays.
 */
const laneGapMs: Record<Lane, number> = { ordinary: 150, cancel: 500 };

/** How long a reserved slot waits for its request, wall milliseconds. */
const reservedMs = 1000;

const penaltyMs = 15 * 60 * 1000;

export interface Pacing {
  /**
   * Waits for its turn at a gate in this process. The caller runs what is returned when the answer is there.
   * @param deadline wall clock, milliseconds since the epoch
   * @throws KeelError IBKR_PACING_DEADLINE (retryable) when the turn does not come before the deadline.
   */
  enter(gate: GateName, deadline: number): Promise<() => void>;
  /**
   * Waits for a slot of the rate that all requests share, and where an ordinary request has a gate, until no other process
   * holds that. The request must go out at once. Same deadline, same error; DATABASE_AWAY (retryable) from a gate.
   * @param isWanted asked before the gate is claimed: whoever would not send does not keep the others from it
   */
  slot(lane: Lane, deadline: number, gate?: GateName | null, isWanted?: () => boolean): Promise<void>;
  /** Waits for an ordinary slot and keeps it for a request that must not wait any more. Same deadline, same error. */
  reserve(deadline: number): Promise<void>;
  /** Uses a slot that was kept. @returns false when none is fresh, or a penalty has begun since. */
  takeReserved(): boolean;
  /** The gateway has answered 429: everything but cancels stops for the penalty. */
  penalize(): void;
}

export interface PacingOptions {
  readonly clock: Clock;
  /** All rates are multiplied by it, all waits divided; 1 for IBKR itself. */
  readonly factor: number;
  readonly timer?: Timer;
  /** The same limits among all processes; none where this process is the only one that asks the gateway. */
  readonly shared?: SharedPacing;
}

/** @throws RangeError when the factor is not positive. */
export function createPacing({ clock, factor, timer = machineTimer, shared }: PacingOptions): Pacing {
  if (!(factor > 0)) throw new RangeError(`the pacing factor must be positive: ${factor}`);
  const nextSlot: Record<Lane, number> = { ordinary: 0, cancel: 0 };
  const reserved: number[] = [];
  let penaltyEnd = 0;

  const turns =
    shared === undefined
      ? null
      : createSharedTurns({
          ...{ shared, clock, factor, wait: (ms) => sleep(timer, ms) },
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
    const { gapMs } = gateRules[gate];
    return gapMs === 0 || among.claim(gate, gapMs, until, deadline, gate !== 'tickle');
  }

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

  async function slot(lane: Lane, deadline: number): Promise<void> {
    for (;;) {
      const now = clock.now();
      const at = Math.max(now, nextSlot[lane], lane === 'cancel' ? 0 : penaltyEnd);
      if (at > deadline) throw refused(`the ${lane} lane`, deadline, now);
      nextSlot[lane] = at + laneGapMs[lane] / factor;
      if (at > now) await sleep(timer, at - now);
      // A penalty may have begun while this one slept.
      if (lane === 'cancel' || clock.now() >= penaltyEnd) return;
    }
  }

  return {
    enter: createGates({ clock, factor, timer }),
    slot: (lane, deadline, gate = null, isWanted = () => true) =>
      lane === 'cancel' ? slot(lane, deadline) : ordinarySlot(deadline, false, gate, isWanted),
    async reserve(deadline) {
      await ordinarySlot(deadline, true, null, () => true);
      reserved.push(clock.now() + reservedMs);
    },
    takeReserved() {
      const now = clock.now();
      while ((reserved[0] ?? Infinity) < now) reserved.shift();
      return now >= penaltyEnd && reserved.shift() !== undefined;
    },
    penalize() {
      penaltyEnd = Math.max(penaltyEnd, clock.now() + penaltyMs / factor);
      // This process stops in any case; the others learn of it with their next turn.
      shared?.stop(penaltyMs / factor).catch(() => undefined);
    },
  };
}
