import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BrokerOrder } from '../ports/broker.js';
import type { BrokerSnapshot, IntentRow } from '../ports/stores.js';
import { nextIntentState, orderStateOf } from './orderState.js';
import { execution, sentIntent as intent, workingOrder as order } from './testing/orders.js';

const stopLeg: BrokerOrder = {
  ...order,
  brokerOrderId: '2',
  parentBrokerOrderId: '1',
  clientOrderId: null,
  side: 'SELL',
  type: 'STP',
  timeInForce: 'GTC',
  price: '90',
};
const snapshot = (change: Partial<BrokerSnapshot>): BrokerSnapshot => ({
  mode: 'simulated',
  accountId: 'DU1',
  readStartedAt: '2026-01-01T00:00:00.000Z',
  marketTime: '2014-07-08T13:35:00.000Z',
  marketStep: 1,
  account: { accountId: 'DU1', currency: 'USD', netLiquidation: '100000', settledCash: '100000' },
  positions: [],
  orders: [],
  executions: [],
  ...change,
});
const tell = (row: IntentRow, change: Partial<BrokerSnapshot>) => {
  const state = orderStateOf(row, snapshot(change));
  return { state, next: nextIntentState(row, state) };
};

describe('what a poll says of an intent', () => {
  it('leaves what was not found as it is, and says when it could no longer be valid', () => {
    expect(tell(intent, {})).toMatchObject({ state: { found: false, pastValidity: false }, next: 'SENT' });
    const late = tell({ ...intent, state: 'UNKNOWN' }, { marketTime: intent.validUntil });
    expect(late).toMatchObject({
      state: { found: false, pastValidity: true, status: null },
      next: 'UNKNOWN',
    });
  });
  it('gives an order of a real market two minutes after its validity to be listed', () => {
    const at = (marketTime: string) => tell(intent, { mode: 'live', marketTime }).state.pastValidity;
    expect(at('2014-07-08T20:01:59.999Z')).toBe(false);
    expect(at('2014-07-08T20:02:00.000Z')).toBe(true);
  });
  it('keeps a part that filled when neither order nor execution is listed any more', () => {
    const part = { ...intent, state: 'ACKNOWLEDGED', brokerOrderId: '1', filledQuantity: '4' } as const;
    expect(tell(part, {})).toMatchObject({
      state: { found: true, filledQuantity: '4' },
      next: 'ACKNOWLEDGED',
    });
    expect(tell(part, { marketTime: intent.validUntil })).toMatchObject({
      state: { found: true, status: 'CANCELLED', filledQuantity: '4' },
      next: 'CANCELLED',
    });
  });
  it('does not call a cancelled order working because it is listed no more', () => {
    const over = { ...intent, state: 'CANCELLED', brokerOrderId: '1', filledQuantity: '4' } as const;
    expect(tell(over, {})).toMatchObject({ state: { status: 'CANCELLED' }, next: 'CANCELLED' });
  });
  it('acknowledges what is listed under our client order id', () => {
    expect(tell(intent, { orders: [order] })).toMatchObject({
      state: { found: true, brokerOrderId: '1', status: 'WORKING' },
      next: 'ACKNOWLEDGED',
    });
  });
  it('adopts an order that shows up after it was given up for lost', () => {
    const lost = { ...intent, state: 'SENT_NOT_FOUND_EXPIRED' } as const;
    expect(tell(lost, { orders: [order], marketTime: intent.validUntil }).next).toBe('ACKNOWLEDGED');
  });
  it('knows a fill by its executions alone when the order is listed no more', () => {
    const { state, next } = tell(intent, { executions: [execution] });
    expect(state).toMatchObject({
      found: true,
      status: 'FILLED',
      filledQuantity: '10',
      averagePrice: '100.05',
    });
    expect(next).toBe('FILLED');
  });
  it('weighs the average price by volume', () => {
    const parts = [
      { ...execution, quantity: '4', price: '100' },
      { ...execution, executionId: 'e2', quantity: '6', price: '101' },
    ];
    expect(tell(intent, { executions: parts }).state.averagePrice).toBe('100.6');
  });
  it('tells the average price of executions once they account for all that has filled', () => {
    const listed = { ...order, filledQuantity: '10', averagePrice: '100.5', status: 'FILLED' } as const;
    const parts = [
      { ...execution, quantity: '4', price: '100' },
      { ...execution, executionId: 'e2', quantity: '6', price: '101' },
    ];
    expect(tell(intent, { orders: [listed], executions: parts }).state.averagePrice).toBe('100.6');
    expect(tell(intent, { orders: [listed], executions: parts.slice(1) }).state.averagePrice).toBe('100.5');
  });
  it('is cancelled with its part when the day ended on a partial fill', () => {
    const partial = { ...execution, quantity: '4' };
    const { state, next } = tell(intent, { executions: [partial], marketTime: intent.validUntil });
    expect(state).toMatchObject({ status: 'CANCELLED', filledQuantity: '4' });
    expect(next).toBe('CANCELLED');
  });
  it('matches protective legs by their parent, side and type', () => {
    const strange = {
      ...order,
      brokerOrderId: '9',
      parentBrokerOrderId: '7',
      side: 'SELL',
      type: 'LMT',
    } as const;
    const target = { ...stopLeg, brokerOrderId: '3', type: 'LMT', price: '120' } as const;
    const { state } = tell(intent, { orders: [order, stopLeg, target, strange] });
    expect(state.legs.map(({ role, brokerOrderId }) => [role, brokerOrderId])).toEqual([
      ['stop', '2'],
      ['target', '3'],
    ]);
  });
  it('knows its order id, and so its legs, by its executions where neither answer nor list has told it', () => {
    const { state } = tell(intent, { orders: [stopLeg], executions: [execution] });
    expect(state).toMatchObject({ brokerOrderId: '1', legs: [{ role: 'stop', brokerOrderId: '2' }] });
  });
  it('tells a leg that filled from one that was cancelled when neither is listed any more', () => {
    const legs = [
      { role: 'stop', brokerOrderId: '2', status: 'WORKING', filledQuantity: '0' },
      { role: 'target', brokerOrderId: '3', status: 'WORKING', filledQuantity: '0' },
    ] as const;
    const filled = { ...intent, state: 'FILLED', brokerOrderId: '1', filledQuantity: '10', legs } as const;
    const out = {
      ...execution,
      executionId: 'e3',
      brokerOrderId: '2',
      clientOrderId: null,
      side: 'SELL',
    } as const;
    const { state, next } = tell(filled, { executions: [out] });
    expect(state.legs.map(({ status }) => status)).toEqual(['FILLED', 'CANCELLED']);
    expect(next).toBe('FILLED');
  });
  it('tells an end that nobody has told from one that a list told', () => {
    const legs = [
      { role: 'stop', brokerOrderId: '2', status: 'WORKING', filledQuantity: '0' },
      { role: 'target', brokerOrderId: '3', status: 'CANCELLED', filledQuantity: '0' },
    ] as const;
    const filled = { ...intent, state: 'FILLED', brokerOrderId: '1', filledQuantity: '10', legs } as const;
    const gone = tell(filled, {}).state.legs;
    expect(gone).toEqual([{ ...legs[0], status: 'CANCELLED', unproven: true }, legs[1]]);
    expect(tell({ ...filled, legs: gone }, {}).state.legs).toEqual(gone);
    const back = tell({ ...filled, legs: gone }, { orders: [stopLeg] }).state.legs;
    expect(back[0]).toMatchObject({ status: 'WORKING' });
    expect(back[0]).not.toHaveProperty('unproven');
    const held = { ...stopLeg, unlistedSince: '2014-07-08T13:40:00.000Z' };
    expect(tell(filled, { orders: [held] }).state.legs[0]).toMatchObject({
      status: 'WORKING',
      unproven: true,
    });
  });
  it('never forgets a fill, whatever the polls say one after the other', () => {
    const statuses = fc.constantFrom(
      'PENDING',
      'WORKING',
      'PENDING_CANCEL',
      'FILLED',
      'CANCELLED',
    ) as fc.Arbitrary<BrokerOrder['status']>;
    const polls = fc.array(
      fc.record({ listed: fc.boolean(), status: statuses, filled: fc.integer({ min: 0, max: 10 }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(polls, (history) => {
        let row: IntentRow = intent;
        let most = 0;
        for (const { listed, status, filled } of history) {
          const orders = listed ? [{ ...order, status, filledQuantity: String(filled) }] : [];
          if (listed) most = Math.max(most, filled);
          const { state, next } = tell(row, { orders });
          expect(Number(state.filledQuantity)).toBeGreaterThanOrEqual(most);
          row = {
            ...row,
            state: next,
            filledQuantity: state.filledQuantity,
            brokerOrderId: state.brokerOrderId,
          };
        }
        if (most === 10) expect(row.state).toBe('FILLED');
      }),
    );
  });
});
