// GET /api/v1/charts/{key}: pictures of runs. Mounted by api/app.ts.
import { Router } from 'express';
import type { ChartDeps } from '../services/charts.js';
import { findChart } from '../services/charts.js';
import { viewerOf } from '../services/principal.js';
import { principalOf } from './access.js';
import { onlyMethods, pathParameter } from './http.js';

export function chartRoutes(deps: ChartDeps): Router {
  const router = Router();
  router
    .route('/api/v1/charts/*key')
    .get(async (request, response) => {
      const picture = await findChart(deps, pathParameter(request, 'key'), viewerOf(principalOf(response)));
      response.setHeader('ETag', `"${picture.sha256}"`);
      // The key holds the hash of the bytes, so they never change.
      response.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
      // Fresh only looks at successful answers, which this one is so far.
      if (request.fresh) {
        response.status(304).end();
        return;
      }
      const bytes = await picture.read();
      response.type('image/png').send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    })
    .all(onlyMethods('GET'));
  return router;
}
