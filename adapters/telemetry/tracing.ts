// Traces over OTLP/HTTP, from an API call through workflows and activities to SQL. Started by the composition roots where
// tracing.otlpUrl is set; without it every span is a no-op.
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';

export interface Tracing {
  readonly resource: Resource;
  readonly processor: SpanProcessor;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}

/** How often finished spans are sent, milliseconds. */
const sendEveryMs = 1000;

/** @param otlpUrl base address of the collector, such as http://127.0.0.1:4318 */
export function startTracing(otlpUrl: string, role: 'api' | 'worker', version: string): Tracing {
  const resource = new Resource({ 'service.name': `keel-${role}`, 'service.version': version });
  const exporter = new OTLPTraceExporter({
    url: `${otlpUrl.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: 2000,
  });
  const processor = new BatchSpanProcessor(exporter, {
    scheduledDelayMillis: sendEveryMs,
    exportTimeoutMillis: 2000,
  });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    resource,
    processor,
    close: () => provider.shutdown().catch(() => undefined),
  };
}
