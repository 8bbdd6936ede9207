// A look at an account costs as much with many resting orders as with few: what each has claimed is worked out once.
import { expect, it } from 'vitest';
import { ACCOUNT, costs, exchangeOf } from '../testing/exchange.js';
import { reservedCash } from './accounts.js';
import { accountOf } from './state.js';

const at = [10, 10, 10, 10] as const;

it('works out once what an order has claimed, and again where the order or its price has changed', () => {
  const test = exchangeOf([at, [20, 20, 20, 20]], '100000');
  const { state, market } = test;
  test.stepToClose(0);
  for (let n = 0; n < 20; n += 1) {
    test.place({ orderType: 'LMT', price: '9', tif: 'GTC' });
    test.place({ orderType: 'MOC' });
  }
  let workedOut = 0;
  const counted = {
    ...costs,
    get commissionPerShare() {
      workedOut += 1;
      return costs.commissionPerShare;
    },
  };
  let quotes = 0;
  const asked = {
    ...market,
    quote: (conid: number, instant: string) => {
      quotes += 1;
      return market.quote(conid, instant);
    },
  };
  const look = (): [string, number, number] => {
    [workedOut, quotes] = [0, 0];
    const sum = reservedCash(asked, counted, state, accountOf(state, ACCOUNT)).toString();
    return [sum, workedOut, quotes];
  };
  expect(look()).toEqual(['3842', 40, 1]);
  expect(look()).toEqual(['3842', 0, 1]);
  test.modify(test.order(0).orderId, '20', '9');
  expect(look()).toEqual(['3932', 1, 1]);
  test.cancel(test.order(2).orderId);
  expect(look()).toEqual(['3841', 0, 1]);
  // The market's orders alone cost what the next session opens with.
  test.step(1);
  expect(look()[1]).toBe(20);
});
