// What Keel adds around the calls of a model: the time of a call to a server that answers at once, how often a picture is
// encoded, the analysis step of a run over three slow calls, and the memory of a worker with many such runs. Called by the
// runner.
import type { Client } from '@temporalio/client';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createChartRenderer } from '../adapters/charts/renderer.js';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { createModelAnalyst } from '../adapters/openai/analyst.js';
import { createAsk, type AskDeps } from '../adapters/openai/ask.js';
import type { ModelProfile } from '../adapters/openai/profile.js';
import { putBytes } from '../activities/objects.js';
import { runWorkflowId } from '../contracts/wire/names.js';
import type { RunResult, StrategyRunInput } from '../contracts/wire/run.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { timeframeRules, type Bar } from '../domain/market/bar.js';
import { walk } from './charts.js';
import { peakMemoryMb } from './cpu.js';
import { startKeel, type Keel } from './keel.js';
import { startModelServer, type ModelServer } from './modelServer.js';
import { benchSettings, prepareRuns, startRun } from './runs.js';
import type { Servers } from './servers.js';

export interface ModelTiming {
  /** Wall milliseconds of a whole question to a server that answers at once: prompt, picture, call, checks, storing. */
  readonly overheadP50Ms: number;
  readonly overheadP95Ms: number;
  /** Of questions with a repair: how often a picture was sent, and how often one was read and encoded. */
  readonly picturesSent: number;
  readonly picturesEncoded: number;
  /** Wall milliseconds from the first reading to the decision of one run whose three calls take two seconds each. */
  readonly analysisMs: number;
  readonly count: number;
  readonly workerPeakMb: number;
}

/** Of two weeks: the weekly question of the second is then no recorded one of the first. */
const sessions = { slow: '2014-07-14', many: '2014-07-22' };
const questions = 100;
const repairs = 10;
const slowMs = 2000;
const warmUps = 10;

/** @throws Error when a run does not end with the hold that the server decides, or has not made its calls */
export async function benchModel(
  servers: Servers,
  count: number,
  pacingFactor: number,
): Promise<ModelTiming> {
  const model = await startModelServer();
  const keel = await startKeel(servers, pacingFactor, {
    ...{ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'bench', OPENAI_API_KEY: '', OPENAI_API: 'chat' },
    ...{ KEEL_MODEL_BUDGET_DAY: '100000', KEEL_MODEL_BUDGET_MONTH: '100000' },
  });
  try {
    model.delayMs = slowMs;
    const analysisMs = await analysisOf(servers.client, keel);
    // After these runs, because a worker that still starts takes a core from whoever is measured beside it.
    model.delayMs = 0;
    const overhead = await benchQuestions(servers, keel, model);
    model.delayMs = slowMs;
    const before = model.calls();
    await runAll(servers.client, await prepareRuns(keel, 'model-many', count, sessions.many, settingsOf));
    if (model.calls() - before !== 3 * count) {
      throw new Error(`${String(count)} runs made ${String(model.calls() - before)} calls`);
    }
    return { ...overhead, analysisMs, count, workerPeakMb: peakMemoryMb(keel.worker.pid) };
  } finally {
    await keel.stop();
    await model.close();
  }
}

type Questions = Pick<ModelTiming, 'overheadP50Ms' | 'overheadP95Ms' | 'picturesSent' | 'picturesEncoded'>;

