import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runWorkflowId } from '../contracts/wire/names.js';
import { routeRules } from '../domain/access/routes.js';
import { KeelError } from '../ports/errors.js';
import { problem } from '../contracts/http/problem.js';
import { identityOf, memoryDeps, openExecution, progressOf, rowOf } from './testing/memory.js';
import { MemoryWorld } from './testing/world.js';
import type { ServedApi } from './testing/serve.js';
import { serveWorld } from './testing/serve.js';

const openApi = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()) })),
  ),
});

let world: MemoryWorld;
let api: ServedApi;

beforeEach(() => {
  world = new MemoryWorld();
});

afterEach(async () => {
  world.stop.abort();
  await api.close();
});

describe('calls', () => {
  it('of one user are counted together, and those of others and of nobody for themselves', async () => {
    api = await serveWorld(world, { callsPerMinute: 5 });
    for (let count = 0; count < 5; count += 1) {
      expect((await api.ask('GET', '/api/v1/strategies')).status).toBe(200);
    }
    const refused = await api.ask('GET', '/api/v1/runs');
    expect([refused.status, problem.parse(refused.json()).code]).toEqual([429, 'TOO_MANY_CALLS']);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect(refused.headers['retry-after']).toBe('60');
    expect((await api.ask('GET', '/api/v1/strategies', { as: 'other' })).status).toBe(200);
    for (let count = 0; count < 10; count += 1) {
      expect((await api.ask('GET', '/health', { as: null })).status).toBe(200);
      expect((await api.ask('GET', '/api/v1/strategies', { as: null })).status).toBe(401);
    }
  });

  it('that are refused reach nothing behind the limit', async () => {
    api = await serveWorld(world, { callsPerMinute: 1 });
    expect((await api.ask('GET', '/api/v1/strategies')).status).toBe(200);
    expect((await api.post('/api/v1/strategies/demo-aapl/execute')).status).toBe(429);
    expect(world.workflows.size + world.audit.length).toBe(0);
  });
});

describe('the document', () => {
  it('names 429 for every call that the limit of calls may refuse, and for those of nobody that count attempts', async () => {
    api = await serveWorld(world, { callsPerMinute: 1 });
    await api.ask('GET', '/api/v1/strategies', { as: 'admin' });
    const { paths } = openApi.parse((await api.ask('GET', '/openapi.json', { as: null })).json());
    const may: string[] = [];
    const named: string[] = [];
    for (const { method, path } of routeRules) {
      const filled = path.replace(/[:*]\w+/g, 'x');
      const call = `${method} ${path}`;
      const answers = paths[path.replace(/[:*](\w+)/g, '{$1}')]?.[method]?.responses ?? {};
      if ('429' in answers) named.push(call);
      if ((await api.ask(method.toUpperCase(), filled, { as: 'admin' })).status === 429) may.push(call);
    }
    expect(may.length).toBeGreaterThan(40);
    expect(named.filter((call) => !may.includes(call)).sort()).toEqual([
      'get /api/v1/auth/oidc/login',
      'post /api/v1/auth/login',
      'post /api/v1/auth/oidc/code',
      'post /api/v1/auth/register',
    ]);
    expect(may.filter((call) => !named.includes(call))).toEqual([]);
  });
});

describe('the address of a caller', () => {
  /** What counts attempts is told of it when somebody logs in. */
  async function addressOf(trustedProxies: readonly string[], forwarded: string): Promise<string> {
    let told = '';
    const attempts = {
      begin: (_kind: string, _subject: string, address: string) => {
        told = address;
        return Promise.reject(new KeelError('TOO_MANY_ATTEMPTS', 'enough is known'));
      },
      succeeded: () => Promise.resolve(),
    };
    const users = { ...memoryDeps(world).users, byLogin: () => Promise.resolve(null) };
    api = await serveWorld(world, { attempts, users, trustedProxies });
    const answer = await api.ask('POST', '/api/v1/auth/login', {
      as: null,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': forwarded },
      body: JSON.stringify({ login: 'maria', password: 'x' }),
    });
    expect(answer.status).toBe(429);
    return told;
  }

  it.each([
    ['nobody is trusted', [], '203.0.113.9', '127.0.0.1'],
    ['another one is trusted', ['10.0.0.0/8'], '203.0.113.9', '127.0.0.1'],
    ['the proxy is trusted', ['127.0.0.1'], '203.0.113.9', '203.0.113.9'],
    ['the caller made some up', ['127.0.0.1'], '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['there are two proxies', ['127.0.0.0/8', '10.0.0.5'], '1.1.1.1, 203.0.113.9, 10.0.0.5', '203.0.113.9'],
  ])('is what the connection and trusted proxies say: %s', async (_case, trusted, forwarded, address) => {
    expect(await addressOf(trusted, forwarded)).toBe(address);
  });
});

describe('streams', () => {
  it('of one user are as many as are allowed, and each that closes makes room', async () => {
    api = await serveWorld(world);
    const row = rowOf();
    world.rows.set(row.id, row);
    const execution = openExecution();
    execution.progress = progressOf();
    world.workflows.set(runWorkflowId(identityOf()), execution);
    const path = `/api/v1/runs/${row.id}/progress`;
    const open = (as = 'trader'): Promise<{ status: number; close: () => void }> => api.open(path, as);
    const streams = [await open(), await open(), await open()];
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = await api.ask('GET', path);
    expect([refused.status, problem.parse(refused.json()).code]).toEqual([429, 'TOO_MANY_STREAMS']);
    const admins = await open('admin');
    expect(admins.status).toBe(200);
    streams[0]?.close();
    let next = { status: 0, close: (): void => undefined };
    await expect
      .poll(async () => {
        next = await open();
        return next.status;
      })
      .toBe(200);
    expect((await api.ask('GET', path)).status).toBe(429);
    for (const stream of [...streams, admins, next]) stream.close();
  });
});
