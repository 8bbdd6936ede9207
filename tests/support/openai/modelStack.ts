// A Keel whose worker asks the stub: every case is a strategy of its own, which the stub tells by the period of its only
// average, so that cases run side by side. Used by tests/analyst*.test.ts.
import type { WorkflowHandle } from '@temporalio/client';
import type { StrategySettings } from '../../../contracts/wire/strategy.js';
import { definitionSteps, mandatoryGates } from '../../../domain/definition/definition.js';
import { defaultIndicators } from '../../../domain/indicators/defaults.js';
import type { CallRow } from '../../../ports/conversations.js';
import type { ServerProcess } from '../server.js';
import { startStack, type TestStack } from '../stack.js';
import type { TestTemporal } from '../temporal.js';
import { key } from './outcomes.js';
import { good } from './replies.js';
import { startOpenaiStub, type OpenaiStub, type Script, type StubCall } from './stub.js';

const close = '2014-07-07T20:00:00.000Z';
const session = close.slice(0, 10);

export interface Begun {
  readonly runId: string;
  readonly period: number;
  readonly handle: WorkflowHandle;
}

export interface ModelStack {
  readonly stub: OpenaiStub;
  readonly keel: TestStack;
  worker: ServerProcess;
  /** Who answers the calls of a period; 0 is what is no run's. */
  readonly scripts: Map<number, Script>;
  /** Makes a strategy whose runs' calls the script answers. */
  prepare(
    name: string,
    script: Script,
    period?: number,
    settings?: Partial<StrategySettings>,
  ): Promise<{ readonly id: string; readonly period: number }>;
  /** Starts a run of such a strategy. */
  begin(name: string, script: Script, period?: number, settings?: Partial<StrategySettings>): Promise<Begun>;
  /** How a run ended, without an order. */
  endOf(
    begun: Begun,
  ): Promise<{ outcome: string | null; code: string | null; message: string; order: unknown }>;
  callsOf(period: number): StubCall[];
  callRows(runId: string): Promise<readonly CallRow[]>;
  stop(): Promise<void>;
}

const periodIn = ({ text }: StubCall): number => Number(/"sma(\d+)"/.exec(text)?.[1] ?? 0);

/** @param settings of the worker, beside those of the model */
export async function startModelStack(
  temporal: TestTemporal,
  settings: Readonly<Record<string, string>>,
): Promise<ModelStack> {
  const scripts = new Map<number, Script>();
  const callsOf = (period: number): StubCall[] => stub.calls.filter((call) => periodIn(call) === period);
  const stub = await startOpenaiStub((call) => {
    const script = scripts.get(periodIn(call)) ?? good;
    return script(call, callsOf(periodIn(call)).filter(({ purpose }) => purpose === call.purpose).length);
  });
  const keel = await startStack(temporal);
  Object.assign(keel.env, {
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: key,
    OPENAI_MODEL: 'test-vision',
    OPENAI_API: '',
    // Long enough for a machine that does much else; silence is waited for by few cases.
    KEEL_MODEL_TIMEOUT_MS: '8000',
    ...settings,
  });
  let periods = 30;
  const prepare: ModelStack['prepare'] = async (name, script, period = (periods += 1), change = {}) => {
    const id = `m-${name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}`.slice(0, 40).replace(/-$/, '');
    scripts.set(period, script);
    const indicators = { ...defaultIndicators, sma: [period] };
    await keel.createStrategy(id, { analyst: 'auto', indicators, ...change });
    return { id, period };
  };
  return {
    stub,
    keel,
    worker: await keel.startWorker(),
    callsOf,
    scripts,
    prepare,
    begin: async (...given) => {
      const { id, period } = await prepare(...given);
      return { runId: `${id}-${session}`, period, handle: await keel.startRun(id, close) };
    },
    endOf: async ({ runId, handle }) => {
      await handle.result().catch(() => null);
      const { runs, intents } = keel.market.stores;
      const row = await runs.get(runId);
      const order = await intents.byRun(runId);
      return { outcome: row?.outcome ?? null, code: row?.code ?? null, message: row?.message ?? '', order };
    },
    callRows: (runId) => keel.market.stores.conversations.byRun(runId),
    stop: async () => {
      await keel.stop();
      await stub.close();
    },
  };
}

/** The workflow `advice`: decides and is weighed, and sends no order, so that a run's end needs no market. */
export async function createAdvice({ market }: TestStack): Promise<void> {
  const steps = definitionSteps.filter((step) => step !== 'waitForMarket' && step !== 'orderLifecycle');
  const contents = { steps, timeframes: ['daily', 'weekly'], analyst: 'auto', limits: {} } as const;
  const named = { id: 'advice', name: 'Advice', ownerId: null };
  await market.stores.definitions.create(named, { ...contents, gates: mandatoryGates }, 'test');
}
