// The metrics of a process in Prometheus' format, on a port of their own. Made by the composition roots of API and worker.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { monitorNames } from '../../contracts/wire/monitor.js';
import { KeelError } from '../../ports/errors.js';

/** Seconds: from a cached answer to a step that waits for the broker. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts of the pool of connections to PostgreSQL. */
export interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** What every process of Keel tells: memory, CPU, event loop, and its pool. */
export function createRegistry(role: 'api' | 'worker', pool: PoolCounts): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'keel_database_connections',
    help: 'Connections to PostgreSQL; waiting: requests that have none yet',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waiting' }, pool.waitingCount);
    },
  });
  return registry;
}

/** One answered request: its route's pattern, never its path, so that ids make no series of their own. */
export interface RequestFacts {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

/** @returns what counts one request */
export function requestMetrics(registry: Registry): (facts: RequestFacts) => void {
  const seconds = new Histogram({
    name: 'keel_http_request_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [registry],
  });
  return ({ method, route, status, ms }) => {
    seconds.observe({ method, route, status: String(status) }, ms / 1000);
  };
}

export interface WorkerMetrics {
  /** One attempt of an activity. @param outcome done, or the code of its error */
  activity(name: string, outcome: string, ms: number): void;
  /** One run that has ended. */
  run(outcome: string): void;
  /** What became of the one attempt to send an order. */
  order(result: string): void;
  /** One look of a monitor. @param at milliseconds since 1970 */
  look(monitor: string, status: string, at: number): void;
  /** What became of one attempt to tell somebody: sent, again or failed. */
  notification(result: string): void;
  /** A whole snapshot of the account was stored. @param at milliseconds since 1970 */
  snapshot(at: number): void;
}

/** Alerts look at how much these grow, which is nothing to see where a count begins with its first 1. */
const watched = {
  results: ['accepted', 'rejected', 'unknown', 'not_sent'],
  outcomes: ['FAILED', 'UNPROTECTED', 'SENT_NOT_FOUND_EXPIRED'],
  looks: ['ok', 'warning', 'failed'],
  notifications: ['sent', 'again', 'failed'],
} as const;

/** Of what looks by itself, and of what people are told. */
function lookMetrics(registers: Registry[], waitedForSince: number | null) {
  const looks = new Counter({
    name: 'keel_monitor_looks_total',
    help: 'Looks of the monitors, by what they found; failed ones could not look',
    labelNames: ['status'],
    registers,
  });
  const goodLooks = new Gauge({
    name: 'keel_monitor_good_look_timestamp_seconds',
    help: 'When this worker last did a look of the monitor that could look; when it began before the first',
    labelNames: ['monitor'],
    registers,
  });
  const notifications = new Counter({
    name: 'keel_notification_attempts_total',
    help: 'Attempts to tell somebody: sent, tried again later, or failed for good',
    labelNames: ['result'],
    registers,
  });
  // Where no look is ever good there would be nothing whose age an alert could see.
  if (waitedForSince !== null) {
    for (const monitor of monitorNames) goodLooks.set({ monitor }, waitedForSince / 1000);
  }
  for (const status of watched.looks) looks.inc({ status }, 0);
  for (const result of watched.notifications) notifications.inc({ result }, 0);
  return { looks, goodLooks, notifications };
}

/** @param monitorsSince since when monitors are to look here, milliseconds since 1970; null where they are off */
export function workerMetrics(registry: Registry, monitorsSince: number | null): WorkerMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'keel_activity_seconds',
    help: 'Time of one attempt of an activity',
    labelNames: ['activity', 'outcome'],
    buckets,
    registers,
  });
  const runs = new Counter({
    name: 'keel_runs_ended_total',
    help: 'Runs that ended, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const orders = new Counter({
    name: 'keel_order_submissions_total',
    help: 'Attempts to send an order, by result; unknown ones want a look',
    labelNames: ['result'],
    registers,
  });
  const snapshots = new Gauge({
    name: 'keel_broker_snapshot_timestamp_seconds',
    help: 'When this worker last stored a whole snapshot of the account; 0 before the first',
    registers,
  });
  const { looks, goodLooks, notifications } = lookMetrics(registers, monitorsSince);
  for (const result of watched.results) orders.inc({ result }, 0);
  for (const outcome of watched.outcomes) runs.inc({ outcome }, 0);
  return {
    activity: (activity, outcome, ms) => {
      seconds.observe({ activity, outcome }, ms / 1000);
    },
    run: (outcome) => {
      runs.inc({ outcome });
    },
    order: (result) => {
      orders.inc({ result });
    },
    look: (monitor, status, at) => {
      looks.inc({ status });
      if (status !== 'failed') goodLooks.set({ monitor }, at / 1000);
    },
    notification: (result) => {
      notifications.inc({ result });
    },
    snapshot: (at) => {
      snapshots.set(at / 1000);
    },
  };
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves GET /metrics and nothing else.
 * @param more text of further metrics, such as those of Temporal's SDK; an error of it leaves them out
 */
export async function serveMetrics(options: {
  readonly registry: Registry;
  readonly host: string;
  readonly port: number;
  readonly more?: () => Promise<string>;
}): Promise<MetricsServer> {
  const { registry, host, port, more } = options;
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    void text(registry, more).then(
      (body) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const why = code === 'EADDRINUSE' ? 'another process has it' : code;
    throw new KeelError(
      'METRICS_PORT',
      `The metrics can not be served on ${host}:${String(port)}: ${why}. ` +
        'Free the port, or set KEEL_API_METRICS_PORT and KEEL_WORKER_METRICS_PORT.',
      { cause },
    );
  }
  return {
    url: `http://${host}:${String(port)}/metrics`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function text(registry: Registry, more: (() => Promise<string>) | undefined): Promise<string> {
  const [own, others] = await Promise.all([registry.metrics(), more?.().catch(() => '') ?? '']);
  return `${own}${others}`;
}
