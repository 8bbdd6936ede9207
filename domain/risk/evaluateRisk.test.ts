import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { money, notional, price, quantity } from '../money/decimal.js';
import {
  buyDecision as buy,
  riskProfile as profile,
  sellDecision as sell,
  shareGrid,
} from '../testing/facts.js';
import { evaluateRisk } from './evaluateRisk.js';
import type { RiskFacts, RiskProfile } from './types.js';

const facts: RiskFacts = {
  tradingState: 'ACTIVE',
  accountCurrency: 'USD',
  priceCurrency: 'USD',
  equity: '100000',
  cash: '100000',
  reservedCash: '0',
  position: '0',
  openBuyQuantity: '0',
  openSellQuantity: '0',
  symbolLocked: false,
  quote: { last: '100', state: 'open' },
  session: { open: true },
  beforeOpen: false,
  lastBarSession: '2014-07-07',
  expectedBarSession: '2014-07-07',
  ...shareGrid,
};
const codeOf = (change: Partial<RiskFacts>, decision = buy, rules = profile) =>
  evaluateRisk(decision, rules, { ...facts, ...change }, null).code;

describe('evaluateRisk for a buy at a limit', () => {
  const limited: RiskProfile = { ...profile, entryType: 'LMT' };
  const at = (last: string) => evaluateRisk(buy, limited, { ...facts, quote: { last, state: 'open' } }, null);

  it('pays the decided price and no more: size, risk and cash are those of the limit, wherever the quote is', () => {
    for (const last of ['97', '100', '104']) {
      const verdict = at(last);
      expect(verdict).toMatchObject({ approved: true, quantity: '100', riskAmount: '500.00' });
      expect(verdict.order).toEqual({
        side: 'BUY',
        quantity: '100',
        limit: '100',
        stop: '95',
        target: '110',
      });
    }
  });

  it('weighs the reward at the limit, not at a quote that has run away', () => {
    expect(codeOf({ quote: { last: '104', state: 'open' } })).toBe('MINIMUM_R');
    expect(at('104').code).toBe('APPROVED');
  });

  it('still refuses a quote far from the decided price, and one at the stop', () => {
    expect(at('106').code).toBe('PRICE_COLLAR');
    expect(at('95').code).toBe('STOP_SIDE');
  });

  it('enters at the market where the profile has no choice, as profiles of before have none', () => {
    expect(evaluateRisk(buy, profile, facts, null).order?.limit).toBeNull();
    expect(evaluateRisk(buy, { ...profile, entryType: 'MKT' }, facts, null).order?.limit).toBeNull();
  });
});

