// brokerPrice: one price of the broker for the API, asked by the one process that speaks to it. Whoever started it waits
// for what it returns.
import type { BrokerPriceInput, SourcePrice } from '../contracts/wire/price.js';
import { pricing } from './steps/proxies.js';

export const brokerPrice = (input: BrokerPriceInput): Promise<SourcePrice> => pricing.brokerPrice(input);
