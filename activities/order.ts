// Step 7: admits an order under the account's lock, sends it once, records what came of it. Called by orderLifecycle.
import type { Mode } from '../contracts/wire/names.js';
import type { OrderLifecycleInput, OrderState } from '../contracts/wire/order.js';
import type { ObjectRef } from '../contracts/wire/object.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { money, notional, price, quantity } from '../domain/money/decimal.js';
import type { RiskVerdict } from '../domain/risk/types.js';
import type { BrokerPort, PlaceOutcome } from '../ports/broker.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { AdmissionTransaction, IntentRow, IntentStore, NewIntent } from '../ports/stores.js';
import { getJson, putJson } from './objects.js';
import type { Pause } from './pause.js';
import { marketFacts } from './risk.js';
import { relevantSnapshot, verdictOf, type RiskInput, type TradingState } from './riskInput.js';
import { isFresh, whenFresh, type FreshnessRule } from './snapshot.js';

export interface OrderDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'quote' | 'placeOrder' | 'cancelOrder' | 'waitForOrderSlot'>;
  readonly objects: ObjectStorePort;
  readonly intents: IntentStore;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly calendar: Calendar;
  readonly freshness: FreshnessRule;
  readonly pause: Pause;
  readonly tradingState: () => TradingState;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly validUntil: string;
      readonly quantity: string;
      readonly sendBy: string;
    }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export type Submission =
  | PlaceOutcome
  /** Refused by our own last checks; nothing was written to the socket. */
  | { readonly kind: 'not_sent'; readonly code: string; readonly message: string };

/** An admitted order is sent within this time or not at all: its facts grow old. */
const sendWithinMs = 60_000;

export function createOrderActivities(deps: OrderDeps) {
  return {
    /** Weighs the order again on this moment's facts and stores the intent, which reserves from then on. */
    async admitOrder(input: OrderLifecycleInput): Promise<Admission> {
      const proposal = await getJson<RiskInput>(deps.objects, input.riskInput);
      const quote = await deps.broker.quote(proposal.contract);
      return whenFresh(deps.freshness, deps.clock, deps.pause, () =>
        deps.intents.withAccountLock(deps.mode, deps.accountId, (tx) =>
          admitUnderLock(deps, tx, input, {
            ...proposal,
            stage: 'admission',
            quote,
            ceiling: input.proposed,
          }),
        ),
      );
    },

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
      if (!(await deps.intents.move(intent.clientOrderId, ['INTENT'], 'SENT', { actor: 'orderLifecycle' }))) {
        throw new KeelError('NOT_AN_INTENT', `order ${intent.clientOrderId} is no longer waiting to be sent`);
      }
      const { accountId, clientOrderId, side, stop, target } = intent;
      const request = { accountId, clientOrderId, contract, side, quantity: intent.quantity, stop, target };
      try {
        return await deps.broker.placeOrder(request, () => {
          refuseLateOrHalted(deps, intent, input.sendBy, now);
        });
      } catch (error) {
        return notSent(deps, intent, error);
      }
    },

    /** Writes the answer to the intent, unless a poll already knows more. */
    async recordSubmission(input: { clientOrderId: string; submission: Submission }): Promise<void> {
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
    },

    /** After a submit attempt that told nothing: was the intent ever taken to be sent? */
    async intentState(clientOrderId: string): Promise<IntentRow['state']> {
      return (await intentOf(deps.intents, clientOrderId)).state;
    },

    /** Takes an intent back before it is sent. False when it was too late. */
    abandonOrder: (input: { clientOrderId: string; reason: string }): Promise<boolean> =>
      deps.intents.move(input.clientOrderId, ['INTENT'], 'ABANDONED', {
        reason: input.reason,
        actor: 'orderLifecycle',
      }),

    /** Ends an intent that could no longer be valid, as the last poll left it. */
    async expireOrder(input: { clientOrderId: string; state: OrderState }): Promise<IntentRow['state']> {
      const { clientOrderId } = input;
      const reason = 'not found after its validity ended';
      const actor = 'orderLifecycle';
      await deps.intents.move(clientOrderId, ['SENT', 'UNKNOWN'], 'SENT_NOT_FOUND_EXPIRED', {
        reason,
        actor,
      });
      await deps.intents.move(clientOrderId, ['ACKNOWLEDGED'], 'EXPIRED', { reason, actor });
      return (await intentOf(deps.intents, clientOrderId)).state;
    },

    /** Asks the broker to cancel the entry; a later poll tells what became of it. */
    async cancelEntry(input: { brokerOrderId: string }): Promise<void> {
      await deps.broker.cancelOrder(deps.accountId, input.brokerOrderId);
    },

    /**
     * Before a closing sell: cancels the protective legs of the symbol and waits until none works. The sell's other
     * checks are made first, so that a position does not lose its protection for a sell that would be refused.
     */
    async releaseProtection(input: OrderLifecycleInput): Promise<Admission | { readonly kind: 'released' }> {
      const proposal = await getJson<RiskInput>(deps.objects, input.riskInput);
      const quote = await deps.broker.quote(proposal.contract);
      const rehearsed = await whenFresh(deps.freshness, deps.clock, deps.pause, () =>
        deps.intents.withAccountLock(deps.mode, deps.accountId, async (tx) => {
          const facts = await freshFacts(deps, tx, { ...proposal, quote });
          return facts === 'stale' ? facts : verdictOf(facts);
        }),
      );
      if (!rehearsed.approved) return refusal(rehearsed);
      await cancelLegs(deps, proposal.contract.conid);
      await whenFresh(deps.freshness, deps.clock, deps.pause, async () =>
        (await workingLegs(deps, proposal.contract.conid)).length === 0 ? 'none' : 'stale',
      );
      return { kind: 'released' };
    },
  };
}

