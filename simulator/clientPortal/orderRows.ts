// Orders and executions in the broker's own words and JSON types. Called by orders.ts and trades.ts.
import type { Market } from '../exchange/market.js';
import type { Execution, Order } from '../exchange/types.js';
import { longTime, shortTime } from './portal.js';

const typeWords = {
  MKT: { row: 'Market', status: 'MARKET' },
  LMT: { row: 'Limit', status: 'LIMIT' },
  STP: { row: 'Stop', status: 'STOP' },
} as const;

const tifWord = (order: Order): string => (order.tif === 'DAY' ? 'CLOSE' : 'GTC');
const isFilled = (order: Order): boolean => order.state === 'FILLED';

/** The broker's status: what has not reached the market is PreSubmitted, and there is no "Rejected". */
export function statusOf(order: Order, marketOpen: boolean): string {
  switch (order.state) {
    case 'HELD':
      return 'PreSubmitted';
    case 'WORKING':
      return marketOpen && order.orderType !== 'STP' ? 'Submitted' : 'PreSubmitted';
    case 'FILLED':
      return 'Filled';
    case 'CANCELLED':
    case 'EXPIRED':
      return 'Cancelled';
    case 'REJECTED':
      return 'Inactive';
  }
}

/** A row of /iserver/account/orders. */
export function orderRow(order: Order, market: Market, status: string): object {
  const instrument = market.instrument(order.conid);
  const total = Number(order.quantity);
  const filled = isFilled(order) ? total : 0;
  const at = order.price === null ? '' : Number(order.price).toFixed(2);
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
    secType: 'STK',
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
    ...(order.orderType === 'STP' ? { auxPrice: at } : {}),
    timeInForce: tifWord(order),
    side: order.side,
    ...(order.averagePrice === null ? {} : { avgPrice: order.averagePrice }),
    ...(order.cOID === null ? {} : { order_ref: order.cOID }),
    ...(order.reason === null ? {} : { order_cancellation_by_system_reason: order.reason }),
  };
}

/** The answer of /iserver/account/order/status/{id}; `size` is what remains. */
export function orderStatus(order: Order, market: Market, status: string): object {
  const instrument = market.instrument(order.conid);
  const total = Number(order.quantity);
  const filled = isFilled(order) ? total : 0;
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
    sec_type: 'STK',
    available_chart_periods: '#R|1',
    company_name: instrument?.name ?? '',
    size: (total - filled).toFixed(1),
    total_size: total.toFixed(1),
    cum_fill: filled.toFixed(1),
    currency: 'USD',
    account: order.account,
    order_type: typeWords[order.orderType].status,
    ...(order.orderType === 'LMT' ? { limit_price: Number(order.price).toFixed(2) } : {}),
    ...(order.orderType === 'STP' ? { stop_price: Number(order.price).toFixed(2) } : {}),
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
    net_amount: Number((size * Number(execution.price)).toFixed(2)),
    account: execution.account,
    accountCode: execution.account,
    account_allocation_name: execution.account,
    company_name: instrument?.name ?? '',
    contract_description_1: execution.symbol,
    sec_type: 'STK',
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
