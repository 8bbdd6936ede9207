// What Keel needs of a broker. One attempt a call: no retries, one timeout, errors classified as KeelError.
// Amounts are decimal strings, instants ISO 8601 UTC.
import type { BrokerOrderStatus } from '../contracts/wire/order.js';
import type { Contract } from '../domain/market/contract.js';
import type { QuoteFacts } from '../domain/risk/types.js';
import type { KeelError } from './errors.js';

export interface AccountState {
  readonly accountId: string;
  readonly currency: string;
  readonly netLiquidation: string;
  readonly settledCash: string;
}

export interface BrokerPosition {
  readonly conid: string;
  readonly symbol: string;
  /** Signed. */
  readonly quantity: string;
  readonly averageCost: string;
  readonly marketPrice: string;
}

export interface BrokerOrder {
  readonly brokerOrderId: string;
  /** Set on the legs of a bracket. */
  readonly parentBrokerOrderId: string | null;
  /** Our wire id; null for orders made elsewhere and for legs. */
  readonly clientOrderId: string | null;
  readonly conid: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly type: 'MKT' | 'LMT' | 'STP' | 'OTHER';
  readonly timeInForce: string;
  readonly quantity: string;
  readonly filledQuantity: string;
  readonly averagePrice: string | null;
  /** Limit price, or stop price of a stop order. */
  readonly price: string | null;
  readonly status: BrokerOrderStatus;
  /** The broker's words on a rejection or a system cancel. */
  readonly reason: string | null;
  /** Market time, ISO 8601 UTC, since when an open market's lists lack it and the broker does not know its id; left out otherwise. */
  readonly unlistedSince?: string;
}

/** An order that Keel cannot read where the broker lists it or an execution of it, with what of it can be read. */
export interface UnreadableOrder {
  readonly brokerOrderId: string | null;
  /** The id that it was sent with; null where it cannot be read, or there is none: it may be one of Keel's. */
  readonly clientOrderId: string | null;
  readonly conid: string | null;
  readonly side: 'BUY' | 'SELL' | null;
  /** Null: it may still fill. */
  readonly status: BrokerOrderStatus | null;
  /** What cannot be read. */
  readonly problem: string;
}

export interface BrokerOrders {
  readonly orders: readonly BrokerOrder[];
  /** Nobody may take these for orders that do not exist. */
  readonly unreadable: readonly UnreadableOrder[];
  /** False where the list has no row of this account and the broker does not say that this is all: what is known to live may live all the same. */
  readonly complete: boolean;
}

export interface BrokerExecution {
  /** One and the same for an execution and what corrects it later. */
  readonly executionId: string;
  readonly brokerOrderId: string | null;
  readonly clientOrderId: string | null;
  readonly conid: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  readonly price: string;
  readonly commission: string;
  readonly time: string;
}

export interface BrokerExecutions {
  /** Each once, as last corrected, in the order of the broker's list. */
  readonly executions: readonly BrokerExecution[];
  /** The orders that those are of which Keel cannot read. */
  readonly unreadable: readonly UnreadableOrder[];
}

/**
 * An entry for the day, at the market or at a limit, with an optional protective stop and target, good till cancelled, one
 * cancelling the other.
 */
export interface OrderRequest {
  readonly accountId: string;
  readonly clientOrderId: string;
  readonly contract: Contract;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  /** Limit price of the entry; null for a market order. */
  readonly limit: string | null;
  readonly stop: string | null;
  readonly target: string | null;
}

export type TurnedAwayCode = 'GATEWAY_NO_SESSION' | 'GATEWAY_LIMITED';

export type PlaceOutcome =
  | { readonly kind: 'accepted'; readonly brokerOrderId: string }
  /** The broker said no, in its own words. */
  | { readonly kind: 'rejected'; readonly evidence: string }
  /** Who stands before the broker said no, in its own words: it passed nothing on, so the broker never had the order. */
  | { readonly kind: 'turned_away'; readonly code: TurnedAwayCode; readonly message: string }
  /** No readable answer: the order may live. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface BrokerPort {
  /** @throws KeelError UNKNOWN_SYMBOL (final) when no tradable contract carries the symbol. */
  resolveContract(symbol: string): Promise<Contract>;
  /** @throws KeelError NO_QUOTE (retryable) when the broker gives no last price after its polls. */
  quote(contract: Pick<Contract, 'conid' | 'symbol'>): Promise<QuoteFacts>;
  /**
   * Quotes of at most `mostQuotes` contracts, by conid, in as few requests as one takes: for prices that are looked at. An order
   * is weighed on `quote`. A contract without a price has its own NO_QUOTE in its place.
   * @throws KeelError where none of them could be asked for; RangeError for too many
   */
  quotes(
    contracts: readonly Pick<Contract, 'conid' | 'symbol'>[],
  ): Promise<ReadonlyMap<string, QuoteFacts | KeelError>>;
  readonly mostQuotes: number;
  account(accountId: string): Promise<AccountState>;
  positions(accountId: string): Promise<readonly BrokerPosition[]>;
  /** Orders of the broker's session, primed. */
  orders(accountId: string): Promise<BrokerOrders>;
  /** One order that a list lacks, as the broker has it now; null where it has it no more. @param known as it was listed. */
  orderNow(accountId: string, known: BrokerOrder): Promise<BrokerOrder | null>;
  /** Executions of the last seven days. */
  executions(accountId: string): Promise<BrokerExecutions>;
  /**
   * Waits for the broker's pacing, so that `placeOrder` need not wait once the intent is SENT.
   * @param deadline milliseconds since the epoch @throws KeelError IBKR_PACING_DEADLINE (retryable).
   */
  waitForOrderSlot(deadline: number): Promise<void>;
  /**
   * Places an order once, in the slot that `waitForOrderSlot` gave. Calls `claim` once nothing but the socket is waited for
   * any more, then `beforeSend`, which decides synchronously, as the last act before the socket, whether the order may
   * still go out.
   * @throws KeelError only where nothing was written to the socket: what `claim` or `beforeSend` threw, or no connection.
   */
  placeOrder(
    request: OrderRequest,
    beforeSend: () => void,
    claim?: () => Promise<void>,
  ): Promise<PlaceOutcome>;
  /** Asks for a cancel; a later poll tells what became of it. `nothing` is there to cancel where the broker has no such working order. */
  cancelOrder(accountId: string, brokerOrderId: string): Promise<'asked' | 'nothing'>;
  /** Makes sure that the brokerage session stands: status, init where needed, accounts. @throws KeelError BROKER_SESSION. */
  ensureSession(): Promise<void>;
}
