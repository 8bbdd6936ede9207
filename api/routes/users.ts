// Users as admins see and change them. Mounted by api/app.ts.
import { Router } from 'express';
import { user, userChange, userList } from '../../contracts/http/auth.js';
import { actorOf } from '../services/principal.js';
import type { UserDeps } from '../services/users.js';
import { changeUser } from '../services/users.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parseBody, pathParameter } from './http.js';

export function userRoutes(deps: UserDeps): Router {
  const router = Router();
  router
    .route('/api/v1/users')
    .get(async (_request, response) => {
      answer(response, 200, userList, { users: await deps.users.list() });
    })
    .all(onlyMethods('GET'));
  router
    .route('/api/v1/users/:id')
    .patch(async (request, response) => {
      const change = parseBody(userChange, request);
      const actor = actorOf(principalOf(response));
      answer(response, 200, user, await changeUser(deps, pathParameter(request, 'id'), change, actor));
    })
    .all(onlyMethods('PATCH'));
  return router;
}
