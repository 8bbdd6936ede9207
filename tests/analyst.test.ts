// The analyst that asks a model, through whole runs: what each answer and each failure of the server ends in, as the table
// of docs/analyst.md says. One Keel for all; every case is a strategy of its own, which the stub tells by its averages.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import type { CallRow } from '../ports/conversations.js';
import { buyText, closeIn, good, goodBut, readingText } from './support/openai/replies.js';
import {
  startOpenaiStub,
  type OpenaiStub,
  type Reply,
  type Script,
  type StubCall,
} from './support/openai/stub.js';
import type { ServerProcess } from './support/server.js';
import { sharedServers } from './support/servers.js';
import { startStack, type TestStack } from './support/stack.js';

const close = '2014-07-07T20:00:00.000Z';
const session = close.slice(0, 10);
const key = 'sk-a-key-that-nobody-may-see-0123456789';

const temporal = sharedServers();
let stub: OpenaiStub;
let keel: TestStack;
let worker: ServerProcess;

/** By the period of the strategy's only average, which stands in each of its prompts. */
const scripts = new Map<number, Script>();
const periodIn = ({ text }: StubCall): number => Number(/"sma(\d+)"/.exec(text)?.[1] ?? 0);
const callsOf = (period: number): StubCall[] => stub.calls.filter((call) => periodIn(call) === period);

beforeAll(async () => {
  stub = await startOpenaiStub((call) => {
    const script = scripts.get(periodIn(call)) ?? good;
    return script(call, callsOf(periodIn(call)).filter(({ purpose }) => purpose === call.purpose).length);
  });
  vi.stubEnv('OPENAI_BASE_URL', stub.url);
  vi.stubEnv('OPENAI_API_KEY', key);
  vi.stubEnv('OPENAI_MODEL', 'test-vision');
  vi.stubEnv('OPENAI_API', '');
  vi.stubEnv('KEEL_MODEL_TIMEOUT_MS', '2500');
  vi.stubEnv('KEEL_MODEL_STEP_DEADLINE_MS', '60000');
  keel = await startStack(temporal());
  worker = await keel.startWorker();
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await keel.stop();
  await stub.close();
});

let periods = 30;

interface Begun {
  readonly runId: string;
  readonly period: number;
  readonly handle: WorkflowHandle;
}

/** Starts a run whose calls the script answers. */
async function begin(name: string, script: Script, period = (periods += 1)): Promise<Begun> {
  const id = `m-${name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}`.slice(0, 40).replace(/-$/, '');
  scripts.set(period, script);
  await keel.createStrategy(id, { analyst: 'auto', indicators: { ...defaultIndicators, sma: [period] } });
  return { runId: `${id}-${session}`, period, handle: await keel.startRun(id, close) };
}

async function endOf({ runId, handle }: Begun) {
  await handle.result().catch(() => null);
  const { stores } = keel.market;
  const row = await stores.runs.get(runId);
  expect(await stores.intents.byRun(runId)).toBeNull();
  return { outcome: row?.outcome, code: row?.code, message: row?.message ?? '' };
}

const callRows = (runId: string): Promise<readonly CallRow[]> =>
  keel.market.stores.conversations.byRun(runId);

const hold = (call: StubCall): Reply => ({
  kind: 'text',
  text: buyText(call, { action: 'hold', entry: null, stop: null, target: null }),
});
const raw = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  kind: 'raw',
  status,
  body,
  headers,
});
const error = (status: number, message: string, code: string | null = null, headers = {}): Reply =>
  raw(status, JSON.stringify({ error: { message, type: 'error', param: null, code } }), headers);
const text = (value: string): Reply => ({ kind: 'text', text: value });
const wrongPrices = (change: (close: number) => object): Script =>
  goodBut('decision', (call) => text(buyText(call, change(closeIn(call)))));

