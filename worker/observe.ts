// What the worker tells of itself: log, metrics (Temporal's SDK and ours at one address), traces, error reports. Made by
// main.ts.
import { createRequire } from 'node:module';
import type { ClientOptions } from '@temporalio/client';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type {
  ActivityInterceptorsFactory,
  RuntimeOptions,
  WorkerInterceptors,
  WorkerOptions,
} from '@temporalio/worker';
import pino from 'pino';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createErrorReports } from '../adapters/telemetry/errorReports.js';
import { createLog } from '../adapters/telemetry/log.js';
import type { PoolCounts, WorkerMetrics } from '../adapters/telemetry/metrics.js';
import { createRegistry, serveMetrics, workerMetrics } from '../adapters/telemetry/metrics.js';
import type { Tracing } from '../adapters/telemetry/tracing.js';
import { startTracing } from '../adapters/telemetry/tracing.js';
import { secretValues } from '../config/print.js';
import { createRedact } from '../domain/redaction/redact.js';
import { freeLoopbackPort } from './freePort.js';
import { temporalLogger } from './log.js';
import type { WorkerConfig } from './ports.js';
import { watchActivities } from './watchActivities.js';

export interface Observed {
  readonly runtime: RuntimeOptions;
  readonly clientOptions: Pick<ClientOptions, 'interceptors'>;
  readonly workflowInterceptors: Pick<WorkerInterceptors, 'workflowModules'>;
  readonly sinks: Pick<WorkerOptions, 'sinks'>;
  readonly tracing: Tracing | null;
  /** Around everything else, so that the span is there for all of it. */
  readonly spans: readonly ActivityInterceptorsFactory[];
  /** Serves the metrics where a port is set. @returns what has to be told, and what watches the activities */
  serve(pool: PoolCounts): Promise<{ metrics: WorkerMetrics; watch: ActivityInterceptorsFactory }>;
  close(): Promise<void>;
}

export async function observe(config: WorkerConfig, version: string): Promise<Observed> {
  const {
    environment,
    metrics,
    log: { level },
  } = config;
  const redact = createRedact(secretValues(config));
  const clock = createMachineClock();
  const log = createLog(level, pino.destination(2), redact);
  const reports = createErrorReports({
    dsn: config.errorReports.dsn,
    environment,
    redact,
    clock,
    role: 'worker',
    release: version,
  });
  const { otlpUrl } = config.tracing;
  const tracing = otlpUrl === '' ? null : startTracing(otlpUrl, 'worker', version);
  const sdkAddress = metrics.workerPort === 0 ? null : `127.0.0.1:${String(await freeLoopbackPort())}`;
  const closing: (() => Promise<void>)[] = [];
  return {
    tracing,
    runtime: {
      logger: temporalLogger(log, level),
      ...(sdkAddress !== null && {
        telemetryOptions: {
          metrics: {
            prometheus: { bindAddress: sdkAddress, useSecondsForDurations: true, unitSuffix: true },
          },
        },
      }),
    },
    ...traced(tracing),
    serve: async (pool) => {
      const registry = createRegistry('worker', pool);
      if (sdkAddress !== null) {
        const more = (): Promise<string> => sdkMetrics(sdkAddress);
        const server = await serveMetrics({ registry, host: metrics.host, port: metrics.workerPort, more });
        closing.push(() => server.close());
      }
      const told = workerMetrics(registry, config.monitors.state === 'on' ? clock.now() : null);
      return { metrics: told, watch: watchActivities({ log, metrics: told, clock, reports }) };
    },
    spans:
      tracing === null
        ? []
        : [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) })],
    close: async () => {
      for (const close of closing) await close();
      await reports.flush();
      await tracing?.close();
    },
  };
}

/** The interceptors run in the workflow's isolate, so they are bundled with the workflows. */
function traced(tracing: Tracing | null): Pick<Observed, 'clientOptions' | 'workflowInterceptors' | 'sinks'> {
  if (tracing === null) return { clientOptions: {}, workflowInterceptors: {}, sinks: {} };
  const module = createRequire(import.meta.url).resolve(
    '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors',
  );
  return {
    clientOptions: { interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] } },
    workflowInterceptors: { workflowModules: [module] },
    sinks: { sinks: { exporter: makeWorkflowExporter(tracing.processor, tracing.resource) } },
  };
}

async function sdkMetrics(address: string): Promise<string> {
  const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(2000) });
  return response.text();
}
