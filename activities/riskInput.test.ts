import { describe, expect, it } from 'vitest';
import { buyDecision, riskProfile, sellDecision } from '../domain/testing/facts.js';
import type { BrokerExecution, BrokerOrder, UnreadableOrder } from '../ports/broker.js';
import type { IntentRow } from '../ports/stores.js';
import { refusalText } from '../contracts/wire/refusal.js';
import { relevantSnapshot, verdictOf, type RiskInput } from './riskInput.js';
import { appleContract, sentIntent, workingOrder } from './testing/orders.js';

const working: BrokerOrder = { ...workingOrder, clientOrderId: 'earlier' };
const earlier: IntentRow = {
  ...sentIntent,
  clientOrderId: 'earlier',
  runId: 'run0',
  validUntil: '2014-07-07T20:00:00.000Z',
  state: 'ACKNOWLEDGED',
  brokerOrderId: '1',
  updatedAt: '2014-07-07T13:35:00.000Z',
};

/** A buy of an instrument, with 2000 in cash. */
const weigh = (
  conid: string,
  intents: readonly IntentRow[],
  orders: readonly BrokerOrder[],
  change: Partial<RiskInput> = {},
) => {
  const input: RiskInput = {
    format: 1,
    stage: 'admission',
    decision: buyDecision,
    profile: riskProfile,
    ceiling: null,
    contract: { ...appleContract, conid },
    quote: { last: '100', state: 'open' },
    tradingState: 'ACTIVE',
    market: {
      now: '2014-07-08T13:35:00.000Z',
      open: true,
      beforeOpen: false,
      lastBarSession: '2014-07-07',
      expectedBarSession: '2014-07-07',
    },
    snapshot: {
      readStartedAt: '2026-01-01T00:00:00.000Z',
      account: { accountId: 'DU1', currency: 'USD', netLiquidation: '2000', settledCash: '2000' },
      positions: [],
      orders,
    },
    intents,
    ...change,
  };
  return verdictOf(input);
};

describe('what an earlier order of the account takes away', () => {
  it('is counted once while its intent is open, by the cash that the intent reserves', () => {
    expect(weigh('265598', [earlier], [working]).code).toBe('PYRAMIDING');
    expect(weigh('1', [earlier], [working]).code).toBe('APPROVED');
    expect(weigh('1', [{ ...earlier, reservedCash: '1900' }], [working]).code).toBe('QUANTITY');
  });
  it('is counted as a stranger where Keel has ended the intent and the broker works the order', () => {
    for (const state of ['SENT_NOT_FOUND_EXPIRED', 'CANCELLED', 'REJECTED'] as const) {
      const ended = [{ ...earlier, state }];
      expect(weigh('265598', ended, [working]).code).toBe('PYRAMIDING');
      // A market order of a stranger may take everything.
      expect(weigh('1', ended, [working]).code).toBe('QUANTITY');
      expect(weigh('1', ended, []).code).toBe('APPROVED');
    }
  });
});

describe('an order that its list shows at work', () => {
  const fill: BrokerExecution = {
    ...{ executionId: 'e1', brokerOrderId: '1', clientOrderId: null, conid: '265598', symbol: 'AAPL' },
    ...{ side: 'BUY', quantity: '4', price: '100', commission: '1', time: '2014-07-08T13:35:00.000Z' },
  };
  const rest = { ...fill, executionId: 'e2', quantity: '6' };
  const byOurId = { ...rest, brokerOrderId: null, clientOrderId: 'earlier' };

  it.each([
    ['a part of it', [fill], 1],
    ['all of it', [fill, rest], 0],
    ['all of it, of a list without order ids', [fill, byOurId], 0],
    ['another order', [fill, { ...rest, brokerOrderId: '2' }], 1],
    ['another order of the same name', [fill, { ...byOurId, brokerOrderId: '2' }], 1],
    ['another order of the same name and no id, that sold', [fill, { ...byOurId, side: 'SELL' as const }], 1],
    ['none', [], 1],
  ])('beside executions of %s', (_what, executions, left) => {
    const { orders } = relevantSnapshot(
      {
        ...{ mode: 'paper', accountId: 'DU1', readStartedAt: '2026-01-01T00:00:00.000Z', marketStep: 0 },
        ...{ marketTime: '2014-07-08T13:36:00.000Z', positions: [] },
        account: { accountId: 'DU1', currency: 'USD', netLiquidation: '2000', settledCash: '1000' },
        ...{ orders: [working], executions },
      },
      '265598',
    );
    expect(orders).toHaveLength(left);
  });
});

