// A run outlives an outage of the broker's login: a step that failed for want of it waits until it is up again, and is done
// anew. Used by story.ts.
import {
  ApplicationFailure,
  patched,
  proxyActivities,
  sleep,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/activities.js';

/** What a step fails with while nobody is logged in, or the gateway has put a stop to all requests. */
const awayCodes: readonly string[] = [
  'BROKER_SESSION',
  'BROKER_STATE_STALE',
  'IBKR_ACCOUNTS_FIRST',
  'IBKR_NO_BRIDGE',
  'IBKR_PACING_DEADLINE',
  'IBKR_RATE_LIMITED',
  'IBKR_UNAUTHORIZED',
];

const pause = '5 seconds';

/** A final refusal, such as of the wrong account, is no outage; stale state is final for its step alone. */
function isOutage(error: unknown): boolean {
  let cause = error;
  while (
    cause instanceof TemporalFailure &&
    !(cause instanceof ApplicationFailure) &&
    !(cause instanceof TimeoutFailure)
  ) {
    cause = cause.cause;
  }
  if (cause instanceof TimeoutFailure) return wasOutage(cause);
  if (!(cause instanceof ApplicationFailure)) return false;
  const code = cause.type ?? '';
  return awayCodes.includes(code) && (code === 'BROKER_STATE_STALE' || cause.nonRetryable !== true);
}

/** The deadline of a step that passes while no worker is there: what its last attempt failed with stands in the server's record alone. */
function wasOutage({ failure }: TimeoutFailure): boolean {
  const last = failure?.cause?.applicationFailureInfo;
  const away = awayCodes.includes(last?.type ?? '') && last?.nonRetryable !== true;
  // Earlier such runs have ended there.
  return away && patched('outage-behind-deadline');
}

const waiting = (forMs: number) =>
  proxyActivities<Pick<Activities, 'awaitSession'>>({
    startToCloseTimeout: forMs + 60_000,
    heartbeatTimeout: '5 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  });

/**
 * A stop of Keel does not end the outage and does not lengthen it: each attempt at the wait has the same end.
 * @param waitMs longest outage; 0 for none, and then the step's own error ends the run
 */
export async function throughOutage<T>(work: () => Promise<T>, waitMs: number): Promise<T> {
  let end: number | null = null;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (waitMs === 0 || !isOutage(error)) throw error;
      end ??= Date.now() + waitMs;
      await sleep(pause);
      const forMs = end - Date.now();
      if (forMs <= 0 || !(await waiting(forMs).awaitSession({ forMs, until: end }))) throw error;
    }
  }
}
