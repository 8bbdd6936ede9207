// What can be wrong with the terms of an order themselves, whoever sends it. Pure; called by orders.ts.
import { price, quantity, quantize } from '../../domain/money/decimal.js';
import type { Instrument, OrderTerms, OrderType, TimeInForce } from './types.js';
import { PRICE_INCREMENT } from './types.js';

const MOST_SHARES = 1_000_000_000;
const CRYPTO_UNIT = '0.0001';
/** USD. Far above any price; what is beyond has no plain digits in the ledger. */
const MOST_PRICE = 1_000_000_000;
const PERCENT_INCREMENT = '0.0001';

/** How long orders of a kind may live: those for the close do not outlive it, and only simple ones can be for the open. */
const lives: Readonly<Record<OrderType, readonly TimeInForce[]>> = {
  MKT: ['DAY', 'GTC', 'IOC', 'OPG'],
  LMT: ['DAY', 'GTC', 'IOC', 'OPG'],
  STP: ['DAY', 'GTC'],
  STOP_LIMIT: ['DAY', 'GTC'],
  TRAIL: ['DAY', 'GTC'],
  TRAILLMT: ['DAY', 'GTC'],
  MOC: ['DAY'],
  LOC: ['DAY'],
};

/** In words; null when nothing is wrong. */
export function termsProblem(terms: OrderTerms, kind: Instrument['kind']): string | null {
  return quantityProblem(terms, kind) ?? lifeProblem(terms) ?? pricesProblem(terms);
}

function quantityProblem(terms: OrderTerms, kind: Instrument['kind']): string | null {
  const units = quantity(terms.quantity);
  const isCrypto = kind === 'crypto';
  const isWhole = isCrypto ? quantize(units, CRYPTO_UNIT, 'down').eq(units) : units.isInteger();
  if (isWhole && units.gt(0) && units.lte(MOST_SHARES)) return null;
  return isCrypto
    ? `Quantity ${terms.quantity} is not from ${CRYPTO_UNIT} to ${MOST_SHARES} in steps of ${CRYPTO_UNIT}`
    : `Quantity ${terms.quantity} is not a whole number of shares from 1 to ${MOST_SHARES}`;
}

function lifeProblem({ orderType, tif }: OrderTerms): string | null {
  if (lives[orderType].includes(tif)) return null;
  return `A ${orderType} order cannot have a time in force of ${tif}; it can have ${lives[orderType].join(', ')}`;
}

function pricesProblem(terms: OrderTerms): string | null {
  const { orderType, auxPrice, trail } = terms;
  if (orderType === 'MKT' || orderType === 'MOC') return null;
  if (orderType === 'TRAIL') return trailProblem(terms);
  if (orderType === 'TRAILLMT' && (terms.price === null || auxPrice === undefined))
    return 'A TRAILLMT order needs a price and an auxPrice';
  if (terms.price === null) return `A ${orderType} order needs a price`;
  if (orderType === 'STOP_LIMIT' && auxPrice === undefined) return 'A STOP_LIMIT order needs an auxPrice';
  if (orderType === 'TRAILLMT') {
    const problem = trailProblem(terms);
    if (problem !== null) return problem;
  } else if (trail !== undefined) return `A ${orderType} order has no trailing amount`;
  return isOnGrid(terms.price) && (auxPrice === undefined || isOnGrid(auxPrice)) ? null : offGrid;
}

function trailProblem({ orderType, trail, price: first }: OrderTerms): string | null {
  if (trail === undefined) return `A ${orderType} order needs a trailingType and a trailingAmt`;
  const size = price(trail.size);
  if (size.lte(0) || (trail.by === '%' && size.gte(100)))
    return `The trailing amount ${trail.size} is not above zero, or not below 100 percent`;
  if (!isOnGrid(trail.size, trail.by === 'amt' ? PRICE_INCREMENT : PERCENT_INCREMENT)) return offGrid;
  return first === null || isOnGrid(first) ? null : offGrid;
}

const offGrid = 'The price does not conform to the minimum price variation for this contract.';

function isOnGrid(text: string, increment = PRICE_INCREMENT): boolean {
  const at = price(text);
  return at.gt(0) && at.lte(MOST_PRICE) && quantize(at, increment, 'down').eq(at);
}