/** In this process, with the database and the objects of the worker; each question of a run of its own. */
async function benchQuestions(servers: Servers, keel: Keel, model: ModelServer): Promise<Questions> {
  const objects = createFilesystemObjectStore({ directory: `${servers.folder}/objects` });
  const { conversations } = keel.market.stores;
  const caps = { run: '1000', day: '100000', month: '100000' };
  const deps: AskDeps = {
    conversations,
    objects,
    clock: createMachineClock(),
    caps,
    priceDate: '2025-08-07',
  };
  const profile: ModelProfile = {
    ...{ name: 'default', baseUrl: model.url, apiKey: '', model: 'bench', api: 'chat', vision: true },
    ...{ timeoutMs: 30_000, maxOutputTokens: 6000, pictureMaxBytes: 4_000_000, pictureDetail: 'high' },
    price: { input: '1.25', output: '10' },
  };
  const ask = (call: Parameters<typeof createAsk>[2]) => createAsk(deps, [profile], call);
  const analyst = createModelAnalyst({ askReading: ask, askDecision: ask });
  const { warmUp, window } = timeframeRules.daily;
  const bars = walk(warmUp + window);
  const { png, chart } = await drawn(objects, bars);
  const runs = await prepareRuns(
    keel,
    'model-question',
    warmUps + questions + repairs,
    sessions.slow,
    settingsOf,
  );
  let encoded = 0;
  const question = async (run: StrategyRunInput): Promise<number> => {
    await keel.market.stores.runs.open({
      ...run,
      strategyVersion: 1,
      workflowId: runWorkflowId(run),
      id: run.runId,
    });
    const began = performance.now();
    const outcome = await analyst.analyze({
      // Another symbol asks another question: none is answered from the records.
      ...{ symbol: run.strategyId, timeframe: 'daily', bars, indicators: defaultIndicators, chart },
      readPicture: () => {
        encoded += 1;
        return Promise.resolve(png);
      },
      call: { runId: run.runId, strategyId: run.strategyId },
    });
    if (outcome.kind === 'failed') throw new Error(`${outcome.code}: ${outcome.message}`);
    return performance.now() - began;
  };
  for (const run of runs.slice(0, warmUps)) await question(run);
  const ms: number[] = [];
  for (const run of runs.slice(warmUps, warmUps + questions)) ms.push(await question(run));
  const before = { sent: model.pictures(), encoded };
  model.asksTwice = true;
  for (const run of runs.slice(warmUps + questions)) await question(run);
  model.asksTwice = false;
  ms.sort((a, b) => a - b);
  return {
    overheadP50Ms: ms[Math.floor(ms.length * 0.5)] ?? NaN,
    overheadP95Ms: ms[Math.ceil(ms.length * 0.95) - 1] ?? NaN,
    picturesSent: model.pictures() - before.sent,
    picturesEncoded: encoded - before.encoded,
  };
}

async function drawn(objects: Parameters<typeof putBytes>[0], bars: readonly Bar[]) {
  const renderer = createChartRenderer({});
  try {
    const { window } = timeframeRules.daily;
    const about = { symbol: 'WALK', timeframe: 'daily', source: 'benchmark' } as const;
    const { png, width, height } = await renderer.render({
      ...about,
      bars,
      window,
      indicators: defaultIndicators,
    });
    const stored = await putBytes(objects, 'charts', png, { extension: 'png', contentType: 'image/png' });
    return { png, chart: { ...stored, width, height } };
  } finally {
    await renderer.close();
  }
}

/** From the first reading to the decision, as the run's own steps tell it. The worker is warm by then. */
async function analysisOf(client: Client, keel: Keel): Promise<number> {
  const inputs = await prepareRuns(keel, 'model-slow', 4, sessions.slow, settingsOf);
  const times: number[] = [];
  for (const input of inputs) {
    await runAll(client, [input]);
    const steps = (await keel.market.stores.runs.steps(input.runId)).filter(({ name }) =>
      /^(analyze|decide)/.test(name),
    );
    const begins = steps.map(({ startedAt }) => Date.parse(startedAt));
    const ends = steps.map(({ startedAt, ms }) => Date.parse(startedAt) + (ms ?? NaN));
    times.push(Math.max(...ends) - Math.min(...begins));
  }
  // The first run loads what the later ones have.
  return Math.max(...times.slice(1));
}

/** With indicators of its own each, so that no question is answered from the records. */
const settingsOf = (index: number): StrategySettings => ({
  ...benchSettings,
  analyst: 'openai',
  indicators: { ...defaultIndicators, sma: [20 + index] },
});

async function runAll(client: Client, inputs: readonly StrategyRunInput[]): Promise<void> {
  const handles = await Promise.all(inputs.map((input) => startRun(client, input)));
  const results = await Promise.all(handles.map((handle) => handle.result() as Promise<RunResult>));
  const other = results.find(({ outcome }) => outcome !== 'HOLD');
  if (other !== undefined) throw new Error(`${other.runId}: ${other.outcome}, ${other.message ?? ''}`);
}
