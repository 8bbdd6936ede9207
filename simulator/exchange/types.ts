// The words of the simulated exchange: instruments, orders, accounts, and the events that make its state.
// Used by every file of simulator/. Amounts are decimal strings in USD, instants ISO 8601 UTC with milliseconds.
import type { Bar } from '../../domain/market/bar.js';
import type { Session } from '../../domain/market/calendarTypes.js';

/** The price grid of every instrument here. */
export const PRICE_INCREMENT = '0.01';

/** A price of a bar rounded to the nearest step of that grid. Bars are numbers; orders round through domain/money. */
export const onGrid = (value: number): number => Number(value.toFixed(2));

/** A daily bar; `time` is its session's open. Prices are on the grid. */
export interface SessionBar extends Bar {
  readonly session: Session;
}

export interface Instrument {
  readonly conid: number;
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  /** True for made-up data. */
  readonly synthetic: boolean;
  /** Oldest first, one a session. */
  readonly bars: readonly SessionBar[];
  /** Rows of the source that were no NYSE session and were left out. */
  readonly droppedRows: number;
}

export type Side = 'BUY' | 'SELL';
export type OrderType = 'MKT' | 'LMT' | 'STP';
export type TimeInForce = 'DAY' | 'GTC';

/** What the exchange takes a share of. Decimal strings. */
export interface Costs {
  /** Share of the price by which a market or stop order fills worse. */
  readonly slippage: string;
  /** USD a share; an execution costs at least 1.00. */
  readonly commissionPerShare: string;
}

/** An order as its customer asked for it. */
export interface OrderTerms {
  readonly conid: number;
  readonly side: Side;
  readonly orderType: OrderType;
  readonly tif: TimeInForce;
  /** Whole shares. */
  readonly quantity: string;
  /** Limit price of LMT, stop price of STP, null for MKT. */
  readonly price: string | null;
  /** The customer's own id; null when none was given. */
  readonly cOID: string | null;
}

/** A trade that is booked at once. */
export interface TradeWish {
  readonly account: string;
  readonly instrument: Instrument;
  readonly side: Side;
  /** Up to four decimals. */
  readonly quantity: string;
  /** USD, up to two decimals: the most that a buy pays, the least that a sell gets. */
  readonly price: string;
}

/** HELD waits for its parent to fill · WORKING takes part · the others are ends. */
export type OrderState = 'HELD' | 'WORKING' | 'FILLED' | 'CANCELLED' | 'EXPIRED' | 'REJECTED';

export interface Order extends OrderTerms {
  readonly orderId: number;
  readonly account: string;
  readonly symbol: string;
  readonly parentId: number | null;
  /** Orders of one group: when one fills, the others are cancelled. */
  readonly ocaGroup: string | null;
  /** Date of the first session in which the order takes part; a DAY order ends with it. */
  readonly session: string;
  readonly placedAt: string;
  readonly state: OrderState;
  readonly averagePrice: string | null;
  /** Instant of the last change of state. */
  readonly changedAt: string;
  /** Why the exchange ended it; null otherwise. */
  readonly reason: string | null;
}

export interface Execution {
  readonly executionId: string;
  readonly orderId: number;
  readonly account: string;
  readonly conid: number;
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: string;
  readonly price: string;
  readonly commission: string;
  readonly cOID: string | null;
}

/** Who may use the simulator's own API, and on which account. */
export interface User {
  readonly userId: number;
  readonly email: string;
  readonly account: string;
  /** SHA-256 of the API key, hex. */
  readonly keyHash: string;
  /** Wall time, ISO 8601 UTC with milliseconds; null: the key does not expire. */
  readonly expiresAt: string | null;
}

export type ExchangeEvent =
  | ({ readonly type: 'user'; readonly at: string } & User)
  | { readonly type: 'account'; readonly at: string; readonly account: string; readonly cash: string }
  | ({ readonly type: 'order'; readonly at: string; readonly held: boolean } & Omit<
      Order,
      'placedAt' | 'state' | 'averagePrice' | 'changedAt' | 'reason'
    >)
  | {
      readonly type: 'modify';
      readonly at: string;
      readonly orderId: number;
      readonly quantity: string;
      readonly price: string | null;
    }
  | ({ readonly type: 'execution'; readonly at: string } & Execution)
  | {
      readonly type: 'cancel';
      readonly at: string;
      readonly orderId: number;
      readonly by: 'customer' | 'oca' | 'parent';
    }
  | { readonly type: 'expire'; readonly at: string; readonly orderId: number; readonly reason: string }
  | { readonly type: 'reject'; readonly at: string; readonly orderId: number; readonly reason: string }
  | { readonly type: 'step'; readonly at: string; readonly step: number }
  | { readonly type: 'run'; readonly at: string; readonly speed: number }
  | { readonly type: 'tick'; readonly at: string }
  | { readonly type: 'stop'; readonly at: string };

export interface Holding {
  readonly quantity: string;
  /** What the shares held cost, commissions included. */
  readonly cost: string;
  readonly realizedPnl: string;
}

export interface Account {
  readonly id: string;
  cash: string;
  readonly holdings: Map<number, Holding>;
}

/** The fold of all events. Changed by `apply` alone. */
export interface ExchangeState {
  now: string;
  step: number;
  readonly accounts: Map<string, Account>;
  /** By the hash of their key. */
  readonly users: Map<string, User>;
  readonly orders: Map<number, Order>;
  /** Ids of the orders that are HELD or WORKING. */
  readonly open: Set<number>;
  readonly clientOrderIds: Set<string>;
  readonly executions: (Execution & { readonly at: string })[];
}
