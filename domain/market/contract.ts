// A tradable instrument as the broker describes it.
import type { PriceIncrement } from '../money/decimal.js';

export interface Contract {
  /** The broker's id of the instrument. */
  readonly conid: string;
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly priceIncrements: readonly PriceIncrement[];
  /** Smallest step of a quantity, such as "1". */
  readonly quantityIncrement: string;
}
