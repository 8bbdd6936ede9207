// Orders and executions in the broker's own words and JSON types. Called by orders.ts and trades.ts.
import type { Engine } from '../engine.js';
import type { Market } from '../exchange/market.js';
import { isStop, limitOf } from '../exchange/matching.js';
import { sizeOf } from '../exchange/remaining.js';
import { amountOf } from '../exchange/costs.js';
import type { Execution, Instrument, Order } from '../exchange/types.js';
import { longTime, shortTime } from './portal.js';

const typeWords = {
  MKT: { row: 'Market', status: 'MARKET' },
  LMT: { row: 'Limit', status: 'LIMIT' },
  STP: { row: 'Stop', status: 'STOP' },
  STOP_LIMIT: { row: 'Stop Limit', status: 'STOP_LIMIT' },
  TRAIL: { row: 'Trailing Stop', status: 'TRAILING_STOP' },
  TRAILLMT: { row: 'Trailing Stop Limit', status: 'TRAILING_STOP_LIMIT' },
  MOC: { row: 'Market on Close', status: 'MARKETONCLOSE' },
  LOC: { row: 'Limit on Close', status: 'LIMITONCLOSE' },
} as const;

const tifWord = (order: Order): string => (order.tif === 'DAY' ? 'CLOSE' : order.tif);
const fixed = (at: string): string => Number(at).toFixed(2);
const isFilled = (order: Order): boolean => order.state === 'FILLED';

export const secTypeOf = (instrument: Instrument | undefined): string =>
  instrument?.kind === 'crypto' ? 'CRYPTO' : 'STK';

/** The broker's status: what has not reached the market is PreSubmitted, and there is no "Rejected". */
export function statusOf(order: Order, marketOpen: boolean): string {
  switch (order.state) {
    case 'HELD':
      return 'PreSubmitted';
    case 'WORKING':
      return marketOpen && (!isStop(order) || order.triggered) ? 'Submitted' : 'PreSubmitted';
    case 'FILLED':
      return 'Filled';
    case 'CANCELLED':
    case 'EXPIRED':
      return 'Cancelled';
    case 'REJECTED':
      return 'Inactive';
  }
}

/** The price of a list: the limit, or of a stop its own price, and none of what takes any. */
const priceOf = (order: Order): string => {
  const own = order.orderType === 'TRAIL' ? order.trailedTo : limitOf(order);
  return own === null ? '' : fixed(own);
};

function stopFields({ orderType, auxPrice, trail, trailedTo }: Order, at: string): object {
  if (orderType === 'STP') return { auxPrice: at };
  const stop = trailedTo ?? auxPrice;
  const stands = stop === undefined ? at : fixed(stop);
  if (trail !== undefined)
    return { auxPrice: stands, trailingType: trail.by, trailingAmt: Number(trail.size) };
  return auxPrice === undefined ? {} : { auxPrice: stands };
}

function limitAndStop(order: Order): object {
  const { orderType, auxPrice, trailedTo } = order;
  const at = limitOf(order);
  if (at !== null && orderType === 'TRAILLMT' && trailedTo !== null)
    return { limit_price: fixed(at), stop_price: fixed(trailedTo) };
  if (at !== null && (orderType === 'LMT' || orderType === 'LOC')) return { limit_price: fixed(at) };
  if (at !== null && orderType === 'STP') return { stop_price: fixed(at) };
  if (at !== null && auxPrice !== undefined) return { limit_price: fixed(at), stop_price: fixed(auxPrice) };
  return orderType === 'TRAIL' && trailedTo !== null ? { stop_price: fixed(trailedTo) } : {};
}

