// brokerState: the one poller of an account. The activity polls; the workflow keeps exactly one of it alive for ever.
import { continueAsNew, isCancellation, log, sleep } from '@temporalio/workflow';
import { watching } from './steps/proxies.js';

/** One watch, and how many of them a run of this workflow does before it continues as new. */
const watchMs = 5 * 60_000;
const watches = 12;
/** A final refusal (a wrong account, say) is tried again too: without this poller no order may go out. */
const afterFailure = '30 seconds';

export async function brokerState(): Promise<void> {
  for (let watch = 0; watch < watches; watch += 1) {
    try {
      await watching.watchBroker({ forMs: watchMs });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('the broker cannot be watched', { error: String(error) });
      await sleep(afterFailure);
    }
  }
  await continueAsNew<typeof brokerState>();
}
