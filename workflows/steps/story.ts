// What a run knows of itself while it is told: its steps, its decision, what it waits for. Used by strategyRun only.
import type { Decision } from '../../domain/decision/decision.js';
import type { OrderReport } from '../../contracts/wire/order.js';
import type { RunProgress, StepName, StrategyRunInput } from '../../contracts/wire/run.js';
import type { Ending } from './ending.js';
import { throughOutage } from './outage.js';
import { createStepLog, type StepLog } from './stepLog.js';

export interface Story {
  readonly log: StepLog;
  decision: Decision | null;
  report: OrderReport | null;
  ending: Ending | null;
  /** How the order's lifecycle ended without a report, or null. */
  lost: string | null;
  /** The instant of the last marketReached signal. */
  marketNow: string | null;
  /** How long a step waits for a login that is away, wall milliseconds; 0 until the run's plan says. */
  outageMs: number;
  step<T>(name: StepName, work: () => Promise<T>): Promise<T>;
  /** Notes the market instant waited for (null: none) and gives it back. */
  waitsFor<T extends string | null>(instant: T): T;
  progress(): RunProgress;
}

export function createStory(input: StrategyRunInput): Story {
  const log = createStepLog();
  let waitingFor: string | null = null;
  const story: Story = {
    log,
    decision: null,
    report: null,
    ending: null,
    lost: null,
    marketNow: null,
    outageMs: 0,
    step: (name, work) => log.run(name, () => throughOutage(work, story.outageMs)),
    waitsFor: (instant) => {
      waitingFor = instant;
      return instant;
    },
    progress: () => ({
      mode: input.mode,
      strategyId: input.strategyId,
      symbol: input.symbol,
      session: input.session,
      slot: input.slot,
      runId: input.runId,
      status: story.ending?.status ?? (waitingFor === null ? 'running' : 'waiting'),
      steps: log.steps(),
      waitingFor,
      decision: story.decision,
      order: story.report,
      outcome: story.ending?.outcome ?? null,
      code: story.ending?.code ?? null,
      message: story.ending?.message ?? null,
    }),
  };
  return story;
}
