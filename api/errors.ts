// The one place that turns an error into a problem+json answer. Used by api/app.ts and, for refusals of HTTP itself,
// by the routes. Texts of unknown errors never leave the process: they are logged under the request's id.
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import type { FieldProblem, Problem } from '../contracts/http/problem.js';
import { KeelError } from '../ports/errors.js';
import { InvalidInputError } from './services/invalidInput.js';

/** HTTP status by code. A KeelError that is not here is 422 as a fault of the input, 503 when it may be tried again, else 500. */
const statusByCode: Readonly<Record<string, number>> = {
  UNKNOWN_WORKFLOW: 422,
  WORKFLOW_NOT_FOUND: 404,
  WORKFLOW_NOT_YOURS: 403,
  WORKFLOW_EXISTS: 409,
  WORKFLOW_IN_USE: 409,
  TOKEN_REFUSED: 401,
  CREDENTIALS_REFUSED: 401,
  REFRESH_REFUSED: 401,
  PASSWORD_REFUSED: 403,
  CODE_NEEDED: 401,
  OIDC_OFF: 404,
  OIDC_FLOW_REFUSED: 403,
  OIDC_REFUSED: 403,
  OIDC_MISCONFIGURED: 503,
  OIDC_UNKNOWN_USER: 403,
  EMAIL_UNVERIFIED: 403,
  IDENTITY_TAKEN: 409,
  IDENTITY_NOT_FOUND: 404,
  CODE_REFUSED: 403,
  PROOF_NEEDED: 403,
  SECOND_FACTOR_MISSING: 403,
  LOGIN_TOO_OLD: 403,
  SECOND_FACTOR_EXISTS: 409,
  SECOND_FACTOR_NOT_FOUND: 404,
  OWN_SECOND_FACTOR: 403,
  OWN_ACCOUNT: 403,
  USER_CHANGED: 409,
  ROLE_TOO_LOW: 403,
  SCOPE_MISSING: 403,
  LOGIN_NEEDED: 403,
  PASSWORD_CHANGE_NEEDED: 403,
  REGISTRATION_CLOSED: 403,
  TOO_MANY_ATTEMPTS: 429,
  TOO_MANY_CALLS: 429,
  TOO_MANY_STREAMS: 429,
  EMAIL_TAKEN: 409,
  USERNAME_TAKEN: 409,
  LAST_ADMIN: 409,
  LAST_WAY_IN: 409,
  KEY_NOT_FOUND: 404,
  USER_NOT_FOUND: 404,
  MALFORMED_JSON: 400,
  MALFORMED_REQUEST: 400,
  HEAD_TOO_LARGE: 431,
  REQUEST_TOO_SLOW: 408,
  UNSUPPORTED_MEDIA_TYPE: 415,
  BODY_TOO_LARGE: 413,
  HOST_REFUSED: 403,
  ORIGIN_REFUSED: 403,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  STRATEGY_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  CHART_NOT_FOUND: 404,
  NOTIFICATION_NOT_FOUND: 404,
  OBJECT_MISSING: 404,
  STRATEGY_EXISTS: 409,
  STRATEGY_CHANGED: 409,
  STRATEGY_INACTIVE: 409,
  MODE_MISMATCH: 409,
  RUN_EXISTS: 409,
  RUN_ENDED: 409,
  TOO_MANY_RUNS: 409,
  RUN_NOT_REPEATABLE: 409,
  NO_SESSION_YET: 409,
  CALENDAR_ENDED: 503,
  TEMPORAL_AWAY: 503,
  TEMPORAL_NOT_READY: 503,
  PRICE_UNKNOWN_SYMBOL: 404,
  PRICE_CURRENCY: 422,
  PRICE_REFUSED: 502,
  PRICES_OFF: 503,
  PRICES_AWAY: 503,
  PRICE_SHARE: 429,
  DATABASE_AWAY: 503,
  DATABASE_NOT_MIGRATED: 503,
  DATABASE_READ_ONLY: 503,
  DATABASE_REFUSED: 503,
  MARKET_CLOCK_AWAY: 503,
  MARKET_CLOCK_REFUSED: 503,
};

function statusOf(error: KeelError): number {
  if (error instanceof InvalidInputError) return 422;
  return statusByCode[error.code] ?? (error.errorClass === 'retryable' ? 503 : 500);
}

/** What zod found, as fields of one part of the request. */
export function invalidInput(where: FieldProblem['in'], error: z.ZodError): InvalidInputError {
  return new InvalidInputError(
    error.issues.flatMap((issue) => {
      const path = issue.path.map(String);
      // An unknown key is reported where it stands, each key for itself.
      if (issue.code === 'unrecognized_keys') {
        const message = 'is not a known field';
        return issue.keys.map((key) => ({ in: where, field: [...path, key].join('.'), message }));
      }
      return [{ in: where, field: path.join('.'), message: issue.message }];
    }),
  );
}

const bodyErrors: Readonly<Record<string, { code: string; message: string }>> = {
  'entity.parse.failed': {
    code: 'MALFORMED_JSON',
    message: 'The body is not valid JSON, or not an object; correct it and send it again.',
  },
  'entity.too.large': { code: 'BODY_TOO_LARGE', message: 'The body is larger than this API accepts.' },
  'encoding.unsupported': {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'The content encoding of the body is not supported; send it plain.',
  },
  'charset.unsupported': {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'The character set of the body is not supported; send UTF-8.',
  },
};

/** Errors of Express and its body parser, which carry a status and sometimes a type. */
function ofExpress(error: unknown): KeelError | null {
  if (!(error instanceof Error)) return null;
  const { status, type } = error as Error & { status?: unknown; type?: unknown };
  const known = typeof type === 'string' ? bodyErrors[type] : undefined;
  if (known !== undefined) return new KeelError(known.code, known.message, { cause: error });
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  const message = 'The request could not be read; check its URL, headers and body.';
  return new KeelError('MALFORMED_REQUEST', message, { cause: error });
}

/** The error as a KeelError, whatever it was; null when nobody knows it. */
export const knownError = (error: unknown): KeelError | null =>
  error instanceof KeelError ? error : ofExpress(error);

/**
 * The answer to an error.
 * @param requestId the same as the header X-Request-Id
 * @param causeOf what it may tell of an error that nobody expected; without it, nothing
 */
export function problemOf(error: unknown, requestId: string, causeOf?: (error: unknown) => string): Problem {
  const known = knownError(error);
  const status = known === null ? 500 : statusOf(known);
  const code = known?.code ?? 'INTERNAL';
  const cause = causeOf === undefined ? '' : ` ${causeOf(error)}`;
  return {
    type: `urn:keel:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail:
      known?.message ??
      `Something failed inside Keel. The log of the API tells what, under request ${requestId}.${cause}`,
    code,
    instance: `urn:keel:request:${requestId}`,
    requestId,
    ...(known instanceof InvalidInputError && { errors: [...known.problems] }),
  };
}
