import { ApplicationFailure } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { failureEnd } from './ending.js';

describe('a run whose step has failed', () => {
  it('is refused where its bars are stale: nothing was decided', () => {
    const failure = ApplicationFailure.nonRetryable('the bar of 2026-11-27 is missing', 'STALE_BARS');
    expect(failureEnd(failure)).toEqual({
      ...{ status: 'ended', outcome: 'REFUSED', code: 'STALE_BARS' },
      message: 'the bar of 2026-11-27 is missing',
    });
  });

  it('has failed for every other reason', () => {
    const failure = ApplicationFailure.nonRetryable('too few', 'TOO_FEW_BARS');
    expect(failureEnd(failure)).toMatchObject({ status: 'failed', outcome: 'FAILED', code: 'TOO_FEW_BARS' });
  });
});
