// Asks Temporal once more while it is too busy to answer: a schedule is told of by a workflow of the server's own, which in
// the server's first seconds may not have run yet. Called by monitors.ts, whose every act may be repeated.
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@temporalio/client';

/** @throws what `work` threw at last, or at once where the server did answer. */
export async function whenBusyAgain<T>(
  work: () => Promise<T>,
  { attempts, pauseMs } = { attempts: 10, pauseMs: 500 },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ServiceError) || attempt >= attempts) throw error;
      await sleep(pauseMs);
    }
  }
}