async function admitUnderLock(
  deps: OrderDeps,
  tx: AdmissionTransaction,
  input: OrderLifecycleInput,
  proposal: RiskInput,
): Promise<Admission | 'stale'> {
  const existing = await tx.intent(input.clientOrderId);
  if (existing !== null) return admitted(deps, existing);
  const facts = await freshFacts(deps, tx, proposal);
  if (facts === 'stale') return facts;
  const verdict = verdictOf(facts);
  const object = await putJson(deps.objects, 'risk', facts);
  await tx.putRisk({ runId: input.runId, stage: 'admission', verdict, facts: object });
  if (verdict.order === null) return refusal(verdict);
  const session = deps.calendar.openAt(facts.market.now);
  if (session === null) return { kind: 'refused', code: 'SESSION', message: 'the exchange is shut' };
  const intent = newIntent(deps, input, facts, verdict.order, session.close);
  await tx.insertIntent(intent);
  return admitted(deps, intent);
}

/** The proposal with this moment's market, account and intents; intents are read before the snapshot (see risk.ts). */
async function freshFacts(
  deps: OrderDeps,
  tx: AdmissionTransaction,
  proposal: RiskInput,
): Promise<RiskInput | 'stale'> {
  const market = await deps.marketClock.now();
  const intents = await tx.openIntents();
  const snapshot = await tx.snapshot();
  if (snapshot === null || !isFresh(snapshot, market, deps.freshness, deps.clock.now())) return 'stale';
  return {
    ...proposal,
    tradingState: deps.tradingState(),
    market: marketFacts(deps.calendar, market.now, proposal.market.lastBarSession, false),
    snapshot: relevantSnapshot(snapshot, proposal.contract.conid),
    intents,
  };
}

function newIntent(
  deps: OrderDeps,
  input: OrderLifecycleInput,
  facts: RiskInput,
  order: NonNullable<RiskVerdict['order']>,
  validUntil: string,
): NewIntent {
  const last = price(facts.quote?.last ?? '0');
  const value = notional(last, quantity(order.quantity));
  const costs = money(value.times(facts.profile.cashReserve));
  return {
    clientOrderId: input.clientOrderId,
    mode: deps.mode,
    accountId: deps.accountId,
    runId: input.runId,
    symbol: input.symbol,
    conid: facts.contract.conid,
    ...order,
    reservedCash: order.side === 'BUY' ? value.plus(costs).toFixed(2, 0) : '0',
    validUntil,
  };
}

const admitted = (deps: OrderDeps, intent: Pick<IntentRow, 'validUntil' | 'quantity'>): Admission => ({
  kind: 'admitted',
  validUntil: intent.validUntil,
  quantity: intent.quantity,
  sendBy: new Date(deps.clock.now() + sendWithinMs).toISOString(),
});

function refusal(verdict: RiskVerdict): Extract<Admission, { kind: 'refused' }> {
  const failed = verdict.checks.find(({ passed }) => !passed);
  const why =
    failed === undefined ? verdict.code : `${failed.text}: no (${failed.value}, limit ${failed.limit})`;
  return { kind: 'refused', code: verdict.code, message: why };
}

/** The last synchronous act before the socket: deadline, trading state, validity. */
function refuseLateOrHalted(deps: OrderDeps, intent: IntentRow, sendBy: string, marketNow: string): void {
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
  if (marketNow >= intent.validUntil) {
    throw new KeelError('SESSION_OVER', `the session of this order closed at ${intent.validUntil}`);
  }
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

async function intentOf(intents: Pick<IntentStore, 'get'>, clientOrderId: string): Promise<IntentRow> {
  const intent = await intents.get(clientOrderId);
  if (intent === null) throw new KeelError('INTENT_MISSING', `there is no order intent ${clientOrderId}`);
  return intent;
}

async function workingLegs(deps: OrderDeps, conid: string) {
  const intents = await deps.intents.listOpen(deps.mode, deps.accountId);
  return intents
    .filter((intent) => intent.conid === conid)
    .flatMap(({ legs }) => legs)
    .filter(({ status }) => status === 'WORKING' || status === 'PENDING' || status === 'PENDING_CANCEL');
}

async function cancelLegs(deps: OrderDeps, conid: string): Promise<void> {
  for (const leg of await workingLegs(deps, conid)) {
    await deps.broker.cancelOrder(deps.accountId, leg.brokerOrderId);
  }
}
