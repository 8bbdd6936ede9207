// How much one user may ask of this process: calls a minute and open streams, whatever logins and keys he uses. Used by
// api/app.ts and api/routes/progress.ts.
import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { KeelError } from '../ports/errors.js';
import { userIdOf } from './routes/access.js';

const windowMs = 60_000;

/** Behind the gate, so that it knows who asks; calls of nobody have limits of their own where they cost something. */
export const callLimit = (callsPerMinute: number): RequestHandler =>
  rateLimit({
    windowMs,
    limit: callsPerMinute,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: (_request, response) => userIdOf(response) ?? 'nobody',
    skip: (_request, response) => userIdOf(response) === null,
    handler: (_request, _response, next) => {
      next(
        new KeelError(
          'TOO_MANY_CALLS',
          `More than ${String(callsPerMinute)} calls in a minute; wait for the next one.`,
          // The minute began with the first of these calls, so it is over by then.
          { facts: { retryAfterSeconds: windowMs / 1000 } },
        ),
      );
    },
  });
