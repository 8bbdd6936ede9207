// What a call to a model costs, exact, in USD. Pure; used before a call to reserve and after it to settle.
import { Decimal } from 'decimal.js';
import { money, type Money } from '../money/decimal.js';

/** USD for a million tokens, as decimal strings. */
export interface TokenPrice {
  readonly input: string;
  readonly output: string;
}

const million = 1_000_000;
/** Rounded up to a ten-thousandth of a cent: never less than it costs. */
const decimals = 6;

/** @throws RangeError when a price is no decimal number */
export function callCost(price: TokenPrice, inputTokens: number, outputTokens: number): string {
  const input = money(price.input).times(inputTokens);
  const output = money(price.output).times(outputTokens);
  return input.plus(output).div(million).toDecimalPlaces(decimals, Decimal.ROUND_UP).toFixed();
}

/** A token is at least a byte and mostly three or four; two is on the safe side for English and JSON. */
const bytesPerToken = 2;
/** More than most providers count for one picture of ours; of the few small models that count more a token is cheap. */
const tokensPerPicture = 3000;

/** The most tokens that a question can have, for the reservation. */
export const mostInputTokens = (textBytes: number, pictures: number): number =>
  Math.ceil(textBytes / bytesPerToken) + pictures * tokensPerPicture;

/** USD of calls; one that is under way, or was never settled, counts what is reserved for it. */
export const spentOn = (
  calls: readonly { readonly costUsd: string | null; readonly reservedUsd: string }[],
): Money =>
  calls.reduce((sum, { costUsd, reservedUsd }) => money(sum.plus(costUsd ?? reservedUsd)), money('0'));
