// What an execution costs: slippage against the customer and commission. Used by matching and by the checks of orders.
import type { Money, Price } from '../../domain/money/decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Costs, OrderTerms, Side } from './types.js';
import { PRICE_INCREMENT } from './types.js';

/** A price worsened by the slippage and rounded to the grid against the customer: buys pay more, sells get less. */
export function slipped(at: string | number, side: Side, slippage: string): Price {
  const exact = price(String(at));
  const factor = side === 'BUY' ? price('1').plus(slippage) : price('1').minus(slippage);
  return price(quantize(exact.times(factor), PRICE_INCREMENT, side === 'BUY' ? 'up' : 'down'));
}

/** USD of an execution's commission: a rate a share, at least 1.00, rounded up to the cent. */
export function commissionOf(units: string, perShare: string): Money {
  const exact = quantize(quantity(units).times(perShare), '0.01', 'up');
  return money(exact.lt(1) ? '1' : exact);
}

/** Cash that a buy needs at a price, commission included. */
export const costOf = (at: Price, units: string, perShare: string): Money =>
  money(notional(at, quantity(units)).plus(commissionOf(units, perShare)));

/**
 * Cash set aside for a buy order: at its limit, at its stop with slippage, or for a market order at the last known
 * price with slippage.
 */
export function estimateOf(terms: OrderTerms, last: number, costs: Costs): Money {
  const at =
    terms.orderType === 'LMT' && terms.price !== null
      ? price(terms.price)
      : slipped(terms.price ?? last, terms.side, costs.slippage);
  return costOf(at, terms.quantity, costs.commissionPerShare);
}
