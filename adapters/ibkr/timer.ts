// Where waiting under the gateway's limits happens, so that tests can let time pass. Called by pacing.ts and gates.ts.

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
