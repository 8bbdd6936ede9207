// Everything that a verdict depends on, as one object, and the pure way from it to the verdict. `keel verify` walks the
// same way from the stored object.
import type { Decision } from '../domain/decision/decision.js';
import type { Contract } from '../domain/market/contract.js';
import { money, notional, price, quantity, type Money, type Quantity } from '../domain/money/decimal.js';
import { evaluateRisk, type Ceiling } from '../domain/risk/evaluateRisk.js';
import type {
  CashHolder,
  QuoteFacts,
  RiskFacts,
  RiskProfile,
  RiskVerdict,
  TimeframeScore,
} from '../domain/risk/types.js';
import type {
  AccountState,
  BrokerExecution,
  BrokerOrder,
  BrokerPosition,
  UnreadableOrder,
} from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';
import { isAlive, terminalIntentStates } from '../contracts/wire/order.js';

export type TradingState = RiskFacts['tradingState'];

export interface MarketFacts {
  readonly now: string;
  /** Is the exchange open now? Null for a day that the calendar does not know. */
  readonly open: boolean | null;
  /** True while the order would wait for the open. */
  readonly beforeOpen: boolean;
  readonly lastBarSession: string;
  readonly expectedBarSession: string | null;
}

/** Stored as `risk/<sha256>.json`. */
export interface RiskInput {
  readonly format: 1;
  readonly stage: 'proposal' | 'admission';
  readonly decision: Decision;
  readonly profile: RiskProfile;
  readonly ceiling: Ceiling | null;
  readonly contract: Contract;
  readonly quote: QuoteFacts | null;
  readonly tradingState: TradingState;
  readonly market: MarketFacts;
  readonly snapshot: {
    readonly readStartedAt: string;
    readonly account: AccountState;
    /** The symbol's, and no other. */
    readonly positions: readonly BrokerPosition[];
    /** Those that may still fill, of every symbol. */
    readonly orders: readonly BrokerOrder[];
    /** Orders made elsewhere that cannot be read and may still fill; absent where there are none. */
    readonly unreadable?: readonly UnreadableOrder[];
  };
  /** Keel's own intents that are not over. */
  readonly intents: readonly IntentRow[];
  /** Where the run's workflow definition wants timeframes to agree; absent without that gate. */
  readonly timeframeScores?: readonly TimeframeScore[];
  /** Whether a verdict names the orders that hold cash; absent in facts that were stored before any did. */
  readonly namesHolders?: true;
}

/** Cuts a snapshot down to what a verdict on one instrument depends on. */
export function relevantSnapshot(snapshot: BrokerSnapshot, conid: string): RiskInput['snapshot'] {
  const unreadable = (snapshot.unreadable ?? []).filter(({ status }) => status === null || isAlive(status));
  return {
    readStartedAt: snapshot.readStartedAt,
    account: snapshot.account,
    positions: snapshot.positions.filter((position) => position.conid === conid),
    orders: snapshot.orders.filter(
      (order) => isAlive(order.status) && !hasFilled(order, snapshot.executions),
    ),
    ...(unreadable.length > 0 && { unreadable }),
  };
}

/**
 * Orders and executions are two lists: the one may show an order at work whose last fill is in the other, and in cash and
 * positions too. A name counts only where an execution has no order id: other programs name all their orders alike.
 */
function hasFilled(
  { brokerOrderId, clientOrderId, side, quantity: size }: BrokerOrder,
  executions: readonly BrokerExecution[],
): boolean {
  const own = executions.filter(
    (execution) =>
      execution.side === side &&
      (execution.brokerOrderId === null
        ? clientOrderId !== null && execution.clientOrderId === clientOrderId
        : execution.brokerOrderId === brokerOrderId),
  );
  return own.length > 0 && sum(own.map((execution) => quantity(execution.quantity))).gte(size);
}

export const verdictOf = (input: RiskInput): RiskVerdict =>
  evaluateRisk(input.decision, input.profile, riskFacts(input), input.ceiling);

const sum = (values: readonly Quantity[]): Quantity =>
  quantity(values.reduce((total, value) => quantity(total.plus(value)), quantity('0')));

const mayFill = ({ state }: IntentRow): boolean => !terminalIntentStates.includes(state);

