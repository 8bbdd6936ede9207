// The analyst that asks a model, through whole runs: what each answer and each failure of the server ends in, as the table
// of docs/analyst.md says. One Keel for all; every case is a strategy of its own, which the stub tells by its averages.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withinOneDay } from './support/day.js';
import { startModelStack, type Begun, type ModelStack } from './support/openai/modelStack.js';
import { chatFailures, error, holding, key, passing, text } from './support/openai/outcomes.js';
import { good } from './support/openai/replies.js';
import type { Script, StubCall } from './support/openai/stub.js';
import { sharedServers } from './support/servers.js';

const temporal = sharedServers();
let model: ModelStack;
beforeAll(async () => {
  model = await startModelStack(temporal(), { KEEL_MODEL_STEP_DEADLINE_MS: '60000' });
});
afterAll(() => model.stop());

const begin: ModelStack['begin'] = (...given) => model.begin(...given);
const callsOf = (period: number): StubCall[] => model.callsOf(period);
const callRows: ModelStack['callRows'] = (runId) => model.callRows(runId);

async function endOf(begun: Begun) {
  const { order, ...end } = await model.endOf(begun);
  expect(order).toBeNull();
  return end;
}

describe('a model and its server', () => {
  const begun = new Map<string, Promise<Begun>>();
  beforeAll(async () => {
    for (const [name, script] of chatFailures) {
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

  it.each(chatFailures)(
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
      // What the rules read is kept whatever became of the model.
      const beside = await model.keel.market.stores.rulesOpinions.byRun(started.runId);
      expect(beside.length).toBeGreaterThan(0);
      const rows = await callRows(started.runId);
      for (const row of rows.filter(
        ({ outcome }) => outcome !== null && !['timeout', 'budget'].includes(outcome),
      )) {
        const bytes =
          row.answer === null ? null : readFileSync(path.join(model.keel.folder, 'objects', row.answer.key));
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

  const lostIn = async (name: string) => {
    const started = await run(name);
    await started.handle.result();
    return (await callRows(started.runId)).find(({ state }) => state === 'failed');
  };

  it('that failed behind a gateway may have answered: the reserved amount stands', async () => {
    expect(Number((await lostIn('502 once'))?.costUsd ?? 0)).toBeGreaterThan(0.05);
  });

  it('that is overloaded made no answer: nothing is counted', async () => {
    expect((await lostIn('503 once'))?.costUsd).toBe('0');
  });

  it('is asked three times at most, with the pictures that are stored, and never with what OpenAI would refuse', async () => {
    const started = await begin('three calls', holding(good));
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    const charts = await model.keel.market.stores.evidence.charts(started.runId);
    const hash = (timeframe: string): string | undefined =>
      charts.find((chart) => chart.timeframe === timeframe)?.object.sha256;
    const asked = callsOf(started.period).map(({ purpose, pictures }) => [purpose, pictures] as const);
    expect(Object.fromEntries(asked)).toEqual({
      daily: [hash('daily')],
      weekly: [hash('weekly')],
      decision: [hash('daily'), hash('weekly')],
    });
    expect(asked).toHaveLength(3);
    expect(model.stub.refused).toEqual([]);
    // The rules look at the same bars: what they would do on this session without a model is a buy.
    const beside = await model.keel.market.stores.rulesOpinions.byRun(started.runId);
    expect(beside.map(({ part, action }) => [part, action])).toEqual([
      ['daily', null],
      ['decision', 'buy'],
      ['weekly', null],
    ]);
    expect(beside.find(({ part }) => part === 'daily')?.score).toBeGreaterThan(0);
    const rows = await callRows(started.runId);
    // At a stated size: the one that they were drawn at.
    const sizes = rows.flatMap(({ pictures }) => pictures.map(({ width, height }) => [width, height]));
    expect(sizes).toEqual(Array(4).fill([1200, 900]));
    expect(rows.map(({ outcome, costUsd, inputTokens }) => [outcome, costUsd, inputTokens])).toEqual(
      Array(3).fill(['ok', '0.0049', 1200]),
    );
    expect(model.stub.calls.every((call) => call.key === `Bearer ${key}`)).toBe(true);
    expect(model.stub.calls.some((call) => call.text.includes(key) || call.text.includes('hunter'))).toBe(
      false,
    );
  });

  it('that takes no pictures is given numbers only, and the run says so', async () => {
    const blind: Script = (call) =>
      call.pictures.length > 0 ? error(400, 'test-vision is not a multimodal model') : good(call);
    await withinOneDay();
    const started = await begin('no pictures', holding(blind));
    await started.handle.result();
    const decision = (await model.keel.market.stores.evidence.decision(started.runId))?.decision;
    expect(decision?.review?.numbersOnly).toBe(true);
    expect(callsOf(started.period).filter(({ pictures }) => pictures.length === 0)).toHaveLength(3);
    const analyses = await model.keel.market.stores.evidence.analyses(started.runId);
    expect(analyses.map(({ reading }) => reading?.numbersOnly)).toEqual([true, true]);
    // What the Temporal Web UI shows of the run.
    const shown = await started.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(shown.currentDetails).toContain('it was given numbers only');
    expect(shown.currentDetails).toContain(`keel explain ${started.runId}`);
    const { day, month } = await model.keel.market.stores.conversations.spent();
    expect(shown.currentDetails).toMatch(
      /^Models, in USD \(cap\): 0\.0147 of 0\.25 by \d+ calls of this run; when it ended ([\d.]+) of 5 that day and [\d.]+ of 50 that month, UTC$/m,
    );
    expect(Number(/ended ([\d.]+) of/.exec(shown.currentDetails)?.[1])).toBeLessThanOrEqual(Number(day.usd));
    expect(Number(day.usd)).toBeLessThanOrEqual(Number(month.usd));
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
  // A call that is held back here must not end by its own time.
  beforeAll(async () => {
    await model.worker.stop();
    model.keel.env['KEEL_MODEL_TIMEOUT_MS'] = '60000';
    // What a dead worker had reserved stays counted, and there are many deaths.
    model.keel.env['KEEL_MODEL_BUDGET_RUN'] = '2';
    model.worker = await model.keel.startWorker();
  });
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

  it('in each call repeats that call and no other', async () => {
    // The first worker dies with both readings under way, the second with the weekly one, the third with the decision.
    let stage = 1;
    const held = new Set<string>();
    const script: Script = (call, count) => {
      const dies = { daily: 1, weekly: 2, decision: 3 }[call.purpose] ?? 0;
      if (stage > dies) return holding(good)(call, count);
      held.add(`${String(stage)} ${call.purpose}`);
      return { kind: 'silence' };
    };
    const started = await begin('killed in calls', script);
    const isHeld = (what: string) => expect.poll(() => held.has(what), { timeout: 30_000 }).toBe(true);
    const restart = async (): Promise<void> => {
      await model.worker.kill();
      stage += 1;
      model.worker = await model.keel.startWorker();
    };
    await isHeld('1 daily');
    await isHeld('1 weekly');
    await restart();
    await isHeld('2 weekly');
    await answered(started.runId, 'daily');
    await restart();
    await isHeld('3 decision');
    await restart();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    expectNoneRepeated(started.period);
    const states = (await callRows(started.runId)).map(({ purpose, state }) => `${purpose} ${state}`).sort();
    expect(states).toEqual([
      'daily abandoned',
      'daily answered',
      'decision abandoned',
      'decision answered',
      'weekly abandoned',
      'weekly abandoned',
      'weekly answered',
    ]);
  });

  it('between any two calls repeats none', async () => {
    await model.worker.stop();
    // The weekly call stays under way until the daily one has been through two deaths: none falls into it by chance.
    let open = false;
    const script: Script = (call, count) =>
      call.purpose === 'weekly' && !open ? { kind: 'silence' } : holding(good)(call, count);
    const first = await model.keel.startWorker('before:analyze:putAnalysis');
    const started = await begin('killed between', script);
    await first.ended;
    const second = await model.keel.startWorker('report:analyze');
    await second.ended;
    open = true;
    for (const fault of ['start:decide', 'before:decide:putDecision', 'report:decide']) {
      const worker = await model.keel.startWorker(fault);
      await worker.ended;
    }
    model.worker = await model.keel.startWorker();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    const recorded = (await callRows(started.runId)).filter(({ state }) => state === 'answered');
    expect(recorded).toHaveLength(3);
    expectNoneRepeated(started.period);
  });

  /** What the stub saw, and what was recorded, of a daily question whose first answer is sent back once. */
  const expectOneRepair = async ({ runId, period }: Begun, asked: readonly boolean[]): Promise<void> => {
    const seen = callsOf(period).filter(({ purpose }) => purpose === 'daily');
    expect(seen.map(({ completed }) => completed)).toEqual(asked);
    const rows = (await callRows(runId)).filter(({ state }) => state === 'answered');
    expect(rows.map(({ purpose, turn, outcome }) => [purpose, turn, outcome])).toEqual([
      ['daily', 0, 'schema_invalid'],
      ['daily', 1, 'ok'],
      ['decision', 0, 'ok'],
    ]);
  };
  const dailyOnly = { timeframes: ['daily'] } as const;

  it('between an answer and its repair turn pays for neither twice', async () => {
    // Whoever holds the budget's lock keeps the repair from being reserved; the answer before it is settled without.
    const budget = new Client({ connectionString: model.keel.databaseUrl });
    await budget.connect();
    const lock = () => budget.query(`select pg_advisory_lock(hashtextextended('model budget simulated', 0))`);
    const script: Script = async (call, count) => {
      if (call.purpose !== 'daily' || count > 1) return holding(good)(call, count);
      await lock();
      return text('{}');
    };
    let started: Begun;
    try {
      started = await model.begin('killed before the repair', script, undefined, dailyOnly);
      await answered(started.runId, 'daily');
      await model.worker.kill();
    } finally {
      // The lock goes with its session, also where this fails: the other runs would wait for it.
      await budget.end();
    }
    model.worker = await model.keel.startWorker();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    await expectOneRepair(started, [true, true]);
  });

  it('in the repair turn repeats that turn, and not the answer that it mends', async () => {
    let held = false;
    const script: Script = (call, count) => {
      if (call.purpose !== 'daily') return holding(good)(call, count);
      if (count === 1) return text('{}');
      if (held) return good(call);
      held = true;
      return { kind: 'silence' };
    };
    const started = await model.begin('killed in the repair', script, undefined, dailyOnly);
    await expect.poll(() => held, { timeout: 30_000 }).toBe(true);
    await model.worker.kill();
    model.worker = await model.keel.startWorker();
    expect(await endOf(started)).toMatchObject({ outcome: 'HOLD' });
    await expectOneRepair(started, [true, false, true]);
    const abandoned = (await callRows(started.runId)).filter(({ state }) => state === 'abandoned');
    expect(abandoned.map(({ purpose, turn }) => [purpose, turn])).toEqual([['daily', 1]]);
  });
});
