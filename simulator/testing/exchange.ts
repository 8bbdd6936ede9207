// A small exchange for unit tests: one made-up instrument whose bars the test writes down, from 2014-07-07 on.
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { emptyState } from '../exchange/state.js';
import { cancelOrder, collecting, playTo } from '../exchange/exchange.js';
import type { Exchange } from '../exchange/exchange.js';
import { createMarket } from '../exchange/market.js';
import type { Market } from '../exchange/market.js';
import { modify, place } from '../exchange/orders.js';
import type { OrderDraft, PlaceResult } from '../exchange/orders.js';
import type { ExchangeEvent, ExchangeState, Instrument, Order } from '../exchange/types.js';

export const CONID = 1;
export const ACCOUNT = 'DU1';
export const costs = { slippage: '0.001', commissionPerShare: '0.005' };

/** Open, high, low, close of one session. */
export type Prices = readonly [number, number, number, number];

const calendar = createNyseCalendar();
/** 2014-07-07 is a Monday; there is no holiday before September. */
export const sessions = calendar.between('2014-07-07', '2014-12-31');

export function marketOf(prices: readonly Prices[]): Market {
  const bars = prices.map(([open, high, low, close], index) => {
    const session = sessions[index];
    if (session === undefined) throw new RangeError('the test has more bars than sessions');
    return { time: session.open, open, high, low, close, volume: 1000, session };
  });
  const instrument: Instrument = {
    conid: CONID,
    symbol: 'TEST',
    name: 'Test',
    exchange: 'TEST',
    synthetic: true,
    bars,
    droppedRows: 0,
  };
  return createMarket(calendar, [instrument]);
}

export interface TestExchange {
  readonly market: Market;
  readonly state: ExchangeState;
  readonly events: ExchangeEvent[];
  place(...drafts: readonly Partial<OrderDraft>[]): PlaceResult;
  modify(orderId: number, quantity: string, price: string | null): string | null;
  cancel(orderId: number): void;
  /** Steps to minutes after the open of the n-th session, or with a string to that instant. */
  step(session: number | string, minutes?: number): void;
  /** Steps to the close of the n-th session. */
  stepToClose(session: number): void;
  order(index: number): Order;
}

/** An exchange that stands at the first open plus five minutes. */
export function exchangeOf(prices: readonly Prices[], cash = '10000'): TestExchange {
  const market = marketOf(prices);
  const state = emptyState(market.firstInstant);
  const all: ExchangeEvent[] = [];
  const act = <T>(command: (exchange: Exchange) => T): T => {
    const { exchange, events } = collecting(market, costs, state);
    const result = command(exchange);
    all.push(...events);
    return result;
  };
  const stepTo = (to: string): void => {
    act((exchange) => {
      playTo(exchange, to);
      exchange.emit({ type: 'step', at: to, step: state.step + 1 });
    });
  };
  const sessionAt = (index: number): { open: string; close: string } =>
    sessions[index] ?? { open: '', close: '' };
  act((exchange) => {
    exchange.emit({ type: 'account', at: state.now, account: ACCOUNT, cash });
  });
  const test: TestExchange = {
    market,
    state,
    events: all,
    place: (...drafts) => act((exchange) => place(exchange, ACCOUNT, drafts.map(draftOf))),
    modify: (orderId, quantity, price) => act((exchange) => modify(exchange, orderId, { quantity, price })),
    cancel: (orderId) => {
      act((exchange) => {
        cancelOrder(exchange, orderId);
      });
    },
    step: (session, minutes = 5) => {
      if (typeof session === 'string') stepTo(session);
      else stepTo(new Date(Date.parse(sessionAt(session).open) + minutes * 60_000).toISOString());
    },
    stepToClose: (session) => {
      stepTo(sessionAt(session).close);
    },
    order: (index) => {
      const order = [...state.orders.values()][index];
      if (order === undefined) throw new RangeError(`the test has no order ${index}`);
      return order;
    },
  };
  test.step(0);
  return test;
}

const draftOf = (draft: Partial<OrderDraft>): OrderDraft => ({
  conid: CONID,
  side: 'BUY',
  orderType: 'MKT',
  tif: 'DAY',
  quantity: '10',
  price: null,
  cOID: null,
  parent: null,
  ...draft,
});
