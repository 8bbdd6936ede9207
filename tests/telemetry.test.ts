// What Keel tells of itself, of real processes: metrics that the dashboard and the alerts name, one trace from the API
// call to the SQL of an activity, and logs with the ids of run and request.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { problem } from '../contracts/http/problem.js';
import { makeUser } from './support/access.js';
import { startApi, testSecret, type ApiProcess } from './support/api.js';
import { recordedHistories } from './support/histories.js';
import { wholeLines } from './support/lines.js';
import { freePort } from './support/ports.js';
import { startStack, type TestStack } from './support/stack.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

let temporal: TestTemporal;
let stack: TestStack;
let api: ApiProcess;
let collector: Server;
let workerLog: string;
let key: string;
let ports: { readonly api: number; readonly worker: number };
const spans: Span[] = [];
const reports: { readonly url: string; readonly auth: string; readonly body: string }[] = [];
let tracker: Server;

/** The far side of Sentry's envelope protocol. */
async function startTracker(): Promise<string> {
  tracker = createServer((request, response) => {
    void text(request).then((body) => {
      reports.push({ url: request.url ?? '', auth: String(request.headers['x-sentry-auth']), body });
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(tracker, 'listening');
  return `http://publickey@127.0.0.1:${String((tracker.address() as AddressInfo).port)}/42`;
}

/** The far side of OTLP/HTTP. */
async function startCollector(): Promise<string> {
  collector = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as Export;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  return `http://127.0.0.1:${String((collector.address() as AddressInfo).port)}`;
}

const metricsOf = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();

beforeAll(async () => {
  ports = { api: await freePort(), worker: await freePort() };
  temporal = await startTemporal();
  stack = await startStack(temporal);
  const watched = {
    OTEL_EXPORTER_OTLP_ENDPOINT: await startCollector(),
    KEEL_API_METRICS_PORT: String(ports.api),
    KEEL_WORKER_METRICS_PORT: String(ports.worker),
    KEEL_LOG_LEVEL: 'debug',
  };
  const tracked = { ...watched, SENTRY_DSN: await startTracker() };
  Object.assign(stack.env, tracked);
  workerLog = (await stack.startWorker()).logFile;
  api = await startApi({ ...stack.settings, ...tracked });
  key = (await makeUser(stack.market.stores, 'watcher', 'admin')).key;
  const authorization = `Bearer ${key}`;
  await stack.createStrategy('watched');
  await stack.market.stepThrough(['2014-07-07T20:00:00.000Z']);
  const answer = await fetch(`${api.url}/api/v1/strategies/watched/execute`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/json',
      'x-request-id': 'request-of-the-test',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: JSON.stringify({ symbol: 'AAPL' }),
  });
  const started = (await answer.json()) as { workflowId: string };
  const result = await stack.drive(stack.client.workflow.getHandle(started.workflowId));
  expect(result).toMatchObject({ outcome: 'FILLED' });
  await fetch(`${api.url}/api/v1/runs?limit=5`, { headers: { authorization } });
  await fetch(`${api.url}/api/v1/runs?limit=5`);
});

afterAll(async () => {
  await api.stop();
  await stack.stop();
  await temporal.stop();
  for (const server of [collector, tracker]) {
    server.close();
    server.closeAllConnections();
  }
});

describe('a trace', () => {
  const ofTest = (): readonly Span[] => spans.filter((span) => span.traceId === traceId);

  /** Names from a span up to the first that has no parent here. */
  function upwards(span: Span | undefined): readonly string[] {
    if (span === undefined) return [];
    return [span.name, ...upwards(ofTest().find(({ spanId }) => spanId === span.parentSpanId))];
  }

  it('spans API call, workflow, activity and SQL', async () => {
    const inActivity = (): Span | undefined =>
      ofTest().find((span) => span.name === 'INSERT' && upwards(span).includes('RunActivity:openRun'));
    await expect.poll(() => upwards(inActivity()).at(-1), { timeout: 20_000 }).toMatch(/^POST /);
    const way = upwards(inActivity());
    expect(way).toEqual(
      expect.arrayContaining([
        'RunActivity:openRun',
        'RunWorkflow:strategyRun',
        'StartWorkflow:strategyRun',
        'POST /api/v1/strategies/:id/execute',
      ]),
    );
    // Each process sends its spans when it comes to it: those of later steps may come later.
    await expect
      .poll(() => ofTest().map(({ name }) => name), { timeout: 20_000 })
      .toEqual(
        expect.arrayContaining([
          'RunActivity:renderChart',
          'StartChildWorkflow:orderLifecycle',
          'RunActivity:submitOrder',
        ]),
      );
  });

  it('tells the text of a statement and never its values', () => {
    const statements = ofTest().filter(({ name }) => ['INSERT', 'SELECT', 'UPDATE'].includes(name));
    expect(statements.length).toBeGreaterThan(5);
    expect(JSON.stringify(statements)).not.toContain('watched');
  });
});

describe('the metrics', () => {
  /** Names of metrics in a PromQL expression. */
  const namesIn = (expression: string): string[] =>
    [...expression.matchAll(/\b(?:keel|temporal|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);

  /** The value of the one series that has these labels. */
  function valueOf(metrics: string, name: string, labels: Readonly<Record<string, string>>): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)));
    expect(lines, name).toHaveLength(1);
    return Number(lines[0]?.split('} ')[1]);
  }

  async function served(): Promise<ReadonlySet<string>> {
    // One that nothing was counted of yet is named by its type.
    const both = `${await metricsOf(ports.api)}\n${await metricsOf(ports.worker)}`;
    return new Set(
      both.split('\n').flatMap((line) => /^(?:# TYPE )?([a-z_][a-z0-9_]*)/.exec(line)?.[1] ?? []),
    );
  }

  it('of the worker hold runs, orders, activities, the snapshot, and those of the SDK', async () => {
    const metrics = await metricsOf(ports.worker);
    expect(valueOf(metrics, 'keel_runs_ended_total', { outcome: 'FILLED' })).toBe(1);
    expect(valueOf(metrics, 'keel_order_submissions_total', { result: 'accepted' })).toBe(1);
    const drawn = { activity: 'renderChart', outcome: 'done' };
    expect(valueOf(metrics, 'keel_activity_seconds_count', drawn)).toBe(2);
    expect(valueOf(metrics, 'keel_broker_snapshot_timestamp_seconds', {})).toBeGreaterThan(1e9);
    expect(metrics).toMatch(/^temporal_workflow_completed/m);
  });

  it('of the API count by route and never by id', async () => {
    const metrics = await metricsOf(ports.api);
    const route = { method: 'POST', route: '/api/v1/strategies/:id/execute' };
    expect(valueOf(metrics, 'keel_http_request_seconds_count', route)).toBe(1);
    expect(metrics).not.toContain('watched');
    // Who may not ask is counted under the same pattern.
    const runs = { method: 'GET', route: '/api/v1/runs' };
    expect(valueOf(metrics, 'keel_http_request_seconds_count', { ...runs, status: '200' })).toBe(1);
    expect(valueOf(metrics, 'keel_http_request_seconds_count', { ...runs, status: '401' })).toBe(1);
  });

  it('are no route of the API, whoever asks, and their port serves nothing else', async () => {
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${api.url}/metrics`, { headers })).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${String(ports.api)}/api/v1/runs`, { headers })).status).toBe(404);
  });

  it('that the dashboard draws are all served', async () => {
    const dashboard = JSON.parse(readFileSync(path.join(root, 'deploy/grafana/keel.json'), 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const there = await served();
    const drawn = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr)));
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.filter((name) => !there.has(name))).toEqual([]);
  });

  it('that the alerts look at are all served, and each alert says what to do', async () => {
    const { groups } = parse(readFileSync(path.join(root, 'deploy/prometheus/alerts.yml'), 'utf8')) as {
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
    };
    const there = await served();
    for (const { alert, expr, annotations } of groups.flatMap(({ rules }) => rules)) {
      expect(namesIn(expr).length, alert).toBeGreaterThan(0);
      expect(
        namesIn(expr).filter((name) => !there.has(name)),
        alert,
      ).toEqual([]);
      expect(annotations['action']?.length, alert).toBeGreaterThan(20);
    }
  });
});

