// The most that an account may hold: what the tables of the simulator's own API have room for. Asked before anything is booked, by
// filling.ts and trades.ts.
import { money, notional, quantity } from '../../domain/money/decimal.js';
import type { Money, Price } from '../../domain/money/decimal.js';
import { holdingOf } from './state.js';
import type { Account, Side } from './types.js';

/** USD of cash, and of one holding's cost, commissions in it: a million below what numeric(15,2) ends at. */
export const mostUsd = money('9999999000000');
/** Units of one symbol: numeric(15,4) has room for ten times as many, should they be split. */
export const mostUnits = quantity('9999999999');

/** Why an account cannot hold what a fill would leave it with; null where it can. @param commission of a buy: it is part of the cost */
export function beyondBounds(
  account: Account,
  conid: number,
  side: Side,
  units: string,
  at: Price,
  commission: Money,
): string | null {
  const worth = notional(at, quantity(units));
  const { quantity: held, cost } = holdingOf(account, conid);
  const most = `an account of this simulator holds at most ${mostUsd.toFixed(2)} USD`;
  if (side === 'SELL') return worth.plus(account.cash).gt(mostUsd) ? `${most} of cash` : null;
  if (quantity(held).plus(units).gt(mostUnits))
    return `an account of this simulator holds at most ${mostUnits.toString()} of one symbol`;
  return worth.plus(commission).plus(cost).gt(mostUsd) ? `${most} in one symbol, at what it cost` : null;
}
