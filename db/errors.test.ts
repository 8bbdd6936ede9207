import { describe, expect, it } from 'vitest';
import { KeelError } from '../ports/errors.js';
import { databaseError } from './errors.js';

const driver = (message: string, code?: string): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });
const where = '127.0.0.1:5432/keel';

describe('databaseError', () => {
  it.each([
    ['connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED', 'DATABASE_AWAY', 'retryable'],
    ['Connection terminated unexpectedly', undefined, 'DATABASE_AWAY', 'retryable'],
    ['Query read timeout', undefined, 'DATABASE_AWAY', 'retryable'],
    ['timeout exceeded when trying to connect', undefined, 'DATABASE_AWAY', 'retryable'],
    ['the database system is shutting down', '57P03', 'DATABASE_AWAY', 'retryable'],
    ['terminating connection due to administrator command', '57P01', 'DATABASE_AWAY', 'retryable'],
    ['could not extend file: No space left on device', '53100', 'DATABASE_FULL', 'retryable'],
    ['sorry, too many clients already', '53300', 'DATABASE_BUSY', 'retryable'],
    ['canceling statement due to statement timeout', '57014', 'DATABASE_SLOW', 'retryable'],
    ['deadlock detected', '40P01', 'DATABASE_LOCKED', 'retryable'],
    ['password authentication failed for user "keel"', '28P01', 'DATABASE_REFUSED', 'final'],
    ['relation "run" does not exist', '42P01', 'DATABASE_NOT_MIGRATED', 'final'],
    ['duplicate key value', '23505', 'DATABASE_REJECTED', 'final'],
    ['order intent X can not go from FILLED to SENT', 'KL001', 'ILLEGAL_TRANSITION', 'final'],
    ['the audit trail only grows', 'KL002', 'IMMUTABLE_ROW', 'final'],
    ['something else', 'XX000', 'DATABASE_ERROR', 'final'],
  ])('says of "%s" (%s) that it is %s, %s', (message, code, expected, errorClass) => {
    const wrapped = new Error('Failed query: secret parameters', { cause: driver(message, code) });
    const error = databaseError(wrapped, where);
    expect(error).toMatchObject({ code: expected, errorClass });
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('secret parameters');
  });

  it('looks into an error that holds one per address', () => {
    const both = new AggregateError([driver('connect ECONNREFUSED ::1:5432', 'ECONNREFUSED')]);
    expect(databaseError(both, where).code).toBe('DATABASE_AWAY');
  });

  it('leaves a KeelError as it is', () => {
    const error = new KeelError('RUN_EXISTS', 'There is one.');
    expect(databaseError(error, where)).toBe(error);
  });
});