const remaining = (order: { readonly quantity: string; readonly filledQuantity: string }): Quantity =>
  quantity(quantity(order.quantity).minus(order.filledQuantity));

function riskFacts(input: RiskInput): RiskFacts {
  const { contract, snapshot, market } = input;
  const open = input.intents.filter(mayFill);
  const sameSymbol = open.filter(({ conid }) => conid === contract.conid);
  const foreign = foreignOrders(input);
  const foreignHere = foreign.filter(({ conid }) => conid === contract.conid);
  const of = (side: 'BUY' | 'SELL') =>
    sum([...sameSymbol, ...foreignHere].filter((order) => order.side === side).map(remaining));
  const unreadable = unreadableHere(input);
  const holders = cashHolders(foreign, snapshot.account);
  return {
    tradingState: input.tradingState,
    accountCurrency: snapshot.account.currency,
    priceCurrency: contract.currency,
    equity: snapshot.account.netLiquidation,
    cash: snapshot.account.settledCash,
    reservedCash: reservedCash(open, holders).toString(),
    position: sum(snapshot.positions.map((position) => quantity(position.quantity))).toString(),
    openBuyQuantity: of('BUY').toString(),
    openSellQuantity: of('SELL').toString(),
    symbolLocked: sameSymbol.some(({ state }) => state === 'SENT' || state === 'UNKNOWN'),
    quote: input.quote,
    session: { open: market.open },
    beforeOpen: market.beforeOpen,
    lastBarSession: market.lastBarSession,
    expectedBarSession: market.expectedBarSession,
    priceIncrements: contract.priceIncrements,
    quantityIncrement: contract.quantityIncrement,
    ...(input.timeframeScores !== undefined && { timeframeScores: input.timeframeScores }),
    ...(input.namesHolders === true && holders.length > 0 && { heldElsewhere: holders }),
    ...(unreadable.length > 0 && { unreadableOrders: unreadable }),
  };
}

/** Names of the orders that may take the cash of this buy, or the shares of this sell, and nobody can say how much. */
function unreadableHere({ snapshot, decision, contract }: RiskInput): readonly string[] {
  return (snapshot.unreadable ?? [])
    .filter(({ side, conid }) =>
      decision.action === 'buy' ? side !== 'SELL' : conid === null || conid === contract.conid,
    )
    .map(({ brokerOrderId, clientOrderId }) => brokerOrderId ?? clientOrderId ?? 'of no id');
}

/**
 * Working orders of the account that are no entry of Keel's, or one that Keel has ended and the broker has not. The protective legs of Keel's brackets are left out of a
 * proposal, because a sell has them cancelled before it is admitted; at admission they count like any other, but for those that are held for
 * alive though no list has them: of these the broker has said that there is nothing to cancel.
 */
function foreignOrders({ snapshot, intents, stage }: RiskInput): readonly BrokerOrder[] {
  const entries = new Set(intents.filter(mayFill).map(({ clientOrderId }) => clientOrderId));
  const parents = new Set(intents.map(({ brokerOrderId }) => brokerOrderId));
  return snapshot.orders.filter((order) => {
    if (order.clientOrderId !== null && entries.has(order.clientOrderId)) return false;
    const ownLeg = order.parentBrokerOrderId !== null && parents.has(order.parentBrokerOrderId);
    return !(ownLeg && (stage === 'proposal' || order.unlistedSince !== undefined));
  });
}

/** A foreign buy without a price may take everything, so it holds everything. */
const cashHolders = (foreign: readonly BrokerOrder[], account: AccountState): readonly CashHolder[] =>
  foreign
    .filter(({ side }) => side === 'BUY')
    .map((order) => ({
      order: order.brokerOrderId,
      symbol: order.symbol,
      amount: (order.price === null
        ? money(account.settledCash)
        : notional(price(order.price), remaining(order))
      ).toString(),
      priced: order.price !== null,
    }));

/** Cash that open buys hold back. */
function reservedCash(open: readonly IntentRow[], holders: readonly CashHolder[]): Money {
  const own = open.filter(({ side }) => side === 'BUY').map(({ reservedCash: held }) => money(held));
  return [...own, ...holders.map(({ amount }) => money(amount))].reduce(
    (total, value) => money(total.plus(value)),
    money('0'),
  );
}
