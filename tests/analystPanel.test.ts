// A panel on what a model proposes, through whole runs: a buy that stands, one that is taken back, every way in which a
// member may fail, workers that die in and between its calls, and `keel verify`, `replay` and `explain` of what it said.
// One Keel for all; every case is a strategy of its own, which the stub tells by its averages.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../cli/api.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { makeUser, type TestUser } from './support/access.js';
import { startApi, type ApiProcess } from './support/api.js';
import { commandsOn, type Typed } from './support/openai/commands.js';
import { createAdvice, startModelStack, type Begun, type ModelStack } from './support/openai/modelStack.js';
import { hold, key, panelFailures, panelPassing } from './support/openai/outcomes.js';
import { good, goodBut, reviewText } from './support/openai/replies.js';
import type { Script } from './support/openai/stub.js';
import { sharedServers } from './support/servers.js';

const temporal = sharedServers();
let model: ModelStack;
let api: ApiProcess;
let admin: TestUser;

/** Decides and is weighed, and sends no order: what a run ends as is then known without a market. */
const advice: Partial<StrategySettings> = { panel: true, workflowId: 'advice' };
const begin = (name: string, script: Script, settings = advice): Promise<Begun> =>
  model.begin(`panel ${name}`, script, undefined, settings);

const veto: Script = goodBut('risk', () => ({ kind: 'text', text: reviewText(12) }));
const plain = [
  ['stands', good],
  ['veto', veto],
  ['holds', (call) => (call.purpose === 'decision' ? hold(call) : good(call))],
] as const satisfies readonly (readonly [string, Script])[];

const begun = new Map<string, Begun>();
const run = (name: string): Begun => {
  const found = begun.get(name);
  if (found === undefined) throw new Error(`no run for ${name}`);
  return found;
};

beforeAll(async () => {
  model = await startModelStack(temporal(), { KEEL_MODEL_STEP_DEADLINE_MS: '60000' });
  const { stores } = model.keel.market;
  await createAdvice(model.keel);
  admin = await makeUser(stores, 'maria', 'admin');
  api = await startApi({ ...model.keel.settings });
  for (const [name, script] of [...panelFailures, ...panelPassing]) {
    begun.set(name, await begin(name, script));
  }
  // By the API, whose ids of runs the commands read.
  for (const [name, script] of plain) {
    const { id, period } = await model.prepare(`panel ${name}`, script, undefined, advice);
    const { runId, workflowId } = await createApi(api.url, admin.key).execute(id, 'AAPL');
    begun.set(name, { runId, period, handle: model.keel.client.workflow.getHandle(workflowId) });
  }
});
afterAll(async () => {
  await api.stop();
  await model.stop();
});

const purposesOf = ({ period }: Begun): string[] => model.callsOf(period).map(({ purpose }) => purpose);
const decisionOf = async ({ runId }: Begun) =>
  (await model.keel.market.stores.evidence.decision(runId))?.decision ?? null;

