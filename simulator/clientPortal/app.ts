// The Client Portal front: one router per noun under /v1/api, with the broker's own errors. Called by server.ts.
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import { KeelError } from '../../ports/errors.js';
import { accountsRouter } from './accounts.js';
import { contractsRouter } from './contracts.js';
import { faultGate } from './faultGate.js';
import { limits } from './limits.js';
import { liveValues } from './liveValues.js';
import { marketDataRouter } from './marketData.js';
import { ordersRouter } from './orders.js';
import type { Portal } from './portal.js';
import { requireLogin } from './portal.js';
import { portfolioRouter } from './portfolio.js';
import { discardPending, repliesRouter } from './replies.js';
import { sessionRouter } from './session.js';
import { sessionClock } from './sessionClock.js';
import { tradesRouter } from './trades.js';

/** @param log hears of errors that are the simulator's own fault */
export function createClientPortal(portal: Portal, log: (error: unknown) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response, next) => {
    if (request.method === 'POST' && request.get('content-length') === undefined)
      response.status(411).type('html').send('<html><body><h1>Length Required</h1></body></html>');
    else next();
  });
  // Also of `null` and the like, which is JSON and has no fields.
  app.use(express.json({ limit: '1mb', type: () => true, strict: false }));
  const api = express.Router();
  api.use(limits(portal));
  api.use(sessionClock(portal));
  api.use(faultGate(portal));
  api.use(discardPending(portal));
  api.use(sessionRouter(portal));
  api.use(requireLogin(portal));
  api.use(liveValues(portal));
  api.use(accountsRouter(portal));
  api.use(portfolioRouter(portal));
  api.use(contractsRouter(portal));
  api.use(marketDataRouter(portal));
  api.use(tradesRouter(portal));
  api.use(repliesRouter(portal));
  api.use(ordersRouter(portal));
  app.use('/v1/api', api);
  app.use((_request, response) => {
    response.status(404).type('html').send('<html><body><h1>Resource not found</h1></body></html>');
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendError(error, response, log);
  });
  return app;
}

function sendError(error: unknown, response: Response, log: (error: unknown) => void): void {
  if (error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500) {
    response.status(error.status).json({ error: `Bad Request: ${error.message}`, statusCode: error.status });
    return;
  }
  log(error);
  const text = error instanceof KeelError ? error.message : 'Internal error of the simulator';
  response.status(503).json({ error: text, statusCode: 503 });
}
