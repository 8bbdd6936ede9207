// The same as tests/analyst.test.ts over the Responses API, what the worker's settings forbid, and stored pictures that are
// no longer what they were.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startModelStack, type Begun, type ModelStack } from './support/openai/modelStack.js';
import {
  error,
  holding,
  key,
  pictureFailures,
  responsesFailures,
  responsesPassing,
  settingFailures,
  text,
  worstText,
} from './support/openai/outcomes.js';
import { good } from './support/openai/replies.js';
import type { Reply, Script } from './support/openai/stub.js';
import { sharedServers } from './support/servers.js';
import { keel } from './support/start.js';

const temporal = sharedServers();
let model: ModelStack;
const begun = new Map<string, Begun>();
beforeAll(async () => {
  model = await startModelStack(temporal(), {
    OPENAI_API: 'responses',
    KEEL_MODEL_STEP_DEADLINE_MS: '25000',
  });
  for (const [name, script] of responsesFailures) begun.set(name, await model.begin(name, script));
  for (const [name, script] of responsesPassing) begun.set(name, await model.begin(name, holding(script)));
});
afterAll(() => model.stop());

function run(name: string): Begun {
  const found = begun.get(name);
  if (found === undefined) throw new Error(`no run for ${name}`);
  return found;
}

describe('a model and its server, over the Responses API', () => {
  it.each(responsesFailures)(
    '%s ends the run with its own code, and nothing is ordered',
    async (name, _script, code, calls) => {
      const started = run(name);
      const end = await model.endOf(started);
      expect(end).toMatchObject({ outcome: 'FAILED', code, order: null });
      expect(end.message.length).toBeGreaterThan(20);
      expect(end.message).not.toContain(key);
      const seen = model.callsOf(started.period);
      expect(seen.every(({ api }) => api === 'responses')).toBe(true);
      if (calls < 0) expect(seen.length).toBeGreaterThan(3);
      else expect(seen.length).toBeLessThanOrEqual(calls);
    },
  );

  it.each(responsesPassing)('%s is got over, and the run goes on', async (name, _script, calls) => {
    const started = run(name);
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD' });
    expect(model.callsOf(started.period)).toHaveLength(calls);
  });

  it('never asks what OpenAI would refuse', () => {
    expect(model.stub.refused).toEqual([]);
  });
});

describe('a stored picture', () => {
  const harm = {
    OBJECT_MISSING: rmSync,
    OBJECT_DAMAGED: (file: string) => {
      writeFileSync(file, 'x');
    },
  };

  it.each(pictureFailures)('%s ends the run with its own code', async (name, code) => {
    const script: Script = async (call, count) => {
      // Both pictures are stored before the weekly one is read; the decision needs them again.
      if (call.purpose === 'weekly') {
        const file = path.join(model.keel.folder, 'objects', 'charts', `${call.pictures[0] ?? ''}.png`);
        harm[code](file);
      }
      return Promise.resolve(holding(good)(call, count));
    };
    const started = await model.begin(name, script);
    expect(await model.endOf(started)).toMatchObject({ outcome: 'FAILED', code, order: null });
    expect(model.callsOf(started.period).map(({ purpose }) => purpose)).not.toContain('decision');
  });
});

describe('what the settings forbid', () => {
  it.each(settingFailures)('%s ends the run, and no call is made', async (name, variable, value, code) => {
    await model.worker.stop();
    const before = model.keel.env[variable];
    model.keel.env[variable] = value;
    try {
      model.worker = await model.keel.startWorker();
      const started = await model.begin(name, good);
      expect(await model.endOf(started)).toMatchObject({ outcome: 'FAILED', code, order: null });
      expect(model.callsOf(started.period)).toEqual([]);
      // The run ends with the first timeframe that failed: the other one's call may end a moment after it.
      const inFlight = async () =>
        (await model.callRows(started.runId)).filter(({ state }) => state === 'reserved');
      await expect.poll(inFlight, { timeout: 20_000 }).toEqual([]);
      const rows = await model.callRows(started.runId);
      expect(rows.filter(({ outcome }) => outcome !== null && outcome !== 'budget')).toEqual([]);
      expect(rows.every(({ costUsd }) => costUsd === '0')).toBe(true);
    } finally {
      model.keel.env[variable] = before;
    }
  });
  afterAll(async () => {
    await model.worker.stop();
    model.worker = await model.keel.startWorker();
  });
});

