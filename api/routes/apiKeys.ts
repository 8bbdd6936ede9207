// A user's API keys over HTTP. Mounted by api/app.ts.
import { Router } from 'express';
import { apiKeyList, madeApiKey, newApiKey } from '../../contracts/http/apiKey.js';
import type { ApiKeyDeps } from '../services/apiKeys.js';
import { createApiKey, revokeApiKey } from '../services/apiKeys.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parseBody, pathParameter } from './http.js';

export function apiKeyRoutes(deps: ApiKeyDeps): Router {
  const router = Router();
  router
    .route('/api/v1/auth/keys')
    .get(async (_request, response) => {
      answer(response, 200, apiKeyList, { keys: await deps.apiKeys.list(principalOf(response).user.id) });
    })
    .post(async (request, response) => {
      const made = await createApiKey(deps, principalOf(response), parseBody(newApiKey, request));
      answer(response, 201, madeApiKey, made);
    })
    .all(onlyMethods('GET', 'POST'));
  router
    .route('/api/v1/auth/keys/:id')
    .delete(async (request, response) => {
      await revokeApiKey(deps, principalOf(response), pathParameter(request, 'id'));
      response.status(204).end();
    })
    .all(onlyMethods('DELETE'));
  return router;
}
