// Steps the simulated market: to the earliest instant that an open run waits for, once every open run waits or has
// ended; then tells those who waited. Used by the supervisor, `keel run` and the tests. Only one may step a market:
// whoever drives holds the lock of driverLock.ts.
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { MarketStepper } from '../adapters/clocks/simulated.js';
import type { MarketReached } from '../contracts/wire/run.js';
import type { Mode } from '../contracts/wire/names.js';
import { orderWorkflowId, signalNames } from '../contracts/wire/names.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import type { IntentStore, RunRow, RunStore } from '../ports/stores.js';

export interface DriverDeps {
  readonly mode: Mode;
  readonly runs: Pick<RunStore, 'listOpen'>;
  readonly intents: Pick<IntentStore, 'byRun'>;
  readonly client: Pick<Client, 'workflow'>;
  readonly marketClock: MarketClock;
  readonly stepper: MarketStepper;
  readonly clock: Clock;
}

/** stepped: the market moved or waiters were told · busy: some run is at work · idle: no run is open. */
export type DriverAnswer = 'stepped' | 'busy' | 'idle';

export interface Driver {
  /** One look at the open runs and, where all wait, one step. */
  step(): Promise<DriverAnswer>;
}

type Waiting = Pick<RunRow, 'id' | 'waitingFor'>;

/** A waiter that has been told gets this long (wall milliseconds) to go on before it is told again. */
const patienceMs = 3000;
/** Waiters that are told side by side. */
const tellAtOnce = 8;

/**
 * What to do for the open runs while the market stands at `now`. Never a step while a run is at work, never a step
 * back: an instant that has passed is only told.
 * @param toldLately whether this waiter has been told of its instant and may still be on its way
 */
export function nextAct<Run extends Waiting>(
  open: readonly Run[],
  now: string,
  toldLately: (run: Run) => boolean,
): { kind: 'idle' | 'busy' } | { kind: 'step'; to: string } | { kind: 'tell'; runs: Run[] } {
  if (open.length === 0) return { kind: 'idle' };
  const reached = open.filter((run) => run.waitingFor !== null && run.waitingFor <= now);
  const untold = reached.filter((run) => !toldLately(run));
  if (untold.length > 0) return { kind: 'tell', runs: untold };
  const instants = open.map((run) => run.waitingFor);
  if (reached.length > 0 || instants.includes(null)) return { kind: 'busy' };
  const to = instants.filter((instant) => instant !== null).sort()[0];
  return to === undefined ? { kind: 'busy' } : { kind: 'step', to };
}

export function createDriver(deps: DriverDeps): Driver {
  const told = new Map<string, { instant: string | null; at: number }>();
  const toldLately = (run: Waiting): boolean => {
    const last = told.get(run.id);
    return last?.instant === run.waitingFor && deps.clock.now() - last.at < patienceMs;
  };

  async function tell(run: RunRow, now: string): Promise<void> {
    const reached: MarketReached = { now };
    const intent = await deps.intents.byRun(run.id);
    const lifecycle = intent === null ? [] : [orderWorkflowId(run.mode, intent.clientOrderId)];
    for (const workflowId of [run.workflowId, ...lifecycle]) {
      await signal(deps.client, workflowId, signalNames.marketReached, reached);
    }
    told.set(run.id, { instant: run.waitingFor, at: deps.clock.now() });
  }

  return {
    async step() {
      const open = (await deps.runs.listOpen()).filter((run) => run.mode === deps.mode);
      const market = await deps.marketClock.now();
      const act = nextAct(open, market.now, toldLately);
      if (act.kind === 'idle') told.clear();
      if (act.kind === 'idle' || act.kind === 'busy') return act.kind;
      const now = act.kind === 'step' ? (await deps.stepper.step(act.to)).now : market.now;
      const waiters = open.filter((run) => run.waitingFor !== null && run.waitingFor <= now);
      const runs = act.kind === 'tell' ? act.runs : waiters;
      for (let from = 0; from < runs.length; from += tellAtOnce) {
        await Promise.all(runs.slice(from, from + tellAtOnce).map((run) => tell(run, now)));
      }
      return 'stepped';
    },
  };
}

/** Signals a workflow; one that is not there or has ended needs no signal. @returns whether it took it */
async function signal(
  client: Pick<Client, 'workflow'>,
  workflowId: string,
  name: string,
  argument: unknown,
): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).signal(name, argument);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
