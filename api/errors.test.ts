import { describe, expect, it } from 'vitest';
import { problem } from '../contracts/http/problem.js';
import { newStrategy } from '../contracts/http/strategy.js';
import { KeelError } from '../ports/errors.js';
import { invalidInput, problemOf } from './errors.js';
import { InvalidInputError } from './services/invalidInput.js';

describe('problemOf', () => {
  it('has the shape of a problem and names the request', () => {
    const made = problemOf(new KeelError('RUN_NOT_FOUND', 'There is no run "x".'), 'r-1');
    expect(problem.parse(made)).toEqual({
      type: 'urn:keel:problem:run-not-found',
      title: 'Not Found',
      status: 404,
      detail: 'There is no run "x".',
      code: 'RUN_NOT_FOUND',
      instance: 'urn:keel:request:r-1',
      requestId: 'r-1',
    });
  });

  it('tells nothing of an error that nobody knows', () => {
    const made = problemOf(new Error('password is hunter2', { cause: new Error('/etc/secret') }), 'r-2');
    expect(made).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(JSON.stringify(made)).not.toMatch(/hunter2|secret/);
    expect(problemOf('a string was thrown', 'r-3')).toMatchObject({ status: 500, code: 'INTERNAL' });
  });

  it('tells in development what was given as its cause, and never that of an error with a code', () => {
    const causeOf = (error: unknown): string => `Cause: ${(error as Error).message}`;
    expect(problemOf(new Error('x is undefined'), 'r-4', causeOf).detail).toMatch(
      /request r-4\. Cause: x is/,
    );
    const known = new KeelError('RUN_NOT_FOUND', 'There is no run "x".');
    expect(problemOf(known, 'r-5', causeOf).detail).toBe('There is no run "x".');
  });

  it('answers 503 to a code it does not know when the error may be tried again, else 500', () => {
    expect(problemOf(new KeelError('DATABASE_SLOW', 'slow', { errorClass: 'retryable' }), 'r').status).toBe(
      503,
    );
    expect(problemOf(new KeelError('SOMETHING_NEW', 'new'), 'r').status).toBe(500);
  });
});

describe('invalidInput', () => {
  it('is a fault of the input whatever its code says', () => {
    const fault = { in: 'body', field: 'settings.models.reader', message: 'is no profile' } as const;
    expect(problemOf(new InvalidInputError([fault], 'UNKNOWN_MODEL_PROFILE'), 'r')).toMatchObject({
      status: 422,
      code: 'UNKNOWN_MODEL_PROFILE',
      errors: [fault],
    });
  });

  it('names every field at fault, unknown ones included', () => {
    const result = newStrategy.safeParse({
      name: '',
      settings: { symbols: ['aapl', 'AAPL', 'A B'], slot: 'After Close', indicators: { macd: { fast: 26 } } },
      extra: 1,
    });
    if (result.success) throw new Error('was accepted');
    expect(
      invalidInput('body', result.error)
        .problems.map(({ field }) => field)
        .sort(),
    ).toEqual([
      'extra',
      'name',
      'settings.indicators.macd.signal',
      'settings.indicators.macd.slow',
      'settings.slot',
      'settings.symbols.0',
      'settings.symbols.2',
    ]);
  });
});
