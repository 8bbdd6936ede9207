// The one limiter of a process for a gateway: a 429 would stop everything for fifteen minutes. Called by client.ts
// and orders.ts; made once by gateway.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { SharedPacing, SharedTurn } from '../../ports/pacing.js';

/** Where waiting happens, so that tests can let time pass. */
export interface Timer {
  /** Runs `run` after so many milliseconds, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

export const machineTimer: Timer = {
  after(ms, run) {
    const handle = setTimeout(run, ms);
    return () => {
      clearTimeout(handle);
    };
  },
};

export const sleep = (timer: Timer, ms: number): Promise<void> =>
  new Promise((resolve) => {
    timer.after(ms, resolve);
  });

/**
 * Requests of one kind that share a limit: at most `concurrent` at once, and `gapMs` between the end of one and the
 * start of the next (from the end, so that a slow network cannot push two together on the gateway's side).
 * `place` is no limit of IBKR's: the question to one order is void as soon as another is placed.
 */
const gateRules = {
  orders: { concurrent: 1, gapMs: 5000 },
  trades: { concurrent: 1, gapMs: 5000 },
  portfolioAccounts: { concurrent: 1, gapMs: 5000 },
  tickle: { concurrent: 1, gapMs: 1000 },
  validate: { concurrent: 1, gapMs: 60_000 },
  history: { concurrent: 4, gapMs: 0 },
  place: { concurrent: 1, gapMs: 0 },
} as const;

export type GateName = keyof typeof gateRules;

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
   * Waits for its turn at a gate. The caller runs what is returned when the answer is there.
   * @param deadline wall clock, milliseconds since the epoch
   * @throws KeelError IBKR_PACING_DEADLINE (retryable) when the turn does not come before the deadline.
   */
  enter(gate: GateName, deadline: number): Promise<() => void>;
  /** Waits for a slot of the rate that all requests share. Same deadline, same error. */
  slot(lane: Lane, deadline: number): Promise<void>;
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

interface Gate {
  active: number;
  freeAt: number;
  readonly waiting: (() => void)[];
}

function refused(what: string, deadline: number, now: number): KeelError {
  const left = Math.max(0, Math.round(deadline - now));
  const text = `${what} gets no turn under the gateway's limits within ${left} ms; nothing was sent. Try later.`;
  return new KeelError('IBKR_PACING_DEADLINE', text, {
    errorClass: 'retryable',
    facts: { what, waitMs: left },
  });
}

function gateIn(gates: Map<GateName, Gate>, name: GateName): Gate {
  const found = gates.get(name) ?? { active: 0, freeAt: 0, waiting: [] };
  gates.set(name, found);
  return found;
}

function leave(gate: Gate): void {
  gate.active -= 1;
  gate.waiting.shift()?.();
}

/**
 * The turn among all processes. Where it cannot be taken, a request that only reads goes out at half the rate, so that the
 * login is kept awake; `strict` ones do not.
 */
async function takeShared(
  shared: SharedPacing,
  limit: string,
  gapMs: number,
  longestMs: number,
  strict: boolean,
): Promise<SharedTurn> {
  const turn = await shared.take(limit, gapMs, longestMs).catch((error: unknown) => {
    if (strict) throw error;
    return { waitMs: gapMs, stopMs: 0 };
  });
  return { ...turn, waitMs: turn.waitMs === null ? null : Math.max(turn.waitMs, turn.stopMs) };
}

/** @throws RangeError when the factor is not positive. */
export function createPacing({ clock, factor, timer = machineTimer, shared }: PacingOptions): Pacing {
  if (!(factor > 0)) throw new RangeError(`the pacing factor must be positive: ${factor}`);
  const gates = new Map<GateName, Gate>();
  const nextSlot: Record<Lane, number> = { ordinary: 0, cancel: 0 };
  const reserved: number[] = [];
  let penaltyEnd = 0;

  /** Takes a place at the gate, first come first served. Places are handed over, never raced for. */
  const takePlace = (name: GateName, gate: Gate, deadline: number): Promise<void> => {
    if (gate.active < gateRules[name].concurrent && gate.waiting.length === 0) {
      gate.active += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        cancel();
        gate.active += 1;
        resolve();
      };
      const cancel = timer.after(Math.max(0, deadline - clock.now()), () => {
        const index = gate.waiting.indexOf(admit);
        if (index >= 0) gate.waiting.splice(index, 1);
        reject(refused(name, deadline, clock.now()));
      });
      gate.waiting.push(admit);
    });
  };

  async function sharedTurn(limit: string, gapMs: number, deadline: number, strict: boolean): Promise<void> {
    if (shared === undefined) return;
    const longestMs = Math.max(0, deadline - clock.now());
    const { waitMs, stopMs } = await takeShared(shared, limit, gapMs, longestMs, strict);
    penaltyEnd = Math.max(penaltyEnd, clock.now() + stopMs);
    if (waitMs === null || clock.now() + waitMs > deadline) throw refused(limit, deadline, clock.now());
    if (waitMs > 0) await sleep(timer, waitMs);
  }

  async function ordinarySlot(deadline: number, strict: boolean): Promise<void> {
    await slot('ordinary', deadline);
    await sharedTurn('all requests', laneGapMs.ordinary / factor, deadline, strict);
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
    async enter(name, deadline) {
      const gate = gateIn(gates, name);
      await takePlace(name, gate, deadline);
      const now = clock.now();
      if (gate.freeAt > deadline) {
        leave(gate);
        throw refused(name, deadline, now);
      }
      if (gate.freeAt > now) await sleep(timer, gate.freeAt - now);
      const { gapMs } = gateRules[name];
      if (gapMs > 0) {
        // A little more than the limit: another process's request may have been slower on its way than ours.
        await sharedTurn(name, (gapMs * 1.05) / factor, deadline, false).catch((error: unknown) => {
          leave(gate);
          throw error;
        });
      }
      return () => {
        gate.freeAt = clock.now() + gateRules[name].gapMs / factor;
        leave(gate);
      };
    },
    slot: (lane, deadline) => (lane === 'cancel' ? slot(lane, deadline) : ordinarySlot(deadline, false)),
    async reserve(deadline) {
      await ordinarySlot(deadline, true);
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
