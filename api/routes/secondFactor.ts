// The second factor over HTTP. Mounted by api/app.ts.
import { Router } from 'express';
import {
  codeRequest,
  proofAnswer,
  recoveryCodeList,
  totpRequest,
  totpSecret,
} from '../../contracts/http/auth.js';
import { proofMs } from '../../domain/access/secondFactor.js';
import type { SecondFactorDeps } from '../services/secondFactor.js';
import {
  confirm,
  disable,
  enrol,
  prove,
  removeSecondFactor,
  renewRecoveryCodes,
} from '../services/secondFactor.js';
import { principalOf } from './access.js';
import { addressOf } from './auth.js';
import { answer, onlyMethods, parseBody, pathParameter } from './http.js';

export function secondFactorRoutes(deps: SecondFactorDeps): Router {
  const router = Router();
  const base = '/api/v1/auth/totp';
  router
    .route(base)
    .post(async (request, response) => {
      const body = parseBody(totpRequest, request);
      const made = await enrol(deps, principalOf(response), body, addressOf(request));
      answer(response, 201, totpSecret, made);
    })
    .all(onlyMethods('POST'));
  for (const [path, work] of [
    [`${base}/confirm`, confirm],
    [`${base}/recovery-codes`, renewRecoveryCodes],
  ] as const) {
    router
      .route(path)
      .post(async (request, response) => {
        const { code } = parseBody(codeRequest, request);
        const codes = await work(deps, principalOf(response), code, addressOf(request));
        answer(response, 200, recoveryCodeList, { recoveryCodes: codes });
      })
      .all(onlyMethods('POST'));
  }
  router
    .route(`${base}/prove`)
    .post(async (request, response) => {
      const { code } = parseBody(codeRequest, request);
      await prove(deps, principalOf(response), code, addressOf(request));
      answer(response, 200, proofAnswer, { seconds: proofMs / 1000 });
    })
    .all(onlyMethods('POST'));
  router
    .route(`${base}/disable`)
    .post(async (request, response) => {
      const { code } = parseBody(codeRequest, request);
      await disable(deps, principalOf(response), code, addressOf(request));
      response.status(204).end();
    })
    .all(onlyMethods('POST'));
  router
    .route('/api/v1/users/:id/totp')
    .delete(async (request, response) => {
      await removeSecondFactor(deps, pathParameter(request, 'id'), principalOf(response));
      response.status(204).end();
    })
    .all(onlyMethods('DELETE'));
  return router;
}
