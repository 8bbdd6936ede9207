// Opens and closes runs, and says what they wait for.
import type { BrokerStateStore, RunEnd, RunStore, StrategyStore } from '../ports/stores.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import type { BudgetCaps, ConversationStore } from '../ports/conversations.js';
import type { DefinitionStore } from '../ports/definitions.js';
import { KeelError } from '../ports/errors.js';
import type { RunDefinition } from '../contracts/wire/definition.js';
import type { Mode } from '../contracts/wire/names.js';
import type { RunSpending, StrategyRunInput } from '../contracts/wire/run.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { troubleWords } from '../domain/brokerSession/trouble.js';
import { spentOn } from '../domain/decision/cost.js';
import type { Timeframe } from '../domain/market/bar.js';
import { definitionOf, settingsOf } from './strategy.js';

export interface RunDeps {
  readonly mode: Mode;
  readonly accountId: string;
  /** Milliseconds of wall time after which a step that cannot succeed gives up. */
  readonly stepDeadlineMs: number;
  /** The same of steps that may ask a model. */
  readonly analystDeadlineMs: number;
  readonly sessionWaitMs: number;
  readonly runs: Pick<RunStore, 'open' | 'end' | 'setWaiting'>;
  readonly strategies: Pick<StrategyStore, 'get' | 'version'>;
  readonly definitions: Pick<DefinitionStore, 'version'>;
  readonly marketClock: MarketClock;
  readonly conversations: Pick<ConversationStore, 'byRun' | 'spent'>;
  readonly modelCaps: BudgetCaps;
  readonly brokerState: Pick<BrokerStateStore, 'trouble'>;
  readonly clock: Clock;
}

/** What the workflow needs to know of the strategy version it runs. */
export interface RunPlan {
  readonly strategyVersion: number;
  readonly timeframes: readonly Timeframe[];
  readonly accountId: string;
  readonly stepDeadlineMs: number;
  /** Absent in histories recorded before models analysed. */
  readonly analystDeadlineMs?: number;
  /** How long a step waits for the broker's login, wall milliseconds; 0 in simulated mode. */
  readonly sessionWaitMs?: number;
  /** Absent in histories recorded before there were definitions: those runs take every step. */
  readonly definition?: RunDefinition;
  /** Whether a panel reviews a proposed buy; absent in histories recorded before there was one. */
  readonly panel?: boolean;
}

export interface MarketCheck {
  readonly reached: boolean;
  readonly now: string;
}

export function createRunActivities(deps: RunDeps) {
  return {
    /**
     * Opens the run's row, the only one of its slot for ever.
     * @throws RUN_EXISTS (final) when the slot has a run that is not this one, or that has ended: nothing trades twice.
     */
    async openRun(input: StrategyRunInput & { readonly workflowId: string }): Promise<RunPlan> {
      if (input.mode !== deps.mode) {
        throw new KeelError('WRONG_MODE', `this worker serves ${deps.mode}, the run says ${input.mode}`);
      }
      const strategy = await deps.strategies.get(input.strategyId);
      if (strategy === null) {
        throw new KeelError('STRATEGY_MISSING', `there is no strategy ${input.strategyId}; create it first`);
      }
      const current = await partOf(deps, input, strategy.settings);
      const row = await deps.runs.open({
        mode: input.mode,
        strategyId: input.strategyId,
        symbol: input.symbol,
        session: input.session,
        slot: input.slot,
        id: input.runId,
        workflowId: input.workflowId,
        strategyVersion: strategy.version,
      });
      if (row.id !== input.runId || row.endedAt !== null) {
        throw new KeelError(
          'RUN_EXISTS',
          `${input.strategyId} has had its run for ${input.symbol} in slot ${input.slot} of ${input.session} (${row.id}); a deliberate other run needs a slot of its own`,
        );
      }
      const { strategyVersion } = row;
      // An attempt whose answer was lost had opened the row: the run keeps the version that it says, whatever came since.
      const { timeframes, definition, panel } =
        strategyVersion === strategy.version
          ? current
          : await partOf(deps, input, await settingsOf(deps.strategies, row));
      const { accountId, stepDeadlineMs, analystDeadlineMs, sessionWaitMs } = deps;
      return {
        strategyVersion,
        timeframes,
        accountId,
        stepDeadlineMs,
        analystDeadlineMs,
        sessionWaitMs,
        definition,
        panel,
      };
    },

    /** Has the market reached an instant? If not, the run's row says what it waits for; if so, that it waits no more. */
    async checkMarket(input: { runId: string; instant: string }): Promise<MarketCheck> {
      const market = await deps.marketClock.now();
      const reached = market.now >= input.instant;
      await deps.runs.setWaiting(input.runId, reached ? null : input.instant);
      return { reached, now: market.now };
    },

    /** The wait was ended by something else than the market. */
    stopWaiting: (runId: string): Promise<void> => deps.runs.setWaiting(runId, null),

    /** @returns what its calls to models have cost; null where it made none */
    async closeRun({ runId, end }: { runId: string; end: RunEnd }): Promise<RunSpending | null> {
      await deps.runs.end(runId, await explained(deps, end));
      // For people to read: a run has ended also where nobody can tell what it has cost.
      return spendingOf(deps, runId).catch(() => null);
    },
  };
}

/**
 * A step that brought no answer cannot say why. Where the broker's state cannot be read either, that is why, or near enough
 * for people to know where to look.
 */
async function explained({ brokerState, accountId, clock }: RunDeps, end: RunEnd): Promise<RunEnd> {
  if (end.code !== 'STEP_TIMEOUT') return end;
  const why = troubleWords(await brokerState.trouble(accountId).catch(() => null), clock.now());
  return why === null ? end : { ...end, message: `${end.message ?? ''}. The broker: ${why}` };
}

async function spendingOf(
  { conversations, modelCaps: caps }: Pick<RunDeps, 'conversations' | 'modelCaps'>,
  runId: string,
): Promise<RunSpending | null> {
  const rows = await conversations.byRun(runId);
  if (rows.length === 0) return null;
  // What the budget has stopped was never made.
  const calls = rows.filter(({ outcome }) => outcome !== 'budget');
  const { day, month } = await conversations.spent();
  return {
    calls: calls.length,
    run: { usd: spentOn(calls).toFixed(), capUsd: caps.run },
    day: { usd: day.usd, capUsd: caps.day },
    month: { usd: month.usd, capUsd: caps.month },
  };
}

/**
 * What a plan takes of a strategy version.
 * @throws KeelError SYMBOL_NOT_OF_STRATEGY, and what definitionOf throws (final).
 */
async function partOf(
  deps: Pick<RunDeps, 'definitions'>,
  { strategyId, symbol }: StrategyRunInput,
  settings: StrategySettings,
): Promise<Required<Pick<RunPlan, 'timeframes' | 'definition' | 'panel'>>> {
  const { id, version, steps } = await definitionOf(deps.definitions, settings);
  if (!settings.symbols.includes(symbol)) {
    throw new KeelError('SYMBOL_NOT_OF_STRATEGY', `${strategyId} does not trade ${symbol}`);
  }
  const { timeframes, panel = false } = settings;
  return { timeframes, definition: { id, version, steps }, panel };
}
