import { describe, expect, it } from 'vitest';
import type { BrokerOrder } from '../ports/broker.js';
import type { IntentRow } from '../ports/stores.js';
import { verdictOf, type RiskInput } from './riskInput.js';

const working: BrokerOrder = {
  brokerOrderId: '1',
  parentBrokerOrderId: null,
  clientOrderId: 'earlier',
  conid: '265598',
  symbol: 'AAPL',
  side: 'BUY',
  type: 'MKT',
  timeInForce: 'DAY',
  quantity: '10',
  filledQuantity: '0',
  averagePrice: null,
  price: null,
  status: 'WORKING',
  reason: null,
};
const earlier: IntentRow = {
  clientOrderId: 'earlier',
  mode: 'simulated',
  accountId: 'DU1',
  runId: 'run0',
  symbol: 'AAPL',
  conid: '265598',
  side: 'BUY',
  quantity: '10',
  limit: null,
  stop: '90',
  target: '120',
  reservedCash: '1010',
  validUntil: '2014-07-07T20:00:00.000Z',
  state: 'ACKNOWLEDGED',
  brokerOrderId: '1',
  filledQuantity: '0',
  averagePrice: null,
  legs: [],
  reason: null,
  updatedAt: '2014-07-07T13:35:00.000Z',
};

/** A buy of an instrument, with 2000 in cash. */
const weigh = (conid: string, intents: readonly IntentRow[], orders: readonly BrokerOrder[]) => {
  const input: RiskInput = {
    format: 1,
    stage: 'admission',
    decision: {
      action: 'buy',
      entry: '100',
      stop: '95',
      target: '110',
      rCoefficient: '2.0000',
      profitMargin: '0.1000',
      rationale: '',
      analyst: 'rules',
      sources: { action: 'analyst', entry: 'analyst', stop: 'analyst', target: 'analyst' },
    },
    profile: {
      riskPerTrade: '0.01',
      maximumPositionShare: '0.10',
      minimumRCoefficient: '1.5',
      priceCollar: '0.05',
      cashReserve: '0.01',
      shortsAllowed: false,
      pyramiding: false,
    },
    ceiling: null,
    contract: {
      conid,
      symbol: 'AAPL',
      name: 'Apple',
      exchange: 'NASDAQ',
      currency: 'USD',
      priceIncrements: [{ from: '0', increment: '0.01' }],
      quantityIncrement: '1',
    },
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
