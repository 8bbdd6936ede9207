// What an execution costs: spread and slippage against the customer, and commission. Used by matching and by the checks of
// orders.
import type { Money, Price } from '../../domain/money/decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Costs, OrderTerms, Side } from './types.js';
import { PRICE_INCREMENT } from './types.js';

type Worsening = Pick<Costs, 'slippage' | 'spread'>;

/** A price worsened by a share and rounded to the grid against the customer: buys pay more, sells get less. */
function worse(at: string | number, side: Side, share: Price): Price {
  const factor = side === 'BUY' ? price('1').plus(share) : price('1').minus(share);
  return price(quantize(price(String(at)).times(factor), PRICE_INCREMENT, side === 'BUY' ? 'up' : 'down'));
}

const half = (spread: string): Price => price(price(spread).div(2));

/** What a market order, or a stop that was touched, pays or gets: half the spread and the slippage. */
export const slipped = (at: string | number, side: Side, { slippage, spread }: Worsening): Price =>
  worse(at, side, price(half(spread).plus(slippage)));

/** The ask for buyers, the bid for sellers. */
export const quoted = (at: string | number, side: Side, { spread }: Pick<Costs, 'spread'>): Price =>
  worse(at, side, half(spread));

/** Where the market must stand so that its ask or bid reaches a limit. */
export function reachOf(limit: string, side: Side, { spread }: Pick<Costs, 'spread'>): number {
  const factor = side === 'BUY' ? price('1').plus(half(spread)) : price('1').minus(half(spread));
  return quantize(price(limit).div(factor), PRICE_INCREMENT, side === 'BUY' ? 'down' : 'up').toNumber();
}

type Fees = Pick<Costs, 'commissionPerShare' | 'commissionMinimum'>;

/**
 * USD of commission for units of an order of which some have filled and paid before: a rate a share, rounded up to the
 * cent, and a least amount over all of an order.
 */
export function commissionOf(units: string, fees: Fees, filled = '0', paid = '0'): Money {
  const all = quantity(units).plus(filled);
  const exact = quantize(all.times(fees.commissionPerShare), '0.01', 'up');
  const due = exact.lt(fees.commissionMinimum) ? money(fees.commissionMinimum) : money(exact);
  const rest = money(due.minus(paid));
  return rest.isNegative() ? money('0') : rest;
}

/** What a quantity is worth, to the cent: a buyer's fraction of a cent rounds up, a seller's down. */
export const amountOf = (at: string | Price, units: string, side: Side): Money =>
  money(quantize(notional(price(at), quantity(units)), '0.01', side === 'BUY' ? 'up' : 'down'));

/** Cash that a buy needs at a price, commission included; a fraction of a cent counts as one. */
export const costOf = (at: Price, units: string, fees: Fees, filled = '0', paid = '0'): Money =>
  money(amountOf(at, units, 'BUY').plus(commissionOf(units, fees, filled, paid)));

/** The limit of a buy that trails only falls. */
const withLimit = ['LMT', 'LOC', 'STOP_LIMIT', 'TRAILLMT'];

/**
 * Cash set aside for a buy order: at its limit, at its stop with spread and slippage, or for one at the market at the last
 * known price with both.
 */
export function estimateOf(
  terms: OrderTerms,
  last: number,
  costs: Costs,
  units: string = terms.quantity,
): Money {
  const limit = withLimit.includes(terms.orderType);
  const at =
    limit && terms.price !== null ? price(terms.price) : slipped(terms.price ?? last, terms.side, costs);
  return costOf(at, units, costs);
}
