// Why a source's answer is no price, and what comes of it where no source has one. Called by chain.ts.
import type { SourcePrice } from '../../contracts/wire/price.js';
import { KeelError } from '../../ports/errors.js';
import type { PriceSource } from '../../ports/prices.js';
import { isAhead } from './times.js';

export const problem = (code: string, message: string, symbol: string): KeelError =>
  new KeelError(code, message, { errorClass: 'retryable', facts: { symbol } });

/** @param currency of prices, ISO 4217: one in another is refused, never converted */
export function inCurrency(currency: string, source: PriceSource, found: SourcePrice): SourcePrice {
  if (found.currency === currency) return found;
  throw new KeelError(
    'PRICE_CURRENCY',
    `${source.name}: the price of ${found.symbol} is in ${found.currency}, and prices are kept in ${currency}.`,
    { facts: { symbol: found.symbol } },
  );
}

export function ofNow(source: PriceSource, now: string, found: SourcePrice): SourcePrice {
  if (!isAhead(found.at, now)) return found;
  const words = `${source.name}: the price of ${found.symbol} is of ${found.at}, which is to come: it is ${now}.`;
  throw problem('PRICE_AHEAD', words, found.symbol);
}

/** Whoever may answer later makes it retryable; else the first final reason is the reason. */
export function refusal(symbol: string, failures: readonly KeelError[]): KeelError {
  const passing = failures.filter(({ errorClass }) => errorClass === 'retryable');
  if (passing.length > 0) {
    const words = failures.map(({ message }) => message).join(' ');
    const unknown = failures.find(({ code }) => code === 'PRICE_UNKNOWN_SYMBOL');
    // Asking again when his part is not used up would tell him little else; who knew the symbol a moment ago still does.
    if (unknown !== undefined && passing.every(({ code }) => code === 'PRICE_SHARE')) {
      return problem(unknown.code, words, symbol);
    }
    const code = passing.every((failure) => failure.code === 'PRICE_SHARE') ? 'PRICE_SHARE' : 'PRICES_AWAY';
    return problem(code, `No source gives a price of ${symbol} now. ${words}`, symbol);
  }
  const known = failures.find(({ code }) => code !== 'PRICE_UNKNOWN_SYMBOL');
  return (
    known ??
    failures[0] ??
    new KeelError('PRICES_OFF', 'There is no source of prices; set prices.chain.', { facts: { symbol } })
  );
}
