// Step 7, second half: sends an admitted order once and records what came of it. Called by orderLifecycle.
import { terminalIntentStates, type OrderState } from '../contracts/wire/order.js';
import type { ObjectRef } from '../contracts/wire/object.js';
import type { BrokerPort, PlaceOutcome } from '../ports/broker.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { IntentRow, IntentStore } from '../ports/stores.js';
import { getJson } from './objects.js';
import type { RiskInput, TradingState } from './riskInput.js';

export interface OrderDeps {
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'placeOrder' | 'cancelOrder' | 'waitForOrderSlot'>;
  readonly objects: Pick<ObjectStorePort, 'get'>;
  readonly intents: Pick<IntentStore, 'get' | 'move' | 'cancelAsked'>;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly tradingState: () => TradingState;
}

type TurnedAway = Extract<PlaceOutcome, { kind: 'turned_away' }>;

export type Submission =
  | Exclude<PlaceOutcome, TurnedAway>
  /** Refused by our own last checks, or by the gateway before it passed anything on: the broker never had it. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string };

export function createOrderActivities(deps: OrderDeps) {
  return {
    /**
     * Sends the order once: INTENT → SENT by compare-and-set, last checks, POST. One attempt, never retried.
     * @throws KeelError NOT_AN_INTENT (final) when somebody else took the intent; then nothing was sent.
     */
    async submitOrder(input: {
      clientOrderId: string;
      riskInput: ObjectRef;
      sendBy: string;
    }): Promise<Submission> {
      const [intent, { contract }] = await Promise.all([
        intentOf(deps.intents, input.clientOrderId),
        getJson<RiskInput>(deps.objects, input.riskInput),
      ]);
      await deps.broker.waitForOrderSlot(Date.parse(input.sendBy));
      const { now } = await deps.marketClock.now();
      const readAt = deps.clock.now();
      const { accountId, clientOrderId, side, quantity, limit, stop, target } = intent;
      const request = { accountId, clientOrderId, contract, side, quantity, limit, stop, target };
      // Only once the broker takes no other order of this login: an attempt that dies in that wait has sent nothing.
      const intentIs = { claimed: false };
      const claim = async (): Promise<void> => {
        intentIs.claimed = await deps.intents.move(clientOrderId, ['INTENT'], 'SENT', {
          actor: 'orderLifecycle',
        });
        if (!intentIs.claimed) throw await whyNotClaimed(deps, intent);
      };
      const lastAct = (): void => {
        if (!intentIs.claimed)
          throw new KeelError('NOT_CLAIMED', `order ${clientOrderId} was not marked SENT before the wire`);
        refuseLateOrHalted(deps, intent, input.sendBy, { now, readAt });
      };
      let outcome: PlaceOutcome;
      try {
        outcome = await deps.broker.placeOrder(request, lastAct, claim);
      } catch (error) {
        if (intentIs.claimed) return notSent(deps, intent, error);
        if (error instanceof KeelError && error.code === 'CANCELLED') return takenBack(deps, intent, error);
        throw error;
      }
      return outcome.kind === 'turned_away' ? turnedAway(deps, intent, outcome) : outcome;
    },

    /**
     * Writes the answer to the intent, unless a poll already knows more.
     * @returns the state that the intent is in then
     */
    async recordSubmission(input: {
      clientOrderId: string;
      submission: Submission;
    }): Promise<IntentRow['state']> {
      const { clientOrderId, submission } = input;
      const actor = 'orderLifecycle';
      if (submission.kind === 'accepted') {
        const { brokerOrderId } = submission;
        await deps.intents.move(clientOrderId, ['SENT', 'UNKNOWN'], 'ACKNOWLEDGED', { brokerOrderId, actor });
      } else if (submission.kind === 'rejected') {
        await deps.intents.move(clientOrderId, ['SENT', 'UNKNOWN'], 'REJECTED', {
          reason: submission.evidence,
          actor,
        });
      } else if (submission.kind === 'unknown') {
        await deps.intents.move(clientOrderId, ['SENT'], 'UNKNOWN', { reason: submission.reason, actor });
      }
      return (await intentOf(deps.intents, clientOrderId)).state;
    },

    /** After a submit attempt that told nothing: was the intent ever taken to be sent? */
    async intentState(clientOrderId: string): Promise<IntentRow['state']> {
      return (await intentOf(deps.intents, clientOrderId)).state;
    },

    /** Takes an intent back before it is sent. False when it was too late, or there is none; true however often it is asked. */
    async abandonOrder(input: { clientOrderId: string; reason: string }): Promise<boolean> {
      const { clientOrderId, reason } = input;
      const taken = await deps.intents.move(clientOrderId, ['INTENT'], 'ABANDONED', {
        reason,
        actor: 'orderLifecycle',
      });
      return taken || (await deps.intents.get(clientOrderId))?.state === 'ABANDONED';
    },

    /** Ends an intent that could no longer be valid, as the last poll left it. */
    async expireOrder(input: { clientOrderId: string; state: OrderState }): Promise<IntentRow['state']> {
      const { clientOrderId } = input;
      const change = { reason: 'not found after its validity ended', actor: 'orderLifecycle' };
      await deps.intents.move(clientOrderId, ['SENT', 'UNKNOWN'], 'SENT_NOT_FOUND_EXPIRED', change);
      await deps.intents.move(clientOrderId, ['ACKNOWLEDGED'], 'EXPIRED', change);
      return (await intentOf(deps.intents, clientOrderId)).state;
    },

    /**
     * Before a run is told its end: has the poller stored it? It tells first and stores then.
     * @throws KeelError ORDER_NOT_STORED (retryable).
     */
    async confirmOrder(input: { clientOrderId: string; legs: number }): Promise<void> {
      const { state, legs } = await intentOf(deps.intents, input.clientOrderId);
      if (terminalIntentStates.includes(state) && legs.length >= input.legs) return;
      throw new KeelError('ORDER_NOT_STORED', `the end of order ${input.clientOrderId} is not stored yet`, {
        errorClass: 'retryable',
      });
    },

    /** Asks the broker to cancel the entry; a later poll tells what became of it. */
    async cancelEntry(input: { brokerOrderId: string }): Promise<void> {
      await deps.broker.cancelOrder(deps.accountId, input.brokerOrderId);
    },
  };
}

