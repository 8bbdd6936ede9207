// A small exchange for unit tests: one made-up instrument whose bars the test writes down, from 2014-07-07 on.
import { createNyseCalendar } from '../../domain/market/nyse.js';
import { createAroundTheClock } from '../exchange/aroundTheClock.js';
import { emptyState } from '../exchange/state.js';
import { collecting } from '../exchange/command.js';
import type { Exchange } from '../exchange/command.js';
import { cancelOrder, halt, playTo, resume } from '../exchange/exchange.js';
import { createMarket } from '../exchange/market.js';
import type { Market } from '../exchange/market.js';
import { modify, place } from '../exchange/orders.js';
import type { OrderDraft, PlaceResult } from '../exchange/orders.js';
import type { Costs, ExchangeEvent, ExchangeState, Instrument, Order, Trail } from '../exchange/types.js';

export const CONID = 1;
export const ACCOUNT = 'DU1';
export const costs: Costs = {
  slippage: '0.001',
  spread: '0',
  commissionPerShare: '0.005',
  commissionMinimum: '1',
  volumeShare: null,
  settlementSessions: 0,
};

/** From the same Monday on, Saturdays and Sundays included. */
export const days = createAroundTheClock('2000-01-01', '2028-12-31').between('2014-07-07', '2014-12-31');

/** Open, high, low, close of one session, whose volume is 1000. */
export type Prices = readonly [number, number, number, number];

const calendar = createNyseCalendar();
/** 2014-07-07 is a Monday; there is no holiday before September. */
export const sessions = calendar.between('2014-07-07', '2014-12-31');

export function marketOf(
  prices: readonly Prices[],
  {
    volumes = [],
    ...change
  }: Partial<Pick<Instrument, 'kind' | 'splits'>> & { readonly volumes?: readonly number[] } = {},
): Market {
  const bars = prices.map(([open, high, low, close], index) => {
    const session = change.kind === 'crypto' ? days[index] : sessions[index];
    if (session === undefined) throw new RangeError('the test has more bars than sessions');
    return { time: session.open, open, high, low, close, volume: volumes[index] ?? 1000, session };
  });
  const instrument: Instrument = {
    conid: CONID,
    symbol: 'TEST',
    name: 'Test',
    exchange: 'TEST',
    synthetic: true,
    kind: 'stock',
    splits: [],
    ...change,
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
  modify(orderId: number, quantity: string, price: string | null, trail?: Trail): string | null;
  cancel(orderId: number): void;
  halt(): void;
  resume(): void;
  /** Steps to minutes after the open of the n-th session, or with a string to that instant. */
  step(session: number | string, minutes?: number): void;
  /** Steps to the close of the n-th session. */
  stepToClose(session: number): void;
  order(index: number): Order;
}

/** An exchange that stands at the first open plus five minutes. */
export function exchangeOf(
  prices: readonly Prices[],
  cash = '10000',
  change: Partial<Costs> & Partial<Pick<Instrument, 'kind' | 'splits'>> = {},
): TestExchange {
  const { kind = 'stock', splits = [], ...costsChange } = change;
  const market = marketOf(prices, { kind, splits });
  const calendar = kind === 'crypto' ? days : sessions;
  const state = emptyState(market.firstInstant);
  const all: ExchangeEvent[] = [];
  const act = <T>(command: (exchange: Exchange) => T): T => {
    const { exchange, events } = collecting(market, { ...costs, ...costsChange }, state);
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
    calendar[index] ?? { open: '', close: '' };
  act((exchange) => {
    exchange.emit({ type: 'account', at: state.now, account: ACCOUNT, cash });
  });
  const test: TestExchange = {
    market,
    state,
    events: all,
    place: (...drafts) => act((exchange) => place(exchange, ACCOUNT, drafts.map(draftOf))),
    modify: (orderId, quantity, price, trail) =>
      act((exchange) => modify(exchange, orderId, { quantity, price, trail })),
    cancel: (orderId) => {
      act((exchange) => {
        cancelOrder(exchange, orderId);
      });
    },
    halt: () => {
      act((exchange) => {
        halt(exchange, CONID);
      });
    },
    resume: () => {
      act((exchange) => {
        resume(exchange, CONID);
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
