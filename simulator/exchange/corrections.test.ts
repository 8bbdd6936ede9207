import { expect, it } from 'vitest';
import { ACCOUNT, CONID, costs, exchangeOf } from '../testing/exchange.js';
import { collecting } from './command.js';
import { correctExecutions } from './corrections.js';
import { accountOf, holdingOf } from './state.js';

const free = { slippage: '0', commissionMinimum: '0', commissionPerShare: '0' };

function afterBuyAndSale() {
  const test = exchangeOf([[10, 10, 10, 10]], '1000', free);
  const { state, market } = test;
  test.place({ quantity: '10' });
  test.place({ quantity: '4', side: 'SELL' });
  const ids = new Set(state.executions.map(({ executionId }) => executionId));
  const correct = (): void => {
    correctExecutions(collecting(market, costs, state).exchange, ids);
  };
  const account = accountOf(state, ACCOUNT);
  return { test, state, correct, account, held: () => holdingOf(account, CONID) };
}

it('books a cent a share in the favour of the account: in what is held, and as profit of what was sold', () => {
  const { account, held, correct } = afterBuyAndSale();
  expect([account.cash, held()]).toEqual(['940', { quantity: '6', cost: '60', realizedPnl: '0' }]);
  correct();
  // Ten were bought a cent cheaper, of which six are held; four were sold a cent dearer.
  expect([account.cash, held()]).toEqual(['940.14', { quantity: '6', cost: '59.94', realizedPnl: '0.08' }]);
});

it('lists it behind the first one, at the time of that, and tells the order what it came to', () => {
  const { test, state, correct } = afterBuyAndSale();
  const [bought, sold] = state.executions;
  correct();
  expect(state.executions).toEqual([
    bought,
    { ...bought, executionId: '0000e0d5.00000001.01.02', price: '9.99' },
    sold,
    { ...sold, executionId: '0000e0d5.00000002.01.02', price: '10.01' },
  ]);
  expect([test.order(0), test.order(1)]).toMatchObject([
    { state: 'FILLED', filled: '10', value: '99.9', averagePrice: '9.99' },
    { state: 'FILLED', filled: '4', value: '40.04', averagePrice: '10.01' },
  ]);
  expect(state.executionCount).toBe(2);
});

it('corrects each once, and no purchase to nothing', () => {
  const { state, account, correct } = afterBuyAndSale();
  correct();
  correct();
  expect([state.executions.length, account.cash]).toEqual([4, '940.14']);
  const penny = exchangeOf([[0.01, 0.01, 0.01, 0.01]], '1000', free);
  penny.place({ quantity: '10' });
  const ids = new Set(penny.state.executions.map(({ executionId }) => executionId));
  correctExecutions(collecting(penny.market, costs, penny.state).exchange, ids);
  expect(penny.state.executions).toHaveLength(1);
});
