// Where waiting under the gateway's limits happens, so that tests can let time pass. Called by pacing.ts and gates.ts.
import type { Clock } from '../../ports/clocks.js';

export interface Timer {
  /**
   * Runs `run` after so many milliseconds, unless the returned function is called first.
   * @param keepsAlive false for what nobody waits for: the process may end before; true unless given
   */
  after(ms: number, run: () => void, keepsAlive?: boolean): () => void;
}

export const machineTimer: Timer = {
  after(ms, run, keepsAlive = true) {
    const handle = setTimeout(run, ms);
    if (!keepsAlive) handle.unref();
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
 * The same clock, for whoever keeps marks of later times: when the machine's is set back, what is marked must not be as much
 * later.
 * @param move hears by how many milliseconds, less than 0, marks are to be moved, before anything is read
 */
export function noticingSteps(clock: Clock, move: (byMs: number) => void): Clock {
  let seen = clock.now();
  return {
    now() {
      const now = clock.now();
      const step = now - seen;
      seen = now;
      if (step < 0) move(step);
      return now;
    },
  };
}
