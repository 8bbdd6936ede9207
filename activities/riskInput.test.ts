import { describe, expect, it } from 'vitest';
import { buyDecision, riskProfile } from '../domain/testing/facts.js';
import type { BrokerOrder } from '../ports/broker.js';
import type { IntentRow } from '../ports/stores.js';
import { verdictOf, type RiskInput } from './riskInput.js';
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
const weigh = (conid: string, intents: readonly IntentRow[], orders: readonly BrokerOrder[]) => {
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