describe('evaluateRisk for a buy', () => {
  it('approves a sound order, sized by the tightest bound', () => {
    const verdict = evaluateRisk(buy, profile, facts, null);
    expect(verdict).toMatchObject({
      approved: true,
      code: 'APPROVED',
      quantity: '100',
      riskAmount: '500.00',
      limitedBy: 'position',
      order: { side: 'BUY', quantity: '100', stop: '95', target: '110' },
    });
  });
  it.each<[string, Partial<RiskFacts>]>([
    ['TRADING_STATE', { tradingState: 'HALTED' }],
    ['TRADING_STATE', { tradingState: 'REDUCING' }],
    ['SESSION', { session: { open: false } }],
    ['SESSION', { session: { open: null }, beforeOpen: true }],
    ['STALE_BARS', { lastBarSession: '2014-07-03' }],
    ['STALE_BARS', { expectedBarSession: null }],
    ['NO_QUOTE', { quote: null }],
    ['NO_QUOTE', { quote: { last: '100', state: 'halted' } }],
    ['NO_QUOTE', { quote: { last: '100', state: 'closed' } }],
    ['SYMBOL_LOCKED', { symbolLocked: true }],
    ['PYRAMIDING', { position: '1' }],
    ['PYRAMIDING', { openBuyQuantity: '1' }],
    ['SHORT_POSITION', { position: '-1', openBuyQuantity: '1' }],
    // Ten million yen are no ten million dollars.
    ['CURRENCY', { accountCurrency: 'JPY', equity: '10000000', cash: '10000000' }],
    ['PRICE_COLLAR', { quote: { last: '105.01', state: 'open' } }],
    ['MINIMUM_R', { quote: { last: '101.01', state: 'open' } }],
    ['STOP_SIDE', { quote: { last: '95', state: 'open' } }],
    ['QUANTITY', { equity: '999' }],
    ['QUANTITY', { reservedCash: '99999' }],
  ])('refuses with %s: %j', (code, change) => {
    expect(codeOf(change)).toBe(code);
  });
  it('passes at each boundary', () => {
    expect(codeOf({ quote: { last: '101', state: 'open' } })).toBe('APPROVED');
    expect(codeOf({ equity: '1000', cash: '101' })).toBe('APPROVED');
    const loose = { ...profile, minimumRCoefficient: '0.1' };
    expect(codeOf({ quote: { last: '105', state: 'open' } }, buy, loose)).toBe('APPROVED');
  });
  it('lets a closed market through only for an order that waits for the open', () => {
    const closed = { session: { open: false }, quote: { last: '100', state: 'closed' } } as const;
    expect(codeOf({ ...closed, beforeOpen: true })).toBe('APPROVED');
    expect(codeOf(closed)).toBe('SESSION');
  });
  it('gives no order when anything failed, and shows every check all the same', () => {
    const verdict = evaluateRisk(
      buy,
      profile,
      { ...facts, tradingState: 'HALTED', symbolLocked: true },
      null,
    );
    expect(verdict.order).toBeNull();
    expect(verdict.checks.filter(({ passed }) => !passed).map(({ code }) => code)).toEqual([
      'TRADING_STATE',
      'SYMBOL_LOCKED',
    ]);
    expect(verdict.checks.length).toBeGreaterThan(10);
  });
  it('never makes an order larger than its ceiling', () => {
    const verdict = evaluateRisk(buy, profile, facts, { quantity: '7' });
    expect(verdict).toMatchObject({ approved: true, quantity: '7', riskAmount: '35.00' });
    expect(evaluateRisk(buy, profile, facts, { quantity: '700' }).quantity).toBe('100');
  });
  it('refuses to weigh a hold', () => {
    expect(() => evaluateRisk({ ...buy, action: 'hold' }, profile, facts, null)).toThrow(RangeError);
  });
  it('keeps every limit for any facts whenever it approves', () => {
    const amount = fc.integer({ min: 0, max: 1e9 }).map((value) => (value / 100).toFixed(2));
    fc.assert(
      fc.property(amount, amount, amount, amount, (equity, cash, reservedCash, last) => {
        const verdict = evaluateRisk(
          buy,
          { ...profile, priceCollar: '1', minimumRCoefficient: '0' },
          { ...facts, equity, cash, reservedCash, quote: { last, state: 'open' } },
          null,
        );
        if (!verdict.approved || verdict.order === null) return;
        const units = quantity(verdict.order.quantity);
        const value = notional(price(last), units);
        expect(units.gt(0)).toBe(true);
        expect(value.lte(money(equity).times('0.10'))).toBe(true);
        expect(value.lte(money(cash).minus(reservedCash))).toBe(true);
        expect(price(last).minus('95').times(units).lte(money(equity).times('0.01'))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('evaluateRisk for a sell', () => {
  it('closes what is held, also while trading is REDUCING', () => {
    const verdict = evaluateRisk(sell, profile, { ...facts, position: '30', tradingState: 'REDUCING' }, null);
    expect(verdict).toMatchObject({ approved: true, order: { side: 'SELL', quantity: '30', stop: null } });
  });
  it('closes nothing on stale bars', () => {
    const stale = evaluateRisk(
      sell,
      profile,
      { ...facts, position: '30', lastBarSession: '2014-07-03' },
      null,
    );
    expect(stale).toMatchObject({ code: 'STALE_BARS', order: null });
  });
  it('is NOTHING_TO_SELL while flat or short', () => {
    expect(codeOf({}, sell)).toBe('NOTHING_TO_SELL');
    expect(codeOf({ position: '-3' }, sell)).toBe('NOTHING_TO_SELL');
  });
  it('refuses while another order of the symbol may still trade', () => {
    expect(codeOf({ position: '5', openBuyQuantity: '1' }, sell)).toBe('OPEN_BUYS');
    expect(codeOf({ position: '5', openSellQuantity: '1' }, sell)).toBe('OPEN_SELLS');
    expect(codeOf({ position: '5', tradingState: 'HALTED' }, sell)).toBe('TRADING_STATE');
  });
});
