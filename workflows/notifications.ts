// notifications: keeps the one sender of a mode alive for ever, as brokerState keeps the one poller.
import { continueAsNew, isCancellation, log, sleep } from '@temporalio/workflow';
import { sending } from './steps/proxies.js';

const sendMs = 5 * 60_000;
const turns = 12;
/** The database may be away for long; news is written all the same, and sent when it is back. */
const afterFailure = '30 seconds';

export async function notifications(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    try {
      await sending.sendNotifications({ forMs: sendMs });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.error('notifications can not be sent', { error: String(error) });
      await sleep(afterFailure);
    }
  }
  await continueAsNew<typeof notifications>();
}
