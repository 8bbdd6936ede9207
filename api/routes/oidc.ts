// Logging in by an identity provider over HTTP. Mounted by api/app.ts.
import type { Request, Response } from 'express';
import { Router } from 'express';
import { codeRequest, linkRequest, oidcStart } from '../../contracts/http/auth.js';
import type { BrowserFlow, OidcDeps } from '../services/oidc.js';
import { begin, beginLink, finish, finishWithCode, flowMinutes, isSecure, unlink } from '../services/oidc.js';
import type { SecondFactorDeps } from '../services/secondFactor.js';
import { principalOf } from './access.js';
import { addressOf, answerTokens } from './auth.js';
import { answer, onlyMethods, parseBody } from './http.js';

const linkedWords =
  'Linked: from now on this identity lets you in at /api/v1/auth/oidc/login. You can close this page.\n';
const cookie = 'keel_oidc';
const path = '/api/v1/auth/oidc';

/** Lax: it has to come along when the provider sends the browser back. */
const keepFlow = (response: Response, { state, browser }: BrowserFlow, secure: boolean): void => {
  response.cookie(cookie, `${state}.${browser}`, {
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path,
    maxAge: flowMinutes * 60_000,
  });
};

function flowOf(request: Request): BrowserFlow | null {
  const found = /(?:^|;\s*)keel_oidc=([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})(?:;|$)/.exec(
    request.get('cookie') ?? '',
  );
  const [, state, browser] = found ?? [];
  return state === undefined || browser === undefined ? null : { state, browser };
}

const queryOf = (request: Request): URLSearchParams => new URL(request.url, 'http://localhost').searchParams;

export function oidcRoutes(deps: OidcDeps & SecondFactorDeps): Router {
  const router = Router();
  router
    .route(`${path}/login`)
    .get(async (request, response) => {
      const { url, flow } = await begin(deps, null, addressOf(request));
      keepFlow(response, flow, isSecure(deps));
      response.redirect(303, url);
    })
    .all(onlyMethods('GET'));
  router
    .route(`${path}/link`)
    .post(async (request, response) => {
      const body = parseBody(linkRequest, request);
      const { url, flow } = await beginLink(deps, principalOf(response), body, addressOf(request));
      keepFlow(response, flow, isSecure(deps));
      answer(response, 200, oidcStart, { url });
    })
    .delete(async (_request, response) => {
      await unlink(deps, principalOf(response));
      response.status(204).end();
    })
    .all(onlyMethods('POST', 'DELETE'));
  router
    .route(`${path}/callback`)
    .get(async (request, response) => {
      const granted = await finish(deps, queryOf(request), flowOf(request));
      response.clearCookie(cookie, { path });
      if (granted !== null) answerTokens(response, granted);
      // A person reads it: his browser would stay on the provider's page if nothing were said.
      else response.status(200).type('text/plain').send(linkedWords);
    })
    .all(onlyMethods('GET'));
  router
    .route(`${path}/code`)
    .post(async (request, response) => {
      const { code } = parseBody(codeRequest, request);
      const granted = await finishWithCode(deps, code, flowOf(request), addressOf(request));
      response.clearCookie(cookie, { path });
      answerTokens(response, granted);
    })
    .all(onlyMethods('POST'));
  return router;
}
