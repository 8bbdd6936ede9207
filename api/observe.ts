// What the API tells of itself: log, metrics, traces, error reports. Made by api/main.ts.
import type { ClientOptions } from '@temporalio/client';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry';
import pino from 'pino';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createErrorReports } from '../adapters/telemetry/errorReports.js';
import { createLog } from '../adapters/telemetry/log.js';
import type { PoolCounts } from '../adapters/telemetry/metrics.js';
import { createRegistry, requestMetrics, serveMetrics } from '../adapters/telemetry/metrics.js';
import { startTracing } from '../adapters/telemetry/tracing.js';
import type { Redact } from '../domain/redaction/redact.js';
import type { ApiDeps } from './app.js';

export interface ObserveOptions {
  readonly environment: string;
  readonly logLevel: string;
  readonly metrics: { readonly host: string; readonly apiPort: number };
  readonly otlpUrl: string;
  readonly dsn: string;
  readonly version: string;
  /** Knows the secrets of this process. */
  readonly redact: Redact;
  readonly pool: PoolCounts;
}

export interface Observed extends Required<Pick<ApiDeps, 'log' | 'countRequest' | 'errorReports'>> {
  readonly clientOptions: Pick<ClientOptions, 'interceptors'>;
  close(): Promise<void>;
}

export async function observe(options: ObserveOptions): Promise<Observed> {
  const { environment, metrics, otlpUrl, dsn, version, redact } = options;
  const registry = createRegistry('api', options.pool);
  const reports = { dsn, environment, redact, role: 'api', release: version } as const;
  const errorReports = createErrorReports({ ...reports, clock: createMachineClock() });
  const tracing = otlpUrl === '' ? null : startTracing(otlpUrl, 'api', version);
  const server =
    metrics.apiPort === 0
      ? null
      : await serveMetrics({ registry, host: metrics.host, port: metrics.apiPort });
  return {
    log: createLog(options.logLevel, pino.destination(2), redact),
    countRequest: requestMetrics(registry),
    errorReports,
    clientOptions:
      tracing === null ? {} : { interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] } },
    close: async () => {
      await server?.close();
      await errorReports.flush();
      await tracing?.close();
    },
  };
}
