import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedTrades, type TradeExecution } from './trades.js';

let count = 0;
const execution = (
  side: 'BUY' | 'SELL',
  quantity: string,
  price: string,
  changes: Partial<TradeExecution> = {},
): TradeExecution => ({
  brokerOrderId: `o${(count += 1)}`,
  executionId: `e${count}`,
  conid: '1',
  side,
  quantity,
  price,
  commission: '0',
  ...changes,
});

describe('closed trades', () => {
  it('earn what they sold for less the average cost, commissions included', () => {
    const trades = closedTrades([
      execution('BUY', '10', '10', { commission: '1' }),
      execution('BUY', '10', '20', { commission: '1' }),
      execution('SELL', '10', '16', { commission: '1' }),
      execution('SELL', '10', '15', { commission: '1' }),
    ]);
    // Cost of ten: (302 / 20) x 10 = 151.
    expect(trades).toMatchObject({ count: 2, won: 1 });
    expect(trades.result.toFixed()).toBe('6');
  });

  it('count the fills of one sell order as one trade', () => {
    const trades = closedTrades([
      execution('BUY', '10', '10'),
      execution('SELL', '4', '11', { brokerOrderId: 'one' }),
      execution('SELL', '6', '9', { brokerOrderId: 'one' }),
    ]);
    expect(trades).toMatchObject({ count: 1, won: 0 });
    expect(trades.result.toFixed()).toBe('-2');
  });

  it('know nothing of units that were not bought here', () => {
    expect(closedTrades([execution('SELL', '5', '10')])).toMatchObject({ count: 0 });
    const half = closedTrades([execution('BUY', '5', '10'), execution('SELL', '10', '11')]);
    expect(half.result.toFixed()).toBe('5');
  });

  it('keep instruments apart', () => {
    const trades = closedTrades([
      execution('BUY', '1', '10'),
      execution('BUY', '1', '20', { conid: '2' }),
      execution('SELL', '1', '19', { conid: '2' }),
    ]);
    expect(trades.result.toFixed()).toBe('-1');
  });

  it('sum to proceeds less cost once all is sold', () => {
    const fill = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 99_999 }));
    fc.assert(
      fc.property(
        fc.array(fill, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 99_999 }),
        (buys, last) => {
          const units = buys.reduce((sum, [quantity]) => sum + quantity, 0);
          const cost = buys.reduce((sum, [quantity, cents]) => sum + quantity * cents, 0);
          const trades = closedTrades([
            ...buys.map(([quantity, cents]) => execution('BUY', String(quantity), (cents / 100).toFixed(2))),
            execution('SELL', String(units), (last / 100).toFixed(2)),
          ]);
          expect(trades.result.times(100).toFixed(6)).toBe((units * last - cost).toFixed(6));
        },
      ),
    );
  });
});