describe('a panel', () => {
  it('lets a buy stand: seven calls, and the run goes on with the buy as it was proposed', async () => {
    const started = run('stands');
    const end = await model.endOf(started);
    expect(end).toMatchObject({ outcome: 'NOT_SENT', code: 'ADVICE_ONLY', order: null });
    const order = ['bull', 'bear', 'risk', 'judge'];
    expect(purposesOf(started).slice(-5)).toEqual(['decision', ...order]);
    const decision = await decisionOf(started);
    expect(decision).toMatchObject({ action: 'buy', review: { panel: { stands: true } } });
    const { panel } = decision?.review ?? {};
    expect(panel?.proposed).toMatchObject({ entry: decision?.entry, stop: decision?.stop });
    expect(panel?.reviews.map(({ role, soundness }) => [role, soundness])).toEqual([
      ['bull', 71],
      ['bear', 34],
      ['risk', 58],
    ]);
    const rows = await model.callRows(started.runId);
    expect(rows.map(({ outcome, costUsd }) => [outcome, costUsd])).toEqual(Array(7).fill(['ok', '0.0049']));
    const prompts = new Map(rows.map((row) => [row.purpose, row.prompts.map(({ name }) => name)]));
    expect(prompts.get('bear')).toEqual(['panel-1', 'bear-1', 'reviewer-1']);
    expect(prompts.get('judge')).toEqual(['panel-1', 'judge-1']);
    const steps = await model.keel.market.stores.runs.steps(started.runId);
    expect(steps.map(({ name }) => name).filter((name) => name.startsWith('decide'))).toEqual([
      'decide',
      ...order.map((role) => `decide ${role}`),
    ]);
  });

  it('reviews without knowing of each other, on numbers and words; only the judge hears them', () => {
    const calls = model.callsOf(run('stands').period);
    const argued = 'the stop is two average ranges away';
    for (const { purpose, text, pictures } of calls) {
      expect(text.includes(argued), purpose).toBe(purpose === 'judge');
      if (['bull', 'bear', 'risk', 'judge'].includes(purpose)) expect(pictures).toEqual([]);
    }
    expect(model.stub.refused).toEqual([]);
    expect(model.stub.calls.some(({ text }) => text.includes(key))).toBe(false);
  });

  it('takes a buy back: the run ends as a hold that names the rule and what was proposed', async () => {
    const started = run('veto');
    const end = await model.endOf(started);
    expect(end).toMatchObject({ outcome: 'HOLD', code: 'PANEL_HOLD', order: null });
    expect(end.message).toMatch(/^The panel takes the proposed buy back: /);
    expect(end.message).toMatch(/a reviewer below 20 is a veto: bull 71, bear 34, risk 12/);
    const decision = await decisionOf(started);
    expect(decision).toMatchObject({ action: 'hold', entry: null, stop: null, target: null });
    expect(decision?.review?.panel).toMatchObject({ stands: false, verdict: { verdict: 'stands' } });
    expect(Number(decision?.review?.panel?.proposed.stop)).toBeGreaterThan(0);
  });

  it('is not asked about what is no buy', async () => {
    const started = run('holds');
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD', code: 'HOLD' });
    expect(purposesOf(started).sort()).toEqual(['daily', 'decision', 'weekly']);
    expect((await decisionOf(started))?.review?.panel).toBeUndefined();
  });

  it.each(panelFailures)(
    '%s ends the run with its own code: no hold, no decision, no order',
    async (name, _script, code, calls) => {
      const started = run(name);
      const end = await model.endOf(started);
      expect(end).toMatchObject({ outcome: 'FAILED', code, order: null });
      expect(end.message.length).toBeGreaterThan(20);
      expect(await decisionOf(started)).toBeNull();
      if (calls >= 0) expect(model.callsOf(started.period)).toHaveLength(calls);
    },
  );

  it('that the budget has no room for leaves a call that it has stopped, and the buy that was paid for', async () => {
    const started = run('a panel without room');
    expect((await model.endOf(started)).message).toContain('calls may cost');
    const rows = await model.callRows(started.runId);
    const stopped = rows.filter(({ purpose }) => purpose === 'bull');
    expect(stopped.map(({ state, outcome, costUsd }) => [state, outcome, costUsd])).toEqual([
      ['failed', 'budget', '0'],
    ]);
    expect(Number(stopped[0]?.reservedUsd)).toBeGreaterThan(0);
    const proposed = await model.keel.market.stores.evidence.proposed(started.runId);
    const file = path.join(model.keel.folder, 'objects', proposed?.proposal.key ?? '');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ action: 'buy' });
  });

  it.each(panelPassing)('%s is got over, and the buy stands', async (name, _script, calls) => {
    const started = run(name);
    expect(await model.endOf(started)).toMatchObject({ outcome: 'NOT_SENT', code: 'ADVICE_ONLY' });
    expect(model.callsOf(started.period)).toHaveLength(calls);
  });
});

