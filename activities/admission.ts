// Step 7, first half: weighs the order again on this moment's facts, under the account's lock, and stores the intent. Called
// by orderLifecycle.
import type { Mode } from '../contracts/wire/names.js';
import type { OrderLifecycleInput } from '../contracts/wire/order.js';
import { refusalText } from '../contracts/wire/refusal.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { money, notional, price, quantity } from '../domain/money/decimal.js';
import type { Contract } from '../domain/market/contract.js';
import type { QuoteFacts, RiskVerdict } from '../domain/risk/types.js';
import type { BrokerPort } from '../ports/broker.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type {
  AdmissionTransaction,
  BrokerStateStore,
  IntentRow,
  IntentStore,
  NewIntent,
} from '../ports/stores.js';
import { holdToDefinition, type DefinitionDeps } from './holdToDefinition.js';
import { getJson, putJson } from './objects.js';
import type { Pause } from './pause.js';
import { createRelease } from './release.js';
import { marketFacts } from './risk.js';
import { relevantSnapshot, verdictOf, type RiskInput, type TradingState } from './riskInput.js';
import { isFresh, whenFresh, type FreshnessRule } from './snapshot.js';

export interface AdmissionDeps extends DefinitionDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'quote' | 'cancelOrder'>;
  readonly objects: ObjectStorePort;
  readonly intents: Pick<IntentStore, 'withAccountLock' | 'listOpen' | 'listUnproven'>;
  readonly brokerState: Pick<BrokerStateStore, 'glance' | 'latest'>;
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

export type Rehearsal = { readonly kind: 'sound' } | Extract<Admission, { kind: 'refused' }>;

/** An admitted order is sent within this time or not at all: its facts grow old. */
const sendWithinMs = 60_000;
/** Wall milliseconds after which a quote is asked for again. */
const quoteMaxAgeMs = 5000;

export function createAdmissionActivities(deps: AdmissionDeps) {
  return {
    /**
     * Weighs the order again on this moment's facts and stores the intent, which reserves from then on.
     * @throws KeelError what holdToDefinition throws (final).
     */
    async admitOrder(input: OrderLifecycleInput): Promise<Admission> {
      const proposal = await getJson<RiskInput>(deps.objects, input.riskInput);
      await holdToDefinition(deps, input, proposal);
      const quoteNow = youngQuote(deps, proposal.contract);
      return whenFresh(deps.freshness, deps.clock, deps.pause, async (last) => {
        if (!last && (await isTooEarly(deps, proposal.contract.conid))) return 'stale';
        const quote = await quoteNow();
        const current: RiskInput = { ...proposal, stage: 'admission', quote, ceiling: input.proposed };
        return deps.intents.withAccountLock(deps.mode, deps.accountId, (tx) =>
          admitUnderLock(deps, tx, input, current, last),
        );
      });
    },

    /**
     * Before a closing sell: makes its checks while the protective legs still work, so that a position does not lose
     * its protection for a sell that would be refused. Touches nothing.
     * @throws KeelError what holdToDefinition throws (final).
     */
    async rehearseSell(input: OrderLifecycleInput): Promise<Rehearsal> {
      const proposal = await getJson<RiskInput>(deps.objects, input.riskInput);
      await holdToDefinition(deps, input, proposal);
      const quote = await deps.broker.quote(proposal.contract);
      const { conid } = proposal.contract;
      const unproven = await deps.intents.listUnproven(deps.mode, deps.accountId, conid);
      const rehearsed = await whenFresh(deps.freshness, deps.clock, deps.pause, (last) =>
        deps.intents.withAccountLock(deps.mode, deps.accountId, async (tx) => {
          const facts = await freshFacts(deps, tx, { ...proposal, quote }, last);
          return facts === 'stale'
            ? facts
            : verdictOf({ ...facts, intents: [...facts.intents, ...unproven] });
        }),
      );
      return rehearsed.approved ? { kind: 'sound' } : refusal(rehearsed);
    },

    /** Cancels the protective legs of the symbol and waits until none can sell. Repeatable; what it began stays done.
     * @throws KeelError LEGS_NOT_RELEASED (final). */
    async releaseProtection(input: OrderLifecycleInput): Promise<void> {
      const proposal = await getJson<RiskInput>(deps.objects, input.riskInput);
      const release = createRelease(deps, proposal.contract.conid);
      // Within one attempt of the step, so that its words are heard.
      const deadline = deps.clock.now() + 1.5 * deps.freshness.waitMs;
      while (!(await release())) {
        if (deps.clock.now() >= deadline) throw stillAlive(input.symbol);
        await deps.pause(deps.freshness.lookMs);
      }
    },
  };
}

