// The single checks of a verdict: each with its value, its limit and one sentence. Called by evaluateRisk.ts.
import { rCoefficient } from '../decision/coefficients.js';
import type { Decision } from '../decision/decision.js';
import { money, notional, quantity, type Money, type Price } from '../money/decimal.js';
import type { Size } from '../sizing/size.js';
import type { CashHolder, RiskCheck, RiskFacts, RiskProfile } from './types.js';

export const check = (
  code: string,
  passed: boolean,
  value: string,
  limit: string,
  text: string,
): RiskCheck => ({
  code,
  passed,
  value,
  limit,
  text,
});

/** Of buys and sells alike. */
export function commonChecks(decision: Decision, facts: RiskFacts): RiskCheck[] {
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
    ...readability(facts),
  ];
}

/** Only where there is such an order. */
function readability({ unreadableOrders: orders }: RiskFacts): RiskCheck[] {
  if (orders === undefined || orders.length === 0) return [];
  const text = 'every order that may take what this one needs can be read';
  return [check('ORDER_UNREADABLE', false, orders.join(', '), 'none', text)];
}

/** Of a buy: what is held, and what its definition asks besides. */
export function positionChecks(profile: RiskProfile, facts: RiskFacts): RiskCheck[] {
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
    ...agreement(facts),
  ];
}

/** Only where the run's workflow definition has the gate timeframesAgree; without a score nothing agrees. */
function agreement({ timeframeScores: scores }: RiskFacts): RiskCheck[] {
  if (scores === undefined) return [];
  const agree = scores.length > 0 && scores.every(({ score }) => score > 0);
  const shown = scores.map(({ timeframe, score }) => `${timeframe} ${score.toFixed(2)}`).join(', ');
  return [check('TIMEFRAMES_AGREE', agree, shown, 'above 0', 'every timeframe speaks for a buy')];
}

export function priceChecks(
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

/** Named one by one, as a person has to find them at the broker. */
const mostNamed = 5;

function holding({ order, symbol, amount, priced }: CashHolder): string {
  return priced
    ? `order ${order} (${symbol}) holds ${amount}`
    : `order ${order} (${symbol}) has no price, so that all cash counts as taken`;
}

/** Only where such orders hold cash and the check has failed for want of it. */
function blamed(failed: RiskCheck, { heldElsewhere: holders }: RiskFacts): RiskCheck {
  if (failed.passed || holders === undefined || holders.length === 0) return failed;
  const named = holders.slice(0, mostNamed).map(holding).join(', ');
  const more = holders.length > mostNamed ? `, and ${String(holders.length - mostNamed)} more hold cash` : '';
  return { ...failed, cause: `open buys made elsewhere take cash: ${named}${more}` };
}

export function sizeChecks(size: Size, cost: Price, profile: RiskProfile, facts: RiskFacts): RiskCheck[] {
  const value = notional(cost, size.quantity);
  const held = notional(cost, quantity(quantity(facts.position).plus(facts.openBuyQuantity)));
  const positionLimit = money(facts.equity).times(profile.maximumPositionShare);
  const cashNeeded = value.times(money('1').plus(profile.cashReserve));
  const available = money(facts.cash).minus(facts.reservedCash);
  const riskLimit = money(facts.equity).times(profile.riskPerTrade);
  const within = (code: string, amount: Money, limit: Money, text: string) =>
    check(code, amount.lte(limit), amount.toFixed(2), limit.toFixed(2), text);
  const enough = check(
    'QUANTITY',
    size.quantity.gte(facts.quantityIncrement),
    size.quantity.toString(),
    facts.quantityIncrement,
    'the size is at least one increment',
  );
  const cash = within(
    'CASH',
    money(cashNeeded),
    money(available),
    'the cash that nothing else reserved is enough',
  );
  return [
    size.limitedBy === 'cash' ? blamed(enough, facts) : enough,
    within(
      'POSITION_SHARE',
      money(value.plus(held)),
      money(positionLimit),
      'the position stays within its share of equity',
    ),
    blamed(cash, facts),
    within(
      'RISK_PER_TRADE',
      size.riskAmount,
      money(riskLimit),
      'the loss at the stop stays within the limit',
    ),
  ];
}
