// Exact numbers for price, quantity and money, and the one gate between them and `number`.
// Everything that becomes an order, a balance or a cost goes through here; indicators never do.
import { Decimal as BaseDecimal } from 'decimal.js';

/** 40 significant digits: far more than numeric(20,8) holds, so no intermediate rounding shows. */
const Exact = BaseDecimal.clone({ precision: 40, toExpNeg: -30, toExpPos: 30 });
type Exact = BaseDecimal;

declare const kind: unique symbol;
/** A price of one unit, in the instrument's currency. */
export type Price = Exact & { readonly [kind]: 'price' };
/** A signed number of units of an instrument. */
export type Quantity = Exact & { readonly [kind]: 'quantity' };
/** An amount of one currency. */
export type Money = Exact & { readonly [kind]: 'money' };
/** A pure number: a share, a ratio, a coefficient. */
export type Ratio = Exact & { readonly [kind]: 'ratio' };

export type Rounding = 'down' | 'up' | 'nearest';

const modes: Record<Rounding, BaseDecimal.Rounding> = {
  down: BaseDecimal.ROUND_DOWN,
  up: BaseDecimal.ROUND_UP,
  nearest: BaseDecimal.ROUND_HALF_EVEN,
};

function exact(value: string | number | BaseDecimal, what: string): Exact {
  let result: Exact;
  try {
    result = new Exact(value);
  } catch {
    throw new RangeError(`${what} is not a number: ${JSON.stringify(value)}`);
  }
  if (!result.isFinite()) throw new RangeError(`${what} is not finite: ${String(value)}`);
  return result;
}

/** @throws RangeError when the text is no finite decimal number. */
export const price = (value: string | BaseDecimal): Price => exact(value, 'price') as Price;
/** @throws RangeError when the text is no finite decimal number. */
export const quantity = (value: string | BaseDecimal): Quantity => exact(value, 'quantity') as Quantity;
/** @throws RangeError when the text is no finite decimal number. */
export const money = (value: string | BaseDecimal): Money => exact(value, 'money') as Money;
/** @throws RangeError when the text is no finite decimal number. */
export const ratio = (value: string | BaseDecimal): Ratio => exact(value, 'ratio') as Ratio;

/** Price × quantity, exact. The only product of a price that is money. */
export const notional = (unitPrice: Price, units: Quantity): Money =>
  new Exact(unitPrice).times(units) as Money;

/**
 * The one gate from the world of `number` (or of finer decimals) to an increment's grid.
 * @param value a finite number or decimal
 * @param increment a positive step, such as "0.01" or "1"
 * @param rounding towards zero, away from zero, or to the nearest step (ties to even)
 * @throws RangeError when the value is not finite or the increment is not positive
 */
export function quantize(value: number | string | BaseDecimal, increment: string, rounding: Rounding): Exact {
  const step = exact(increment, 'increment');
  if (step.lte(0)) throw new RangeError(`increment must be positive: ${increment}`);
  return exact(value, 'value').div(step).toDecimalPlaces(0, modes[rounding]).times(step);
}

/** A row of a price grid: `increment` holds for prices from `from` on, until the next row. */
export interface PriceIncrement {
  readonly from: string;
  readonly increment: string;
}

/** The increment that holds at a price: the last row whose `from` is not above it (IBKR's rule). */
export function incrementAt(rows: readonly PriceIncrement[], at: number | string | BaseDecimal): string {
  const value = exact(at, 'price');
  const row = rows.filter((candidate) => exact(candidate.from, 'edge').lte(value)).at(-1);
  if (row === undefined) throw new RangeError(`no price increment is known at ${value.toString()}`);
  return row.increment;
}

/** Rounds a price to its own grid. */
export const quantizePrice = (
  value: number | string | BaseDecimal,
  rows: readonly PriceIncrement[],
  rounding: Rounding,
): Price => quantize(value, incrementAt(rows, value), rounding) as Price;
