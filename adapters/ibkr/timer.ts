// Where waiting under the gateway's limits happens, so that tests can let time pass. Called by pacing.ts and gates.ts.

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
