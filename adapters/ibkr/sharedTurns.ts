// A gateway's limits among all processes, as one process keeps to them: a turn of the common rate, and the claim of a gate at
// the moment its request goes out, and its place among those that may be at work at once. Called by pacing.ts.
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { SharedPacing } from '../../ports/pacing.js';
import { jitterMs } from './network.js';

/**
 * How much later than its turn a request may go out, wall milliseconds: an answer of the database that was slow, or a
 * process that stood still. The gaps below leave room for it; whoever is later takes another turn. Where the database is
 * slower than that, a caller takes as much room more behind its turn as the last answers needed: it goes out less often, and
 * not never.
 */
const lateMs = 75;

/** Beyond this the room that a slow process takes would be missed by the others. */
const mostRoomMs = 2000;

/** What is left of the room after each answer: after one that took seconds the rate is the usual one again within a quarter of a minute. */
const keptRoom = 0.7;

/**
 * Ordinary requests in a second of the gateway. With one cancel and one kept slot that is used late of each of two processes
 * (pacing.ts) never more than 10.
 */
const perSecond = 6;

/**
 * Milliseconds between two ordinary requests of all processes: a second of the gateway holds those whose turn came in it, or up
 * to twice `lateMs` (a turn, then a claim) and what the network may delay one more than the next before.
 */
const laneGapMs = (factor: number): number =>
  Math.ceil(((1000 + jitterMs) / factor + 2 * lateMs) / perSecond);

/** How much later than its deadline a request whose turn came before it may still go out, wall milliseconds. */
export const latestSendMs = 1000;

/** From one look for a free place to the next, wall milliseconds. */
const lookMs = 200;

/** From one claim of a gate to the next: the limit, what is left to the network, and what the first may be late. */
const claimGapMs = (gapMs: number, factor: number): number =>
  Math.max(gapMs * 1.05, gapMs + jitterMs) / factor + lateMs;

export interface SharedTurns {
  /**
   * Waits for an ordinary turn.
   * @returns until when it can be used, wall clock in milliseconds; it may be over, so that another must be taken
   */
  turn(deadline: number, strict: boolean): Promise<number>;
  /**
   * Claims a gate for a request that goes out now; where it is not free, waits until it is.
   * @param until when the turn that was taken before can be used
   * @param strict no request where the database cannot be asked; otherwise one after a whole gap more
   * @returns whether the request may go out; if not, it needs a turn of the rate again, as it has waited
   */
  claim(gate: string, gapMs: number, until: number, deadline: number, strict: boolean): Promise<boolean>;
  /**
   * Waits for one of the places of a gate, and holds it at most until a request that is sent by the deadline has ended.
   * @returns what leaves it; it does not fail, because the place ends by itself
   */
  enter(gate: string, places: number, deadline: number): Promise<() => Promise<void>>;
}

interface Parts {
  readonly shared: SharedPacing;
  readonly clock: Clock;
  readonly factor: number;
  readonly wait: (ms: number) => Promise<void>;
  /** Waits for a slot of the requests that go out without the database. */
  readonly unshared: (deadline: number) => Promise<void>;
  /** Longest life of one request, from its first act to the last byte of its answer; wall milliseconds. */
  readonly requestMs: number;
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

/** The same while a penalty runs: it names what nobody can wait for. */
export function limited(until: number): KeelError {
  return new KeelError('IBKR_PACING_DEADLINE', `${limitedUntil(until)}; nothing was sent.`, {
    errorClass: 'retryable',
    facts: { until: new Date(until).toISOString() },
  });
}

/**
 * What people are told of a penalty, wherever it is met, to the second: another process may know its end a little otherwise.
 * @param until its end, milliseconds since the epoch
 */
export function limitedUntil(until: number): string {
  const end = new Date(Math.ceil(until / 1000) * 1000).toISOString().replace('.000', '');
  return `IBKR has limited Keel's requests (429): until ${end} Keel asks nothing and sends nothing but cancels`;
}

export function createSharedTurns({
  shared,
  clock,
  factor,
  wait,
  unshared,
  requestMs,
  stopped,
}: Parts): SharedTurns {
  async function waitWithin(what: string, ms: number, deadline: number): Promise<void> {
    const now = clock.now();
    if (now + ms > deadline) throw refused(what, deadline, now);
    if (ms > 0) await wait(ms);
  }

  let roomMs = 0;

  /** The database's answer; null where it is away and the request is one that goes on without. */
  async function ask<T>(question: Promise<T>, strict: boolean): Promise<T | null> {
    const asked = clock.now();
    try {
      const answer = await question;
      // Not forgotten at once: answers come fast and slow by turns where the database is busy.
      roomMs = Math.min(mostRoomMs, Math.max(keptRoom * roomMs, 1.5 * (clock.now() - asked) - lateMs));
      return answer;
    } catch (error) {
      if (strict) throw error;
      return null;
    }
  }

  return {
    async turn(deadline, strict) {
      const what = 'all requests';
      const asked = clock.now();
      const gapMs = laneGapMs(factor);
      // For this answer, and for that of a claim.
      const room = 2 * roomMs;
      const turn = await ask(shared.take(what, gapMs + room, Math.max(0, deadline - asked)), strict);
      if (turn === null) {
        // Few, so that the login is kept awake.
        await unshared(deadline);
        return Infinity;
      }
      stopped(turn.stopMs);
      // Told before any wait: a penalty is why no turn comes in time.
      if (turn.stopMs > 0 && asked + turn.stopMs > deadline) throw limited(clock.now() + turn.stopMs);
      if (turn.waitMs === null) throw refused(what, deadline, clock.now());
      await waitWithin(what, Math.max(turn.waitMs, turn.stopMs), deadline);
      const until = asked + turn.waitMs + lateMs + room;
      return clock.now() <= until ? until + lateMs : -Infinity;
    },
    async claim(gate, gapMs, until, deadline, strict) {
      const asked = clock.now();
      const room = roomMs;
      const claim = await ask(shared.claim(gate, claimGapMs(gapMs, factor) + room), strict);
      if (claim === null) {
        await waitWithin(gate, gapMs / factor, deadline);
        return true;
      }
      if (claim.taken && clock.now() - asked <= lateMs + room && clock.now() <= until) return true;
      await waitWithin(gate, claim.waitMs, deadline);
      return false;
    },
    async enter(gate, places, deadline) {
      for (;;) {
        const forMs = deadline - clock.now() + latestSendMs + requestMs;
        const place = await shared.enterPlace(gate, places, forMs);
        if (place !== null) return () => shared.leavePlace(place).catch(() => undefined);
        await waitWithin(gate, lookMs, deadline);
      }
    },
  };
}
