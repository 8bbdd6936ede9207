// How each kind of activity may fail and be tried again. Temporal alone retries.
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/activities.js';

/** A dead worker is noticed after this much silence; the worker's interceptor beats for every activity. */
const heartbeatTimeout = '5 seconds';

/** Reads, renderings and analyses: safe to repeat, given up after `deadlineMs`. */
export const repeatable = (deadlineMs: number) =>
  proxyActivities<Activities>({
    startToCloseTimeout: '60 seconds',
    scheduleToCloseTimeout: deadlineMs,
    heartbeatTimeout,
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  });

/**
 * Steps that may ask a model: an attempt may hold two calls (config/default.yaml, model.timeoutMs). What a call costs
 * bounds the tries, beside the deadline; a server that asks to wait is heeded (activities/failures.ts).
 */
export const asking = (deadlineMs: number) =>
  proxyActivities<
    Pick<Activities, 'analyze' | 'decide' | 'proposeDecision' | 'reviewProposal' | 'judgeProposal'>
  >({
    startToCloseTimeout: '170 seconds',
    scheduleToCloseTimeout: deadlineMs,
    heartbeatTimeout,
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  });

/**
 * Short, idempotent steps on our own database; they run beside the workflow, without the server. An attempt may take
 * longer than a query and its connection (config/default.yaml), so that it ends with their error and not with silence.
 * That no attempt follows after `deadlineMs` is seen to by the worker's interceptor.
 */
export const stored = (deadlineMs: number) =>
  proxyLocalActivities<Activities>({
    startToCloseTimeout: '25 seconds',
    scheduleToCloseTimeout: deadlineMs,
    retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '5 seconds' },
  });

/** Sends an order: one attempt, whatever happens. */
export const once = proxyActivities<Pick<Activities, 'submitOrder'>>({
  startToCloseTimeout: '90 seconds',
  heartbeatTimeout,
  retry: { maximumAttempts: 1 },
});

/** Longer than any outage that nobody ends: after this a person has long been told. */
export const patienceMs = 7 * 24 * 60 * 60_000;

/** What must be written however long the database is away: the fate of an order that may live, the end of a run. */
export const patient = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: patienceMs,
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** The one poller and the one owner of the login: long, beating, started again for ever. */
export const watching = proxyActivities<Pick<Activities, 'watchBroker' | 'watchSession'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout,
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** The one sender of notifications: as the poller. */
export const sending = proxyActivities<Pick<Activities, 'sendNotifications'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout,
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** A look of a monitor: one attempt, because the next look comes by itself, and soon. */
export const looking = proxyActivities<Pick<Activities, 'lookOnce'>>({
  startToCloseTimeout: '4 minutes',
  scheduleToStartTimeout: '1 minute',
  heartbeatTimeout,
  retry: { maximumAttempts: 1 },
});

/** The look that deletes what is old: a statement of it may take minutes, and there are many. */
export const sweeping = proxyActivities<Pick<Activities, 'lookOnce'>>({
  startToCloseTimeout: '2 hours',
  scheduleToStartTimeout: '1 minute',
  heartbeatTimeout,
  retry: { maximumAttempts: 1 },
});

/** A price for people who wait for it: one attempt, and no longer than they would. */
export const pricing = proxyActivities<Pick<Activities, 'brokerPrice'>>({
  scheduleToCloseTimeout: '30 seconds',
  heartbeatTimeout,
  retry: { maximumAttempts: 1 },
});
