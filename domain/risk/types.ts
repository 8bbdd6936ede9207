// The words of risk: what a strategy may risk, what is known when an order is weighed, and the verdict.
import type { Timeframe } from '../market/bar.js';
import type { PriceIncrement } from '../money/decimal.js';

/** What a strategy may risk. Shares and ratios are decimal strings; all are required. */
export interface RiskProfile {
  /** Share of equity lost when the stop is hit, such as "0.01". */
  readonly riskPerTrade: string;
  /** Largest share of equity in one symbol, such as "0.10". */
  readonly maximumPositionShare: string;
  /** Smallest R coefficient that may trade. */
  readonly minimumRCoefficient: string;
  /** Largest distance of the quote from the decision's entry, as a share of the entry. */
  readonly priceCollar: string;
  /** Cash kept aside for costs, as a share of the order's value. */
  readonly cashReserve: string;
  readonly shortsAllowed: boolean;
  readonly pyramiding: boolean;
  /**
   * The order that a buy enters with: MKT at whatever the market asks, LMT at the decision's entry or better, which rests
   * for the session and may end without a fill. Strategies stored before there was a choice have none: MKT.
   */
  readonly entryType?: 'MKT' | 'LMT';
}

/** The facts an order is weighed on. Amounts are decimal strings in the account's currency. */
export interface RiskFacts {
  readonly tradingState: 'ACTIVE' | 'REDUCING' | 'HALTED';
  /** ISO 4217: of the account's amounts, and of the instrument's prices. */
  readonly accountCurrency: string;
  readonly priceCurrency: string;
  readonly equity: string;
  /** Settled cash, before what open intents reserve. */
  readonly cash: string;
  /** Cash that open buy intents and orders have reserved. */
  readonly reservedCash: string;
  /** The part of it that orders made elsewhere hold; absent where there are none. */
  readonly heldElsewhere?: readonly CashHolder[];
  /** Signed position in the symbol. */
  readonly position: string;
  /** Units of the symbol that open intents and orders may still add (buys) and take away (sells). */
  readonly openBuyQuantity: string;
  readonly openSellQuantity: string;
  /** True while an earlier order of this symbol has an unknown outcome. */
  readonly symbolLocked: boolean;
  readonly quote: QuoteFacts | null;
  readonly session: {
    /** True when the exchange is open at `marketTime`; null for a day the calendar does not know. */
    readonly open: boolean | null;
  };
  /** True when the order is only proposed and will wait for the open; the session check is then left to admission. */
  readonly beforeOpen: boolean;
  /** The last complete daily bar's session, and the one the calendar says is the last. */
  readonly lastBarSession: string;
  readonly expectedBarSession: string | null;
  readonly priceIncrements: readonly PriceIncrement[];
  readonly quantityIncrement: string;
  /** What each timeframe scored, where the workflow definition wants them to agree; else absent. */
  readonly timeframeScores?: readonly TimeframeScore[];
  /** Orders of the account that cannot be read and may take what this one needs; absent where there are none. */
  readonly unreadableOrders?: readonly string[];
}

export interface CashHolder {
  /** The broker's id of the order. */
  readonly order: string;
  readonly symbol: string;
  readonly amount: string;
  /** One without a price may take all cash, and counts as if it did. */
  readonly priced: boolean;
}

export interface TimeframeScore {
  readonly timeframe: Timeframe;
  readonly score: number;
}

export interface QuoteFacts {
  readonly last: string;
  readonly state: 'open' | 'closed' | 'halted';
}

export interface RiskCheck {
  /** What was checked, in code style: `POSITION_SHARE`. */
  readonly code: string;
  readonly passed: boolean;
  readonly value: string;
  readonly limit: string;
  /** One sentence for people. */
  readonly text: string;
  /** What made it fail, where the decision and the strategy did not. */
  readonly cause?: string;
}

/** The order that risk allows. Prices and quantity are on the instrument's grid. */
export interface ProposedOrder {
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  /** The most that a buy pays a unit; null for a market order. */
  readonly limit: string | null;
  readonly stop: string | null;
  readonly target: string | null;
}

export interface RiskVerdict {
  readonly approved: boolean;
  /** APPROVED, or the code of the first failed check. */
  readonly code: string;
  readonly quantity: string;
  /** Money lost when the stop is hit: (entry − stop) × quantity. */
  readonly riskAmount: string;
  /** Which bound set the quantity: risk, position share, cash or the position held. */
  readonly limitedBy: 'risk' | 'position' | 'cash' | 'held' | 'none';
  readonly checks: readonly RiskCheck[];
  readonly order: ProposedOrder | null;
}