describe('what a panel said', () => {
  const objectDir = (): string => path.join(model.keel.folder, 'objects');
  const typed = (word: Parameters<Typed>[0], { runId }: Begun): ReturnType<Typed> =>
    commandsOn(model.keel, api, admin.key)(word, runId);

  it.each(['stands', 'veto', 'holds'])(
    'is verified, replayed and explained without a call: %s',
    async (name) => {
      const started = run(name);
      await model.endOf(started);
      const before = model.stub.calls.length;
      expect((await typed('verify', started)).text).toMatch(/^Verified: all \d+ checks hold\.$/m);
      expect((await typed('replay', started)).text).toMatch(/^Replayed: (buy|hold) by openai /m);
      const { text } = await typed('explain', started);
      expect(text).toMatch(/^Every hash holds\.$/m);
      expect(text.includes('panel on a buy at')).toBe(name !== 'holds');
      expect(text.includes('✓ proposed buy')).toBe(name !== 'holds');
      if (name === 'veto') expect(text).toMatch(/✗ PANEL_NO_VETO: .*risk 12/);
      expect(model.stub.calls).toHaveLength(before);
    },
  );

  it('differs when one byte of an answer is altered', async () => {
    const started = run('veto');
    const risk = (await model.callRows(started.runId)).find(({ purpose }) => purpose === 'risk');
    const file = path.join(objectDir(), risk?.answer?.key ?? '');
    const bytes = readFileSync(file, 'utf8');
    writeFileSync(file, bytes.replace('12', '92'));
    try {
      const { code, text } = await typed('replay', started);
      expect([code, text]).toEqual([1, expect.stringMatching(/^Differs: OBJECT_DAMAGED/m)]);
    } finally {
      writeFileSync(file, bytes);
    }
  });
});

describe('a worker that is killed at a panel', () => {
  beforeAll(async () => {
    await Promise.all([...begun.values()].map((each) => model.endOf(each)));
    await model.worker.stop();
    model.keel.env['KEEL_MODEL_TIMEOUT_MS'] = '60000';
    // What a dead worker had reserved stays counted, and there are many deaths.
    model.keel.env['KEEL_MODEL_BUDGET_RUN'] = '2';
    model.worker = await model.keel.startWorker();
  });
  const members = ['bull', 'bear', 'risk', 'judge'] as const;
  /** By the stub's own log: each question was answered whole once, and nothing of it came after that. */
  const expectNoneRepeated = (period: number): void => {
    const seen = model.callsOf(period);
    const completed = seen.filter((call) => call.completed);
    expect(completed.map(({ purpose }) => purpose).sort()).toEqual(
      ['daily', 'decision', 'weekly', ...members].sort(),
    );
    for (const { hash } of completed) {
      const last = seen.findLastIndex((call) => call.hash === hash);
      expect(seen[last]?.completed, 'nothing came after the answer').toBe(true);
    }
  };

  it('in each of its calls repeats that call and no other', async () => {
    const killed = new Set<string>();
    let held = '';
    const script: Script = (call) => {
      const member = members.find((each) => each === call.purpose);
      if (member === undefined || killed.has(member)) return good(call);
      held = member;
      return { kind: 'silence' };
    };
    const started = await begin('killed in calls', script);
    for (const member of members) {
      await expect.poll(() => held, { timeout: 30_000 }).toBe(member);
      await model.worker.kill();
      killed.add(member);
      model.worker = await model.keel.startWorker();
    }
    expect(await model.endOf(started)).toMatchObject({ outcome: 'NOT_SENT' });
    expectNoneRepeated(started.period);
    expect(model.callsOf(started.period)).toHaveLength(11);
    expect((await decisionOf(started))?.review?.panel?.stands).toBe(true);
  });

  it('between any two of its calls repeats none', async () => {
    await model.worker.stop();
    const first = await model.keel.startWorker('report:proposeDecision');
    const started = await begin('killed between', good);
    await first.ended;
    for (const fault of [
      'report:reviewProposal',
      'before:judgeProposal:putDecision',
      'report:judgeProposal',
    ]) {
      const worker = await model.keel.startWorker(fault);
      await worker.ended;
    }
    model.worker = await model.keel.startWorker();
    expect(await model.endOf(started)).toMatchObject({ outcome: 'NOT_SENT' });
    expectNoneRepeated(started.period);
    expect(model.callsOf(started.period)).toHaveLength(7);
  });
});

describe('an order', () => {
  it('is sent for a buy that a panel let stand', async () => {
    const started = await begin('orders', good, { panel: true });
    expect(await model.keel.drive(started.handle)).toMatchObject({ outcome: 'FILLED' });
    expect((await decisionOf(started))?.review?.panel?.stands).toBe(true);
  });
});
