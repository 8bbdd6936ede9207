// A span for each statement, with its text and never its values. Without a tracer that somebody registered it costs
// next to nothing. Called by connect.ts.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

type Callback = (...given: unknown[]) => void;
type Method = (...args: unknown[]) => unknown;

const longest = 2000;

/** Every statement runs through a client: those of `pool.query` as well. */
export function tracePool(pool: Pool): void {
  const connect = pool.connect.bind(pool) as Method;
  // A waiting request is served by whoever gives a connection back: it must keep the trace of who asked.
  const bound = (callback?: Callback): unknown =>
    callback === undefined ? connect() : connect(context.bind(context.active(), callback));
  pool.connect = bound as Pool['connect'];
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as Method;
    client.query = ((...args: unknown[]) => traced(query, args)) as PoolClient['query'];
  });
}

function traced(query: Method, args: unknown[]): unknown {
  const sql = textOf(args[0]);
  // Only below something that is traced: the poller's thousands of statements would be traces of their own.
  if (sql === null || trace.getActiveSpan() === undefined) return query(...args);
  const span = trace.getTracer('keel.db').startSpan(sql.trim().split(/\s+/, 1)[0]?.toUpperCase() ?? 'SQL', {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': sql.slice(0, longest) },
  });
  const end = (error: unknown): void => {
    if (error != null) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  const last = args.at(-1);
  if (typeof last === 'function') {
    const callback = context.bind(context.active(), last as Callback);
    return query(...args.slice(0, -1), (error: unknown, ...rest: unknown[]) => {
      end(error);
      callback(error, ...rest);
    });
  }
  const result = query(...args);
  if (result instanceof Promise) {
    result.then(
      () => {
        end(null);
      },
      (error: unknown) => {
        end(error);
      },
    );
  } else end(null);
  return result;
}

/** Null for cursors and the like, which tell no text. */
function textOf(query: unknown): string | null {
  if (typeof query === 'string') return query;
  const text = (query as { text?: unknown } | null)?.text;
  return typeof text === 'string' ? text : null;
}
