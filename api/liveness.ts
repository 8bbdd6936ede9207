// GET /health by itself, before log, trace and gate: whoever watches asks often, and is to be answered also when all the
// rest is slow. What is not exactly that question goes on to api/routes/health.ts. Used by api/app.ts.
import type { RequestHandler } from 'express';
import type { z } from 'zod';
import type { health } from '../contracts/http/health.js';
import { hostIsAllowed } from './middleware.js';
import type { HealthDeps } from './routes/health.js';

/** @param allowedHosts names besides those of this machine; under another one the host check refuses, further on */
export function liveness({ mode, version }: HealthDeps, allowedHosts: readonly string[]): RequestHandler {
  const text = JSON.stringify({ status: 'ok', mode, version } satisfies z.input<typeof health>);
  const length = Buffer.byteLength(text);
  return (request, response, next) => {
    if (request.method !== 'GET' || request.url !== '/health' || !hostIsAllowed(request, allowedHosts)) {
      next();
      return;
    }
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Content-Length', length);
    response.end(text);
  };
}
