// Who did what to what, for admins. Mounted by api/app.ts.
import { Router } from 'express';
import { auditList, auditQuery } from '../../contracts/http/audit.js';
import type { AuditStore } from '../../ports/audit.js';
import { answer, onlyMethods, parse } from './http.js';

export interface AuditRouteDeps {
  readonly audit: Pick<AuditStore, 'list'>;
}

export function auditRoutes({ audit }: AuditRouteDeps): Router {
  const router = Router();
  router
    .route('/api/v1/audit')
    .get(async (request, response) => {
      const { before = null, actor = null, action = null, limit } = parse(auditQuery, 'query', request.query);
      answer(response, 200, auditList, await audit.list({ before, actor, action, limit }));
    })
    .all(onlyMethods('GET'));
  return router;
}
