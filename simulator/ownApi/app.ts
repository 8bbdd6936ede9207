// The front of the simulator's own API: plain http on loopback, JSON, problem+json. Called by server.ts.
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import swaggerUi from 'swagger-ui-dist/absolute-path.js';
import { createApiDocument, docsPage, docsStart } from './document.js';
import { malformed, sendProblem } from './problems.js';
import { apiRoutes } from './routes.js';
import type { OwnApi } from './routes.js';

/** React sets styles through the DOM; Swagger UI's style sheet holds its pictures as data. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

/** @param log hears of errors that are the simulator's own fault */
export function createOwnApi(api: OwnApi, log: (error: unknown) => void): Express {
  const app = express();
  const document = createApiDocument();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/health', (_request, response) => {
    response.json({ ok: true });
  });
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  app.get('/docs', (_request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    response.type('html').send(docsPage);
  });
  app.get('/docs/start.js', (_request, response) => {
    response.type('js').send(docsStart);
  });
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js'])
    app.get(`/docs/${file}`, (_request, response) => {
      response.sendFile(file, { root: swaggerUi() });
    });
  app.use('/api/v1', apiRoutes(api));
  app.use((_request, response) => {
    sendProblem(response, 404, 'ROUTE_NOT_FOUND', 'There is no such path; /docs shows all of them.');
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendError(error, response, log);
  });
  return app;
}

function sendError(error: unknown, response: Response, log: (error: unknown) => void): void {
  const status = error instanceof Error && 'status' in error ? error.status : null;
  if (status === 413) sendProblem(response, 413, 'BODY_TOO_LARGE', 'The body is larger than 100 kB.');
  else if (typeof status === 'number' && status < 500) sendProblem(response, 400, ...malformed);
  else {
    log(error);
    sendProblem(response, 503, 'SIMULATOR_FAILED', 'The simulator failed; its log says more.');
  }
}
