// The Express application: what every request passes, one router per noun, problem+json at the end.
// Made by api/main.ts and by tests; everything that it needs comes in as `deps`.
import type { Express } from 'express';
import express from 'express';
import type { Logger } from 'pino';
import {
  errorHandler,
  hostCheck,
  requestId,
  requestLog,
  routeNotFound,
  ownOriginsOnly,
  securityHeaders,
} from './middleware.js';
import type { AnsweredRequest } from './middleware.js';
import type { ErrorReports } from '../ports/errorReports.js';
import { cors } from './cors.js';
import { callLimit } from './limits.js';
import { liveness } from './liveness.js';
import { createOpenApi } from './openapi.js';
import { accessGate } from './routes/access.js';
import { apiKeyRoutes } from './routes/apiKeys.js';
import type { AuditRouteDeps } from './routes/audit.js';
import { auditRoutes } from './routes/audit.js';
import { authRoutes } from './routes/auth.js';
import type { AnalystRouteDeps } from './routes/analyst.js';
import { analystRoutes } from './routes/analyst.js';
import type { ChartDeps } from './services/charts.js';
import { chartRoutes } from './routes/charts.js';
import type { DefinitionRouteDeps } from './routes/definitions.js';
import { definitionRoutes } from './routes/definitions.js';
import { docsRoutes } from './routes/docs.js';
import type { HealthDeps } from './routes/health.js';
import { healthRoutes } from './routes/health.js';
import type { ProgressRouteDeps } from './routes/progress.js';
import { progressRoutes } from './routes/progress.js';
import type { RunRouteDeps } from './routes/runs.js';
import { runRoutes } from './routes/runs.js';
import { traceRequest } from './tracing.js';
import type { StrategyRouteDeps } from './routes/strategies.js';
import type { NotificationServiceDeps } from './services/notifications.js';
import { notificationRoutes } from './routes/notifications.js';
import type { StatusRouteDeps } from './routes/status.js';
import { statusRoutes } from './routes/status.js';
import type { StockRouteDeps } from './routes/stocks.js';
import { stockRoutes } from './routes/stocks.js';
import { strategyRoutes } from './routes/strategies.js';
import { userRoutes } from './routes/users.js';
import { oidcRoutes } from './routes/oidc.js';
import type { OidcDeps } from './services/oidc.js';
import { secondFactorRoutes } from './routes/secondFactor.js';
import type { SecondFactorDeps } from './services/secondFactor.js';
import type { AuthDeps } from './services/auth.js';
import type { AuthenticateDeps } from './services/principal.js';
import type { ApiKeyDeps } from './services/apiKeys.js';
import type { UserDeps } from './services/users.js';

type AccessDeps = AuthDeps & AuthenticateDeps & SecondFactorDeps & OidcDeps & ApiKeyDeps & UserDeps;
type NounDeps = AccessDeps &
  HealthDeps &
  ProgressRouteDeps &
  RunRouteDeps &
  StrategyRouteDeps &
  DefinitionRouteDeps &
  ChartDeps &
  StockRouteDeps &
  StatusRouteDeps &
  NotificationServiceDeps &
  AuditRouteDeps &
  AnalystRouteDeps;

export type ApiDeps = NounDeps & {
  readonly log: Logger;
  /** Names besides those of this machine under which it may be asked, in lower case. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may read and act here besides its own. */
  readonly corsOrigins: readonly string[];
  /** Counts one answered request. */
  readonly countRequest?: (facts: AnsweredRequest) => void;
  /** Where errors that nobody expected go. */
  readonly errorReports?: ErrorReports;
  /** What an answer tells of an error that nobody expected, without secrets; left out it tells nothing. */
  readonly causeOf?: (error: unknown) => string;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Of one user, in this process. */
  readonly callsPerMinute: number;
  /** Largest body in kilobytes. */
  readonly bodyLimitKb: number;
  /** Directory of the swagger-ui-dist package. */
  readonly docsAssets: string;
};

/** Makes the application; it listens nowhere yet and does no work of its own. */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', [...deps.trustedProxies]);
  app.use(
    requestId,
    securityHeaders,
    ...(deps.corsOrigins.length === 0 ? [] : [cors(deps.corsOrigins)]),
    liveness(deps, deps.allowedHosts),
    traceRequest,
    requestLog(deps.log, deps.countRequest),
    hostCheck(deps.allowedHosts),
    ownOriginsOnly(deps.corsOrigins),
  );
  // Before bodies are read: who may not ask may not send either.
  app.use(accessGate(deps));
  app.use(callLimit(deps.callsPerMinute));
  app.use(express.json({ limit: deps.bodyLimitKb * 1024 }));
  app.use(healthRoutes(deps));
  app.use(authRoutes(deps));
  app.use(secondFactorRoutes(deps));
  app.use(oidcRoutes(deps));
  app.use(apiKeyRoutes(deps));
  app.use(userRoutes(deps));
  app.use(auditRoutes(deps));
  app.use(strategyRoutes(deps));
  app.use(definitionRoutes(deps));
  app.use(runRoutes(deps));
  app.use(progressRoutes(deps));
  app.use(chartRoutes(deps));
  app.use(stockRoutes(deps));
  app.use(statusRoutes(deps));
  app.use(notificationRoutes(deps));
  app.use(analystRoutes(deps));
  app.use(docsRoutes({ document: createOpenApi(deps.version), assets: deps.docsAssets }));
  app.use(routeNotFound);
  app.use(errorHandler(deps.log, deps.errorReports, deps.causeOf));
  return app;
}
