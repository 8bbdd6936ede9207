// Every pre-trade control, for a decision and the facts of one moment. Called twice a run: to propose an order, and
// again under the account's lock to admit it. All checks are computed, so a refusal shows the whole picture.
import type { Decision } from '../decision/decision.js';
import { money, notional, price, quantity, type Money, type Price, type Quantity } from '../money/decimal.js';
import { sizeLong, type Size } from '../sizing/size.js';
import { check, commonChecks, positionChecks, priceChecks, sizeChecks } from './checks.js';
import type { RiskCheck, RiskFacts, RiskProfile, RiskVerdict } from './types.js';

/** A ceiling from an earlier stage: admission may only make the proposed order smaller. */
export interface Ceiling {
  readonly quantity: string;
}

/**
 * @returns a verdict whose code is APPROVED or the first failed check's; a sell with nothing held is NOTHING_TO_SELL.
 * @throws RangeError for a hold (there is nothing to weigh) and for facts that are no numbers.
 */
export function evaluateRisk(
  decision: Decision,
  profile: RiskProfile,
  facts: RiskFacts,
  ceiling: Ceiling | null,
): RiskVerdict {
  if (decision.action === 'hold') throw new RangeError('a hold has no order to weigh');
  const common = commonChecks(decision, facts);
  return decision.action === 'buy'
    ? evaluateBuy(decision, profile, facts, ceiling, common)
    : evaluateSell(facts, common);
}

function evaluateSell(facts: RiskFacts, common: RiskCheck[]): RiskVerdict {
  const held = quantity(facts.position);
  if (held.lte(0)) return verdict('NOTHING_TO_SELL', common, null, quantity('0'), money('0'), 'none');
  const checks = [
    ...common,
    check(
      'OPEN_BUYS',
      quantity(facts.openBuyQuantity).isZero(),
      facts.openBuyQuantity,
      '0',
      'no buy of this symbol is still open',
    ),
    check(
      'OPEN_SELLS',
      quantity(facts.openSellQuantity).isZero(),
      facts.openSellQuantity,
      '0',
      'no other sell of this symbol may still take the shares',
    ),
  ];
  const order = { side: 'SELL', quantity: held.toString(), limit: null, stop: null, target: null } as const;
  return verdict(firstFailure(checks), checks, order, held, money('0'), 'held');
}

function evaluateBuy(
  decision: Decision,
  profile: RiskProfile,
  facts: RiskFacts,
  ceiling: Ceiling | null,
  common: RiskCheck[],
): RiskVerdict {
  if (decision.entry === null || decision.stop === null || decision.target === null) {
    throw new RangeError('a buy needs an entry, a stop and a target');
  }
  const stop = price(decision.stop);
  const target = price(decision.target);
  const last = facts.quote === null ? null : price(facts.quote.last);
  const checks = [...common, ...positionChecks(profile, facts)];
  if (last === null || last.lte(stop)) {
    const text = 'the quote is above the stop';
    checks.push(check('STOP_SIDE', false, last?.toString() ?? 'none', decision.stop, text));
    return verdict(firstFailure(checks), checks, null, quantity('0'), money('0'), 'none');
  }
  const entry = price(decision.entry);
  const limited = profile.entryType === 'LMT';
  // What a unit may cost: a limit order never more than its limit, wherever the market stands.
  const cost = limited ? entry : last;
  checks.push(...priceChecks(entry, last, cost, stop, target, profile));
  const size = capped(sizeLong(sizingInput(profile, facts, cost, stop)), ceiling, cost, stop);
  checks.push(...sizeChecks(size, cost, profile, facts));
  const order = {
    side: 'BUY',
    quantity: size.quantity.toString(),
    limit: limited ? decision.entry : null,
    stop: decision.stop,
    target: decision.target,
  } as const;
  return verdict(firstFailure(checks), checks, order, size.quantity, size.riskAmount, size.limitedBy);
}

const sizingInput = (profile: RiskProfile, facts: RiskFacts, entry: Price, stop: Price) => ({
  equity: money(facts.equity),
  riskPerTrade: profile.riskPerTrade,
  entry,
  stop,
  maximumPositionShare: profile.maximumPositionShare,
  exposure: quantity(quantity(facts.position).plus(facts.openBuyQuantity)),
  availableCash: money(money(facts.cash).minus(facts.reservedCash)),
  cashReserve: profile.cashReserve,
  quantityIncrement: facts.quantityIncrement,
});

function capped(size: Size, ceiling: Ceiling | null, cost: Price, stop: Price): Size {
  if (ceiling === null || size.quantity.lte(ceiling.quantity)) return size;
  const units = quantity(ceiling.quantity);
  return { ...size, quantity: units, riskAmount: notional(price(cost.minus(stop)), units) };
}

const firstFailure = (checks: readonly RiskCheck[]): string =>
  checks.find((candidate) => !candidate.passed)?.code ?? 'APPROVED';

function verdict(
  code: string,
  checks: readonly RiskCheck[],
  order: RiskVerdict['order'],
  units: Quantity,
  riskAmount: Money,
  limitedBy: RiskVerdict['limitedBy'],
): RiskVerdict {
  const approved = code === 'APPROVED';
  return {
    approved,
    code,
    quantity: units.toString(),
    riskAmount: riskAmount.toFixed(2, 0),
    limitedBy,
    checks,
    order: approved ? order : null,
  };
}
