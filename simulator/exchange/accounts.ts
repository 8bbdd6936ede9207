// What an account can still do and what it is worth: reserved cash and shares, valuation at the known prices. Used by the
// checks of orders and by the portfolio endpoints.
import type { Money, Quantity } from '../../domain/money/decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Freed } from './claims.js';
import { amountOfParts, claimedCash, claimedShares } from './claims.js';
import type { Market } from './market.js';
import { holdingOf } from './state.js';
import type { Account, Costs, ExchangeState } from './types.js';

const none: Freed = { replaces: null, group: null };

/** USD set aside for the account's working buys. */
export const reservedCash = (
  market: Market,
  costs: Costs,
  state: ExchangeState,
  account: Account,
  freed: Freed = none,
): Money => money(amountOfParts(claimedCash(market, costs, state, account, freed)));

/** USD that a buy may spend at an instant, before what open orders reserve: what sales brought counts once it settles. */
export const settledCash = (account: Account, at: string): Money =>
  account.unsettled.reduce(
    (cash, { settles, amount }) => (settles > at ? money(cash.minus(amount)) : cash),
    money(account.cash),
  );

/** Shares held that no working sell has claimed. */
export function freeShares(
  state: ExchangeState,
  account: Account,
  conid: number,
  freed: Freed = none,
): Quantity {
  const claimed = amountOfParts(claimedShares(state, account, conid, freed));
  return quantity(quantity(holdingOf(account, conid).quantity).minus(claimed));
}

export interface Position {
  readonly conid: number;
  readonly quantity: Quantity;
  readonly marketPrice: number;
  readonly marketValue: Money;
  /** Per share, commissions included. */
  readonly averageCost: number;
  readonly unrealizedPnl: Money;
  readonly realizedPnl: Money;
}

/** As the broker shows an amount: a fraction of a share has fractions of a cent. */
const cents = (amount: Money): Money => money(quantize(amount, '0.01', 'nearest'));

/** The account's holdings at the prices known now, those of zero shares left out. */
export function positionsOf(market: Market, state: ExchangeState, account: Account): Position[] {
  const held = [...account.holdings].filter(([, holding]) => !quantity(holding.quantity).isZero());
  return held.map(([conid, holding]) => {
    const last = market.quote(conid, state.now)?.last ?? 0;
    const units = quantity(holding.quantity);
    const value = cents(notional(price(String(last)), units));
    return {
      conid,
      quantity: units,
      marketPrice: last,
      marketValue: value,
      averageCost: money(holding.cost).div(units).toDecimalPlaces(8).toNumber(),
      unrealizedPnl: cents(money(value.minus(holding.cost))),
      realizedPnl: cents(money(holding.realizedPnl)),
    };
  });
}

export interface Valuation {
  readonly cash: Money;
  readonly settled: Money;
  readonly reserved: Money;
  readonly stocks: Money;
  readonly netLiquidation: Money;
  readonly unrealizedPnl: Money;
  readonly realizedPnl: Money;
}

/** Cash and holdings of an account at the prices known now, USD. */
export function valuationOf(market: Market, costs: Costs, state: ExchangeState, account: Account): Valuation {
  const positions = positionsOf(market, state, account);
  const sum = (amounts: readonly Money[]): Money =>
    amounts.reduce((total, amount) => money(total.plus(amount)), money('0'));
  const stocks = sum(positions.map((position) => position.marketValue));
  const cash = money(account.cash);
  return {
    cash,
    settled: settledCash(account, state.now),
    reserved: reservedCash(market, costs, state, account),
    stocks,
    netLiquidation: money(cash.plus(stocks)),
    unrealizedPnl: sum(positions.map((position) => position.unrealizedPnl)),
    // Of the parts as they are shown, and of those of holdings that were sold whole.
    realizedPnl: sum([...account.holdings.values()].map((holding) => cents(money(holding.realizedPnl)))),
  };
}
