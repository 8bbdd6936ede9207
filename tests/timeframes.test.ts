// A strategy that looks at months beside days and weeks, through whole runs: by rules, and by a model with a call and
// a picture for each timeframe, and what `keel verify`, `replay` and `explain` make of both. AAPL of September 2016 has
// forty months; the market only goes forward, so the tests run in this order.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../cli/api.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { makeUser, type TestUser } from './support/access.js';
import { startApi, type ApiProcess } from './support/api.js';
import { commandsOn, type Typed } from './support/openai/commands.js';
import { startModelStack, type ModelStack } from './support/openai/modelStack.js';
import { text } from './support/openai/outcomes.js';
import { good, goodBut, readingText } from './support/openai/replies.js';
import type { Script } from './support/openai/stub.js';
import { sharedServers } from './support/servers.js';

const temporal = sharedServers();
let model: ModelStack;
let api: ApiProcess;
let admin: TestUser;
let typed: Typed;

const timeframes = ['daily', 'weekly', 'monthly'] as const;
const added: Partial<StrategySettings> = { timeframes, workflowId: 'three-timeframes' };
const close = '2016-09-15T20:00:00.000Z';

beforeAll(async () => {
  model = await startModelStack(temporal(), { KEEL_MODEL_TIMEOUT_MS: '20000' });
  admin = await makeUser(model.keel.market.stores, 'maria', 'admin');
  api = await startApi({ ...model.keel.settings });
  typed = commandsOn(model.keel, api, admin.key);
});
afterAll(async () => {
  await api.stop();
  await model.stop();
});

/** By the API, whose ids of runs the commands read. */
async function execute(name: string, script: Script, settings: Partial<StrategySettings>, symbol = 'AAPL') {
  const wanted = { ...added, symbols: [symbol], ...settings };
  const { id, period } = await model.prepare(name, script, undefined, wanted);
  const { runId, workflowId } = await createApi(api.url, admin.key).execute(id, symbol);
  return { runId, period, handle: model.keel.client.workflow.getHandle(workflowId) };
}

async function expectWhole(runId: string): Promise<void> {
  const asked = model.stub.calls.length;
  expect((await typed('verify', runId)).text).toMatch(/^Verified: all \d+ checks hold\.$/m);
  expect((await typed('replay', runId)).text).toMatch(/^Replayed: (buy|hold|sell) by /m);
  const { text: told } = await typed('explain', runId);
  expect(told).toMatch(/^Every hash holds\.$/m);
  for (const timeframe of timeframes) expect(told).toMatch(new RegExp(`^ *read ${timeframe}: score`, 'm'));
  expect(model.stub.calls).toHaveLength(asked);
}

describe('a strategy that looks at months', () => {
  it('ends with TOO_FEW_BARS where there are less than three years of them', async () => {
    const settings = { ...added, analyst: 'rules' as const };
    const started = await model.begin('few months', good, undefined, settings);
    const end = await model.endOf(started);
    expect(end).toMatchObject({ outcome: 'FAILED', code: 'TOO_FEW_BARS', order: null });
    expect(end.message).toMatch(/^AAPL has 13 complete monthly bars and 36 are needed/);
  });

  it('is read by rules in three timeframes, and decided as with days and weeks alone', async () => {
    await model.keel.market.stepThrough([close]);
    const rules = { analyst: 'rules' as const };
    const { runId, handle } = await execute('three', good, rules);
    const plain = { ...rules, timeframes: ['daily', 'weekly'] as const, workflowId: 'standard' };
    const two = await execute('two', good, plain);
    expect(await model.keel.drive(handle)).toMatchObject({ status: 'ended' });
    expect(await model.keel.drive(two.handle)).toMatchObject({ status: 'ended' });
    const { evidence } = model.keel.market.stores;
    // By name. The month that has not ended is not among them: the last one is August.
    const bars = await evidence.bars(runId);
    expect(bars.map(({ timeframe, count }) => [timeframe, count])).toEqual([
      ['daily', 505],
      ['monthly', 39],
      ['weekly', 174],
    ]);
    expect(bars[1]?.last).toBe('2016-08-01T13:30:00.000Z');
    const named = bars.map(({ timeframe }) => timeframe);
    expect((await evidence.charts(runId)).map(({ timeframe }) => timeframe)).toEqual(named);
    expect((await evidence.analyses(runId)).map(({ timeframe }) => timeframe)).toEqual(named);
    const made = async (id: string) => {
      const { action, entry, stop, target } = (await evidence.decision(id))?.decision ?? {};
      return { action, entry, stop, target };
    };
    expect(await made(runId)).toEqual(await made(two.runId));
    await expectWhole(runId);
  });

  it('is read by a model in a call and a picture for each, and decided in one with all three', async () => {
    const { runId, period, handle } = await execute('model', good, {}, 'SPX');
    expect(await model.keel.drive(handle)).toMatchObject({ outcome: 'FILLED' });
    const { evidence, rulesOpinions } = model.keel.market.stores;
    // Fifteen years of them, of which ten are shown.
    expect((await evidence.bars(runId)).find(({ timeframe }) => timeframe === 'monthly')?.count).toBe(179);
    const charts = await evidence.charts(runId);
    const hash = (timeframe: string) => charts.find((each) => each.timeframe === timeframe)?.object.sha256;
    const hashes = timeframes.map(hash);
    expect(new Set(hashes).size).toBe(3);
    const calls = model.callsOf(period);
    expect(Object.fromEntries(calls.map(({ purpose, pictures }) => [purpose, pictures]))).toEqual({
      ...Object.fromEntries(timeframes.map((timeframe) => [timeframe, [hash(timeframe)]])),
      decision: hashes,
    });
    expect(calls).toHaveLength(4);
    const rows = await model.callRows(runId);
    const monthly = rows.find(({ purpose }) => purpose === 'monthly');
    expect(monthly?.prompts.map(({ name }) => name)).toEqual(['monthly-1']);
    const beside = await rulesOpinions.byRun(runId);
    expect(beside.map(({ part }) => part)).toEqual(['daily', 'decision', 'monthly', 'weekly']);
    await expectWhole(runId);
    // The monthly prompt is in the version that a replay compares.
    expect((await typed('replay', runId)).text).toMatch(/ by openai 1-[0-9a-f]{12}\+monthly-1-[0-9a-f]{12},/);
  });

  it('buys nothing against a month that falls, as a model reads it', async () => {
    const falling = goodBut('monthly', () => text(readingText({ trend: 'down' })));
    const { runId, handle } = await execute('falling month', falling, {});
    await handle.result().catch(() => null);
    const row = await model.keel.market.stores.runs.get(runId);
    expect(row).toMatchObject({ outcome: 'FAILED', code: 'MODEL_SCHEMA_INVALID' });
    expect(row?.message).toContain('TIMEFRAMES_AGREE: the monthly trend is down, against a buy');
  });
});
