// The one place where errors become Temporal failures. What is not a KeelError is a defect: its text stays out of the
// history, because nobody checked it for secrets.
import { ApplicationFailure } from '@temporalio/activity';
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
    });
  }
  if (error instanceof RangeError) {
    return ApplicationFailure.create({ type: 'BAD_NUMBER', message: error.message, nonRetryable: true });
  }
  return error;
}
