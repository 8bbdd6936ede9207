// An order on its way as the database and the broker hold it, and its instrument. Used by the tests of activities; each
// changes what it is about.
import type { Contract } from '../../domain/market/contract.js';
import { shareGrid } from '../../domain/testing/facts.js';
import type { BrokerExecution, BrokerOrder } from '../../ports/broker.js';
import type { IntentRow } from '../../ports/stores.js';

/** A buy of ten shares at the market of 2014-07-08, sent and not yet answered. */
export const sentIntent: IntentRow = {
  clientOrderId: 'mine',
  mode: 'simulated',
  accountId: 'DU1',
  runId: 'run1',
  symbol: 'AAPL',
  conid: '265598',
  side: 'BUY',
  quantity: '10',
  limit: null,
  stop: '90',
  target: '120',
  reservedCash: '1010',
  validUntil: '2014-07-08T20:00:00.000Z',
  state: 'SENT',
  brokerOrderId: null,
  filledQuantity: '0',
  averagePrice: null,
  legs: [],
  reason: null,
  updatedAt: '2014-07-08T13:35:00.000Z',
};

/** The same order as the broker lists it while nothing of it has filled. */
export const workingOrder: BrokerOrder = {
  brokerOrderId: '1',
  parentBrokerOrderId: null,
  clientOrderId: 'mine',
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

/** The stop of that order as the broker lists it. */
export const listedStop: BrokerOrder = {
  ...workingOrder,
  brokerOrderId: '2',
  parentBrokerOrderId: '1',
  clientOrderId: null,
  side: 'SELL',
  type: 'STP',
};

export const appleContract: Contract = {
  conid: '265598',
  symbol: 'AAPL',
  name: 'Apple',
  exchange: 'NASDAQ',
  currency: 'USD',
  ...shareGrid,
};

/** All of it, filled. */
export const execution: BrokerExecution = {
  executionId: 'e1',
  brokerOrderId: '1',
  clientOrderId: 'mine',
  conid: '265598',
  symbol: 'AAPL',
  side: 'BUY',
  quantity: '10',
  price: '100.05',
  commission: '1',
  time: '2014-07-08T13:35:00.000Z',
};
