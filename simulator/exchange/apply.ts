// The state of the exchange as the fold of its events: the one place that changes it. Used live (each event as it
// happens) and at start (the whole ledger).
import type { Decimal } from 'decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import { acceptedOrder } from './accepted.js';
import { amountOf } from './costs.js';
import { correctHolding } from './corrected.js';
import { forget } from './forget.js';
import { close, open } from './openOrders.js';
import { splitHolding, splitOrder } from './splits.js';
import { accountOf, holdingOf, openOrders, orderOf, ordersOf } from './state.js';
import type { ExchangeEvent, ExchangeState, Holding, Order, OrderState } from './types.js';

/** Characters of the date of an instant. */
const DATE = 10;

/**
 * Applies one event in place.
 * @throws RangeError when the event speaks of an account or order that does not exist: the ledger is then damaged
 */
export function apply(state: ExchangeState, event: ExchangeEvent): void {
  moveTo(state, event.at);
  switch (event.type) {
    case 'account':
      state.accounts.set(event.account, {
        id: event.account,
        cash: event.cash,
        holdings: new Map(),
        unsettled: [],
      });
      return;
    case 'prices':
      state.prices = event.source;
      return;
    case 'user': {
      const { userId, email, account, keyHash, expiresAt } = event;
      accountOf(state, account);
      state.users.set(keyHash, { userId, email, account, keyHash, expiresAt });
      return;
    }
    case 'order':
      accept(state, event);
      return;
    case 'modify':
      modify(state, event);
      return;
    case 'trigger':
      update(state, event.orderId, { triggered: true, changedAt: event.at });
      return;
    case 'trail':
      update(state, event.orderId, { trailedTo: event.stop });
      return;
    case 'halt':
      state.halted.add(event.conid);
      return;
    case 'resume':
      state.halted.delete(event.conid);
      return;
    case 'split':
      split(state, event);
      return;
    case 'execution':
      execute(state, event);
      return;
    case 'correction':
      correct(state, event);
      return;
    case 'cancel':
      change(state, event.orderId, 'CANCELLED', event.at);
      return;
    case 'expire':
      change(state, event.orderId, 'EXPIRED', event.at, event.reason);
      return;
    case 'reject':
      change(state, event.orderId, 'REJECTED', event.at, event.reason);
      return;
    case 'step':
      state.step = event.step;
      return;
    case 'run':
    case 'tick':
    case 'stop':
      return;
  }
}

/** To forget is part of the fold, so that a start that reads the ledger knows just what the process knew that wrote it. */
function moveTo(state: ExchangeState, at: string): void {
  if (at < state.now) throw new RangeError(`an event at ${at} is before the clock, ${state.now}`);
  const isNewDay = at.slice(0, DATE) !== state.now.slice(0, DATE);
  state.now = at;
  if (isNewDay && !state.keepsAll) forget(state);
}

function accept(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'order' }>): void {
  accountOf(state, event.account);
  // Ids rise, so this holds also for orders that are forgotten.
  if (event.orderId <= state.lastOrderId) throw new RangeError(`order ${event.orderId} was accepted twice`);
  const order = acceptedOrder(event);
  state.orders.set(event.orderId, order);
  state.orderCount += 1;
  state.lastOrderId = event.orderId;
  open(state, order);
  if (event.cOID !== null) state.clientOrderIds.add(event.cOID);
}

function execute(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'execution' }>): void {
  const account = accountOf(state, event.account);
  const order = fill(state, event);
  const value = amountOf(event.price, event.quantity, event.side);
  const commission = money(event.commission);
  const held = holdingOf(account, event.conid);
  const cash = money(account.cash).minus(commission);
  if (account.unsettled.length > 0)
    account.unsettled = account.unsettled.filter(({ settles }) => settles > event.at);
  if (event.side === 'BUY') {
    account.cash = cash.minus(value).toString();
    account.holdings.set(event.conid, {
      quantity: quantity(held.quantity).plus(event.quantity).toString(),
      cost: money(held.cost).plus(value).plus(commission).toString(),
      realizedPnl: held.realizedPnl,
    });
  } else {
    const proceeds = value.minus(commission).toString();
    account.cash = cash.plus(value).toString();
    account.holdings.set(event.conid, afterSale(held, event.quantity, proceeds));
    // One that cost more than it brought is paid at once: it brings nothing that could settle.
    if (event.settles !== undefined && money(proceeds).gt(0))
      account.unsettled = [...account.unsettled, { settles: event.settles, amount: proceeds }];
  }
  // Named one by one: an event read from the ledger carries the line's own fields as well.
  state.executions.push({
    executionId: event.executionId,
    orderId: event.orderId,
    account: event.account,
    conid: event.conid,
    symbol: event.symbol,
    side: event.side,
    quantity: event.quantity,
    price: event.price,
    commission: event.commission,
    cOID: event.cOID,
    at: event.at,
  });
  state.executionCount += 1;
  const date = event.at.slice(0, 10);
  const before = state.traded.get(event.conid);
  const units = quantity(before?.date === date ? before.units : '0').plus(event.quantity);
  state.traded.set(event.conid, { date, units: units.toString() });
  for (const child of ordersOf(state, state.legs.get(order.orderId) ?? [])) {
    if (child.state !== 'HELD') continue;
    state.orders.set(child.orderId, { ...child, state: 'WORKING', changedAt: event.at });
  }
}

