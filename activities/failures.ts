// The one place where errors become Temporal failures. What is not a KeelError is a defect: its text stays out of the
// history, because nobody checked it for secrets.
import { ApplicationFailure, CompleteAsyncError, TemporalFailure } from '@temporalio/common';
import { KeelError } from '../ports/errors.js';

/**
 * retryable errors may be tried again by Temporal; final and unknown ones may not.
 * @returns the error itself when it is Temporal's own (a cancellation, a failure made before)
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof KeelError) {
    return ApplicationFailure.create({
      type: error.code,
      message: error.message,
      nonRetryable: error.errorClass !== 'retryable',
      details: [error.facts],
      ...waitOf(error),
    });
  }
  if (error instanceof RangeError) {
    return ApplicationFailure.create({ type: 'BAD_NUMBER', message: error.message, nonRetryable: true });
  }
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) return error;
  return ApplicationFailure.create({ type: 'DEFECT', message: `a defect in Keel: ${placeOf(error)}` });
}

/** A server that says when to come back is heeded in place of the usual pause. */
function waitOf({ facts }: KeelError): { nextRetryDelay?: number } {
  const { retryAfterMs } = facts;
  return typeof retryAfterMs === 'number' ? { nextRetryDelay: retryAfterMs } : {};
}

/** The kind of an error and the line that threw it, without the text. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return `something of type ${typeof error} was thrown`;
  const { message, stack = '' } = error;
  const frames = stack.slice(stack.indexOf(message) + message.length);
  const [, place = 'an unknown place'] = /^\s+at .*?([\w.-]+\/[\w.-]+:\d+:\d+)\)?$/m.exec(frames) ?? [];
  return `${error.constructor.name} at ${place}`;
}
