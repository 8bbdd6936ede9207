// Executions as the list of trades shows them.
import { expect, it } from 'vitest';
import { marketOf } from '../testing/exchange.js';
import { tradeRow } from './orderRows.js';

it.each([
  ['BUY', '0.5', '10.01', 5.01],
  ['SELL', '0.5', '10.01', 5],
  ['BUY', '0.0001', '1.01', 0.01],
  ['SELL', '3', '1.1', 3.3],
] as const)(
  'the net amount of a trade is what was booked: %s %s at %s is %d',
  (side, quantity, price, amount) => {
    const execution = {
      ...{
        executionId: 'e',
        orderId: 1,
        account: 'DU1',
        conid: 1,
        symbol: 'TEST',
        commission: '0',
        cOID: null,
      },
      ...{ side, quantity, price, at: '2014-07-07T13:30:00.000Z' },
    };
    expect(tradeRow(execution, marketOf([[10, 11, 9, 10]]))).toMatchObject({ net_amount: amount });
  },
);
