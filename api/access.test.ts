import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problem } from '../contracts/http/problem.js';
import { reaches } from '../domain/access/roles.js';
import { routeRules } from '../domain/access/routes.js';
import type { RouteRule } from '../domain/access/routes.js';
import { createApp } from './app.js';
import { memoryDeps, rowOf, strategyOf } from './testing/memory.js';
import { MemoryWorld } from './testing/world.js';
import { memoryUsers } from './testing/memoryAccess.js';
import type { ServedApi } from './testing/serve.js';
import { serveWorld } from './testing/serve.js';

let world: MemoryWorld;
let api: ServedApi;

beforeEach(async () => {
  world = new MemoryWorld();
  api = await serveWorld(world);
});

afterEach(async () => {
  await api.close();
});

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] };
  readonly handle?: { readonly stack?: readonly Layer[] };
}

/** Every "method path" of one router, found in Express itself. */
const routesOf = (layers: readonly Layer[]): string[] =>
  layers.flatMap((layer) => [
    ...(layer.route?.stack ?? []).flatMap(({ method }) =>
      method === undefined ? [] : [`${method} ${layer.route?.path ?? ''}`],
    ),
    ...routesOf(layer.handle?.stack ?? []),
  ]);

/** The gate is the first router that has routes; the others are behind it. */
function gateAndOthers(app: Express): { gate: string[]; others: string[] } {
  const routers = (app.router as unknown as { stack: Layer[] }).stack
    .map((layer) => routesOf([layer]))
    .filter((routes) => routes.length > 0);
  const [gate = [], ...others] = routers;
  return { gate, others: others.flat() };
}

const nameOf = ({ method, path }: RouteRule): string => `${method} ${path}`;
const example = (path: string): string =>
  path
    .replace('runs/:id', `runs/${rowOf().id}`)
    .replace('strategies/:id', 'strategies/demo-aapl')
    .replace(/[:*](id|key)/, 'none');

/** How far a request came: what the gate says, or `through`. Streams and errors behind the gate are through. */
async function reach(rule: RouteRule, as: string | null): Promise<string> {
  const { status, text } = await api.ask(rule.method.toUpperCase(), example(rule.path), { as });
  const code = status >= 400 ? problem.parse(JSON.parse(text)).code : '';
  const gate = [
    'TOKEN_REFUSED',
    'ROLE_TOO_LOW',
    'PASSWORD_CHANGE_NEEDED',
    'ROUTE_NOT_FOUND',
    'METHOD_NOT_ALLOWED',
  ];
  return gate.includes(code) ? code : 'through';
}

describe('the table of routes', () => {
  it('names every route that the routers have, and no other', () => {
    const { gate, others } = gateAndOthers(createApp(memoryDeps(new MemoryWorld())));
    expect(others.sort()).toEqual(routeRules.map(nameOf).sort());
    expect(gate.sort()).toEqual(routeRules.map(nameOf).sort());
  });

  // Whole: every route, asked as nobody, with a token that is not good, and with each role.
  describe.each(routeRules.map((rule) => [nameOf(rule), rule] as const))('%s', (_name, rule) => {
    beforeEach(() => {
      const ended = { status: 'ended', outcome: 'HOLD', endedAt: '2026-01-05T10:00:09.000Z' } as const;
      const row = rowOf(ended);
      world.rows.set(row.id, row);
    });

    it('answers nobody unless it is public', async () => {
      const expected = rule.needs === 'public' ? 'through' : 'TOKEN_REFUSED';
      expect(await reach(rule, null)).toBe(expected);
      expect(await reach(rule, 'forged.token.here')).toBe(expected);
    });

    it.each(['viewer', 'trader', 'admin'] as const)(
      'lets a %s through only as far as his role',
      async (role) => {
        const allowed = rule.needs === 'public' || reaches(role, rule.needs);
        expect(await reach(rule, role)).toBe(allowed ? 'through' : 'ROLE_TOO_LOW');
      },
    );

    it('waits for the change of a one-time password', async () => {
      const free = rule.needs === 'public' || rule.beforePasswordChange === true;
      expect(await reach(rule, 'newcomer')).toBe(free ? 'through' : 'PASSWORD_CHANGE_NEEDED');
    });
  });
});

