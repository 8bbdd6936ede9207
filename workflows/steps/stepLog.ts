// The steps of a run with their times, as the progress query shows them and the run's row keeps them.
import type { StepName, StepProgress } from '../../contracts/wire/run.js';

export interface StepLog {
  readonly steps: () => readonly StepProgress[];
  /** Runs `work` as a named step; a step that fails keeps its time. */
  run<T>(name: StepName, work: () => Promise<T>): Promise<T>;
}

/** Times are the workflow's: wall clock, deterministic on replay. */
export function createStepLog(): StepLog {
  const steps: StepProgress[] = [];
  return {
    steps: () => steps,
    run: async (name, work) => {
      const started = Date.now();
      const index = steps.push({ name, startedAt: new Date(started).toISOString(), ms: null }) - 1;
      try {
        return await work();
      } finally {
        steps[index] = { name, startedAt: new Date(started).toISOString(), ms: Date.now() - started };
      }
    },
  };
}