describe('keel doctor --llm', () => {
  const probe = async (
    colours: object,
    failing: { readonly sum?: Reply; readonly colours?: Reply } = {},
    more: Readonly<Record<string, string>> = {},
  ): Promise<readonly { check: string; status: string; found: string }[]> => {
    model.scripts.set(0, ({ schemaName, model: asked }) => {
      const [reply, answer] =
        schemaName === 'sum'
          ? [failing.sum, { sum: 12, word: 'beta' }]
          : [failing.colours, asked === 'test-cheap' ? { left: 'none', right: 'none' } : colours];
      return reply ?? text(JSON.stringify(answer));
    });
    const env = { ...model.keel.settings, OPENAI_BASE_URL: model.stub.url, OPENAI_MODEL: 'test-vision' };
    const { out } = await keel(['doctor', '--llm', '--json'], { ...env, OPENAI_API: 'responses', ...more });
    const { findings } = JSON.parse(out.join('\n')) as { findings: Awaited<ReturnType<typeof probe>> };
    return findings.filter(({ check }) => check.startsWith('model'));
  };
  const recorded = () => model.keel.market.stores.modelAbilities.of(model.stub.url, 'test-vision');

  it('records a model without eyes, and runs then send it no picture', async () => {
    const findings = await probe({ left: 'none', right: 'none' });
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
      'model (responses) ok',
      'model (chat) ok',
      'model warning',
      'model record ok',
    ]);
    const found = { answers: true, schemaKept: true, picturesSeen: false };
    expect(await recorded()).toMatchObject([
      { api: 'chat', ...found },
      { api: 'responses', ...found },
    ]);
    const started = await model.begin('probed blind', holding(good));
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD' });
    const calls = model.callsOf(started.period);
    expect(calls.map(({ pictures }) => pictures.length)).toEqual([0, 0, 0]);
    const stored = await model.keel.market.stores.evidence.decision(started.runId);
    expect(stored?.decision.review?.numbersOnly).toBe(true);
  });

  it('records one that sees, and runs then send pictures again, without a restart', async () => {
    const findings = await probe({ left: 'red', right: 'blue' });
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    const started = await model.begin('probed seeing', holding(good));
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD' });
    expect(model.callsOf(started.period).every(({ pictures }) => pictures.length > 0)).toBe(true);
  });

  it('asks each profile of the settings, and records each for itself', async () => {
    const profiles = { cheap: { baseUrl: model.stub.url, model: 'test-cheap' } };
    const more = { KEEL_MODEL_PROFILES: JSON.stringify(profiles) };
    const findings = await probe({ left: 'red', right: 'blue' }, {}, more);
    expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
      ...['model (responses) ok', 'model (chat) ok', 'model ok', 'model record ok'],
      ...[
        'model cheap (responses) ok',
        'model cheap (chat) ok',
        'model cheap warning',
        'model cheap record ok',
      ],
    ]);
    const seenBy = async (name: string) =>
      (await model.keel.market.stores.modelAbilities.of(model.stub.url, name)).map(
        ({ picturesSeen }) => picturesSeen,
      );
    expect(await seenBy('test-vision')).toEqual([true, true]);
    expect(await seenBy('test-cheap')).toEqual([false, false]);
  });

  it.each([
    ['slows down', error(429, 'slow down')],
    ['refuses the key', error(401, 'wrong key')],
    ['fails', error(503, 'away')],
  ])('leaves a good record as it is where the server %s for the moment', async (_name, reply) => {
    const seeing = { left: 'red', right: 'blue' };
    await probe(seeing);
    const before = await recorded();
    expect(before.map(({ picturesSeen }) => picturesSeen)).toEqual([true, true]);
    const failing = await probe(seeing, { sum: reply });
    expect(failing.find(({ check }) => check === 'model record')?.status).toBe('skipped');
    // Only the question with the picture fails.
    await probe(seeing, { colours: reply });
    expect(await recorded()).toEqual(before);
  });

  it('names a server that is away as a fault, with what to do', async () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', OPENAI_MODEL: 'test-vision' };
    const { code, out } = await keel(['doctor', '--llm', '--json'], { ...model.keel.settings, ...env });
    expect(code).toBe(1);
    expect(out.join('\n')).toContain('does not answer');
  });
});

describe('the worst answer that is legal', () => {
  it('comes out within every limit of the strategy', async () => {
    const worst: Script = (call) =>
      call.purpose === 'decision' ? { kind: 'text', text: worstText(call) } : good(call);
    const started = await model.begin('worst', worst);
    const result = await model.keel.drive(started.handle);
    expect(result?.status).toBe('ended');
    // Bought at the market, one step above its stop: as much as one position may be, and no more.
    const { outcome, order } = result ?? {};
    expect(outcome).toBe('FILLED');
    const spent = Number(order?.filledQuantity) * Number(order?.averagePrice);
    expect(spent).toBeGreaterThan(9000);
    expect(spent).toBeLessThanOrEqual(10_000);
  });
});
