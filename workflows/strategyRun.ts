// strategyRun: one execution of a strategy for one symbol in one slot of a session. Read it as the story of a run.
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/run.js';
import type { Decision } from '../domain/decision/decision.js';
import type { DefinitionStep } from '../domain/definition/definition.js';
import type { ProposedOrder } from '../domain/risk/types.js';
import { refusalText } from '../contracts/wire/refusal.js';
import type { StrategyRunInput, RunResult } from '../contracts/wire/run.js';
import { marketReached, orderReport, runProgress } from './signals.js';
import { showDecision, showEnd, showReadings, showSpending } from './steps/display.js';
import { endOf, failureEnd, rootOf, type Ending } from './steps/ending.js';
import { placeAndFollow } from './steps/placeAndFollow.js';
import { decideWithPanel } from './steps/panel.js';
import { asking, patient, repeatable, stored } from './steps/proxies.js';
import { createStory, type Story } from './steps/story.js';
import { waitForMarket } from './steps/waitForMarket.js';

/** The first step has no plan yet that could tell it its deadline. */
const openDeadlineMs = 60_000;

export async function strategyRun(input: StrategyRunInput): Promise<RunResult> {
  const story = createStory(input);
  setHandler(runProgress, () => story.progress());
  setHandler(marketReached, ({ now }) => {
    story.marketNow = now;
  });
  setHandler(orderReport, (report) => {
    story.report = report;
  });
  let ending: Ending;
  let failure: unknown = null;
  try {
    ending = await tell(input, story);
  } catch (error) {
    failure = error;
    ending = failureEnd(error);
  }
  await CancellationScope.nonCancellable(() => close(input, story, ending));
  if (isCancellation(failure)) throw failure;
  if (ending.status === 'failed') throw ApplicationFailure.nonRetryable(ending.message ?? '', ending.code);
  return { runId: input.runId, ...ending, order: story.report };
}

async function tell(input: StrategyRunInput, story: Story): Promise<Ending> {
  const plan = await story.step('openRun', () =>
    stored(openDeadlineMs).openRun({ ...input, workflowId: workflowInfo().workflowId }),
  );
  // Plans of earlier versions say nothing, and their runs do not wait.
  story.outageMs = plan.sessionWaitMs ?? 0;
  const { contract, decision } = await decide(input, plan, story);
  story.decision = decision;
  showDecision(input, decision);
  if (decision.action === 'hold') return endOf('HOLD', holdCode(decision), decision.rationale);

  const { strategyVersion } = plan;
  const { evaluateRisk } = repeatable(plan.stepDeadlineMs);
  const proposal = await story.step('evaluateRisk', () =>
    evaluateRisk({ ...input, strategyVersion, contract, decision }),
  );
  const { verdict } = proposal;
  if (verdict.code === 'NOTHING_TO_SELL') {
    return endOf('NOTHING_TO_SELL', verdict.code, 'the decision is to sell, and nothing is held');
  }
  const { order } = verdict;
  if (order === null) return endOf('REFUSED', verdict.code, refusalText(verdict));
  if (!takes(plan, 'orderLifecycle')) {
    return endOf('NOT_SENT', 'ADVICE_ONLY', adviceText(plan, order));
  }

  const open = await story.step('waitForMarket', () =>
    waitForMarket({
      mode: input.mode,
      runId: input.runId,
      instant: story.waitsFor(proposal.admitAt),
      deadlineMs: plan.stepDeadlineMs,
      signalled: () => story.marketNow,
      interrupted: () => input.noWait === true,
    }),
  );
  story.waitsFor(null);
  if (!open) return endOf('REFUSED', 'MARKET_SHUT', `the market is shut until ${proposal.admitAt}`);
  return story.step('orderLifecycle', () =>
    placeAndFollow(story, {
      mode: input.mode,
      accountId: plan.accountId,
      runId: input.runId,
      strategyId: input.strategyId,
      symbol: input.symbol,
      clientOrderId: proposal.clientOrderId,
      riskInput: proposal.riskInput,
      proposed: order,
    }),
  );
}

/** Whether somebody decided to hold, or a panel took a proposed buy back. */
const holdCode = ({ review }: Decision): string => (review?.panel === undefined ? 'HOLD' : 'PANEL_HOLD');

/** Plans of earlier versions name no definition, and their runs take every step. */
const takes = ({ definition }: RunPlan, step: DefinitionStep): boolean =>
  definition?.steps.includes(step) ?? true;

const adviceText = ({ definition }: RunPlan, { side, quantity }: ProposedOrder): string =>
  `the workflow ${definition?.id ?? ''} gives advice and sends no order: it would ${side === 'BUY' ? 'buy' : 'sell'} ${quantity}`;

/** Bars, pictures and analyses of every timeframe in parallel, then one decision. */
async function decide(input: StrategyRunInput, plan: RunPlan, story: Story) {
  const { runId, symbol, session, strategyId } = input;
  const { strategyVersion, timeframes } = plan;
  const steps = repeatable(plan.stepDeadlineMs);
  const analyst = asking(plan.analystDeadlineMs ?? plan.stepDeadlineMs);
  const contract = await story.step('resolveContract', () => steps.resolveContract(symbol));
  const evidence = await Promise.all(
    timeframes.map(async (timeframe) => {
      const version = { strategyId, strategyVersion };
      const bars = await story.step(`fetchBars ${timeframe}`, () =>
        steps.fetchBars({ runId, contract, timeframe, session }),
      );
      const chart = takes(plan, 'renderChart')
        ? await story.step(`renderChart ${timeframe}`, () => steps.renderChart({ ...version, symbol, bars }))
        : null;
      const analysis = await story.step(`analyze ${timeframe}`, () =>
        analyst.analyze({ ...version, runId, symbol, bars, chart }),
      );
      return { bars, chart, analysis };
    }),
  );
  const asked = {
    ...{ runId, symbol, session, strategyId, strategyVersion, contract },
    bars: evidence.map(({ bars }) => bars),
    charts: evidence.flatMap(({ chart }) => (chart === null ? [] : [chart])),
    analyses: evidence.map(({ analysis }) => analysis),
  };
  showReadings(input, asked.analyses);
  // Plans of earlier versions say nothing, and their runs have no panel.
  const decision: Decision =
    plan.panel === true
      ? await decideWithPanel(story, analyst, asked)
      : await story.step('decide', () => analyst.decide(asked));
  return { contract, decision };
}

async function close(input: StrategyRunInput, story: Story, ending: Ending): Promise<void> {
  story.ending = ending;
  showEnd(input, story.decision, ending);
  const { status, outcome, code, message } = ending;
  const end = { status, outcome, code, message, steps: story.log.steps() };
  // The row is another run's, which may be trading.
  if (code === 'RUN_EXISTS') return;
  try {
    showSpending(input, story.decision, ending, await patient.closeRun({ runId: input.runId, end }));
  } catch (error) {
    // A run that could not be opened has no row; why it could not is what people need to read.
    if (status === 'failed' && rootOf(error).code === 'RUN_MISSING') return;
    throw error;
  }
}