/** Books an execution on its order, which ends with its last unit. */
function fill(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'execution' }>): Order {
  const order = orderOf(state, event.orderId);
  if (!state.open.has(order.orderId))
    throw new RangeError(`order ${order.orderId} has ended already (${order.state})`);
  const filled = quantity(order.filled).plus(event.quantity);
  if (filled.gt(order.quantity)) throw new RangeError(`order ${order.orderId} filled more than it asked for`);
  const value = money(order.value).plus(notional(price(event.price), quantity(event.quantity)));
  const isWhole = filled.eq(order.quantity);
  if (isWhole) close(state, order);
  return update(state, order.orderId, {
    state: isWhole ? 'FILLED' : order.state,
    filled: filled.toString(),
    value: value.toString(),
    commission: money(order.commission).plus(event.commission).toString(),
    averagePrice: averageOf(value, filled.toString()),
    changedAt: event.at,
  });
}

/** Puts the price of an execution right: stands beside it in the list, and is booked as what it differs by. */
function correct(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'correction' }>): void {
  const index = state.executions.findIndex(({ executionId }) => executionId === event.corrects);
  const first = state.executions[index];
  if (first === undefined) throw new RangeError(`there is no execution ${event.corrects} to correct`);
  const { executionId, price: at } = event;
  state.executions.splice(index + 1, 0, { ...first, executionId, price: at });
  correctHolding(accountOf(state, first.account), first, at);
  const order = orderOf(state, first.orderId);
  const more = notional(price(price(at).minus(first.price)), quantity(first.quantity));
  const value = money(order.value).plus(more);
  update(state, first.orderId, { value: value.toString(), averagePrice: averageOf(value, order.filled) });
}

/** Of all executions of an order, with up to eight decimals. */
const averageOf = (value: Decimal, filled: string): string => value.div(filled).toDecimalPlaces(8).toString();

function split(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'split' }>): void {
  for (const account of state.accounts.values()) splitHolding(account, event);
  for (const order of openOrders(state)) {
    if (order.conid !== event.conid) continue;
    const changed = splitOrder(order, event);
    if (changed === null)
      change(state, order.orderId, 'EXPIRED', event.at, 'Less than a share was left after a split');
    else state.orders.set(order.orderId, changed);
  }
}

function modify(state: ExchangeState, event: Extract<ExchangeEvent, { type: 'modify' }>): void {
  const { quantity: units, price: at, auxPrice, trail } = event;
  update(state, event.orderId, {
    ...{ quantity: units, price: at, changedAt: event.at },
    ...(auxPrice === undefined ? {} : { auxPrice }),
    ...(trail === undefined ? {} : { trail }),
  });
}

function update(state: ExchangeState, orderId: number, changes: Partial<Order>): Order {
  const order = { ...orderOf(state, orderId), ...changes };
  state.orders.set(orderId, order);
  return order;
}

/** Takes sold shares at average cost, to the cent; the last share takes what cost is left. */
function afterSale(held: Holding, sold: string, proceeds: string): Holding {
  const left = quantity(held.quantity).minus(sold);
  const share = left.isZero()
    ? money(held.cost)
    : quantize(money(held.cost).times(sold).div(held.quantity), '0.01', 'nearest');
  return {
    quantity: left.toString(),
    cost: money(held.cost).minus(share).toString(),
    realizedPnl: money(held.realizedPnl).plus(proceeds).minus(share).toString(),
  };
}

function change(
  state: ExchangeState,
  orderId: number,
  to: OrderState,
  at: string,
  reason: string | null = null,
): void {
  const order = orderOf(state, orderId);
  if (!close(state, order)) throw new RangeError(`order ${orderId} has ended already (${order.state})`);
  update(state, orderId, { state: to, changedAt: at, reason });
}
