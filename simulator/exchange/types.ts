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
  /** stock: trades in the calendar's sessions, in whole shares · crypto: around the clock, in ten-thousandths. */
  readonly kind: 'stock' | 'crypto';
  /** Oldest first, one a session, at the prices of that day. */
  readonly bars: readonly SessionBar[];
  /** Oldest first. Each takes effect at the open of its session. */
  readonly splits: readonly Split[];
  /** Rows of the source that were no NYSE session and were left out. */
  readonly droppedRows: number;
}

/** So many shares for so many: 4 for 1 makes one share four. */
export interface Split {
  /** Session, YYYY-MM-DD. */
  readonly date: string;
  readonly numerator: number;
  readonly denominator: number;
}

export type Side = 'BUY' | 'SELL';
export type OrderType = 'MKT' | 'LMT' | 'STP' | 'STOP_LIMIT' | 'TRAIL' | 'TRAILLMT' | 'MOC' | 'LOC';
export type TimeInForce = 'DAY' | 'GTC' | 'IOC' | 'OPG';

/** What the exchange takes, and how much it lets trade. Decimal strings. */
export interface Costs {
  /** Share of the price by which a market order, or a stop that was touched, fills worse. */
  readonly slippage: string;
  /** Distance of bid and ask as a share of the price: an order that takes pays half of it. */
  readonly spread: string;
  /** USD a share. */
  readonly commissionPerShare: string;
  /** USD that an order's commission comes to at least. */
  readonly commissionMinimum: string;
  /** Largest share of a bar's volume that orders may trade in its session; null: all of every order trades. */
  readonly volumeShare: string | null;
  /** Sessions until what a sale brings can be spent again; 0: at once. */
  readonly settlementSessions: number;
}

/** How far a trailing stop follows: an amount of USD, or percent of the price. */
export interface Trail {
  readonly by: 'amt' | '%';
  readonly size: string;
}

/** An order as its customer asked for it. */
export interface OrderTerms {
  readonly conid: number;
  readonly side: Side;
  readonly orderType: OrderType;
  readonly tif: TimeInForce;
  readonly quantity: string;
  /** Limit of LMT, LOC and STOP_LIMIT, first limit of TRAILLMT, stop of STP, first stop of TRAIL where named; else null. */
  readonly price: string | null;
  /** Stop of STOP_LIMIT, first stop of TRAILLMT. */
  readonly auxPrice?: string | undefined;
  /** Of TRAIL and TRAILLMT. */
  readonly trail?: Trail | undefined;
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
  /** True once a stop was touched: the order is a market or a limit order since. */
  readonly triggered: boolean;
  /** Where a trailing stop stands; null before it has seen a price. */
  readonly trailedTo: string | null;
  readonly filled: string;
  /** Sums over its executions, USD. */
  readonly value: string;
  readonly commission: string;
  /** Of all its executions, with up to eight decimals. */
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
  /** Instant from which on what a sale brought can be spent; left out where that is at once. */
  readonly settles?: string | undefined;
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

/** Whose prices an exchange has, for ever: of the replayed bars, or of a chain of sources of today. */
export type PricesOf = 'replay' | 'chain';

export type ExchangeEvent =
  | { readonly type: 'prices'; readonly at: string; readonly source: 'chain' }
  | ({ readonly type: 'user'; readonly at: string } & User)
  | { readonly type: 'account'; readonly at: string; readonly account: string; readonly cash: string }
  | ({ readonly type: 'order'; readonly at: string; readonly held: boolean } & Omit<
      Order,
      | 'placedAt'
      | 'state'
      | 'triggered'
      | 'trailedTo'
      | 'filled'
      | 'value'
      | 'commission'
      | 'averagePrice'
      | 'changedAt'
      | 'reason'
    >)
  | {
      readonly type: 'modify';
      readonly at: string;
      readonly orderId: number;
      readonly quantity: string;
      readonly price: string | null;
      /** Left out where they stay. */
      readonly auxPrice?: string | undefined;
      readonly trail?: Trail | undefined;
    }
  | { readonly type: 'trigger'; readonly at: string; readonly orderId: number }
  | { readonly type: 'trail'; readonly at: string; readonly orderId: number; readonly stop: string }
  | { readonly type: 'halt' | 'resume'; readonly at: string; readonly conid: number }
  | {
      readonly type: 'split';
      readonly at: string;
      readonly conid: number;
      readonly numerator: number;
      readonly denominator: number;
      /** First price after it, at which fractions of a share are paid out. */
      readonly price: string;
    }
  | ({ readonly type: 'execution'; readonly at: string } & Execution)
  /** An execution as it really was, under an id of its own, and the id under which it was told first. */
  | ({ readonly type: 'correction'; readonly at: string; readonly corrects: string } & Execution)
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
  /** What sales brought and when it can be spent, as of the last execution. */
  unsettled: readonly { readonly settles: string; readonly amount: string }[];
}

/** The fold of all events. Changed by `apply` alone. */
export interface ExchangeState {
  now: string;
  /** False: what nobody can see any more is forgotten with each new market day (forget.ts). */
  readonly keepsAll: boolean;
  step: number;
  prices: PricesOf;
  readonly accounts: Map<string, Account>;
  /** By the hash of their key. */
  readonly users: Map<string, User>;
  /** All but those that ended long ago (forget.ts), oldest first. */
  readonly orders: Map<number, Order>;
  /** How many there have been, and the id of the last one. */
  orderCount: number;
  lastOrderId: number;
  executionCount: number;
  /** Ids of the orders that are HELD or WORKING, oldest first; and the same by contract and by account. */
  readonly open: Set<number>;
  readonly openByConid: Map<number, Set<number>>;
  readonly openByAccount: Map<string, Set<number>>;
  /** Ids of the legs of a bracket, by that of its parent. */
  readonly legs: Map<number, readonly number[]>;
  /** Of all orders, also of those that are forgotten: none is taken twice. */
  readonly clientOrderIds: Set<string>;
  readonly executions: (Execution & { readonly at: string })[];
  /** Conids that do not trade at the moment. */
  readonly halted: Set<number>;
  /** By conid: what has traded on a date, YYYY-MM-DD. */
  readonly traded: Map<number, { readonly date: string; readonly units: string }>;
}
