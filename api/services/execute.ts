// Starts the run of a strategy for the last closed session, once: asking again finds the same run.
// Called by api/routes/strategies.ts.
import type { Mode, RunIdentity } from '../../contracts/wire/names.js';
import { runWorkflowId } from '../../contracts/wire/names.js';
import type { Strategy } from '../../contracts/wire/strategy.js';
import type { Viewer } from '../../domain/access/ownership.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import type { MarketClock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type { AuditStore } from '../../ports/audit.js';
import type { IntentStore, RunStore, StrategyStore } from '../../ports/stores.js';
import { lastRun } from './again.js';
import { InvalidInputError } from './invalidInput.js';
import { runIdOf } from './runId.js';
import type { RunWorkflows } from './runWorkflows.js';
import { readStrategy } from './strategies.js';

export interface ExecuteDeps {
  readonly mode: Mode;
  readonly strategies: Pick<StrategyStore, 'get'>;
  readonly runs: Pick<RunStore, 'get'>;
  readonly intents: Pick<IntentStore, 'byRun'>;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly workflows: RunWorkflows;
  readonly calendar: Calendar;
  readonly marketClock: MarketClock;
}

export interface StartedRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly identity: RunIdentity;
  readonly existing: boolean;
}

/** How many runs of one strategy and symbol a session may have. */
export const slotsPerSession = 20;

/** The session whose bars are the last complete ones. @throws KeelError NO_SESSION_YET, CALENDAR_ENDED */
export async function lastClosedSession(
  deps: Pick<ExecuteDeps, 'calendar' | 'marketClock'>,
): Promise<string> {
  const { now } = await deps.marketClock.now();
  try {
    return deps.calendar.lastClosed(now).date;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const day = now.slice(0, 10);
    if (day >= deps.calendar.first && day <= deps.calendar.last) {
      throw new KeelError(
        'NO_SESSION_YET',
        `The market stands at ${now}, and no session of the exchange has closed by then, so there is nothing to decide on. ` +
          'Move the simulated market past a close first, such as: keel simulator step --to 2014-07-07T20:00:00.000Z',
      );
    }
    throw new KeelError(
      'CALENDAR_ENDED',
      `The market stands at ${now}, outside the exchange calendar (${deps.calendar.first} to ` +
        `${deps.calendar.last}), so no session is known; step the market clock into it or extend the calendar.`,
    );
  }
}

function chosenSymbol(strategy: Strategy, asked: string | undefined): string {
  const { symbols } = strategy.settings;
  const refuse = (message: string): InvalidInputError =>
    new InvalidInputError([{ in: 'body', field: 'symbol', message }]);
  if (asked !== undefined) {
    if (symbols.includes(asked)) return asked;
    throw refuse(`strategy ${strategy.id} does not trade ${asked}; it trades ${symbols.join(', ')}`);
  }
  const [only, second] = symbols;
  if (only !== undefined && second === undefined) return only;
  throw refuse(`is needed: strategy ${strategy.id} has several symbols: ${symbols.join(', ')}`);
}

function mayRun(strategy: Strategy, mode: Mode): void {
  if (strategy.mode !== mode) {
    const message = `Strategy ${strategy.id} is for mode ${strategy.mode}, this process runs ${mode}; ask the API of that mode.`;
    throw new KeelError('MODE_MISMATCH', message);
  }
  if (!strategy.active) {
    throw new KeelError('STRATEGY_INACTIVE', `Strategy ${strategy.id} is not active; activate it first.`);
  }
}

async function startOne(
  deps: ExecuteDeps,
  identity: RunIdentity,
  reason: string | null,
  noWait: boolean,
): Promise<StartedRun> {
  const found = { runId: runIdOf(identity), workflowId: runWorkflowId(identity), identity };
  // The row outlives the workflow's retention in Temporal, so it is asked first.
  if ((await deps.runs.get(found.runId)) !== null) return { ...found, existing: true };
  const input = { ...identity, runId: found.runId, ...(noWait ? { noWait } : {}) };
  const answer = await deps.workflows.start(input, reason);
  return { ...found, existing: answer === 'existing' };
}

