// What one snapshot says of one intent: found by our client order id among orders and executions, its legs by their
// parent. Pure, so that it can be tested over every history of polls.
import {
  isAlive,
  type BrokerOrderStatus,
  type IntentState,
  type LegState,
  type OrderState,
} from '../contracts/wire/order.js';
import { money, notional, price, quantity, type Quantity } from '../domain/money/decimal.js';
import type { BrokerExecution, BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';

/** Longer than the longest submit and a poll: what is not listed by then was not taken. */
const lateListingMs = 120_000;

const zero = (): Quantity => quantity('0');

const filledBy = (executions: readonly BrokerExecution[]): Quantity =>
  executions.reduce((total, execution) => quantity(total.plus(execution.quantity)), zero());

const filledOf = ({ executions }: BrokerSnapshot, brokerOrderId: string): Quantity =>
  filledBy(executions.filter((execution) => execution.brokerOrderId === brokerOrderId));

/** Volume-weighted price of executions, with eight decimals; null without executions. */
function averageOf(executions: readonly BrokerExecution[]): string | null {
  const total = filledBy(executions);
  if (total.isZero()) return null;
  const value = executions.reduce(
    (sum, execution) => money(sum.plus(notional(price(execution.price), quantity(execution.quantity)))),
    money('0'),
  );
  return value.div(total).toDecimalPlaces(8).toString();
}

export function orderStateOf(intent: IntentRow, snapshot: BrokerSnapshot): OrderState {
  const order = snapshot.orders.find(({ clientOrderId }) => clientOrderId === intent.clientOrderId);
  // Its answer may be on its way, or lost, when the list has it no more: then its executions alone know its order id.
  const named = snapshot.executions.find(({ clientOrderId }) => clientOrderId === intent.clientOrderId);
  const brokerOrderId = order?.brokerOrderId ?? intent.brokerOrderId ?? named?.brokerOrderId ?? null;
  const executions = snapshot.executions.filter(
    (execution) =>
      execution.clientOrderId === intent.clientOrderId ||
      (brokerOrderId !== null && execution.brokerOrderId === brokerOrderId),
  );
  const pastValidity = isPastValidity(intent, snapshot);
  const known = intent.state === 'FILLED' || intent.state === 'CANCELLED';
  const filled = filledQuantity(intent, order, executions);
  const found = known || order !== undefined || executions.length > 0 || !filled.isZero();
  return {
    clientOrderId: intent.clientOrderId,
    found,
    pastValidity,
    brokerOrderId,
    status: found ? statusOf(intent, order, filled, pastValidity) : null,
    quantity: intent.quantity,
    filledQuantity: filled.toString(),
    averagePrice: averagePriceOf(intent, order, executions, filled),
    legs: brokerOrderId === null ? [] : legsOf(intent, snapshot, brokerOrderId),
    position: positionOf(snapshot, intent.conid),
    reason: order?.reason ?? intent.reason,
  };
}

/**
 * An order that was written just before the close may be listed a while after it. A replayed market stands still while
 * its lists are read, so there the close itself is enough.
 */
function isPastValidity({ validUntil }: IntentRow, { mode, marketTime }: BrokerSnapshot): boolean {
  const settledMs = mode === 'simulated' ? 0 : lateListingMs;
  return Date.parse(marketTime) >= Date.parse(validUntil) + settledMs;
}

/** The largest that anyone knows: fills are never taken back. */
function filledQuantity(
  intent: IntentRow,
  order: BrokerOrder | undefined,
  executions: readonly BrokerExecution[],
): Quantity {
  const known = [intent.filledQuantity, order?.filledQuantity ?? '0', filledBy(executions).toString()];
  return known.map((value) => quantity(value)).reduce((most, value) => (value.gt(most) ? value : most));
}

/** Executions that account for all of it tell the price to the last digit, and as corrected; a list rounds, and may not know of that. */
function averagePriceOf(
  intent: IntentRow,
  order: BrokerOrder | undefined,
  executions: readonly BrokerExecution[],
  filled: Quantity,
): string | null {
  const average = averageOf(executions);
  if (filledBy(executions).eq(filled) && average !== null) return average;
  return order?.averagePrice ?? average ?? intent.averagePrice;
}

/** An order that is listed no more lives on only in its executions. */
function statusOf(
  intent: IntentRow,
  order: BrokerOrder | undefined,
  filled: Quantity,
  pastValidity: boolean,
): BrokerOrderStatus {
  if (filled.gte(intent.quantity)) return 'FILLED';
  if (order !== undefined) return order.status;
  return pastValidity || intent.state === 'CANCELLED' ? 'CANCELLED' : 'WORKING';
}

function legsOf(intent: IntentRow, snapshot: BrokerSnapshot, parentId: string): readonly LegState[] {
  const listed = snapshot.orders
    .filter((order) => order.parentBrokerOrderId === parentId && order.side !== intent.side)
    .flatMap((order): LegState[] => {
      const role = order.type === 'STP' ? 'stop' : order.type === 'LMT' ? 'target' : null;
      if (role === null) return [];
      const { brokerOrderId, status, quantity: size, filledQuantity } = order;
      // The list may show it at work when the list of executions already has its last fill.
      const executed = filledOf(snapshot, brokerOrderId);
      if (!executed.isZero() && executed.gte(size))
        return [
          { role, brokerOrderId, status: 'FILLED', quantity: size, filledQuantity: executed.toString() },
        ];
      const unproven = order.unlistedSince === undefined ? {} : { unproven: true as const };
      return [{ role, brokerOrderId, status, quantity: size, filledQuantity, ...unproven }];
    });
  const gone = intent.legs
    .filter((leg) => !listed.some(({ brokerOrderId }) => brokerOrderId === leg.brokerOrderId))
    .map((leg) => goneLeg(intent, leg, snapshot));
  return [...listed, ...gone].sort((a, b) => (a.brokerOrderId < b.brokerOrderId ? -1 : 1));
}

/** A leg that is listed no more has filled, if executions say so, or is gone: for all that Keel knows, where no list told its end. */
function goneLeg(intent: IntentRow, leg: LegState, snapshot: BrokerSnapshot): LegState {
  if (leg.status === 'FILLED') return leg;
  const { unproven, ...known } = leg;
  const filled = filledOf(snapshot, leg.brokerOrderId);
  const filledQuantity = filled.toString();
  if (filled.gte(intent.filledQuantity) && !filled.isZero())
    return { ...known, status: 'FILLED', filledQuantity };
  const untold = isAlive(leg.status) || unproven === true;
  return { ...known, status: 'CANCELLED', filledQuantity, ...(untold && { unproven: true as const }) };
}

/** Units of the instrument that the account holds, signed. */
export const positionOf = (snapshot: BrokerSnapshot, conid: string): string =>
  snapshot.positions
    .filter((position) => position.conid === conid)
    .reduce((total, position) => quantity(total.plus(position.quantity)), zero())
    .toString();

/** The intent's state that follows from a poll. What was not found stays as it is: only its lifecycle may end it. */
export function nextIntentState(intent: IntentRow, state: OrderState): IntentState {
  switch (state.status) {
    case null:
      return intent.state;
    case 'FILLED':
      return 'FILLED';
    case 'CANCELLED':
      return 'CANCELLED';
    case 'REJECTED':
      return 'REJECTED';
    case 'PENDING':
    case 'WORKING':
    case 'PENDING_CANCEL':
      return intent.state === 'FILLED' || intent.state === 'CANCELLED' ? intent.state : 'ACKNOWLEDGED';
  }
}
