// Users as admins see, make and change them. Mounted by api/app.ts.
import { Router } from 'express';
import { madeUser, newUserRequest, user, userChange, userList } from '../../contracts/http/auth.js';
import { actorOf } from '../services/principal.js';
import type { UserDeps } from '../services/users.js';
import { changeUser, makeUser, resetPassword } from '../services/users.js';
import { principalOf } from './access.js';
import { answer, onlyMethods, parseBody, pathParameter } from './http.js';

export function userRoutes(deps: UserDeps): Router {
  const router = Router();
  router
    .route('/api/v1/users')
    .get(async (_request, response) => {
      answer(response, 200, userList, { users: await deps.users.list() });
    })
    .post(async (request, response) => {
      const wanted = parseBody(newUserRequest, request);
      answer(response, 201, madeUser, await makeUser(deps, wanted, actorOf(principalOf(response))));
    })
    .all(onlyMethods('GET', 'POST'));
  router
    .route('/api/v1/users/:id')
    .patch(async (request, response) => {
      const change = parseBody(userChange, request);
      const principal = principalOf(response);
      answer(response, 200, user, await changeUser(deps, pathParameter(request, 'id'), change, principal));
    })
    .all(onlyMethods('PATCH'));
  router
    .route('/api/v1/users/:id/password')
    .post(async (request, response) => {
      const made = await resetPassword(deps, pathParameter(request, 'id'), principalOf(response));
      answer(response, 200, madeUser, made);
    })
    .all(onlyMethods('POST'));
  return router;
}
