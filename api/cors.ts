// Lets pages of the origins that are set read and act (CORS), such as a dashboard that another server serves. Made by app.ts,
// only where an origin is set. No cookie is asked for: tokens travel in the Authorization header, as everywhere.
import type { RequestHandler } from 'express';

/** Seconds for which a browser remembers the answer to its question. */
const remembered = '600';
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const sent = 'Authorization, Content-Type, If-None-Match, X-Request-Id, Traceparent';
const read = 'ETag, Location, Retry-After, X-Request-Id';

/** @param origins scheme, host and port, in lower case */
export const cors =
  (origins: readonly string[]): RequestHandler =>
  (request, response, next) => {
    // A cache must not give one origin's answer to another.
    response.vary('Origin');
    const origin = request.get('origin');
    if (origin === undefined || !origins.includes(origin)) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    if (request.method === 'OPTIONS' && request.get('access-control-request-method') !== undefined) {
      response.setHeader('Access-Control-Allow-Methods', methods);
      response.setHeader('Access-Control-Allow-Headers', sent);
      response.setHeader('Access-Control-Max-Age', remembered);
      response.status(204).end();
      return;
    }
    response.setHeader('Access-Control-Expose-Headers', read);
    next();
  };
