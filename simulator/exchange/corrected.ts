// What a corrected price changes in an account. Called by apply.ts.
import { money, quantity, quantize } from '../../domain/money/decimal.js';
import { amountOf } from './costs.js';
import { holdingOf } from './state.js';
import type { Account, Execution } from './types.js';

/**
 * Books what a correction differs by: in cash at once; in the cost of what is still held of a buy, and as profit for what was
 * sold meanwhile and for a sale.
 */
export function correctHolding(account: Account, first: Execution, at: string): void {
  const { conid, side, quantity: units } = first;
  const held = holdingOf(account, conid);
  const [before, after] = [amountOf(first.price, units, side), amountOf(at, units, side)];
  const gained = side === 'BUY' ? before.minus(after) : after.minus(before);
  const kept = quantity(held.quantity).lt(units) ? held.quantity : units;
  const cheaper = quantize(gained.times(side === 'BUY' ? kept : '0').div(units), '0.01', 'nearest');
  account.cash = money(account.cash).plus(gained).toString();
  account.holdings.set(conid, {
    quantity: held.quantity,
    cost: money(held.cost).minus(cheaper).toString(),
    realizedPnl: money(held.realizedPnl).plus(gained).minus(cheaper).toString(),
  });
}