/** The slot's own run. Who asked is written before the effect, so that it is known also when the answer is lost. */
async function startFirst(
  deps: ExecuteDeps,
  identity: RunIdentity,
  noWait: boolean,
  actor: string,
): Promise<StartedRun> {
  const [runId, workflowId] = [runIdOf(identity), runWorkflowId(identity)];
  if ((await deps.runs.get(runId)) === null) {
    await deps.audit.append({ actor, action: 'run.execute', subject: runId, facts: { workflowId } });
  }
  return startOne(deps, identity, null, noWait);
}

const slotsOf = (base: RunIdentity): readonly RunIdentity[] =>
  Array.from({ length: slotsPerSession }, (_, index) =>
    index === 0 ? base : { ...base, slot: `${base.slot}-${index + 1}` },
  );

/** A deliberate other run: the next free slot. The same reason finds the run it started, so a repeated click is harmless. */
async function startAnother(
  deps: ExecuteDeps,
  base: RunIdentity,
  reason: string,
  noWait: boolean,
  actor: string,
): Promise<StartedRun> {
  for (const identity of slotsOf(base).slice(1)) {
    const workflowId = runWorkflowId(identity);
    const runId = runIdOf(identity);
    let before = await deps.workflows.describe(workflowId);
    if (before === null && (await deps.runs.get(runId)) === null) {
      // Written before the effect: a run on purpose is never without its reason.
      await deps.audit.append({
        actor,
        action: 'run.another',
        subject: runId,
        facts: { workflowId, reason },
      });
      const started = await startOne(deps, identity, reason, noWait);
      if (!started.existing) return started;
      before = await deps.workflows.describe(workflowId);
    }
    if (before?.reason === reason) return { runId, workflowId, identity, existing: true };
  }
  throw new KeelError(
    'TOO_MANY_RUNS',
    `Strategy ${base.strategyId} has ${slotsPerSession} runs of ${base.symbol} in session ${base.session}; ` +
      'wait for the next session.',
  );
}

/** After runs that have sent nothing. The one it follows is its reason, so that two who ask at once start one run. */
async function startAgain(
  deps: ExecuteDeps,
  base: RunIdentity,
  noWait: boolean,
  actor: string,
): Promise<StartedRun> {
  const last = await lastRun(deps, slotsOf(base));
  if (last.kind === 'none') return startFirst(deps, base, noWait, actor);
  const { identity } = last;
  const runId = runIdOf(identity);
  return last.kind === 'open'
    ? { runId, workflowId: runWorkflowId(identity), identity, existing: true }
    : startAnother(deps, base, `again after run ${runId}, which sent nothing`, noWait, actor);
}

/**
 * Starts, or finds, the run of a strategy for the session that closed last on the market clock.
 * @throws KeelError STRATEGY_NOT_FOUND, STRATEGY_INACTIVE, MODE_MISMATCH, NO_SESSION_YET, CALENDAR_ENDED, TOO_MANY_RUNS,
 * RUN_NOT_REPEATABLE, MARKET_CLOCK_AWAY, TEMPORAL_AWAY, DATABASE_AWAY; InvalidInputError for the symbol.
 */
export async function executeStrategy(
  deps: ExecuteDeps,
  strategyId: string,
  request: {
    readonly symbol?: string | undefined;
    readonly reason?: string | undefined;
    readonly again?: boolean | undefined;
    readonly wait?: boolean | undefined;
  },
  { viewer, actor }: { readonly viewer: Viewer; readonly actor: string },
): Promise<StartedRun> {
  const strategy = await readStrategy(deps, strategyId, viewer);
  mayRun(strategy, deps.mode);
  const base: RunIdentity = {
    mode: deps.mode,
    strategyId,
    symbol: chosenSymbol(strategy, request.symbol),
    session: await lastClosedSession(deps),
    slot: strategy.settings.slot,
  };
  const noWait = request.wait === false;
  if (request.again === true) return startAgain(deps, base, noWait, actor);
  return request.reason === undefined
    ? startFirst(deps, base, noWait, actor)
    : startAnother(deps, base, request.reason, noWait, actor);
}
