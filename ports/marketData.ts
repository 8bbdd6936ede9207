// Where bars come from.
import type { Bar, Timeframe } from '../domain/market/bar.js';
import type { Contract } from '../domain/market/contract.js';

export interface History {
  readonly bars: readonly Bar[];
  /** Who answered, such as `ibkr`. */
  readonly source: string;
}

export interface MarketDataPort {
  /**
   * Bars up to now, oldest first: what is shown and more to warm up (timeframeRules), as far as the source has them. The
   * last bar may be unfinished; callers drop it.
   */
  history(contract: Pick<Contract, 'conid' | 'symbol'>, timeframe: Timeframe): Promise<History>;
}