/**
 * The last synchronous act before the socket: deadline, trading state, validity. The market's time was read a moment ago;
 * the wall time since then is added, because a market order that arrives after the close would wait for the next open.
 */
function refuseLateOrHalted(
  deps: OrderDeps,
  intent: IntentRow,
  sendBy: string,
  market: { readonly now: string; readonly readAt: number },
): void {
  const marketNow = Date.parse(market.now) + Math.max(0, deps.clock.now() - market.readAt);
  const state = deps.tradingState();
  if (deps.clock.now() > Date.parse(sendBy)) {
    throw new KeelError(
      'SEND_DEADLINE',
      `the order was not sent by ${sendBy}, and its facts are too old now`,
    );
  }
  if (state === 'HALTED' || (state === 'REDUCING' && intent.side === 'BUY')) {
    throw new KeelError('TRADING_STATE', `trading is ${state}`);
  }
  if (marketNow >= Date.parse(intent.validUntil)) {
    throw new KeelError('SESSION_OVER', `the session of this order closed at ${intent.validUntil}`);
  }
}

const whyNotClaimed = async (deps: OrderDeps, { clientOrderId, runId }: IntentRow): Promise<KeelError> =>
  (await deps.intents.cancelAsked(runId))
    ? new KeelError('CANCELLED', 'the run was cancelled before its order was sent')
    : new KeelError('NOT_AN_INTENT', `order ${clientOrderId} is no longer waiting to be sent`);

/** @throws the given error where a poll or another attempt has moved the intent since. */
async function takenBack(
  deps: OrderDeps,
  { clientOrderId }: IntentRow,
  error: KeelError,
): Promise<Submission> {
  const { code, message } = error;
  const change = { reason: message, actor: 'orderLifecycle' };
  if (await deps.intents.move(clientOrderId, ['INTENT'], 'ABANDONED', change))
    return { kind: 'not_sent', code, message };
  throw error;
}

/** `placeOrder` throws only where nothing was written; the same attempt records that, and nobody else may. */
async function notSent(deps: OrderDeps, intent: IntentRow, error: unknown): Promise<Submission> {
  if (!(error instanceof KeelError)) throw error;
  const { code, message } = error;
  await deps.intents.move(intent.clientOrderId, ['SENT'], 'NOT_SENT', {
    reason: code,
    actor: 'orderLifecycle',
  });
  return { kind: 'not_sent', code, message };
}

/** A poll that has found the order at the broker all the same knows better than the gateway's words. */
async function turnedAway(
  deps: OrderDeps,
  { clientOrderId }: IntentRow,
  { code, message }: TurnedAway,
): Promise<Submission> {
  const change = { reason: code, actor: 'orderLifecycle' };
  return (await deps.intents.move(clientOrderId, ['SENT'], 'NOT_SENT', change))
    ? { kind: 'not_sent', code, message }
    : { kind: 'unknown', reason: message };
}

async function intentOf(intents: Pick<IntentStore, 'get'>, clientOrderId: string): Promise<IntentRow> {
  const intent = await intents.get(clientOrderId);
  if (intent === null) throw new KeelError('INTENT_MISSING', `there is no order intent ${clientOrderId}`);
  return intent;
}
