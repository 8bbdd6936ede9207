// Strategy runs for the benchmarks: their strategies, the market's date, and the start of their workflows. Called by
// bench/strategyRuns.ts and bench/model.ts.
import type { Client, WorkflowHandle } from '@temporalio/client';
import { runWorkflowId, taskQueue, workflowTypes } from '../contracts/wire/names.js';
import type { StrategyRunInput } from '../contracts/wire/run.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { Keel } from './keel.js';

const symbol = 'AAPL';

/** So little risk a trade that the account can pay for many of them. */
export const benchSettings: StrategySettings = {
  symbols: [symbol],
  timeframes: ['daily', 'weekly'],
  indicators: defaultIndicators,
  analyst: 'rules',
  risk: {
    riskPerTrade: '0.0002',
    maximumPositionShare: '1',
    minimumRCoefficient: '1.5',
    priceCollar: '0.05',
    cashReserve: '0.01',
    shortsAllowed: false,
    pyramiding: true,
  },
  slot: 'after-close',
  workflowId: 'standard',
  workflowVersion: 1,
};

/**
 * Makes a strategy for each run, because a strategy has one run a session, and takes the market to the session's close.
 * @param date of the session, YYYY-MM-DD in the exchange's time
 * @param settingsOf the settings of the run with this number, from 1
 * @throws Error when the date is no session
 */
export async function prepareRuns(
  keel: Keel,
  name: string,
  count: number,
  date: string,
  settingsOf: (index: number) => StrategySettings,
): Promise<StrategyRunInput[]> {
  const inputs: StrategyRunInput[] = [];
  for (let index = 1; index <= count; index += 1) {
    const strategyId = `${name}-${String(index).padStart(3, '0')}`;
    const settings = settingsOf(index);
    await keel.market.stores.strategies.create({ id: strategyId, name: strategyId, settings }, 'bench');
    const identity = { mode: 'simulated', strategyId, symbol, session: date, slot: settings.slot } as const;
    inputs.push({ ...identity, runId: `${strategyId}-${date}` });
  }
  const close = createNyseCalendar().session(date)?.close;
  if (close === undefined) throw new Error(`${date} is no session`);
  await keel.market.stepThrough([close]);
  return inputs;
}

export const startRun = (client: Client, input: StrategyRunInput): Promise<WorkflowHandle> =>
  client.workflow.start(workflowTypes.strategyRun, {
    workflowId: runWorkflowId(input),
    taskQueue: taskQueue(input.mode),
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  });
