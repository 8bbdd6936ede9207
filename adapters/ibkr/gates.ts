// The gates of one process: requests of one kind that share a limit of the gateway wait here for each other. Called by
// pacing.ts.
import type { Clock } from '../../ports/clocks.js';
import { latestSendMs, refused } from './sharedTurns.js';
import type { SharedTurns } from './sharedTurns.js';
import { noticingSteps, sleep, type Timer } from './timer.js';

/**
 * Requests of one kind that share a limit: at most `concurrent` at once, and `gapMs` between the end of one and the
 * start of the next (from the end, so that a slow network cannot push two together on the gateway's side).
 * `place` is no limit of IBKR's: the question to one order is void as soon as another is placed.
 */
export const gateRules = {
  orders: { concurrent: 1, gapMs: 5000 },
  trades: { concurrent: 1, gapMs: 5000 },
  portfolioAccounts: { concurrent: 1, gapMs: 5000 },
  tickle: { concurrent: 1, gapMs: 1000 },
  validate: { concurrent: 1, gapMs: 60_000 },
  history: { concurrent: 4, gapMs: 0 },
  place: { concurrent: 1, gapMs: 0 },
} as const;

export type GateName = keyof typeof gateRules;

interface Gate {
  active: number;
  freeAt: number;
  readonly waiting: (() => void)[];
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

interface GatesOptions {
  readonly clock: Clock;
  readonly factor: number;
  readonly timer: Timer;
}

/** @returns what waits for a turn at a gate, and then gives what ends it */
export function createGates({ clock: machine, factor, timer }: GatesOptions) {
  const gates = new Map<GateName, Gate>();
  const clock = noticingSteps(machine, (byMs) => {
    for (const gate of gates.values()) gate.freeAt += byMs;
  });

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

  return async (name: GateName, deadline: number): Promise<() => void> => {
    const gate = gateIn(gates, name);
    await takePlace(name, gate, deadline);
    const now = clock.now();
    if (gate.freeAt > deadline) {
      leave(gate);
      throw refused(name, deadline, now);
    }
    if (gate.freeAt > now) await sleep(timer, gate.freeAt - now);
    return () => {
      gate.freeAt = clock.now() + gateRules[name].gapMs / factor;
      leave(gate);
    };
  };
}

/** `false` where no answer came. */
export type Leave = (answered?: boolean) => void;

interface EnterOptions {
  readonly clock: Clock;
  readonly timer: Timer;
  /** Longest life of one request, wall milliseconds. */
  readonly requestMs: number;
  /** Null where this process is the only one that asks the gateway. */
  readonly turns: SharedTurns | null;
  readonly enterHere: (gate: GateName, deadline: number) => Promise<() => void>;
}

/**
 * A place here, and where several may be at work at once also one among all processes. Where no answer came the gateway may
 * still be at work, so both are kept as long as a request may last.
 */
export function createEnter({ clock, timer, requestMs, turns, enterHere }: EnterOptions) {
  return async (gate: GateName, deadline: number): Promise<Leave> => {
    const leaveHere = await enterHere(gate, deadline);
    const { concurrent } = gateRules[gate];
    if (concurrent === 1) return leaveHere;
    try {
      const leaveThere = (await turns?.enter(gate, concurrent, deadline)) ?? (() => Promise.resolve());
      return (answered = true) => {
        // In this order: who comes next here finds the place free there.
        if (answered) void leaveThere().then(leaveHere);
        // The other one ends by itself then.
        else timer.after(Math.max(0, deadline + latestSendMs + requestMs - clock.now()), leaveHere, false);
      };
    } catch (error) {
      leaveHere();
      throw error;
    }
  };
}
