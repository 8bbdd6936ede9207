// Watches every attempt of an activity: its time and outcome as metrics, its failure in the log with the ids of run and
// order, and what nobody expected as an error report. Registered by observe.ts.
import { CancelledFailure, Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ActivityDeps } from '../activities/activities.js';
import type { WorkerMetrics } from '../adapters/telemetry/metrics.js';
import type { Clock } from '../ports/clocks.js';
import type { ErrorReports } from '../ports/errorReports.js';
import { KeelError } from '../ports/errors.js';

export interface WatchDeps {
  readonly log: Logger;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly reports: ErrorReports;
}

export const watchActivities =
  (deps: WatchDeps): ActivityInterceptorsFactory =>
  () => ({
    inbound: {
      async execute(input, next) {
        const { info } = Context.current();
        const began = performance.now();
        const ids = idsOf(info.workflowExecution?.workflowId ?? '', input.args[0]);
        const facts = { activity: info.activityType, attempt: info.attempt, ...ids };
        const ms = (): number => Math.round(performance.now() - began);
        try {
          const result = await next(input);
          deps.metrics.activity(info.activityType, 'done', ms());
          countResult(deps, info.activityType, input.args[0], result);
          deps.log.debug({ ...facts, ms: ms() }, 'activity done');
          return result;
        } catch (error) {
          const code = codeOf(error);
          deps.metrics.activity(info.activityType, code, ms());
          if (code !== 'CANCELLED') {
            deps.log.warn({ ...facts, ms: ms(), code, err: error }, 'activity failed');
            if (code === 'UNEXPECTED') deps.reports.report(error, { activity: info.activityType, ...ids });
          }
          throw error;
        }
      },
    },
  });

/** A code of Keel is one that somebody foresaw. */
function codeOf(error: unknown): string {
  if (error instanceof CancelledFailure) return 'CANCELLED';
  if (error instanceof KeelError) return error.code;
  return error instanceof TemporalFailure || error instanceof RangeError ? error.name : 'UNEXPECTED';
}

/** Which run, order and workflow an attempt belongs to. */
function idsOf(workflowId: string, argument: unknown): Record<string, string> {
  const given = (argument ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string): Record<string, string> => {
    const value = given[name];
    return typeof value === 'string' ? { [name]: value } : {};
  };
  return { workflowId, ...text('runId'), ...text('clientOrderId') };
}

function countResult(
  { metrics, clock }: WatchDeps,
  activity: string,
  argument: unknown,
  result: unknown,
): void {
  const end = (argument as { end?: { outcome?: unknown } } | undefined)?.end?.outcome;
  if (activity === 'closeRun' && typeof end === 'string') metrics.run(end);
  const kind = (result as { kind?: unknown } | undefined)?.kind;
  if (activity === 'submitOrder' && typeof kind === 'string') metrics.order(kind);
  const { name } = (argument ?? {}) as { name?: unknown };
  const { status } = (result ?? {}) as { status?: unknown };
  if (activity === 'lookOnce' && typeof name === 'string' && typeof status === 'string') {
    metrics.look(name, status, clock.now());
  }
}

/** The same, with each saved snapshot and each attempt to tell somebody told to the metrics, which alerts look at. */
export const counting = (deps: ActivityDeps, metrics: WorkerMetrics, clock: Clock): ActivityDeps => ({
  ...deps,
  brokerState: {
    ...deps.brokerState,
    save: async (snapshot) => {
      const saved = await deps.brokerState.save(snapshot);
      if (saved) metrics.snapshot(clock.now());
      return saved;
    },
  },
  notifications: {
    ...deps.notifications,
    sent: async (claimed) => {
      await deps.notifications.sent(claimed);
      metrics.notification('sent');
    },
    failed: async (claimed, error, retryAt) => {
      await deps.notifications.failed(claimed, error, retryAt);
      metrics.notification('again');
    },
    giveUp: async (claimed, error, news) => {
      await deps.notifications.giveUp(claimed, error, news);
      metrics.notification('failed');
    },
  },
});
