// Made-up instruments, named as such: the same bars on every machine, from a seeded generator. Called by data.ts.
import type { Session } from '../../domain/market/calendarTypes.js';
import { onGrid } from './types.js';
import type { SessionBar } from './types.js';

/** Pseudo-random numbers in [0, 1): a linear congruential generator modulo 2^32, a = 1664525, c = 1013904223. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

export interface SyntheticShape {
  readonly seed: number;
  readonly start: number;
  /** Mean change of the close a session, as a share. */
  readonly drift: number;
  /** Largest random change of the close a session, as a share. */
  readonly noise: number;
  /** Share of the distance to `start` that a session takes back; 0 lets the price wander. */
  readonly pull: number;
}

/** One bar a session. Plain arithmetic only, so that every machine makes the same numbers. */
export function syntheticBars(sessions: readonly Session[], shape: SyntheticShape): SessionBar[] {
  const random = generator(shape.seed);
  let last = shape.start;
  return sessions.map((session) => {
    const open = onGrid(last * (1 + (random() - 0.5) * shape.noise * 0.5));
    const move = shape.drift + (random() * 2 - 1) * shape.noise + (shape.start / last - 1) * shape.pull;
    const close = onGrid(open * (1 + move));
    const high = onGrid(Math.max(open, close) * (1 + random() * shape.noise * 0.5));
    const low = onGrid(Math.min(open, close) * (1 - random() * shape.noise * 0.5));
    const volume = 1_000_000 + Math.floor(random() * 4_000_000);
    last = close;
    return { time: session.open, open, high, low, close, volume, session };
  });
}
