// The one poller of an account: reads orders, executions, positions and cash, stores the snapshot that everyone shares,
// and tells each order's lifecycle what changed.
import type { Mode } from '../contracts/wire/names.js';
import type { OrderState } from '../contracts/wire/order.js';
import type { BrokerPort } from '../ports/broker.js';
import type { Clock, MarketClock, MarketTime } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { OrderSignalsPort } from '../ports/orderSignals.js';
import type { BrokerSnapshot, BrokerStateStore, IntentRow, IntentStore, RunStore } from '../ports/stores.js';
import { nextIntentState, orderStateOf } from './orderState.js';
import type { Pause } from './pause.js';

export interface BrokerStateDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'ensureSession' | 'account' | 'positions' | 'orders' | 'executions'>;
  readonly brokerState: Pick<BrokerStateStore, 'save'>;
  readonly intents: Pick<IntentStore, 'listOpen' | 'get' | 'move' | 'applyState'>;
  readonly runs: Pick<RunStore, 'listOpen'>;
  readonly signals: OrderSignalsPort;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly pause: Pause;
  /** Wall milliseconds between polls while a run or an order is open, and while none is. */
  readonly pollMs: number;
  readonly idlePollMs: number;
  /** True once this worker is shutting down: another one takes the watch over. */
  readonly stopping: () => boolean;
}

export function createBrokerStateActivities(deps: BrokerStateDeps) {
  return {
    /**
     * Polls for `forMs` of wall time, then returns so that the workflow can start it anew. A failed poll fails the
     * attempt, and Temporal starts the next one with its back-off.
     */
    async watchBroker(input: { forMs: number }): Promise<void> {
      /** What each lifecycle was last told. Lost with the attempt: then everything is told once more, which is harmless. */
      const told = new Map<string, string>();
      const end = deps.clock.now() + input.forMs;
      let nextIdlePoll = 0;
      let step = -1;
      while (deps.clock.now() < end && !deps.stopping()) {
        const [open, market] = await Promise.all([deps.runs.listOpen(), deps.marketClock.now()]);
        if (open.length > 0 || market.step !== step || deps.clock.now() >= nextIdlePoll) {
          await poll(deps, market, told);
          step = market.step;
          nextIdlePoll = deps.clock.now() + deps.idlePollMs;
        }
        await deps.pause(deps.pollMs);
      }
    },
  };
}

async function poll(deps: BrokerStateDeps, market: MarketTime, told: Map<string, string>): Promise<void> {
  const snapshot = await readSnapshot(deps, market);
  // An older read than the stored one, by a poller that was given up for dead, tells nobody anything: its fills would end
  // reservations whose cash the stored snapshot still shows.
  if (!(await deps.brokerState.save(snapshot))) return;
  const open = await deps.intents.listOpen(deps.mode, deps.accountId);
  await abandonOverdue(deps, open, snapshot);
  for (const intent of open) {
    if (intent.state === 'INTENT') continue;
    const state = orderStateOf(intent, snapshot);
    const text = JSON.stringify(state);
    if (told.get(intent.clientOrderId) === text) continue;
    // Told first: once stored, an order that is over is open no more, and a poller that dies before it tells never would.
    await deps.signals.orderState(state);
    await store(deps, intent, state);
    told.set(intent.clientOrderId, text);
  }
}

/**
 * Its lifecycle may have moved an intent since it was listed, and a broker may take an end back. Then what was found is
 * kept beside the state as it is: one intent must not end the watch over all others.
 */
async function store(deps: BrokerStateDeps, intent: IntentRow, state: OrderState): Promise<void> {
  const { clientOrderId } = intent;
  try {
    await deps.intents.applyState(clientOrderId, state, nextIntentState(intent, state));
  } catch (error) {
    if (!(error instanceof KeelError) || error.code !== 'ILLEGAL_TRANSITION') throw error;
    const now = await deps.intents.get(clientOrderId);
    if (now !== null) await deps.intents.applyState(clientOrderId, state, now.state);
  }
}

/** An admission that outlived its lifecycle leaves an intent that nobody sends: it must not reserve for ever. */
async function abandonOverdue(
  deps: BrokerStateDeps,
  open: readonly IntentRow[],
  snapshot: BrokerSnapshot,
): Promise<void> {
  for (const { clientOrderId, state, validUntil } of open) {
    if (state !== 'INTENT' || snapshot.marketTime < validUntil) continue;
    const change = { reason: 'not sent while it was valid', actor: 'brokerState' };
    await deps.intents.move(clientOrderId, ['INTENT'], 'ABANDONED', change);
  }
}

/**
 * Orders and executions first: a fill that they show is then in cash and positions too. The other way round it would
 * be in neither, and the same cash could be spent twice.
 */
async function readSnapshot(deps: BrokerStateDeps, market: MarketTime): Promise<BrokerSnapshot> {
  const { mode, accountId, broker } = deps;
  const readStartedAt = new Date(deps.clock.now()).toISOString();
  await broker.ensureSession();
  const [orders, executions] = await Promise.all([broker.orders(accountId), broker.executions(accountId)]);
  const [account, positions] = await Promise.all([broker.account(accountId), broker.positions(accountId)]);
  return {
    mode,
    accountId,
    readStartedAt,
    marketTime: market.now,
    marketStep: market.step,
    account,
    positions,
    orders,
    executions,
  };
}
