// A failed pre-trade check in words: what was found, and why no order follows. Used by workflows and by admission.
import type { RiskCheck, RiskVerdict } from '../../domain/risk/types.js';

const sentences: Readonly<Record<string, (check: RiskCheck) => string>> = {
  TRADING_STATE: ({ value }) => `trading is ${value}, which does not let this order through`,
  SESSION: ({ value }) => `the exchange is ${value} at this moment`,
  STALE_BARS: ({ value, limit }) =>
    `the last daily bar is that of ${value}, and that of ${limit} should be there`,
  NO_QUOTE: ({ value }) => `there is no usable quote (${value})`,
  SYMBOL_LOCKED: () => 'an earlier order of this symbol is not resolved yet',
  ORDER_UNREADABLE: ({ value }) =>
    `the broker lists order ${value}, which cannot be read and may take what this one needs: look at it there`,
  OPEN_BUYS: ({ value }) => `a buy of ${value} of this symbol is still open`,
  OPEN_SELLS: ({ value }) => `another sell may still take ${value} of the shares`,
  PYRAMIDING: ({ value }) =>
    `${value} are held or on order already, and this strategy does not add to a position (risk.pyramiding is off)`,
  SHORT_POSITION: ({ value }) => `a short position of ${value} is open`,
  CURRENCY: ({ value, limit }) => `the instrument is priced in ${value} and the account is kept in ${limit}`,
  STOP_SIDE: ({ value, limit }) => `the quote ${value} is not above the stop ${limit}`,
  PRICE_COLLAR: ({ value, limit }) =>
    `the quote is a share of ${value} away from the decided price, and ${limit} is allowed`,
  TIMEFRAMES_AGREE: ({ value }) =>
    `the workflow lets a buy through only where every timeframe scores above zero: ${value || 'none has a score'}`,
  MINIMUM_R: ({ value, limit }) => `reward per unit of risk is ${value} now, and ${limit} is the least`,
  QUANTITY: ({ value, limit }) =>
    `risk, position share and cash allow ${value}, less than one increment of ${limit}`,
  POSITION_SHARE: ({ value, limit }) =>
    `the position would be worth ${value}, and ${limit} is its share of equity`,
  CASH: ({ value, limit }) => `${value} of cash is needed with costs, and ${limit} is free`,
  RISK_PER_TRADE: ({ value, limit }) => `${value} would be lost at the stop, and ${limit} is the most`,
};

/** Why a verdict refuses, in one sentence; its code where no check has failed. */
export function refusalText(verdict: Pick<RiskVerdict, 'code' | 'checks'>): string {
  const failed = verdict.checks.find(({ passed }) => !passed);
  if (failed === undefined) return verdict.code;
  const sentence =
    sentences[failed.code]?.(failed) ?? `${failed.text}: no (${failed.value}, limit ${failed.limit})`;
  return failed.cause === undefined ? sentence : `${sentence}; ${failed.cause}`;
}
