// GET /health: the process lives. Mounted by api/app.ts.
import { Router } from 'express';
import { health } from '../../contracts/http/health.js';
import type { Mode } from '../../contracts/wire/names.js';
import { answer, onlyMethods } from './http.js';

export interface HealthDeps {
  readonly mode: Mode;
  readonly version: string;
}

export function healthRoutes(deps: HealthDeps): Router {
  const router = Router();
  for (const path of ['/health', '/api/v1/health']) {
    router
      .route(path)
      .get((_request, response) => {
        answer(response, 200, health, { status: 'ok', mode: deps.mode, version: deps.version });
      })
      .all(onlyMethods('GET'));
  }
  return router;
}
