import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runWorkflowId } from '../contracts/wire/names.js';
import { health } from '../contracts/http/health.js';
import { problem } from '../contracts/http/problem.js';
import { cancelAnswer, executeAnswer, runDetail, runList, runProgress } from '../contracts/http/run.js';
import { stock } from '../contracts/http/stock.js';
import { strategy, strategyList } from '../contracts/http/strategy.js';
import { KeelError } from '../ports/errors.js';
import { createApp } from './app.js';
import type { ServedApi } from './testing/serve.js';
import { serveWorld } from './testing/serve.js';
import { identityOf, memoryDeps, openExecution, progressOf, rowOf } from './testing/memory.js';
import { MemoryWorld } from './testing/world.js';
import { priceOf } from './testing/prices.js';

let world: MemoryWorld;
let api: ServedApi;

beforeEach(async () => {
  world = new MemoryWorld();
  api = await serveWorld(world);
});

afterEach(async () => {
  await api.close();
});

const away = (code: string) => new KeelError(code, `${code}: start it.`, { errorClass: 'retryable' });

describe('service', () => {
  it('answers that it lives, also while everything else is away', async () => {
    world.away.database = away('DATABASE_AWAY');
    world.away.temporal = away('TEMPORAL_AWAY');
    for (const path of ['/health', '/api/v1/health']) {
      const answer = await api.ask('GET', path);
      expect(answer.status).toBe(200);
      expect(health.parse(answer.json())).toEqual({ status: 'ok', mode: 'simulated', version: '0.0.0' });
    }
  });

  it('sends security headers, a request id and nothing about Express', async () => {
    const { headers } = await api.ask('GET', '/health');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it("keeps a harmless request id of the caller's and replaces another", async () => {
    const idOf = async (given: string) =>
      (await api.ask('GET', '/health', { headers: { 'x-request-id': given } })).headers['x-request-id'];
    expect(await idOf('trace-1.a_b')).toBe('trace-1.a_b');
    expect(await idOf('<script>')).not.toContain('<');
  });

  it('logs one line a request, without headers and query', async () => {
    await api.ask('GET', '/api/v1/runs?symbol=SECRETSYMBOL', {
      headers: { authorization: 'Bearer hunter2', cookie: 'hunter2', 'x-request-id': 'r-1' },
    });
    await expect.poll(() => world.log.length).toBe(1);
    expect(JSON.parse(world.log[0] ?? '')).toMatchObject({
      requestId: 'r-1',
      method: 'GET',
      path: '/api/v1/runs',
      status: 401,
    });
    expect(world.log.join('')).not.toMatch(/hunter2|SECRETSYMBOL/);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io:3000', 'localhost:3000@evil'])(
    'refuses the host "%s"',
    async (host) => {
      const answer = await api.ask('GET', '/api/v1/strategies', { headers: { host } });
      expect(answer.status).toBe(403);
      expect(problem.parse(answer.json()).code).toBe('HOST_REFUSED');
    },
  );

  it.each(['localhost', 'LOCALHOST:3000', '127.0.0.1:80', '[::1]:3000'])(
    'takes the host "%s"',
    async (host) => {
      expect((await api.ask('GET', '/health', { headers: { host } })).status).toBe(200);
    },
  );

  it('lets no page of another origin act, and its own act', async () => {
    const execute = (headers: Record<string, string>) =>
      api.ask('POST', '/api/v1/strategies/demo-aapl/execute', { headers });
    const own = `127.0.0.1:${api.port}`;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${api.port + 1}` },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[]) {
      const answer = await execute(headers);
      expect(answer.status).toBe(403);
      expect(problem.parse(answer.json()).code).toBe('ORIGIN_REFUSED');
    }
    expect(world.workflows.size).toBe(0);
    expect((await execute({ origin: `http://${own}`, 'sec-fetch-site': 'same-origin' })).status).toBe(202);
  });
});

describe('pages of an origin that is set', () => {
  const origin = 'https://dashboard.example.com';
  const preflight = (from: string) =>
    api.ask('OPTIONS', '/api/v1/strategies/demo-aapl/execute', {
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it('may ask whether they may, read answers and their errors, and act', async () => {
    const asked = await preflight(origin);
    expect([asked.status, asked.headers]).toMatchObject([
      204,
      {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': expect.stringContaining('POST') as string,
        'access-control-allow-headers': expect.stringMatching(/Authorization.*Content-Type/) as string,
      },
    ]);
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    const acted = await api.ask('POST', '/api/v1/strategies/demo-aapl/execute', {
      headers: { origin, 'sec-fetch-site': 'cross-site' },
    });
    expect(acted.status).toBe(202);
    for (const path of ['/health', '/api/v1/strategies', '/api/v1/runs/none']) {
      const answer = await api.ask('GET', path, { headers: { origin } });
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': expect.stringContaining('X-Request-Id') as string,
        vary: expect.stringMatching(/Origin/) as string,
      });
    }
  });

  it.each([
    'https://evil.example',
    'null',
    'http://dashboard.example.com',
    `${origin}:8443`,
    `${origin}.evil.example`,
  ])('are not those of %s', async (from) => {
    const answers = [
      await preflight(from),
      await api.ask('GET', '/api/v1/strategies', { headers: { origin: from } }),
    ];
    for (const { headers } of answers) expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(answers[0]?.status).toBeGreaterThanOrEqual(400);
  });
});

describe('bad requests', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    ['GET', '/nothing', {}, 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/%E0%A4%A', {}, 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/api/v1/strategies/%E0%A4%A', {}, 400, 'MALFORMED_REQUEST'],
    ['DELETE', '/api/v1/strategies', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/api/v1/strategies/demo-aapl/execute', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/docs', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/api/v1/strategies/nobody', {}, 404, 'STRATEGY_NOT_FOUND'],
    ['GET', '/api/v1/strategies/no%00body', {}, 404, 'ROUTE_NOT_FOUND'],
    ['POST', '/api/v1/strategies/nobody/execute', {}, 404, 'STRATEGY_NOT_FOUND'],
    ['GET', '/api/v1/runs/nothing', {}, 404, 'RUN_NOT_FOUND'],
    ['GET', '/api/v1/runs/aaaaaaaaaaaaaaaaaaaaaaaaaa', {}, 404, 'RUN_NOT_FOUND'],
    ['GET', '/api/v1/runs/aaaaaaaaaaaaaaaaaaaaaaaaaa/progress', {}, 404, 'RUN_NOT_FOUND'],
    ['POST', '/api/v1/runs/aaaaaaaaaaaaaaaaaaaaaaaaaa/cancel', {}, 404, 'RUN_NOT_FOUND'],
    ['GET', '/api/v1/charts/charts/none.png', {}, 404, 'CHART_NOT_FOUND'],
    ['GET', '/api/v1/charts/..%2f..%2fetc%2fpasswd', {}, 404, 'CHART_NOT_FOUND'],
    ['GET', '/docs/package.json', {}, 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/docs/..%2fpackage.json', {}, 404, 'ROUTE_NOT_FOUND'],
    ['POST', '/api/v1/strategies', { headers: json, body: '{' }, 400, 'MALFORMED_JSON'],
    ['POST', '/api/v1/strategies', { headers: json, body: '"text"' }, 400, 'MALFORMED_JSON'],
    ['POST', '/api/v1/strategies', { headers: json, body: '[]' }, 422, 'INVALID_INPUT'],
    ['POST', '/api/v1/strategies', {}, 422, 'INVALID_INPUT'],
    [
      'POST',
      '/api/v1/strategies',
      { headers: json, body: `{"name":"${'x'.repeat(11_000)}"}` },
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'POST',
      '/api/v1/strategies',
      { headers: { 'content-type': 'text/plain' }, body: '{"name":"x"}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'POST',
      '/api/v1/strategies',
      { headers: { ...json, 'content-encoding': 'zstd' }, body: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['GET', '/api/v1/runs?limit=0&symbol=a&other=1', {}, 422, 'INVALID_INPUT'],
  ] as const)('%s %s %j is answered with %d %s', async (method, path, question, status, code) => {
    const answer = await api.ask(method, path, question);
    const body = problem.parse(answer.json());
    expect([answer.status, body.status, body.code]).toEqual([status, status, code]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(body.requestId).toBe(answer.headers['x-request-id']);
  });

  it('names the methods that a path has', async () => {
    const answer = await api.ask('DELETE', '/api/v1/strategies');
    expect(answer.headers['allow']).toBe('GET, HEAD, POST');
  });

  it('names every field at fault at once', async () => {
    const answer = await api.post('/api/v1/strategies', {
      id: 'Not A Slug',
      name: 'a\u0000b',
      settings: { symbols: [], risk: { riskPerTrade: 0.01 } },
      typo: true,
    });
    const { errors } = problem.parse(answer.json());
    expect(errors?.map(({ field }) => field).sort()).toEqual([
      'id',
      'name',
      'settings.risk.riskPerTrade',
      'settings.symbols',
      'typo',
    ]);
  });
});

describe('what is away', () => {
  it.each([
    ['database', 'DATABASE_AWAY', 'GET', '/api/v1/strategies'],
    ['database', 'DATABASE_AWAY', 'GET', '/api/v1/runs'],
    ['database', 'DATABASE_AWAY', 'POST', '/api/v1/strategies/demo-aapl/execute'],
    ['temporal', 'TEMPORAL_AWAY', 'POST', '/api/v1/strategies/demo-aapl/execute'],
    ['market', 'MARKET_CLOCK_AWAY', 'POST', '/api/v1/strategies/demo-aapl/execute'],
  ] as const)('%s: 503 %s for %s %s, with what to do', async (server, code, method, path) => {
    world.away[server] = away(code);
    const answer = await api.ask(method, path);
    expect(answer.status).toBe(503);
    expect(problem.parse(answer.json())).toMatchObject({ code, detail: `${code}: start it.` });
    expect(answer.headers['retry-after']).toBe('5');
  });

  it('answers 500 without a word of an unknown error, and logs it under the request id', async () => {
    world.away.database = new Error('hunter2 was wrong');
    const answer = await api.ask('GET', '/api/v1/runs', { headers: { 'x-request-id': 'r-9' } });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('hunter2');
    expect(problem.parse(answer.json()).code).toBe('INTERNAL');
    expect(world.log.find((line) => line.includes('request failed'))).toContain('"requestId":"r-9"');
  });
});

describe('strategies', () => {
  it('creates, lists and reads', async () => {
    const created = await api.post('/api/v1/strategies', { name: 'Second', settings: { symbols: ['SPX'] } });
    expect(created.status).toBe(201);
    expect(created.headers['location']).toBe('/api/v1/strategies/second');
    const made = strategy.parse(created.json());
    expect(strategy.parse((await api.ask('GET', '/api/v1/strategies/second')).json())).toEqual(made);
    const list = strategyList.parse((await api.ask('GET', '/api/v1/strategies')).json());
    expect(list.strategies.map(({ id }) => id)).toEqual(['demo-aapl', 'second']);
  });

  it('refuses a second one with the same id', async () => {
    const answer = await api.post('/api/v1/strategies', {
      id: 'demo-aapl',
      name: 'x',
      settings: { symbols: ['SPX'] },
    });
    expect([answer.status, problem.parse(answer.json()).code]).toEqual([409, 'STRATEGY_EXISTS']);
  });

  it("refuses limits beyond the platform's", async () => {
    const settings = { symbols: ['SPX'], risk: { riskPerTrade: '0.02' } };
    const answer = await api.post('/api/v1/strategies', { name: 'Risky', settings });
    expect(answer.status).toBe(422);
    expect(problem.parse(answer.json())).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      errors: [{ in: 'body', field: 'settings.risk.riskPerTrade' }],
    });
    expect(world.strategies.has('risky')).toBe(false);
  });

  it('executes with 202, and with 200 once the run is there', async () => {
    const first = await api.ask('POST', '/api/v1/strategies/demo-aapl/execute');
    const again = await api.post('/api/v1/strategies/demo-aapl/execute', { symbol: 'AAPL' });
    expect([first.status, again.status]).toEqual([202, 200]);
    const body = executeAnswer.parse(first.json());
    expect(executeAnswer.parse(again.json())).toEqual({ ...body, existing: true });
    expect(first.headers['location']).toBe(`/api/v1/runs/${body.runId}`);
    expect(body).toMatchObject({ session: '2014-07-07', slot: 'after-close', existing: false });
  });
});

const row = rowOf();
const png = Buffer.from('89504e470d0a1a0a', 'hex');
const sha256 = createHash('sha256').update(png).digest('hex');
const object = { key: `charts/${sha256}.png`, sha256, bytes: png.length };

describe('runs', () => {
  it('lists with filters', async () => {
    world.rows.set(row.id, row);
    const list = async (query: string) =>
      runList.parse((await api.ask('GET', `/api/v1/runs${query}`)).json()).runs.map(({ id }) => id);
    expect(await list('')).toEqual([row.id]);
    expect(await list('?strategyId=demo-aapl&symbol=AAPL&limit=5')).toEqual([row.id]);
    expect(await list('?symbol=SPX')).toEqual([]);
  });

  it('shows a run with its charts as URLs that answer', async () => {
    world.rows.set(row.id, row);
    world.charts.push({ runId: row.id, timeframe: 'daily', object, width: 1200, height: 900 });
    world.objects.set(object.key, png);
    const detail = runDetail.parse((await api.ask('GET', `/api/v1/runs/${row.id}`)).json());
    expect(detail).toMatchObject({ id: row.id, order: null, decision: null });
    expect(detail.charts).toHaveLength(1);
    const picture = await api.ask('GET', detail.charts[0]?.url ?? '');
    expect(picture.status).toBe(200);
    expect(picture.bytes.equals(png)).toBe(true);
    expect(picture.headers).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${sha256}"`,
    });
    const same = await api.ask('GET', detail.charts[0]?.url ?? '', {
      headers: { 'if-none-match': `"${sha256}"` },
    });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
  });

  it('serves no object that is no chart, and no error as a lasting picture', async () => {
    world.objects.set('bars/secret.json', png);
    expect((await api.ask('GET', '/api/v1/charts/bars/secret.json')).status).toBe(404);
    world.rows.set(row.id, row);
    world.charts.push({ runId: row.id, timeframe: 'daily', object, width: 1200, height: 900 });
    const missing = await api.ask('GET', `/api/v1/charts/${object.key}`);
    expect(problem.parse(missing.json()).code).toBe('OBJECT_MISSING');
    expect(missing.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(missing.headers).not.toHaveProperty('etag');
  });

  it('answers 503 for a picture while the object store is away, and names no place of the server', async () => {
    world.rows.set(row.id, row);
    world.charts.push({ runId: row.id, timeframe: 'daily', object, width: 1200, height: 900 });
    for (const errorClass of ['final', 'retryable'] as const) {
      const message = 'The object directory /srv/objects does not exist.';
      world.away.objects = new KeelError('OBJECT_STORE_BUCKET_MISSING', message, { errorClass });
      const away = await api.ask('GET', `/api/v1/charts/${object.key}`);
      expect([away.status, problem.parse(away.json()).code]).toEqual([503, 'OBJECT_STORE_AWAY']);
      expect(JSON.stringify(away.json())).not.toContain('/srv');
      expect(away.headers).toHaveProperty('retry-after');
    }
  });

  it('finds a run that no worker has stored yet, and cancels it', async () => {
    const { runId, workflowId } = executeAnswer.parse(
      (await api.ask('POST', '/api/v1/strategies/demo-aapl/execute')).json(),
    );
    const detail = runDetail.parse((await api.ask('GET', `/api/v1/runs/${runId}`)).json());
    expect(detail).toMatchObject({ id: runId, workflowId, status: 'running', code: 'NOT_TAKEN_YET' });
    const cancelled = await api.ask('POST', `/api/v1/runs/${runId}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(cancelAnswer.parse(cancelled.json())).toEqual({ runId, workflowId, cancelRequested: true });
    expect(world.cancelled).toEqual([workflowId]);
    expect([...world.cancelAsked]).toEqual([runId]);
    expect(world.audit).toMatchObject([
      { actor: 'user:trader', action: 'run.execute', subject: runId },
      { actor: 'user:trader', action: 'run.cancel', subject: runId },
    ]);
  });

  it('refuses to cancel what has ended', async () => {
    world.rows.set(row.id, {
      ...row,
      status: 'ended',
      outcome: 'HOLD',
      endedAt: '2026-01-05T10:00:09.000Z',
    });
    const answer = await api.ask('POST', `/api/v1/runs/${row.id}/cancel`);
    expect([answer.status, problem.parse(answer.json()).code]).toEqual([409, 'RUN_ENDED']);
  });
});

/** Opens the stream; `next` gives one event or comment at a time, null at the end. */
async function stream(path: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: 'Bearer trader' };
    get({ host: '127.0.0.1', port: api.port, path, headers, agent: false }, resolve).on('error', reject);
  });
  response.setEncoding('utf8');
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  let buffer = '';
  return {
    response,
    next: async (): Promise<string | null> => {
      while (!buffer.includes('\n\n')) {
        const chunk = await chunks.next();
        if (chunk.done === true) return null;
        buffer += chunk.value;
      }
      const at = buffer.indexOf('\n\n');
      const block = buffer.slice(0, at);
      buffer = buffer.slice(at + 2);
      return block;
    },
  };
}

const dataOf = (block: string | null): unknown =>
  JSON.parse(
    (block ?? '')
      .split('\n')
      .find((line) => line.startsWith('data: '))
      ?.slice(6) ?? 'null',
  );

describe('progress', () => {
  const path = `/api/v1/runs/${row.id}/progress`;
  const execution = openExecution();
  beforeEach(() => {
    world.rows.set(row.id, row);
    execution.progress = progressOf();
    world.workflows.set(runWorkflowId(identityOf()), execution);
  });

  it('streams each change and, at the end, "end"', async () => {
    const events = await stream(path);
    expect(events.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    const first = await events.next();
    expect(first).toMatch(/^event: progress\n/);
    expect(runProgress.parse(dataOf(first))).toEqual(progressOf());
    expect(await events.next()).toBe(': alive');
    const end = { status: 'ended', outcome: 'HOLD', endedAt: '2026-01-05T10:00:09.000Z' } as const;
    world.rows.set(row.id, { ...row, ...end });
    execution.progress = progressOf({ status: 'ended', outcome: 'HOLD' });
    let last = await events.next();
    while (last === ': alive') last = await events.next();
    expect(dataOf(last)).toEqual(progressOf({ status: 'ended', outcome: 'HOLD' }));
    const ended = await events.next();
    expect(ended).toMatch(/^event: end\n/);
    expect(runProgress.parse(dataOf(ended)).outcome).toBe('HOLD');
    expect(await events.next()).toBeNull();
  });

  it('stops asking when the client leaves', async () => {
    const events = await stream(path);
    await events.next();
    events.response.destroy();
    await expect.poll(() => world.log.some((line) => line.includes('stream ended'))).toBe(true);
    const asked = world.progressQueries;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.progressQueries).toBeLessThanOrEqual(asked + 1);
  });

  it('ends when the process stops', async () => {
    const events = await stream(path);
    await events.next();
    world.stop.abort();
    let block = await events.next();
    while (block === ': alive') block = await events.next();
    expect(block).toBeNull();
  });
});

describe('prices', () => {
  it('tells a price with its age in whole seconds', async () => {
    world.prices.set('BTC/USD', priceOf('BTC/USD'));
    const answer = await api.ask('GET', '/api/v1/stocks/BTC/USD');
    expect(answer.status).toBe(200);
    expect(stock.parse(answer.json())).toMatchObject({ symbol: 'BTC/USD', price: '95.97', ageSeconds: 1800 });
  });

  it('refuses a batch without symbols, with too many, or with what can be none', async () => {
    for (const symbols of [[], Array.from({ length: 101 }, () => 'AAPL'), ['aapl; drop']]) {
      expect((await api.post('/api/v1/stocks/batch', { symbols })).status).toBe(422);
    }
    expect((await api.ask('GET', '/api/v1/stocks/batch')).status).toBe(405);
  });
});

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] };
  readonly handle?: { readonly stack?: readonly Layer[] };
}

/** Every "METHOD path" that the application answers, gate included, found in Express itself. */
function routesOf(app: Express): string[] {
  const walk = (layers: readonly Layer[]): string[] =>
    layers.flatMap((layer) => [
      ...(layer.route === undefined
        ? []
        : layer.route.stack.flatMap(({ method }) =>
            method === undefined ? [] : [`${method} ${layer.route?.path ?? ''}`],
          )),
      ...walk(layer.handle?.stack ?? []),
    ]);
  return walk((app.router as unknown as { stack: Layer[] }).stack);
}

describe('documentation', () => {
  it('is where the root leads', async () => {
    const answer = await api.ask('GET', '/');
    expect([answer.status, answer.headers.location]).toEqual([302, '/docs']);
  });

  it('has every route and no other', async () => {
    const document = (await api.ask('GET', '/openapi.json')).json() as { paths: Record<string, object> };
    const documented = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const routes = [...new Set(routesOf(createApp(memoryDeps(new MemoryWorld()))))]
      .filter((route) => !route.startsWith('get /docs/'))
      .map((route) => route.replace(/[:*](\w+)/g, '{$1}'));
    expect(routes.length).toBeGreaterThan(10);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it('says of a new password what its text says, and takes for a given one what may have been set', async () => {
    const { components } = (await api.ask('GET', '/openapi.json')).json() as {
      components: { schemas: Record<string, { properties: Record<string, object> }> };
    };
    const of = (name: string, field: string) => components.schemas[name]?.properties[field];
    const fresh = {
      minLength: 12,
      maxLength: 256,
      description: expect.stringMatching(/^12 to 256 /) as string,
    };
    expect(of('RegisterRequest', 'password')).toMatchObject(fresh);
    expect(of('PasswordRequest', 'next')).toMatchObject(fresh);
    for (const given of [of('LoginRequest', 'password'), of('PasswordRequest', 'current')]) {
      expect(given).toMatchObject({ minLength: 1, maxLength: 1024 });
      expect(given).toHaveProperty('description', expect.not.stringMatching(/\d/));
    }
  });

  it('shows itself without inline script and without another host', async () => {
    const page = await api.ask('GET', '/docs');
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toContain("script-src 'self';");
    expect(page.text).not.toMatch(/<script>|https?:\/\/|\son\w+=/);
    const assets = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(assets).toHaveLength(3);
    for (const path of assets) {
      const asset = await api.ask('GET', path);
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers['content-type']).toMatch(path.endsWith('.css') ? /^text\/css/ : /javascript/);
    }
  });
});
