import { expect, it } from 'vitest';
import { ACCOUNT, costs, exchangeOf } from '../testing/exchange.js';
import { collecting } from './command.js';
import { correctExecutions } from './corrections.js';
import { dayProfitOf } from './dayProfit.js';
import { accountOf } from './state.js';

it('begins anew with each session, and counts what was traded in it', () => {
  const test = exchangeOf([
    [100, 101, 99, 100],
    [102, 103, 101, 103],
  ]);
  const gained = (): string =>
    dayProfitOf(test.market, test.state, accountOf(test.state, ACCOUNT)).toFixed(2);
  expect(gained()).toBe('0.00');
  // 10 at 100 × 1.001, and 1 of commission; worth 100 each.
  test.place({ quantity: '10', cOID: 'in' });
  expect(gained()).toBe('-2.00');
  test.stepToClose(0);
  expect(gained()).toBe('-2.00');
  test.step(1);
  expect(gained()).toBe('20.00');
  // 4 at 102 × 0.999, less 1: 406.56; the other 6 are worth 612, and all were 1000.
  test.place({ side: 'SELL', quantity: '4' });
  expect(gained()).toBe('18.56');
  test.stepToClose(1);
  expect(gained()).toBe('24.56');
});

it('counts a correction by what it differs', () => {
  const test = exchangeOf([[100, 101, 99, 100]]);
  test.place({ quantity: '10', cOID: 'in' });
  const { exchange } = collecting(test.market, costs, test.state);
  correctExecutions(exchange, new Set(test.state.executions.map(({ executionId }) => executionId)));
  // A cent a share less was paid.
  expect(dayProfitOf(test.market, test.state, accountOf(test.state, ACCOUNT)).toFixed(2)).toBe('-1.90');
});
