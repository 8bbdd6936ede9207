import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { KeelError } from '../ports/errors.js';
import { toFailure } from './failures.js';

const secret = 'Bearer s3cret-canary';

describe('what of an error enters a history', () => {
  it('is the code, the sentence and the facts of an error of ours, without its cause', () => {
    const error = new KeelError('IBKR_AWAY', 'no gateway', {
      errorClass: 'retryable',
      facts: { sent: false },
      cause: new Error(secret),
    });
    const failure = toFailure(error);
    expect(failure).toMatchObject({ type: 'IBKR_AWAY', message: 'no gateway', nonRetryable: false });
    expect((failure as ApplicationFailure).cause).toBeUndefined();
    expect(toFailure(new KeelError('X', 'final'))).toMatchObject({ nonRetryable: true });
  });
  it.each([
    new TypeError(`${secret} is no function`),
    Object.assign(new Error('request failed'), { config: { headers: { Authorization: secret } } }),
    new Error('outer', { cause: new Error(secret) }),
    secret,
  ])('is the kind and the place of a defect, and none of its text: %#', (error) => {
    const failure = toFailure(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    const { message, type, nonRetryable, details, cause, stack } = failure as ApplicationFailure;
    expect(JSON.stringify([message, type, details, cause, stack])).not.toContain('s3cret');
    expect({ type, nonRetryable }).toEqual({ type: 'DEFECT', nonRetryable: false });
  });
  it('leaves failures of Temporal as they are', () => {
    const cancelled = new CancelledFailure('cancelled');
    expect(toFailure(cancelled)).toBe(cancelled);
    const made = ApplicationFailure.nonRetryable('made before', 'MADE');
    expect(toFailure(made)).toBe(made);
  });
});
