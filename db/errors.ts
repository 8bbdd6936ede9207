// Turns what PostgreSQL and its driver throw into KeelError. Used by every store, the migrations and connect.ts.
// Driver errors never hold the password; the URL itself is never put into a message, only host, port and database.
import { KeelError } from '../ports/errors.js';
import type { ErrorClass } from '../ports/errors.js';

interface Failure {
  readonly code: string;
  readonly errorClass: ErrorClass;
  readonly say: (where: string, detail: string) => string;
}

const away: Failure = {
  code: 'DATABASE_AWAY',
  errorClass: 'retryable',
  say: (where, detail) =>
    `PostgreSQL at ${where} does not answer (${detail}). Start it, or correct DATABASE_URL; nothing needs repair after that.`,
};
const full: Failure = {
  code: 'DATABASE_FULL',
  errorClass: 'retryable',
  say: (where, detail) =>
    `PostgreSQL at ${where} has no room left (${detail}). Free space on its disk; the write can then be repeated.`,
};
const busy: Failure = {
  code: 'DATABASE_BUSY',
  errorClass: 'retryable',
  say: (where, detail) =>
    `PostgreSQL at ${where} can not take more work now (${detail}). Wait, or lower database.poolSize.`,
};
const locked: Failure = {
  code: 'DATABASE_LOCKED',
  errorClass: 'retryable',
  say: (where, detail) => `Somebody else holds a lock in PostgreSQL at ${where} (${detail}). Try again.`,
};
const slow: Failure = {
  code: 'DATABASE_SLOW',
  errorClass: 'retryable',
  say: (where, detail) =>
    `PostgreSQL at ${where} took too long (${detail}). Try again; if it stays, raise database.statementTimeoutMs.`,
};
const denied: Failure = {
  code: 'DATABASE_REFUSED',
  errorClass: 'final',
  say: (where, detail) =>
    `PostgreSQL at ${where} refuses the connection (${detail}). Correct user, password or database name in DATABASE_URL.`,
};
const readOnly: Failure = {
  code: 'DATABASE_READ_ONLY',
  errorClass: 'final',
  say: (where, detail) =>
    `PostgreSQL at ${where} was opened for reading only (${detail}). Use a writable server for this.`,
};
const notMigrated: Failure = {
  code: 'DATABASE_NOT_MIGRATED',
  errorClass: 'final',
  say: (where, detail) =>
    `The tables at ${where} are not those of this Keel (${detail}). Run: keel migrate up`,
};
const illegalMove: Failure = {
  code: 'ILLEGAL_TRANSITION',
  errorClass: 'final',
  say: (_where, detail) =>
    `The database refuses it: ${detail}. Read the intent's state before the next step.`,
};
const immutable: Failure = {
  code: 'IMMUTABLE_ROW',
  errorClass: 'final',
  say: (_where, detail) => `The database refuses it: ${detail}.`,
};
const rejected: Failure = {
  code: 'DATABASE_REJECTED',
  errorClass: 'final',
  say: (where, detail) => `PostgreSQL at ${where} refuses the values (${detail}). Nothing was written.`,
};
const other: Failure = {
  code: 'DATABASE_ERROR',
  errorClass: 'final',
  say: (where, detail) => `PostgreSQL at ${where} failed (${detail}). Nothing was written.`,
};

const bySqlState: Readonly<Record<string, Failure>> = {
  KL001: illegalMove,
  KL002: immutable,
  '57P01': away,
  '57P02': away,
  '57P03': away,
  '57P05': away,
  '25P03': away,
  '25P04': away,
  '57014': slow,
  '55P03': locked,
  '40001': locked,
  '40P01': locked,
  '53100': full,
  '53200': busy,
  '53300': busy,
  '53400': busy,
  '25006': readOnly,
  '42P01': notMigrated,
  '42703': notMigrated,
  '3D000': denied,
};
const bySqlClass: Readonly<Record<string, Failure>> = {
  '08': away,
  '22': rejected,
  '23': rejected,
  '28': denied,
  '58': full,
};

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** The driver's own words; it gives these no code. */
const networkWords =
  /connection terminated|timeout expired|timeout exceeded when trying to connect|read timeout|not queryable|connection error|client was closed|socket/i;

interface DriverError {
  readonly message: string;
  readonly code: string;
  readonly constraint: string | null;
}

/** The driver's error under the wrappings of the query builder. */
function innermost(error: unknown): DriverError {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return { message: String(current), code: '', constraint: null };
  // A name with several addresses fails as one error that holds the others.
  const first: unknown = current instanceof AggregateError ? current.errors[0] : current;
  const found = first instanceof Error ? first : current;
  const { code, constraint } = found as { code?: unknown; constraint?: unknown };
  return {
    message: found.message,
    code: typeof code === 'string' ? code : '',
    constraint: typeof constraint === 'string' ? constraint : null,
  };
}

function classify({ code, message }: DriverError): Failure {
  if (networkCodes.has(code)) return away;
  if (/^[0-9A-Z]{5}$/.test(code)) return bySqlState[code] ?? bySqlClass[code.slice(0, 2)] ?? other;
  return networkWords.test(message) ? away : other;
}

/** The constraint that a failed write broke, or null. */
export const brokenConstraint = (error: unknown): string | null => innermost(error).constraint;

/**
 * @param where host, port and database, for people
 * @returns the error itself when it is a KeelError already
 */
export function databaseError(error: unknown, where: string): KeelError {
  if (error instanceof KeelError) return error;
  const driver = innermost(error);
  const failure = classify(driver);
  return new KeelError(failure.code, failure.say(where, driver.message), {
    errorClass: failure.errorClass,
    facts: { database: where, sqlState: driver.code, constraint: driver.constraint },
    cause: error instanceof Error && error.cause instanceof Error ? error.cause : error,
  });
}