const stillAlive = (symbol: string): KeelError =>
  new KeelError(
    'LEGS_NOT_RELEASED',
    `the broker was asked to cancel the protective legs of ${symbol}, and nothing proves in time that none can sell any more: look at its orders there`,
    { facts: { symbol } },
  );

/** The wait for fresh broker state may be long; the quote that is weighed then must not be as old. */
function youngQuote(deps: AdmissionDeps, contract: Contract): () => Promise<QuoteFacts> {
  let held: { readonly quote: QuoteFacts; readonly at: number } | null = null;
  return async () => {
    if (held === null || deps.clock.now() - held.at > quoteMaxAgeMs) {
      const at = deps.clock.now();
      held = { quote: await deps.broker.quote(contract), at };
    }
    return held.quote;
  };
}

/** Looks without the lock, so that those who wait for a snapshot do not keep the account from others. */
async function isTooEarly(deps: AdmissionDeps, conid: string): Promise<boolean> {
  const { mode, accountId } = deps;
  const market = await deps.marketClock.now();
  const glance = await deps.brokerState.glance(mode, accountId, conid);
  return glance === null || glance.inFlight || !isFresh(glance, market, deps.freshness, deps.clock.now());
}

async function admitUnderLock(
  deps: AdmissionDeps,
  tx: AdmissionTransaction,
  input: OrderLifecycleInput,
  proposal: RiskInput,
  last: boolean,
): Promise<Admission | 'stale'> {
  const existing = await tx.intent(input.clientOrderId);
  // Stored by an attempt that could not say so: its facts have aged since.
  if (existing !== null)
    return admitted(existing, Math.min(deps.clock.now(), Date.parse(existing.updatedAt)));
  const facts = await freshFacts(deps, tx, proposal, last);
  if (facts === 'stale') return facts;
  const verdict = verdictOf(facts);
  const object = await putJson(deps.objects, 'risk', facts);
  await tx.putRisk({ runId: input.runId, stage: 'admission', verdict, facts: object });
  if (verdict.order === null) return refusal(verdict);
  const session = deps.calendar.openAt(facts.market.now);
  if (session === null) return { kind: 'refused', code: 'SESSION', message: 'the exchange is shut' };
  // A sell closes what is held, and protects: it needs nobody's leave.
  if (verdict.order.side === 'BUY' && !(await tx.ownerMayTrade(input.runId))) {
    const message = "the run's owner is not active or may not trade any more; an admin can change that";
    return { kind: 'refused', code: 'OWNER_INACTIVE', message };
  }
  const intent = newIntent(deps, input, facts, verdict.order, session.close);
  await tx.insertIntent(intent);
  return admitted(intent, deps.clock.now());
}

/**
 * The proposal with this moment's market, account and intents; intents are read before the snapshot (see risk.ts).
 * An order of the symbol that is on its way to the broker locks it for the moment until the answer is written: that is
 * waited for, like a snapshot, and only what stays locked is weighed as it is.
 */
async function freshFacts(
  deps: AdmissionDeps,
  tx: AdmissionTransaction,
  proposal: RiskInput,
  last: boolean,
): Promise<RiskInput | 'stale'> {
  const market = await deps.marketClock.now();
  const intents = await tx.openIntents();
  const { conid } = proposal.contract;
  if (!last && intents.some((intent) => intent.conid === conid && intent.state === 'SENT')) return 'stale';
  const snapshot = await tx.snapshot();
  if (snapshot === null || !isFresh(snapshot, market, deps.freshness, deps.clock.now())) return 'stale';
  return {
    ...proposal,
    tradingState: deps.tradingState(),
    market: marketFacts(deps.calendar, market.now, proposal.market.lastBarSession, false),
    snapshot: relevantSnapshot(snapshot, conid),
    intents,
  };
}

function newIntent(
  deps: AdmissionDeps,
  input: OrderLifecycleInput,
  facts: RiskInput,
  order: NonNullable<RiskVerdict['order']>,
  validUntil: string,
): NewIntent {
  const cost = price(order.limit ?? facts.quote?.last ?? '0');
  const value = notional(cost, quantity(order.quantity));
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

const admitted = (intent: Pick<IntentRow, 'validUntil' | 'quantity'>, weighedAt: number): Admission => ({
  kind: 'admitted',
  validUntil: intent.validUntil,
  quantity: intent.quantity,
  sendBy: new Date(weighedAt + sendWithinMs).toISOString(),
});

const refusal = (verdict: RiskVerdict): Extract<Admission, { kind: 'refused' }> => ({
  kind: 'refused',
  code: verdict.code,
  message: refusalText(verdict),
});