/** What the model or its server does; the code that the run ends with; calls that the stub has seen. */
const failures: readonly (readonly [string, Script, string, number])[] = [
  ['a refusal', goodBut('daily', () => ({ kind: 'refusal' })), 'MODEL_REFUSAL', 2],
  ['an answer cut off at the cap', goodBut('daily', () => ({ kind: 'length' })), 'MODEL_LENGTH', 2],
  ['a content filter', goodBut('daily', () => ({ kind: 'content_filter' })), 'MODEL_CONTENT_FILTER', 2],
  [
    'a content filter by status',
    goodBut('daily', () => error(400, 'filtered', 'content_filter')),
    'MODEL_CONTENT_FILTER',
    2,
  ],
  ['an empty answer', goodBut('decision', () => ({ kind: 'empty' })), 'MODEL_EMPTY', 3],
  ['an answer that is no JSON', goodBut('daily', () => text('The trend is up.')), 'MODEL_INVALID_JSON', 3],
  [
    'NaN in place of a number',
    goodBut('daily', () => text(readingText().replace('61', 'NaN'))),
    'MODEL_INVALID_JSON',
    3,
  ],
  [
    'Infinity in place of a number',
    goodBut('daily', () => text(readingText({ support: ['x'] }).replace('"x"', '1e999'))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an unknown value of an enum',
    goodBut('daily', () => text(readingText({ trend: 'moon' }))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an answer of 5 MB',
    goodBut('daily', () => text(readingText({ summary: 'x'.repeat(5_000_000) }))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an HTML page',
    goodBut('daily', () => raw(200, '<!doctype html><p>hi', { 'content-type': 'text/html' })),
    'MODEL_INVALID_JSON',
    2,
  ],
  [
    'an answer of another API',
    goodBut('daily', () => raw(200, '{"object":"list","data":[]}')),
    'MODEL_SCHEMA_INVALID',
    2,
  ],
  ['silence', goodBut('daily', () => ({ kind: 'silence' })), 'MODEL_TIMEOUT', 2],
  ['prices in the wrong order', wrongPrices((price) => ({ stop: price * 1.02 })), 'MODEL_SCHEMA_INVALID', 4],
  [
    'prices off by a hundred',
    wrongPrices((price) => ({ entry: price * 100, stop: price * 96, target: price * 108 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  ['a buy without a stop', wrongPrices(() => ({ stop: null })), 'MODEL_SCHEMA_INVALID', 4],
  [
    'an R coefficient below the minimum',
    wrongPrices((price) => ({ target: price * 1.05 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  [
    'a profit margin below the costs',
    wrongPrices((price) => ({ stop: price * 0.999, target: price * 1.005 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  [
    'a buy against a falling week',
    (call) => (call.purpose === 'weekly' ? text(readingText({ trend: 'down' })) : good(call)),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  ['400', goodBut('daily', () => error(400, 'bad request')), 'MODEL_REQUEST_REFUSED', 2],
  [
    '401',
    goodBut('daily', () => error(401, `Incorrect API key provided: ${key}`, 'invalid_api_key')),
    'MODEL_KEY_REFUSED',
    2,
  ],
  ['403', goodBut('daily', () => error(403, 'not in your country')), 'MODEL_FORBIDDEN', 2],
  ['404', goodBut('daily', () => error(404, 'no such model', 'model_not_found')), 'MODEL_NOT_FOUND', 2],
  [
    'a redirect',
    goodBut('daily', () => raw(307, '', { location: 'https://example.com/' })),
    'MODEL_REDIRECTED',
    2,
  ],
  ['429 without credit', goodBut('daily', () => error(429, 'quota', 'insufficient_quota')), 'MODEL_QUOTA', 2],
  [
    'dropped connections without end',
    goodBut('daily', () => ({ kind: 'drop', within: true })),
    'MODEL_BUDGET',
    -1,
  ],
];

/** What passes: the run goes on to a hold. */
const passing: readonly (readonly [string, Script, number])[] = [
  [
    '429 once, with retry-after',
    goodBut('daily', (call, count) =>
      count === 1 ? error(429, 'slow down', null, { 'retry-after-ms': '200' }) : good(call),
    ),
    4,
  ],
  ['503 once', goodBut('daily', (call, count) => (count === 1 ? error(503, 'overloaded') : good(call))), 4],
  [
    'a dropped connection once',
    goodBut('daily', (call, count) => (count === 1 ? { kind: 'drop', within: false } : good(call))),
    4,
  ],
  ['a wrong answer once', goodBut('daily', (call, count) => (count === 1 ? text('{}') : good(call))), 4],
];

const holding =
  (script: Script): Script =>
  (call, count) =>
    call.purpose === 'decision' ? hold(call) : script(call, count);

describe('a model and its server', () => {
  const begun = new Map<string, Promise<Begun>>();
  beforeAll(async () => {
    for (const [name, script] of failures) {
      begun.set(name, begin(name, script));
      await begun.get(name);
    }
    for (const [name, script] of passing) {
      begun.set(name, begin(name, holding(script)));
      await begun.get(name);
    }
  });
  const run = async (name: string): Promise<Begun> => {
    const found = await begun.get(name);
    if (found === undefined) throw new Error(`no run for ${name}`);
    return found;
  };

  it.each(failures)(
    '%s ends the run with its own code, and nothing is ordered',
    async (name, _script, code, calls) => {
      const started = await run(name);
      const end = await endOf(started);
      expect(end).toMatchObject({ outcome: 'FAILED', code });
      expect(end.message.length).toBeGreaterThan(20);
      expect(end.message).not.toContain(key);
      if (calls >= 0) {
        // The other timeframe may have been cut short by the end of the run.
        expect(callsOf(started.period).length).toBeGreaterThanOrEqual(calls - 1);
        expect(callsOf(started.period).length).toBeLessThanOrEqual(calls);
      }
      const rows = await callRows(started.runId);
      for (const row of rows.filter(
        ({ outcome }) => outcome !== null && !['timeout', 'budget'].includes(outcome),
      )) {
        const bytes =
          row.answer === null ? null : readFileSync(path.join(keel.folder, 'objects', row.answer.key));
        expect(
          createHash('sha256')
            .update(bytes ?? '')
            .digest('hex'),
          'the raw answer is kept',
        ).toBe(row.answer?.sha256);
      }
    },
  );

  it.each(passing)('%s is got over, and the run goes on', async (name, _script, calls) => {
    const started = await run(name);
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    expect(callsOf(started.period)).toHaveLength(calls);
  });

  it('that failed with 503 may have answered: the reserved amount stands', async () => {
    const started = await run('503 once');
    await started.handle.result();
    const [lost] = (await callRows(started.runId)).filter(({ state }) => state === 'failed');
    expect(Number(lost?.costUsd ?? 0)).toBeGreaterThan(0.05);
  });

  it('is asked three times at most, with the pictures that are stored, and never with what OpenAI would refuse', async () => {
    const started = await begin('three calls', holding(good));
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    const charts = await keel.market.stores.evidence.charts(started.runId);
    const hash = (timeframe: string): string | undefined =>
      charts.find((chart) => chart.timeframe === timeframe)?.object.sha256;
    const asked = callsOf(started.period).map(({ purpose, pictures }) => [purpose, pictures] as const);
    expect(Object.fromEntries(asked)).toEqual({
      daily: [hash('daily')],
      weekly: [hash('weekly')],
      decision: [hash('daily'), hash('weekly')],
    });
    expect(asked).toHaveLength(3);
    expect(stub.refused).toEqual([]);
    const rows = await callRows(started.runId);
    expect(rows.map(({ outcome, costUsd, inputTokens }) => [outcome, costUsd, inputTokens])).toEqual(
      Array(3).fill(['ok', '0.0049', 1200]),
    );
    expect(stub.calls.every((call) => call.key === `Bearer ${key}`)).toBe(true);
    expect(stub.calls.some((call) => call.text.includes(key) || call.text.includes('hunter'))).toBe(false);
  });

  it('that takes no pictures is given numbers only, and the run says so', async () => {
    const blind: Script = (call) =>
      call.pictures.length > 0 ? error(400, 'test-vision is not a multimodal model') : good(call);
    const started = await begin('no pictures', holding(blind));
    await started.handle.result();
    const decision = (await keel.market.stores.evidence.decision(started.runId))?.decision;
    expect(decision?.review?.numbersOnly).toBe(true);
    expect(callsOf(started.period).filter(({ pictures }) => pictures.length === 0)).toHaveLength(3);
    const analyses = await keel.market.stores.evidence.analyses(started.runId);
    expect(analyses.map(({ reading }) => reading?.numbersOnly)).toEqual([true, true]);
  });

  it('is not asked again for what it has answered: a second run takes the recorded answers, free', async () => {
    const first = await begin('asked once', holding(good));
    await first.handle.result();
    const second = await begin('asked again', holding(good), first.period);
    await second.handle.result();
    expect(callsOf(first.period)).toHaveLength(3);
    const rows = await callRows(second.runId);
    expect(rows).toHaveLength(3);
    expect(rows.every(({ cachedFrom, costUsd }) => cachedFrom !== null && costUsd === '0')).toBe(true);
  });
});

describe('a worker that is killed', () => {
  const answered = async (runId: string, purpose: string): Promise<void> =>
    expect
      .poll(
        async () =>
          (await callRows(runId)).some((row) => row.purpose === purpose && row.state === 'answered'),
        {
          timeout: 30_000,
        },
      )
      .toBe(true);
  /** By the stub's own log: once a question was answered whole and recorded, it never came again. */
  const expectNoneRepeated = (period: number): void => {
    const seen = callsOf(period);
    expect(new Set(seen.map(({ hash }) => hash)).size).toBe(3);
    const completed = seen.filter((call) => call.completed);
    expect(completed.map(({ purpose }) => purpose).sort()).toEqual(['daily', 'decision', 'weekly']);
    for (const { hash } of completed) {
      expect(
        seen.findLastIndex((call) => call.hash === hash),
        'nothing came after the answer',
      ).toBe(seen.findIndex((call) => call.hash === hash && call.completed));
    }
  };

  it('in a call repeats that call and no other', async () => {
    const held = new Map<string, () => void>();
    const arrived = (purpose: string): Promise<void> => new Promise((resolve) => held.set(purpose, resolve));
    const waits = { daily: arrived('daily'), decision: arrived('decision') };
    const script: Script = (call, count) => {
      if (call.purpose === 'weekly' || count > 1) return holding(good)(call, count);
      held.get(call.purpose)?.();
      return { kind: 'silence' };
    };
    const started = await begin('killed in calls', script);
    await waits.daily;
    await answered(started.runId, 'weekly');
    await worker.kill();
    worker = await keel.startWorker();
    await waits.decision;
    await worker.kill();
    worker = await keel.startWorker();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    expectNoneRepeated(started.period);
    const states = (await callRows(started.runId)).map(({ purpose, state }) => `${purpose} ${state}`).sort();
    expect(states).toEqual([
      'daily abandoned',
      'daily answered',
      'decision abandoned',
      'decision answered',
      'weekly answered',
    ]);
  });

  it('between calls repeats none', async () => {
    await worker.stop();
    const first = await keel.startWorker('before:analyze:putAnalysis');
    const started = await begin('killed between', holding(good));
    await first.ended;
    const second = await keel.startWorker('report:analyze');
    await second.ended;
    const third = await keel.startWorker('before:decide:putDecision');
    await third.ended;
    const fourth = await keel.startWorker('report:decide');
    await fourth.ended;
    worker = await keel.startWorker();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    const recorded = (await callRows(started.runId)).filter(({ state }) => state === 'answered');
    expect(recorded).toHaveLength(3);
    // The other timeframe's call may have been in flight when the worker died.
    const hashes = callsOf(started.period).map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(3);
    expect(hashes.length).toBeLessThanOrEqual(5);
  });
});