/** A row of /iserver/account/orders. */
export function orderRow(order: Order, { market, state }: Engine, status: string): object {
  const instrument = market.instrument(order.conid);
  const total = sizeOf(state, order).toNumber();
  const filled = Number(order.filled);
  const at = priceOf(order);
  const type = typeWords[order.orderType].row;
  return {
    acct: order.account,
    account: order.account,
    conidex: String(order.conid),
    conid: order.conid,
    orderId: order.orderId,
    ...(order.parentId === null ? {} : { parentId: order.parentId }),
    ...(order.ocaGroup === null ? {} : { ocaGroupId: order.ocaGroup }),
    cashCcy: 'USD',
    sizeAndFills: isFilled(order) ? String(total) : `${filled}/${total - filled}`,
    orderDesc: `${order.side === 'BUY' ? 'Buy' : 'Sell'} ${total} ${type} ${at}, ${order.tif}`.replace(
      ' ,',
      ',',
    ),
    description1: order.symbol,
    ticker: order.symbol,
    secType: secTypeOf(instrument),
    listingExchange: instrument?.exchange ?? '',
    remainingQuantity: total - filled,
    filledQuantity: filled,
    totalSize: total,
    companyName: instrument?.name ?? '',
    status,
    order_ccp_status: status,
    outsideRTH: false,
    origOrderType: typeWords[order.orderType].status,
    supportsTaxOpt: '1',
    lastExecutionTime: shortTime(order.changedAt),
    lastExecutionTime_r: Date.parse(order.changedAt),
    orderType: type,
    bgColor: '#FFFFFF',
    fgColor: '#0000CC',
    isEventTrading: '0',
    price: at,
    ...stopFields(order, at),
    timeInForce: tifWord(order),
    side: order.side,
    ...(order.averagePrice === null ? {} : { avgPrice: order.averagePrice }),
    ...(order.cOID === null ? {} : { order_ref: order.cOID }),
    ...(order.reason === null ? {} : { order_cancellation_by_system_reason: order.reason }),
  };
}

/** The answer of /iserver/account/order/status/{id}; `size` is what remains. */
export function orderStatus(order: Order, { market, state }: Engine, status: string): object {
  const instrument = market.instrument(order.conid);
  const total = sizeOf(state, order).toNumber();
  const filled = Number(order.filled);
  const isOpen = order.state === 'WORKING' || order.state === 'HELD';
  return {
    sub_type: null,
    request_id: String(order.orderId),
    order_id: order.orderId,
    conidex: String(order.conid),
    conid: order.conid,
    symbol: order.symbol,
    side: order.side === 'BUY' ? 'B' : 'S',
    contract_description_1: order.symbol,
    listing_exchange: instrument?.exchange ?? '',
    is_event_trading: '0',
    order_desc: `${order.side} ${total} ${order.symbol}`,
    order_status: status,
    order_ccp_status: isFilled(order) ? '2' : isOpen ? '0' : '4',
    order_status_description: `Order ${status}`,
    tif: order.tif,
    fg_color: '#FFFFFF',
    bg_color: '#000000',
    order_not_editable: !isOpen,
    editable_fields: '\u001e',
    cannot_cancel_order: !isOpen,
    deactivate_order: false,
    sec_type: secTypeOf(instrument),
    available_chart_periods: '#R|1',
    company_name: instrument?.name ?? '',
    size: (total - filled).toFixed(1),
    total_size: total.toFixed(1),
    cum_fill: filled.toFixed(1),
    currency: 'USD',
    account: order.account,
    order_type: typeWords[order.orderType].status,
    ...limitAndStop(order),
    ...(order.averagePrice === null ? {} : { average_price: order.averagePrice }),
    ...(order.reason === null ? {} : { order_cancellation_by_system_reason: order.reason }),
    size_and_fills: `${filled}/${total}`,
    exit_strategy_display_price: order.price ?? '',
    exit_strategy_chart_description: '',
    exit_strategy_tool_availability: '0',
    allowed_duplicate_opposite: true,
    order_time: shortTime(order.placedAt),
    outside_rth: false,
  };
}

/** A row of /iserver/account/trades. Price and commission are strings, size and net amount numbers. */
export function tradeRow(execution: Execution & { readonly at: string }, market: Market): object {
  const instrument = market.instrument(execution.conid);
  const exchange = instrument?.exchange ?? '';
  const size = Number(execution.quantity);
  return {
    execution_id: execution.executionId,
    symbol: execution.symbol,
    supports_tax_opt: '1',
    side: execution.side === 'BUY' ? 'B' : 'S',
    order_description: `${execution.side === 'BUY' ? 'Bot' : 'Sold'} ${size} @ ${execution.price} on ${exchange}`,
    trade_time: longTime(execution.at),
    trade_time_r: Date.parse(execution.at),
    size,
    price: execution.price,
    ...(execution.cOID === null ? {} : { order_ref: execution.cOID }),
    submitter: 'simulator',
    exchange,
    commission: execution.commission,
    net_amount: amountOf(execution.price, execution.quantity, execution.side).toNumber(),
    account: execution.account,
    accountCode: execution.account,
    account_allocation_name: execution.account,
    company_name: instrument?.name ?? '',
    contract_description_1: execution.symbol,
    sec_type: secTypeOf(instrument),
    listing_exchange: exchange,
    conid: execution.conid,
    conidEx: String(execution.conid),
    clearing_id: 'IB',
    clearing_name: 'IB',
    liquidation_trade: '0',
    is_event_trading: '0',
    order_id: execution.orderId,
  };
}
