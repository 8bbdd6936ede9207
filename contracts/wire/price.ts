// A price as one source says it; crosses processes where the worker asks the broker for the API.

export interface BrokerPriceInput {
  readonly symbol: string;
}

/** What one source says of one symbol. */
export interface SourcePrice {
  readonly symbol: string;
  /** Decimal string. */
  readonly price: string;
  /** ISO 4217. */
  readonly currency: string;
  /** When the price was made, ISO 8601 UTC; of the market, not of the request. */
  readonly at: string;
  readonly previousClose: string | null;
  /** Units traded in the session so far. */
  readonly volume: number | null;
  /** In `currency`, where the source knows it. */
  readonly marketCap: string | null;
}
