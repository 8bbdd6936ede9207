// How a run ends: the outcome, its code and the sentence that says why.
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { OrderReport } from '../../contracts/wire/order.js';
import type { RunOutcome, RunStatus } from '../../contracts/wire/run.js';

export interface Ending {
  readonly status: RunStatus;
  readonly outcome: RunOutcome;
  readonly code: string;
  readonly message: string | null;
}

export const endOf = (outcome: RunOutcome, code: string, message: string): Ending => ({
  status: 'ended',
  outcome,
  code,
  message,
});

export const cancelled = (message: string): Ending => ({
  status: 'cancelled',
  outcome: 'CANCELLED',
  code: 'CANCELLED',
  message,
});

export const reportEnd = (report: OrderReport): Ending =>
  report.outcome === 'ABANDONED'
    ? cancelled(report.message)
    : endOf(report.outcome, report.code, report.message);

/** The innermost failure carries the code; what is no failure of ours is a defect and says so. */
export function rootOf(error: unknown): { readonly code: string; readonly message: string } {
  let cause = error;
  let step = 'a step';
  while (
    cause instanceof TemporalFailure &&
    !(cause instanceof ApplicationFailure) &&
    cause.cause !== undefined
  ) {
    if (cause instanceof ActivityFailure) step = cause.activityType;
    cause = cause.cause;
  }
  if (cause instanceof TimeoutFailure) return silent(step);
  const code = cause instanceof ApplicationFailure ? (cause.type ?? 'FAILED') : 'FAILED';
  return { code, message: cause instanceof Error ? cause.message : String(cause) };
}

/** An attempt that was never answered leaves no error of its own. */
const silent = (step: string) => ({
  code: 'STEP_TIMEOUT',
  message: `${step} got no answer before its deadline: see that PostgreSQL, the broker and the worker run, and the worker's log`,
});

export function failureEnd(error: unknown): Ending {
  if (isCancellation(error)) return cancelled('the run was cancelled');
  const { code, message } = rootOf(error);
  // The same refusal as that of the risk step, before anything was decided.
  if (code === 'STALE_BARS') return endOf('REFUSED', code, message);
  return { status: 'failed', outcome: 'FAILED', code, message };
}
