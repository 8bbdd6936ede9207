// The broker's price of a symbol, for a process that does not speak to the broker. Called by workflows/brokerPrice.ts.
import type { BrokerPriceInput, SourcePrice } from '../contracts/wire/price.js';
import type { PriceSource } from '../ports/prices.js';

export interface PriceDeps {
  readonly brokerPrices: PriceSource;
}

export function createPriceActivities({ brokerPrices }: PriceDeps) {
  return {
    /** @throws the errors of PriceSource */
    brokerPrice: ({ symbol }: BrokerPriceInput): Promise<SourcePrice> => brokerPrices.price(symbol),
  };
}
