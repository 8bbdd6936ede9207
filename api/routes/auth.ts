// Users let themselves in and out over HTTP. Mounted by api/app.ts.
import type { Request, Response } from 'express';
import { Router } from 'express';
import {
  emailRequest,
  loginRequest,
  passwordChanged,
  passwordRequest,
  refreshRequest,
  registerRequest,
  tokens,
  user,
} from '../../contracts/http/auth.js';
import { countedAddress } from '../../domain/access/address.js';
import type { Granted, PasswordDeps } from '../services/auth.js';
import { changePassword, logIn, logOut, refresh, register } from '../services/auth.js';
import { changeOwnEmail } from '../services/users.js';
import { answer, onlyMethods, parseBody } from './http.js';
import { noteCameIn, principalOf } from './access.js';

/** Of the connection, or what a trusted proxy says: no header that a caller could write is believed. */
export const addressOf = (request: Request): string => countedAddress(request.ip ?? 'unknown');

export const answerTokens = (
  response: Response,
  { accessToken, expiresIn, refreshToken, user: who }: Granted,
): void => {
  noteCameIn(response, who);
  answer(response, 200, tokens, { accessToken, tokenType: 'Bearer', expiresIn, refreshToken, user: who });
};

export function authRoutes(deps: PasswordDeps): Router {
  const router = Router();
  router
    .route('/api/v1/auth/register')
    .post(async (request, response) => {
      const made = await register(deps, parseBody(registerRequest, request), addressOf(request));
      noteCameIn(response, made);
      answer(response, 201, user, made);
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/auth/login')
    .post(async (request, response) => {
      answerTokens(response, await logIn(deps, parseBody(loginRequest, request), addressOf(request)));
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/auth/refresh')
    .post(async (request, response) => {
      answerTokens(response, await refresh(deps, parseBody(refreshRequest, request).refreshToken));
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/auth/logout')
    .post(async (_request, response) => {
      await logOut(deps, principalOf(response));
      response.status(204).end();
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/auth/password')
    .post(async (request, response) => {
      const body = parseBody(passwordRequest, request);
      const changed = await changePassword(deps, principalOf(response), body, addressOf(request));
      answer(response, 200, passwordChanged, changed);
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/auth/me')
    .get((_request, response) => {
      answer(response, 200, user, principalOf(response).user);
    })
    .patch(async (request, response) => {
      const wanted = parseBody(emailRequest, request);
      const changed = await changeOwnEmail(deps, principalOf(response), wanted, addressOf(request));
      answer(response, 200, user, changed);
    })
    .all(onlyMethods('GET', 'PATCH'));
  return router;
}
