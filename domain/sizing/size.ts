// Position size by risk: how many units may be lost to the stop, capped by the position's share and by cash.
import {
  money,
  notional,
  quantity,
  quantize,
  type Money,
  type Price,
  type Quantity,
} from '../money/decimal.js';

export interface SizingInput {
  readonly equity: Money;
  /** Share of equity lost when the stop is hit. */
  readonly riskPerTrade: string;
  readonly entry: Price;
  readonly stop: Price;
  readonly maximumPositionShare: string;
  /** Units already held or on order in the symbol. */
  readonly exposure: Quantity;
  /** Cash that nothing else has reserved. */
  readonly availableCash: Money;
  /** Share of the order's value kept for costs. */
  readonly cashReserve: string;
  readonly quantityIncrement: string;
}

export interface Size {
  readonly quantity: Quantity;
  readonly limitedBy: 'risk' | 'position' | 'cash';
  /** (entry − stop) × quantity. */
  readonly riskAmount: Money;
}

/**
 * quantity = min(equity × riskPerTrade ÷ (entry − stop), (equity × maximumPositionShare − exposure × entry) ÷ entry,
 * availableCash ÷ (entry × (1 + cashReserve))), rounded down to the increment and never below zero.
 * Fixed-fractional sizing, as in Ralph Vince, The Mathematics of Money Management (1992), for one long position.
 * @throws RangeError when the stop is not below the entry or the entry is not positive.
 */
export function sizeLong(input: SizingInput): Size {
  const unitRisk = input.entry.minus(input.stop);
  if (!input.entry.isPositive() || input.entry.isZero() || unitRisk.lte(0)) {
    throw new RangeError(
      `a long needs 0 < stop < entry: ${input.stop.toString()}, ${input.entry.toString()}`,
    );
  }
  const bounds = [
    { limitedBy: 'risk', units: input.equity.times(input.riskPerTrade).div(unitRisk) },
    {
      limitedBy: 'position',
      units: input.equity.times(input.maximumPositionShare).div(input.entry).minus(input.exposure),
    },
    {
      limitedBy: 'cash',
      units: input.availableCash.div(input.entry.times(money('1').plus(input.cashReserve))),
    },
  ] as const;
  const tightest = bounds.reduce((least, bound) => (bound.units.lt(least.units) ? bound : least));
  const floored = quantity(quantize(tightest.units, input.quantityIncrement, 'down'));
  const units = floored.isNegative() ? quantity('0') : floored;
  return { quantity: units, limitedBy: tightest.limitedBy, riskAmount: notional(unitRisk as Price, units) };
}
