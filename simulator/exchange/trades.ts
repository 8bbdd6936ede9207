// Trades of the simulator's own API: bought or sold at once at the price that is known, without commission and at any hour, when
// the price that was named allows it. Called by engine.ts.
import { money, price } from '../../domain/money/decimal.js';
import { freeShares, reservedCash, settledCash } from './accounts.js';
import { beyondBounds } from './bounds.js';
import type { Exchange } from './command.js';
import { amountOf } from './costs.js';
import { executionIdAfter, settlementOf } from './filling.js';
import { sessionFor } from './market.js';
import { acceptTrade } from './orders.js';
import type { TradeWish } from './types.js';
import { accountOf } from './state.js';

export interface Trade {
  readonly executionId: string;
  readonly orderId: number;
  /** What it was done at, which is the market's price. */
  readonly price: string;
  /** USD to the cent: what a buy cost, what a sell brought. */
  readonly amount: string;
  readonly cashAfter: string;
  readonly at: string;
}

export type TradeResult =
  | { readonly done: true; readonly trade: Trade }
  | { readonly done: false; readonly code: string; readonly text: string };

const refused = (code: string, text: string): TradeResult => ({ done: false, code, text });

/** Books a trade, or says why not; nothing is booked then. */
export function trade(exchange: Exchange, wish: TradeWish): TradeResult {
  const { market, state, costs } = exchange;
  const { instrument, side } = wish;
  const { conid, symbol } = instrument;
  const quote = market.quote(conid, state.now);
  if (quote === null) return refused('PRICE_UNKNOWN', `${symbol} has no price at ${state.now} yet.`);
  const at = String(quote.last);
  if (side === 'BUY' && price(wish.price).lt(at))
    return refused(
      'PRICE_BELOW_MARKET',
      `A buy of ${symbol} needs a price of at least ${at}; it named ${wish.price}.`,
    );
  if (side === 'SELL' && price(wish.price).gt(at))
    return refused(
      'PRICE_ABOVE_MARKET',
      `A sell of ${symbol} needs a price of at most ${at}; it named ${wish.price}.`,
    );
  const account = accountOf(state, wish.account);
  const amount = amountOf(at, wish.quantity, side);
  if (side === 'BUY') {
    const free = settledCash(account, state.now).minus(reservedCash(market, costs, state, account));
    if (amount.gt(free))
      return refused(
        'NOT_ENOUGH_CASH',
        `It costs ${amount.toFixed(2)} USD, and ${free.toFixed(2)} USD are free.`,
      );
  } else {
    const free = freeShares(state, account, conid);
    if (free.lt(wish.quantity))
      return refused(
        'NOT_ENOUGH_SHARES',
        `${wish.quantity} of ${symbol} to sell, and ${free.toString()} are free.`,
      );
  }
  const beyond = beyondBounds(account, conid, side, wish.quantity, price(at), money('0'));
  if (beyond !== null) return refused('ACCOUNT_FULL', `This cannot be booked: ${beyond}.`);
  const order = acceptTrade(exchange, wish);
  const executionId = executionIdAfter(exchange);
  exchange.emit({
    type: 'execution',
    at: state.now,
    executionId,
    orderId: order.orderId,
    account: wish.account,
    conid,
    symbol,
    side,
    quantity: wish.quantity,
    price: at,
    commission: '0',
    cOID: null,
    ...settlementOf(exchange, conid, side, sessionFor(market.calendarOf(conid), state.now).date),
  });
  const cashAfter = accountOf(state, wish.account).cash;
  return {
    done: true,
    trade: {
      executionId,
      orderId: order.orderId,
      price: at,
      amount: amount.toFixed(2),
      cashAfter,
      at: state.now,
    },
  };
}
