// brokerSession: the one owner of a login at the broker. The activity looks, keeps it awake and opens it; the workflow
// keeps exactly one of it alive for ever, also while a person is waited for.
import { continueAsNew, isCancellation, log, sleep } from '@temporalio/workflow';
import { watching } from './steps/proxies.js';

/** One watch, and how many of them a run of this workflow does before it continues as new. */
const watchMs = 5 * 60_000;
const watches = 12;
const afterFailure = '5 seconds';

export async function brokerSession(): Promise<void> {
  for (let watch = 0; watch < watches; watch += 1) {
    try {
      await watching.watchSession({ forMs: watchMs });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('the login cannot be watched', { error: String(error) });
      await sleep(afterFailure);
    }
  }
  await continueAsNew<typeof brokerSession>();
}