describe('the logs', () => {
  const lines = (log: string): Record<string, unknown>[] =>
    wholeLines(log)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('of the worker name run, workflow and order', () => {
    const done = lines(readFileSync(workerLog, 'utf8')).filter(({ msg }) => msg === 'activity done');
    const sent = done.find(({ activity }) => activity === 'submitOrder');
    expect(sent).toMatchObject({ workflowId: expect.stringMatching(/^order\/simulated\//) as unknown });
    expect(sent?.['clientOrderId']).toMatch(/^[A-Za-z0-9]{26}$/);
    expect(done.find(({ activity }) => activity === 'closeRun')?.['runId']).toBeTypeOf('string');
  });

  it('of the API name request and strategy', () => {
    expect(lines(api.log()).find(({ requestId }) => requestId === 'request-of-the-test')).toMatchObject({
      strategyId: 'watched',
      method: 'POST',
      actor: 'watcher',
    });
  });

  it('of neither hold the key that was sent, nor the secret that signs', () => {
    for (const log of [api.log(), readFileSync(workerLog, 'utf8')]) {
      expect(log).not.toContain(key);
      expect(log).not.toContain(testSecret);
    }
  });
});

describe('an error that nobody foresaw', () => {
  const sql = async (statement: string): Promise<void> => {
    const client = new PgClient({ connectionString: stack.databaseUrl });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  /** An id that no row has: what may have been started just now is looked through, with the symbols of each strategy. */
  const unknownRun = async (url: string) => {
    const headers = { authorization: `Bearer ${key}`, 'x-request-id': 'request-that-fails' };
    const response = await fetch(`${url}/api/v1/runs/none`, { headers });
    return problem.parse(await response.json());
  };
  const eventsOf = (role: string): readonly Record<string, unknown>[] =>
    reports
      .map(({ body }) => JSON.parse(body.split('\n')[2] ?? '{}') as Record<string, unknown>)
      .filter(({ logger }) => logger === role);

  it('is reported by API and worker to SENTRY_DSN, and told in the answer in development only, without secrets', async () => {
    // Rows that API and worker can not read.
    await sql(`update strategy_version set settings = settings - 'symbols'`);
    await sql(`insert into notification_setting (mode, user_id, settings)
               select 'simulated', id::text, '{}' from keel_user
               on conflict (mode, user_id) do update set settings = '{}'`);
    await sql(`insert into notification (mode, key, event, title, body, facts)
               values ('simulated', 'odd', 'run.ended', 'odd', 'odd', '{}')`);
    const masked = await unknownRun(api.url);
    expect(masked).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(masked.detail).not.toMatch(/TypeError|iterable/);
    await expect.poll(() => eventsOf('api').length, { timeout: 20_000 }).toBe(1);
    expect(eventsOf('api')[0]).toMatchObject({
      environment: 'testing',
      tags: { requestId: 'request-that-fails', route: '/api/v1/runs/:id' },
      exception: { values: [{ type: 'TypeError', stacktrace: { frames: expect.any(Array) as unknown } }] },
    });
    await expect.poll(() => eventsOf('worker').length, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(eventsOf('worker')[0]).toMatchObject({ tags: { activity: 'sendNotifications' } });
    await sql('delete from notification_setting');
    const development = await startApi({ ...stack.settings, KEEL_ENV: 'development' });
    const told = await unknownRun(development.url);
    await development.stop();
    expect(told).toMatchObject({
      status: 500,
      detail: expect.stringMatching(/TypeError: .*iterable/) as string,
    });
    expect(reports[0]).toMatchObject({
      url: '/api/42/envelope/',
      auth: expect.stringMatching(/sentry_key=publickey/) as string,
    });
    const all = JSON.stringify([reports.map(({ body }) => body), told]);
    const adminToken = stack.settings['KEEL_SIMULATOR_ADMIN_TOKEN'] ?? '';
    expect(adminToken).not.toBe('');
    for (const secret of [key, testSecret, stack.databaseUrl, adminToken]) expect(all).not.toContain(secret);
  });
});

describe('switching traces on', () => {
  it('leaves runs that are open replayable', async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const module = createRequire(import.meta.url).resolve(
      '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors',
    );
    const histories = recordedHistories();
    const results = Worker.runReplayHistories(
      {
        workflowsPath: path.join(root, 'dist/workflows/index.js'),
        interceptors: { workflowModules: [module] },
        // Takes the spans of the replay, which nobody reads.
        sinks: { exporter: { export: { fn: () => undefined, callDuringReplay: false } } },
      },
      histories.map(({ name, history }) => ({ workflowId: name, history })),
    );
    const broken: string[] = [];
    for await (const { workflowId, error } of results) {
      if (error !== undefined) broken.push(`${workflowId}: ${error.message}`);
    }
    expect(broken).toEqual([]);
  });
});