describe('the gate', () => {
  it('says with 401 how to come in', async () => {
    const answer = await api.ask('GET', '/api/v1/runs', { as: null });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it.each([
    ['/API/V1/STRATEGIES', 401],
    ['/api/v1/strategies/', 401],
    ['//api/v1/strategies', 404],
    ['/api/v1/strategies%2f', 404],
    ['/api/v1/%73trategies', 404],
    ['/api/v1/../v1/strategies', 404],
    ['/api/v1/strategies;x', 404],
    ['/health/../api/v1/strategies', 404],
  ])('lets nobody in by another way of writing a path: %s', async (path, status) => {
    expect((await api.ask('GET', path, { as: null })).status).toBe(status);
  });

  it('asks HEAD for the same as GET, and has no method that is not in the table', async () => {
    expect((await api.ask('HEAD', '/api/v1/strategies', { as: null })).status).toBe(401);
    for (const method of ['OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) {
      expect((await api.ask(method, '/api/v1/strategies', { as: 'admin' })).status).toBe(405);
    }
  });

  it('reads no body of one who may not ask', async () => {
    const body = '{'.repeat(20);
    const headers = { 'content-type': 'application/json' };
    expect((await api.ask('POST', '/api/v1/strategies', { as: null, headers, body })).status).toBe(401);
  });

  it.each([
    'Basic dHJhZGVyOng=',
    'Bearer',
    'Bearer ',
    'trader',
    'Bearer trader trader',
    'Bearer trader,admin',
  ])('takes no other header: %s', async (authorization) => {
    expect((await api.ask('GET', '/api/v1/auth/me', { headers: { authorization } })).status).toBe(401);
  });

  it('answers under a name that was given, and over TLS before it', async () => {
    const ask = (host: string, origin: string) =>
      api.ask('POST', '/api/v1/strategies/demo-aapl/execute', { headers: { host, origin } });
    expect((await ask('keel.example.com', 'https://keel.example.com')).status).toBe(202);
    expect((await ask('keel.example.com', 'https://evil.example.com')).status).toBe(403);
    expect((await ask('evil.example.com', 'https://evil.example.com')).status).toBe(403);
  });
});

describe("another user's row", () => {
  const row = rowOf();
  const png = Buffer.from('89504e470d0a1a0a', 'hex');
  const object = { key: 'charts/one.png', sha256: 'a'.repeat(64), bytes: png.length };

  beforeEach(() => {
    world.rows.set(row.id, row);
    world.charts.push({ runId: row.id, timeframe: 'daily', object, width: 1200, height: 900 });
    world.objects.set(object.key, png);
    world.strategies.set('nobodys', { ...strategyOf('nobodys'), ownerId: null });
  });

  const paths = [
    ['GET', '/api/v1/strategies/demo-aapl'],
    ['POST', '/api/v1/strategies/demo-aapl/execute'],
    ['GET', `/api/v1/runs/${row.id}`],
    ['POST', `/api/v1/runs/${row.id}/cancel`],
    ['GET', `/api/v1/runs/${row.id}/progress`],
    ['GET', '/api/v1/charts/charts/one.png'],
  ] as const;

  it.each(paths)('is not there: %s %s', async (method, path) => {
    const foreign = await api.ask(method, path, { as: 'other' });
    expect(foreign.status).toBe(404);
    const code = problem.parse(foreign.json()).code;
    const nothing = await api.ask(method, path.replace(/demo-aapl|one\.png|[a-z2-7]{26}/, 'a'.repeat(26)), {
      as: 'other',
    });
    expect([nothing.status, problem.parse(nothing.json()).code]).toEqual([404, code]);
    expect(world.workflows.size + world.cancelled.length + world.audit.length).toBe(0);
  });

  it("is in no list but his and an admin's", async () => {
    const idsOf = async (as: string) => {
      const list = (await api.ask('GET', '/api/v1/strategies', { as })).json() as {
        strategies: { id: string }[];
      };
      const runs = (await api.ask('GET', '/api/v1/runs', { as })).json() as { runs: { id: string }[] };
      return [...list.strategies, ...runs.runs].map(({ id }) => id);
    };
    expect(await idsOf('other')).toEqual([]);
    expect(await idsOf('trader')).toEqual(['demo-aapl', row.id]);
    expect(await idsOf('admin')).toEqual(['demo-aapl', 'nobodys', row.id]);
  });

  it('stays hidden also when his run is not stored yet', async () => {
    world.rows.clear();
    await api.ask('POST', '/api/v1/strategies/demo-aapl/execute');
    expect((await api.ask('GET', `/api/v1/runs/${row.id}`)).status).toBe(200);
    expect((await api.ask('GET', `/api/v1/runs/${row.id}`, { as: 'other' })).status).toBe(404);
  });

  it('is made by the one who asks, whatever he writes', async () => {
    const settings = { symbols: ['SPX'] };
    const forged = await api.post('/api/v1/strategies', {
      name: 'x',
      settings,
      ownerId: memoryUsers.other.id,
    });
    expect(forged.status).toBe(422);
    await api.post('/api/v1/strategies', { name: 'mine', settings });
    expect(world.strategies.get('mine')?.ownerId).toBe(memoryUsers.trader.id);
  });
});

describe('registering', () => {
  it('lets nobody register where it is closed', async () => {
    const body = JSON.stringify({
      email: 'a@example.com',
      username: 'somebody',
      password: 'gradient obelisk forty',
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await api.ask('POST', '/api/v1/auth/register', { as: null, headers, body });
    expect([answer.status, problem.parse(answer.json()).code]).toEqual([403, 'REGISTRATION_CLOSED']);
  });
});
