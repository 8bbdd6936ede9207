import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  definition,
  definitionList,
  definitionVersion,
  definitionVersions,
} from '../contracts/http/definition.js';
import { problem } from '../contracts/http/problem.js';
import { runDetail, runList } from '../contracts/http/run.js';
import { strategy } from '../contracts/http/strategy.js';
import { definitionSteps, mandatoryGates } from '../domain/definition/definition.js';
import { rowOf } from './testing/memory.js';
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

const strict = {
  id: 'strict',
  name: 'Daily bars, strict',
  timeframes: ['daily'],
  limits: { riskPerTrade: '0.005' },
};
const post = async (path: string, body: unknown, as = 'trader') => {
  const answer = await api.ask('POST', path, {
    as,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: answer.json() };
};
const refusal = async (path: string, body: unknown, as?: string) => {
  const { status, json } = await post(path, body, as);
  const { code, errors = [] } = problem.parse(json);
  return { status, code, errors: errors.map(({ field, message }) => `${field}: ${message}`) };
};

describe('workflow definitions', () => {
  it('are made whole of what was said and what a run does anyway', async () => {
    const { status, json } = await post('/api/v1/workflows', strict);
    expect(status).toBe(201);
    expect(definition.parse(json)).toEqual({
      id: 'strict',
      name: 'Daily bars, strict',
      ownerId: memoryUsers.trader.id,
      current: {
        id: 'strict',
        version: 1,
        steps: definitionSteps,
        timeframes: ['daily'],
        analyst: 'auto',
        gates: mandatoryGates,
        limits: { riskPerTrade: '0.005' },
        createdBy: 'user:trader',
        createdAt: '2014-01-01T00:00:00.000Z',
      },
    });
    expect(await refusal('/api/v1/workflows', strict)).toMatchObject({
      status: 409,
      code: 'WORKFLOW_EXISTS',
    });
  });

  it('get versions that leave those before as they are', async () => {
    const first = definition.parse((await post('/api/v1/workflows', strict)).json).current;
    const gates = [...mandatoryGates, 'timeframesAgree'];
    const second = await post('/api/v1/workflows/strict/versions', { gates });
    expect(second.status).toBe(201);
    expect(definitionVersion.parse(second.json)).toMatchObject({ version: 2, gates, limits: {} });
    const listed = (await api.ask('GET', '/api/v1/workflows/strict/versions')).json();
    expect(definitionVersions.parse(listed).versions).toEqual([first, second.json]);
    expect((await api.ask('GET', '/api/v1/workflows/strict/versions/1')).json()).toEqual(first);
    expect(definition.parse((await api.ask('GET', '/api/v1/workflows/strict')).json()).current).toEqual(
      second.json,
    );
    expect((await api.ask('GET', '/api/v1/workflows/strict/versions/3')).status).toBe(404);
    expect((await api.ask('GET', '/api/v1/workflows/strict/versions/x')).status).toBe(422);
  });

  it.each([
    [{ steps: ['decide', 'think'] }, 'INVALID_INPUT', /^steps\.1: "think" is no step; there are openRun, /],
    [
      { gates: ['riskCheck'] },
      'INVALID_INPUT',
      /^gates\.0: "riskCheck" is no gate; there are decisionChecks, /,
    ],
    [{ gates: ['decisionChecks', 'admissionChecks'] }, 'WORKFLOW_UNSOUND', /^gates: riskChecks is missing: /],
    [
      { steps: definitionSteps.filter((step) => step !== 'evaluateRisk') },
      'WORKFLOW_UNSOUND',
      /^steps: evaluateRisk is missing: the risk checks are a safety gate/,
    ],
    [{ timeframes: ['weekly'] }, 'WORKFLOW_UNSOUND', /^timeframes: daily is missing/],
    [{ timeframes: ['hourly'] }, 'INVALID_INPUT', /^timeframes\.0: /],
    [
      { steps: definitionSteps.filter((step) => step !== 'renderChart') },
      'WORKFLOW_UNSOUND',
      /^steps: renderChart/,
    ],
    [{ limits: { riskPerTrade: '0.02' } }, 'LIMIT_EXCEEDED', /^limits\.riskPerTrade: 0\.02 is looser/],
    [{ limits: { pyramiding: true } }, 'INVALID_INPUT', /^limits\.pyramiding: can only be false/],
    [{ limits: { shortsAllowed: true } }, 'INVALID_INPUT', /^limits\.shortsAllowed: is not a known field/],
    [{ version: 7 }, 'INVALID_INPUT', /^version: is not a known field/],
  ])('are refused, each with its reason: %j', async (change, code, reason) => {
    const refused = await refusal('/api/v1/workflows', { id: 'bad', name: 'Bad', ...change });
    expect(refused).toMatchObject({ status: 422, code });
    expect(refused.errors[0]).toMatch(reason);
    expect(world.definitions.has('bad')).toBe(false);
  });

  it('are nobody else’s: another trader finds none, and the platform’s own only an admin changes', async () => {
    await post('/api/v1/workflows', strict);
    const paths = [
      '/api/v1/workflows/strict',
      '/api/v1/workflows/strict/versions',
      '/api/v1/workflows/strict/versions/1',
    ];
    for (const path of paths) expect((await api.ask('GET', path, { as: 'other' })).status).toBe(404);
    const seen = definitionList.parse((await api.ask('GET', '/api/v1/workflows', { as: 'other' })).json());
    expect(seen.workflows.map(({ id }) => id)).toEqual(['standard']);
    expect(await refusal('/api/v1/workflows/strict/versions', {}, 'other')).toMatchObject({ status: 404 });
    expect((await api.ask('DELETE', '/api/v1/workflows/strict', { as: 'other' })).status).toBe(404);

    expect(await refusal('/api/v1/workflows/standard/versions', {})).toMatchObject({
      status: 403,
      code: 'WORKFLOW_NOT_YOURS',
    });
    expect((await post('/api/v1/workflows/standard/versions', {}, 'admin')).status).toBe(201);
    expect((await post('/api/v1/workflows/strict/versions', {}, 'admin')).status).toBe(201);
  });

  it('go only while nothing names them', async () => {
    await post('/api/v1/workflows', strict);
    const settings = { symbols: ['AAPL'], workflowId: 'strict' };
    await post('/api/v1/strategies', { id: 'mine', name: 'Mine', settings });
    const remove = () => api.ask('DELETE', '/api/v1/workflows/strict');
    expect(problem.parse((await remove()).json())).toMatchObject({ status: 409, code: 'WORKFLOW_IN_USE' });
    world.strategies.delete('mine');
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
    expect((await api.ask('DELETE', '/api/v1/workflows/standard', { as: 'admin' })).status).toBe(409);
  });
});

describe('a strategy', () => {
  beforeEach(async () => {
    await post('/api/v1/workflows', strict);
  });
  const create = (settings: object, as?: string) =>
    post(
      '/api/v1/strategies',
      { id: 'mine', name: 'Mine', settings: { symbols: ['AAPL'], ...settings } },
      as,
    );

  it('names one version, and takes its timeframes and limits where it says nothing', async () => {
    const made = strategy.parse((await create({ workflowId: 'strict' })).json);
    expect(made.settings).toMatchObject({
      workflowId: 'strict',
      workflowVersion: 1,
      timeframes: ['daily'],
      risk: { riskPerTrade: '0.005', maximumPositionShare: '0.10' },
    });
    await post('/api/v1/workflows/strict/versions', {});
    expect(world.strategies.get('mine')?.settings.workflowVersion).toBe(1);
  });

  it('is refused beyond its definition, and for one that is not there or another’s', async () => {
    const beyond = { workflowId: 'strict', timeframes: ['daily', 'weekly'], risk: { riskPerTrade: '0.01' } };
    const settings = { symbols: ['AAPL'], ...beyond };
    const refused = await refusal('/api/v1/strategies', { name: 'Mine', settings });
    expect(refused).toMatchObject({ status: 422, code: 'BEYOND_WORKFLOW' });
    expect(refused.errors).toEqual([
      "settings.timeframes: weekly is none of the definition's: daily",
      "settings.risk.riskPerTrade: 0.01 is looser than the definition's 0.005",
    ]);
    for (const [body, as] of [
      [{ workflowId: 'nowhere' }, 'trader'],
      [{ workflowId: 'strict', workflowVersion: 9 }, 'trader'],
      [{ workflowId: 'strict' }, 'other'],
    ] as const) {
      const { status, json } = await create(body, as);
      expect([status, problem.parse(json).code]).toEqual([422, 'UNKNOWN_WORKFLOW']);
    }
  });

  it('moves to another version by a version of its own, and keeps its slot', async () => {
    await create({ slot: 'noon' });
    const change = (settings: object, as?: string) =>
      post('/api/v1/strategies/mine/versions', { settings: { symbols: ['AAPL'], ...settings } }, as);
    const moved = await change({ workflowId: 'strict' });
    expect(moved.status).toBe(201);
    expect(strategy.parse(moved.json)).toMatchObject({
      version: 2,
      settings: { workflowId: 'strict', workflowVersion: 1, slot: 'noon', timeframes: ['daily'] },
    });
    expect(problem.parse((await change({ slot: 'open-5m' })).json).errors?.[0]?.field).toBe('settings.slot');
    expect((await change({}, 'other')).status).toBe(404);
  });
});

describe('a run', () => {
  it('tells the version that it takes, whole where one run is read', async () => {
    const row = rowOf({ status: 'ended', outcome: 'HOLD', endedAt: '2026-01-05T10:00:09.000Z' });
    world.rows.set(row.id, row);
    const listed = runList.parse((await api.ask('GET', '/api/v1/runs')).json());
    expect(listed.runs[0]?.definition).toEqual({ id: 'standard', version: 1 });
    const read = runDetail.parse((await api.ask('GET', `/api/v1/runs/${row.id}`)).json());
    expect(read.definition).toMatchObject({ id: 'standard', version: 1, steps: definitionSteps });
    world.rows.set(row.id, { ...row, definitionId: null, definitionVersion: null });
    const older = runDetail.parse((await api.ask('GET', `/api/v1/runs/${row.id}`)).json());
    expect(older.definition).toBeNull();
  });
});