describe('cash that orders made elsewhere hold', () => {
  const combo: BrokerOrder = {
    ...workingOrder,
    ...{ brokerOrderId: '81', clientOrderId: null, conid: '9', symbol: 'SPX', type: 'OTHER', price: null },
  };
  const limited: BrokerOrder = {
    ...combo,
    brokerOrderId: '82',
    symbol: 'MSFT',
    price: '150',
    quantity: '13',
  };
  const said = (orders: readonly BrokerOrder[], change: Partial<RiskInput> = {}) => {
    const verdict = weigh('1', [], orders, { namesHolders: true, ...change });
    return { code: verdict.code, text: refusalText(verdict), checks: verdict.checks };
  };

  it('is named as the cause of a refusal: how much each holds, or that one has no price', () => {
    expect(said([combo])).toMatchObject({
      code: 'QUANTITY',
      text: 'risk, position share and cash allow 0, less than one increment of 1; open buys made elsewhere take cash: order 81 (SPX) has no price, so that all cash counts as taken',
    });
    expect(said([limited]).text).toContain('elsewhere take cash: order 82 (MSFT) holds 1950');
    const many = Array.from({ length: 7 }, (_, index) => ({ ...combo, brokerOrderId: String(index) }));
    expect(said(many).text).toMatch(/order 4 \(SPX\) has no price, .*, and 2 more hold cash$/);
  });

  it('is no cause where it does not refuse, where another bound does, or of a sell', () => {
    const small = { ...limited, quantity: '1' };
    expect(said([small]).code).toBe('APPROVED');
    expect(said([small]).checks.every(({ cause }) => cause === undefined)).toBe(true);
    const profile = { ...riskProfile, riskPerTrade: '0.0000001' };
    expect(said([small], { profile })).toMatchObject({
      code: 'QUANTITY',
      text: expect.not.stringContaining('elsewhere') as string,
    });
    expect(said([{ ...combo, side: 'SELL' }]).code).toBe('APPROVED');
  });

  it('changes no verdict that was stored before causes were told', () => {
    const verdict = weigh('1', [], [combo]);
    expect(verdict.code).toBe('QUANTITY');
    expect(JSON.stringify(verdict)).not.toContain('cause');
  });
});

describe('an order made elsewhere that cannot be read', () => {
  const unreadable: UnreadableOrder = {
    brokerOrderId: '77',
    clientOrderId: 'of-another-tool',
    conid: '2',
    side: 'BUY',
    status: 'WORKING',
    problem: 'totalSize: Invalid input',
  };
  const held = {
    conid: '265598',
    symbol: 'AAPL',
    quantity: '5',
    averageCost: '100',
    marketPrice: '100',
  };
  /** A buy or a sell of 265598 beside such an order. */
  const beside = (action: 'buy' | 'sell', change: Partial<UnreadableOrder>) => {
    const snapshot = relevantSnapshot(
      {
        mode: 'simulated',
        accountId: 'DU1',
        readStartedAt: '2026-01-01T00:00:00.000Z',
        marketTime: '2014-07-08T13:35:00.000Z',
        marketStep: 1,
        account: { accountId: 'DU1', currency: 'USD', netLiquidation: '2000', settledCash: '2000' },
        positions: action === 'sell' ? [held] : [],
        orders: [],
        unreadable: [{ ...unreadable, ...change }],
        executions: [],
      },
      '265598',
    );
    const decision = action === 'sell' ? sellDecision : buyDecision;
    return weigh('265598', [], [], { snapshot, decision }).code;
  };

  it.each<['buy' | 'sell', string, Partial<UnreadableOrder>, string]>([
    ['buy', 'may take any cash', {}, 'ORDER_UNREADABLE'],
    ['buy', 'may be a buy', { side: null }, 'ORDER_UNREADABLE'],
    ['buy', 'is in no known state', { status: null }, 'ORDER_UNREADABLE'],
    ['buy', 'sells', { side: 'SELL' }, 'APPROVED'],
    ['buy', 'is over', { status: 'FILLED' }, 'APPROVED'],
    ['sell', 'may take these shares', { conid: '265598', side: 'SELL' }, 'ORDER_UNREADABLE'],
    ['sell', 'may add to them', { conid: '265598' }, 'ORDER_UNREADABLE'],
    ['sell', 'may be of these shares', { conid: null }, 'ORDER_UNREADABLE'],
    ['sell', 'is of others', { side: 'SELL' }, 'APPROVED'],
    ['sell', 'is over', { conid: '265598', status: 'CANCELLED' }, 'APPROVED'],
  ])('and a %s, where it %s: %j gives %s', (action, _why, change, code) => {
    expect(beside(action, change)).toBe(code);
  });
});
