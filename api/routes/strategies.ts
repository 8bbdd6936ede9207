// Strategies over HTTP: create, list, read, change, execute. Mounted by api/app.ts.
import { Router } from 'express';
import { executeAnswer, executeRequest } from '../../contracts/http/run.js';
import { newStrategy, newStrategyVersion, strategy, strategyList } from '../../contracts/http/strategy.js';
import type { ExecuteDeps } from '../services/execute.js';
import { executeStrategy } from '../services/execute.js';
import type { StrategyDeps } from '../services/strategies.js';
import { changeStrategy, createStrategy, listStrategies, readStrategy } from '../services/strategies.js';
import { authorOf, viewerOf } from '../services/principal.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parseBody, pathParameter } from './http.js';

export interface StrategyRouteDeps extends ExecuteDeps, StrategyDeps {
  readonly strategies: StrategyDeps['strategies'];
  /** The run in the Temporal Web UI, or null where there is none. */
  readonly temporalUrl: (workflowId: string) => string | null;
}

export function strategyRoutes(deps: StrategyRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/strategies')
    .get(async (_request, response) => {
      const strategies = await listStrategies(deps, viewerOf(principalOf(response)));
      answer(response, 200, strategyList, { strategies });
    })
    .post(async (request, response) => {
      const created = await createStrategy(
        deps,
        parseBody(newStrategy, request),
        authorOf(principalOf(response)),
      );
      response.location(`/api/v1/strategies/${created.id}`);
      answer(response, 201, strategy, created);
    })
    .all(onlyMethods('GET', 'POST'));
  router
    .route('/api/v1/strategies/:id')
    .get(async (request, response) => {
      const viewer = viewerOf(principalOf(response));
      answer(response, 200, strategy, await readStrategy(deps, pathParameter(request, 'id'), viewer));
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/strategies/:id/versions')
    .post(async (request, response) => {
      const body = parseBody(newStrategyVersion, request);
      const changed = await changeStrategy(
        deps,
        pathParameter(request, 'id'),
        body,
        authorOf(principalOf(response)),
      );
      answer(response, 201, strategy, changed);
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/strategies/:id/execute')
    .post(async (request, response) => {
      const body = parseBody(executeRequest, request);
      const id = pathParameter(request, 'id');
      const started = await executeStrategy(deps, id, body, authorOf(principalOf(response)));
      response.location(`/api/v1/runs/${started.runId}`);
      answer(response, started.existing ? 200 : 202, executeAnswer, {
        runId: started.runId,
        workflowId: started.workflowId,
        temporalUrl: deps.temporalUrl(started.workflowId),
        mode: started.identity.mode,
        strategyId: started.identity.strategyId,
        symbol: started.identity.symbol,
        session: started.identity.session,
        slot: started.identity.slot,
        existing: started.existing,
      });
    })
    .all(onlyMethods('POST'));
  return router;
}
