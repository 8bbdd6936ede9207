// The one poller of an account: reads orders, executions, positions and cash, stores the snapshot that everyone shares,
// and tells each order's lifecycle what changed.
import { ApplicationFailure } from '@temporalio/common';
import type { Mode } from '../contracts/wire/names.js';
import type { OrderState } from '../contracts/wire/order.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import type { BrokerPort } from '../ports/broker.js';
import type { BrokerNewsPort } from '../ports/brokerNews.js';
import type { Clock, MarketClock, MarketTime } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { OrderSignalsPort } from '../ports/orderSignals.js';
import type { BrokerSnapshot, BrokerStateStore, IntentRow, IntentStore } from '../ports/stores.js';
import { toFailure } from './failures.js';
import { wholeList } from './missingOrders.js';
import { nextIntentState, orderStateOf } from './orderState.js';
import type { Pause } from './pause.js';
import type { FreshnessRule } from './snapshot.js';
import { refuseOwn } from './unreadableOrders.js';

export interface BrokerStateDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<
    BrokerPort,
    'ensureSession' | 'account' | 'positions' | 'orders' | 'orderNow' | 'executions'
  >;
  /** Says when to look at once. What is then seen comes from `broker` alone. */
  readonly brokerNews: BrokerNewsPort;
  readonly brokerState: Pick<BrokerStateStore, 'save' | 'demand' | 'latest' | 'putTrouble'>;
  readonly intents: Pick<IntentStore, 'listOpen' | 'get' | 'move' | 'applyState'>;
  readonly signals: OrderSignalsPort;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly calendar: Pick<Calendar, 'openAt'>;
  readonly pause: Pause;
  readonly freshness: Pick<FreshnessRule, 'snapshotMaxAgeMs'>;
  /** Wall milliseconds between polls while an order's fate is open, and while no run is open either. */
  readonly pollMs: number;
  readonly idlePollMs: number;
  /** True once this worker is shutting down: another one takes the watch over. */
  readonly stopping: () => boolean;
}

/** Lifecycles that are told side by side: few enough for the pool of connections. */
const tellAtOnce = 8;

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
      let polledAt = -Infinity;
      let step = -1;
      let hinted = false;
      let hints: Hints | null = null;
      try {
        while (deps.clock.now() < end && !deps.stopping()) {
          const [gapMs, market] = await Promise.all([gapOf(deps), deps.marketClock.now()]);
          if (hinted || market.step !== step || deps.clock.now() - polledAt >= gapMs) {
            polledAt = deps.clock.now();
            await poll(deps, market, told);
            step = market.step;
          }
          // Not before the first poll, which has compared login, account and mode.
          hints ??= listen(deps.brokerNews);
          hinted = await hints.within(deps.pause(deps.pollMs));
        }
      } finally {
        hints?.close();
      }
    },
  };
}

interface Hints {
  /** @returns whether a hint ended the pause, or has come since the pause before. The broker's pacing keeps polls from being too many. */
  within(pause: Promise<void>): Promise<boolean>;
  close(): void;
}

function listen(port: BrokerNewsPort): Hints {
  const news = port.open();
  const next = (): Promise<boolean> => news.next().then(() => true);
  // The same one until it has won: a hint that comes while nobody waits is the next pause's.
  let hint = next();
  return {
    async within(pause) {
      const paused = pause.then(() => false);
      // One that a hint has cut short may still be cancelled.
      paused.catch(() => undefined);
      const hinted = await Promise.race([hint, paused]);
      if (hinted) hint = next();
      return hinted;
    },
    close: () => {
      news.close();
    },
  };
}

/** An order wants each poll; a run wants a snapshot that it may trade on, whenever it comes to it. */
async function gapOf({ brokerState, mode, accountId, ...deps }: BrokerStateDeps): Promise<number> {
  const { orders, runs } = await brokerState.demand(mode, accountId);
  if (orders) return 0;
  return runs ? Math.min(deps.idlePollMs, deps.freshness.snapshotMaxAgeMs / 3) : deps.idlePollMs;
}

async function poll(deps: BrokerStateDeps, market: MarketTime, told: Map<string, string>): Promise<void> {
  const snapshot = await keepRead(deps, market).catch(async (error: unknown) => {
    await keepTrouble(deps, error);
    throw error;
  });
  if (snapshot === null) return;
  const open = await deps.intents.listOpen(deps.mode, deps.accountId);
  await abandonOverdue(deps, open, snapshot);
  const sent = open.filter(({ state }) => state !== 'INTENT');
  for (let from = 0; from < sent.length; from += tellAtOnce) {
    const tellings = sent
      .slice(from, from + tellAtOnce)
      .map((intent) => tell(deps, intent, orderStateOf(intent, snapshot), told));
    const failed = (await Promise.allSettled(tellings)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}

/**
 * @returns null for an older read than the stored one, by a poller that was given up for dead. It tells nobody anything: its
 * fills would end reservations whose cash the stored snapshot still shows.
 */
async function keepRead(deps: BrokerStateDeps, market: MarketTime): Promise<BrokerSnapshot | null> {
  const snapshot = await readSnapshot(deps, market);
  return (await deps.brokerState.save(snapshot)) ? snapshot : null;
}

/**
 * For whoever asks what the broker has: health, news, the doctor, and runs that wait. A read that cannot be stored is none
 * either, and a defect has the words that its failure has. Where even that fails, the failure itself goes on.
 */
async function keepTrouble(
  { brokerState, accountId, clock }: BrokerStateDeps,
  error: unknown,
): Promise<void> {
  const failure = toFailure(error);
  if (!(failure instanceof ApplicationFailure)) return;
  const { type, message } = failure;
  const at = new Date(clock.now()).toISOString();
  await brokerState.putTrouble(accountId, { at, code: type ?? 'DEFECT', message }).catch(() => undefined);
}

async function tell(
  deps: BrokerStateDeps,
  intent: IntentRow,
  state: OrderState,
  told: Map<string, string>,
): Promise<void> {
  const { clientOrderId } = intent;
  // The position moves with every order of the symbol; alone it is no news of this one.
  const text = JSON.stringify({ ...state, position: '' });
  if (told.get(clientOrderId) === text) return;
  // Told first: once stored, an order that is over is open no more, and a poller that dies before it tells never would.
  await deps.signals.orderState(state);
  await store(deps, intent, state);
  told.set(clientOrderId, text);
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
    const isThere = [...snapshot.orders, ...snapshot.executions].some(
      (row) => row.clientOrderId === clientOrderId,
    );
    // As after a restore of a backup from just before it was sent.
    const reason = isThere
      ? 'this database did not send it, and the broker has it: look at it there'
      : 'not sent while it was valid';
    const change = { reason, actor: 'brokerState' };
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
  const [{ orders, unreadable }, filled] = await Promise.all([
    wholeList(deps, market.now),
    broker.executions(accountId),
  ]);
  await refuseOwn(deps, [...unreadable, ...filled.unreadable]);
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
    unreadable,
    executions: filled.executions,
  };
}
