// Every pre-trade control, for a decision and the facts of one moment. Called twice a run: to propose an order, and
// again under the account's lock to admit it. All checks are computed, so a refusal shows the whole picture.
import type { Decision } from '../decision/decision.js';
import { rCoefficient } from '../decision/coefficients.js';
import { money, notional, price, quantity, type Money, type Price, type Quantity } from '../money/decimal.js';
import { sizeLong, type Size } from '../sizing/size.js';
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

const check = (code: string, passed: boolean, value: string, limit: string, text: string): RiskCheck => ({
  code,
  passed,
  value,
  limit,
  text,
});

function commonChecks(decision: Decision, facts: RiskFacts): RiskCheck[] {
  const state = facts.tradingState;
  const mayTrade = state === 'ACTIVE' || (state === 'REDUCING' && decision.action === 'sell');
  const { open } = facts.session;
  const quoteState = facts.quote?.state ?? 'none';
  const usable = quoteState === 'open' || (quoteState === 'closed' && facts.beforeOpen);
  return [
    check('TRADING_STATE', mayTrade, state, 'ACTIVE', 'the trading state lets this order through'),
    check(
      'SESSION',
      open === true || (open === false && facts.beforeOpen),
      open === null ? 'unknown' : open ? 'open' : 'closed',
      facts.beforeOpen ? 'known' : 'open',
      'the exchange calendar knows this moment and lets the order through',
    ),
    check(
      'STALE_BARS',
      facts.expectedBarSession !== null && facts.lastBarSession === facts.expectedBarSession,
      facts.lastBarSession,
      facts.expectedBarSession ?? 'unknown',
      'the last daily bar is that of the last closed session',
    ),
    check(
      'NO_QUOTE',
      usable,
      quoteState,
      facts.beforeOpen ? 'closed or open' : 'open',
      'there is a usable quote',
    ),
    check(
      'SYMBOL_LOCKED',
      !facts.symbolLocked,
      String(facts.symbolLocked),
      'false',
      'no earlier order is unresolved',
    ),
  ];
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

function positionChecks(profile: RiskProfile, facts: RiskFacts): RiskCheck[] {
  const held = quantity(facts.position).plus(facts.openBuyQuantity);
  return [
    check(
      'PYRAMIDING',
      profile.pyramiding || held.isZero(),
      held.toString(),
      profile.pyramiding ? 'any' : '0',
      'nothing is held or on order, or adding is allowed',
    ),
    check(
      'SHORT_POSITION',
      quantity(facts.position).gte(0),
      facts.position,
      '0',
      'no short position is open',
    ),
    check(
      'CURRENCY',
      facts.priceCurrency === facts.accountCurrency,
      facts.priceCurrency,
      facts.accountCurrency,
      'the instrument is priced in the currency of the account: nothing is exchanged',
    ),
  ];
}

function priceChecks(
  entry: Price,
  last: Price,
  cost: Price,
  stop: Price,
  target: Price,
  profile: RiskProfile,
): RiskCheck[] {
  const distance = last.minus(entry).abs().div(entry);
  const r = rCoefficient(cost, stop, target);
  return [
    check(
      'PRICE_COLLAR',
      distance.lte(profile.priceCollar),
      distance.toFixed(4),
      profile.priceCollar,
      'the quote is close to the price that was decided on',
    ),
    check(
      'MINIMUM_R',
      r?.gte(profile.minimumRCoefficient) ?? false,
      r?.toFixed(4, 1) ?? 'none',
      profile.minimumRCoefficient,
      'reward per unit of risk at the quote is enough',
    ),
  ];
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

function sizeChecks(size: Size, cost: Price, profile: RiskProfile, facts: RiskFacts): RiskCheck[] {
  const value = notional(cost, size.quantity);
  const held = notional(cost, quantity(quantity(facts.position).plus(facts.openBuyQuantity)));
  const positionLimit = money(facts.equity).times(profile.maximumPositionShare);
  const cashNeeded = value.times(money('1').plus(profile.cashReserve));
  const available = money(facts.cash).minus(facts.reservedCash);
  const riskLimit = money(facts.equity).times(profile.riskPerTrade);
  const within = (code: string, amount: Money, limit: Money, text: string) =>
    check(code, amount.lte(limit), amount.toFixed(2), limit.toFixed(2), text);
  return [
    check(
      'QUANTITY',
      size.quantity.gte(facts.quantityIncrement),
      size.quantity.toString(),
      facts.quantityIncrement,
      'the size is at least one increment',
    ),
    within(
      'POSITION_SHARE',
      money(value.plus(held)),
      money(positionLimit),
      'the position stays within its share of equity',
    ),
    within('CASH', money(cashNeeded), money(available), 'the cash that nothing else reserved is enough'),
    within(
      'RISK_PER_TRADE',
      size.riskAmount,
      money(riskLimit),
      'the loss at the stop stays within the limit',
    ),
  ];
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
