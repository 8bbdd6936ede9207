// What every request passes: an id, security headers, the checks of Host and Origin, the log line. Used by api/app.ts.
import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { KeelError } from '../ports/errors.js';
import type { ErrorReports } from '../ports/errorReports.js';
import { knownError, problemOf } from './errors.js';
import { usernameOf } from './routes/access.js';
import { routeOf } from './tracing.js';

const requestIds = /^[A-Za-z0-9._-]{1,64}$/;

const requestIdOf = (response: Response): string => String(response.getHeader('X-Request-Id'));

/** Takes the caller's X-Request-Id when it is harmless, else makes one. */
export const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  response.setHeader('X-Request-Id', given !== undefined && requestIds.test(given) ? given : randomUUID());
  next();
};

const everyAnswer = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
] as const;

export const securityHeaders: RequestHandler = (_request, response, next) => {
  for (const [name, value] of everyAnswer) response.setHeader(name, value);
  next();
};

const hostPattern = /^([a-z0-9.-]+|\[::1\])(?::\d{1,5})?$/i;
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** @param allowed names besides those of this machine, in lower case */
export function hostIsAllowed(request: Request, allowed: readonly string[]): boolean {
  const name = hostPattern.exec(request.get('host') ?? '')?.[1]?.toLowerCase() ?? '';
  return loopbackHosts.includes(name) || allowed.includes(name);
}

/** A page whose own name was pointed at this machine (DNS rebinding) still sends its own name as Host. */
export const hostCheck =
  (allowed: readonly string[]): RequestHandler =>
  (request, _response, next) => {
    if (!hostIsAllowed(request, allowed)) {
      const names = ['localhost', '127.0.0.1', '[::1]', ...allowed].join(', ');
      throw new KeelError('HOST_REFUSED', `This API is not asked under that name, but as one of ${names}.`);
    }
    next();
  };

/**
 * A page of another origin must not act through the operator's browser. Behind a proxy the origin is https.
 * @param allowed origins whose pages may
 */
export const ownOriginsOnly =
  (allowed: readonly string[]): RequestHandler =>
  (request, _response, next) => {
    const origin = request.get('origin');
    const host = (request.get('host') ?? '').toLowerCase();
    const own = [`http://${host}`, `https://${host}`];
    const known = origin !== undefined && allowed.includes(origin);
    const foreign = origin !== undefined && !own.includes(origin.toLowerCase());
    const site = request.get('sec-fetch-site');
    const crossSite = site === 'cross-site' || site === 'same-site';
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && !known && (foreign || crossSite)) {
      const words = 'A page of another origin may not change anything here, unless api.corsOrigins names it.';
      throw new KeelError('ORIGIN_REFUSED', words);
    }
    next();
  };

/** The run or order that a request names in its path, so that its line is found by it. */
function idsOf(request: Request): Record<string, string> {
  const { id } = request.params as { id?: string };
  if (id === undefined) return {};
  const noun = /^\/api\/v1\/(run|order|strategie)s\//.exec(request.path)?.[1];
  const name =
    noun === 'run' ? 'runId' : noun === 'order' ? 'orderId' : noun === undefined ? 'id' : 'strategyId';
  return { [name]: id };
}

const isStream = (response: Response): boolean =>
  String(response.getHeader('Content-Type')).startsWith('text/event-stream');

/** One line a request; no header and no query enters it. */
export interface AnsweredRequest {
  readonly method: string;
  /** The pattern that it met. */
  readonly route: string;
  readonly status: number;
  /** Wall milliseconds. */
  readonly ms: number;
}

export const requestLog =
  (log: Logger, count: (facts: AnsweredRequest) => void = () => undefined): RequestHandler =>
  (request, response, next) => {
    const startedAt = performance.now();
    const { method, path } = request;
    response.on('close', () => {
      const ms = Math.round(performance.now() - startedAt);
      const line = {
        requestId: requestIdOf(response),
        ...idsOf(request),
        method,
        path,
        status: response.statusCode,
        ms,
        actor: usernameOf(response),
      };
      count({ method, route: routeOf(request), status: response.statusCode, ms });
      // Who follows a run leaves when he has seen enough.
      const left = isStream(response) ? 'stream ended' : 'client left';
      log.info(line, response.writableFinished ? 'answered' : left);
    });
    next();
  };

export const routeNotFound: RequestHandler = (request) => {
  throw new KeelError('ROUTE_NOT_FOUND', `There is nothing at ${request.path.slice(0, 200)}; see /docs.`);
};

/**
 * Answers every error as problem+json; after the first byte only the connection can be ended.
 * @param causeOf what the answer may tell of an error that nobody expected, without secrets; given in development only
 */
export const errorHandler =
  (log: Logger, reports?: ErrorReports, causeOf?: (error: unknown) => string): ErrorRequestHandler =>
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  (error: unknown, request, response, _next) => {
    const id = requestIdOf(response);
    const problem = problemOf(error, id, causeOf);
    if (problem.status >= 500) {
      log.error({ requestId: id, path: request.path, code: problem.code, err: error }, 'request failed');
      // A part that is away says so itself; what has no code was expected by nobody.
      if (knownError(error) === null) reports?.report(error, { requestId: id, route: routeOf(request) });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const known = knownError(error);
    const wait = known?.facts['retryAfterSeconds'] ?? (known?.errorClass === 'retryable' ? 5 : undefined);
    if (wait !== undefined) response.setHeader('Retry-After', String(wait));
    if (problem.code === 'TOKEN_REFUSED') response.setHeader('WWW-Authenticate', 'Bearer');
    // An error is never the immutable object that was asked for.
    response.removeHeader('ETag');
    response.setHeader('Cache-Control', 'no-store');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
