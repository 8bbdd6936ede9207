// What every activity gets: a heartbeat, one place where errors become failures, and a cap on what enters the history.
import { ApplicationFailure, Context, type Info } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { toFailure } from '../activities/failures.js';
import type { Clock } from '../ports/clocks.js';

/** Well below the heartbeat timeout of workflows/steps/proxies.ts, so that one lost beat does no harm. */
const beatMs = 1000;

export const createActivityInterceptors =
  (payloadCapBytes: number, clock: Clock): ActivityInterceptorsFactory =>
  () => ({ inbound: inbound(payloadCapBytes, clock) });

const inbound = (capBytes: number, clock: Clock): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    const { info } = Context.current();
    refuseLarge(info.activityType, 'argument', input.args, capBytes);
    const stop = info.isLocal ? () => undefined : beat();
    try {
      const result = await next(input);
      refuseLarge(info.activityType, 'result', result, capBytes);
      return result;
    } catch (error) {
      throw info.isLocal ? finalWhenOverdue(toFailure(error), info, clock) : toFailure(error);
    } finally {
      stop();
    }
  },
});

/**
 * The SDK heeds scheduleToCloseTimeout of a local activity only while an attempt runs: one whose attempts fail by
 * themselves would be tried for ever. Where the next attempt would begin too late, this one is the last, and its error
 * the reason.
 */
function finalWhenOverdue(failure: unknown, info: Info, clock: Clock): unknown {
  const next = clock.now() + nextPauseMs(info);
  const inTime = next < info.scheduledTimestampMs + info.scheduleToCloseTimeoutMs;
  if (inTime || !(failure instanceof ApplicationFailure)) return failure;
  const { type, message, details } = failure;
  return ApplicationFailure.create({
    type: type ?? 'FAILED',
    message,
    nonRetryable: true,
    ...(details != null && { details }),
  });
}

/** Milliseconds that Temporal waits before the next attempt; its policies arrive here in numbers. */
function nextPauseMs({ retryPolicy, attempt }: Info): number {
  const number = (value: unknown, other: number): number => (typeof value === 'number' ? value : other);
  const first = number(retryPolicy?.initialInterval, 1000);
  const longest = number(retryPolicy?.maximumInterval, Infinity);
  return Math.min(first * number(retryPolicy?.backoffCoefficient, 2) ** (attempt - 1), longest);
}

/** A dead worker falls silent, and the server starts the attempt elsewhere within seconds. */
function beat(): () => void {
  const context = Context.current();
  const timer = setInterval(() => {
    context.heartbeat();
  }, beatMs);
  return () => {
    clearInterval(timer);
  };
}

function refuseLarge(activity: string, what: string, value: unknown, capBytes: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(value ?? null));
  if (bytes <= capBytes) return;
  throw ApplicationFailure.create({
    type: 'PAYLOAD_TOO_LARGE',
    message: `the ${what} of ${activity} has ${bytes} bytes and ${capBytes} are allowed: store an object and pass its reference`,
    nonRetryable: true,
  });
}
