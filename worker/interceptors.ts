// What every activity gets: a heartbeat, one place where errors become failures, and a cap on what enters the history.
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { toFailure } from '../activities/failures.js';

/** Well below the heartbeat timeout of workflows/steps/proxies.ts, so that one lost beat does no harm. */
const beatMs = 1000;

export const createActivityInterceptors =
  (payloadCapBytes: number): ActivityInterceptorsFactory =>
  () => ({ inbound: inbound(payloadCapBytes) });

const inbound = (capBytes: number): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    const { info } = Context.current();
    refuseLarge(info.activityType, 'argument', input.args, capBytes);
    const stop = info.isLocal ? () => undefined : beat();
    try {
      const result = await next(input);
      refuseLarge(info.activityType, 'result', result, capBytes);
      return result;
    } catch (error) {
      throw toFailure(error);
    } finally {
      stop();
    }
  },
});

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
