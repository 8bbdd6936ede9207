import { expect, it } from 'vitest';
import { ACCOUNT, CONID, costs, exchangeOf } from '../testing/exchange.js';
import { positionsOf, valuationOf } from './accounts.js';
import { collecting } from './command.js';
import { accountOf } from './state.js';
import { trade } from './trades.js';

it('values a fraction of a share to the cent, and what an account is worth with it, as the broker does', () => {
  const at = [10.33, 10.33, 10.33, 10.33] as const;
  const { market, state } = exchangeOf([at, at]);
  const instrument = market.instrument(CONID);
  if (instrument === undefined) throw new Error('the market has one instrument');
  const wish = { account: ACCOUNT, instrument, side: 'BUY', quantity: '1.5', price: '10.33' } as const;
  trade(collecting(market, costs, state).exchange, wish);
  const account = accountOf(state, ACCOUNT);
  const value = valuationOf(market, costs, state, account);
  // 1.5 times 10.33 is 15.495.
  expect(value.stocks.toString()).toBe('15.5');
  expect(value.netLiquidation.toString()).toBe(value.cash.plus('15.5').toString());
  expect(positionsOf(market, state, account).map(({ marketValue }) => marketValue.toString())).toEqual([
    '15.5',
  ]);
});

it('shows what a part of a holding has earned to the cent', () => {
  const at = [10, 10, 10, 10] as const;
  const { market, state } = exchangeOf([at, at]);
  const account = accountOf(state, ACCOUNT);
  account.holdings.set(CONID, { quantity: '1', cost: '10', realizedPnl: '3.33333333' });
  const [position] = positionsOf(market, state, account);
  expect(position?.realizedPnl.toString()).toBe('3.33');
  expect(valuationOf(market, costs, state, account).realizedPnl.toString()).toBe('3.33');
});

it('totals what holdings have earned to the cent that they are shown with', () => {
  const at = [10, 10, 10, 10] as const;
  const { market, state } = exchangeOf([at, at]);
  const account = accountOf(state, ACCOUNT);
  account.holdings.set(CONID, { quantity: '1', cost: '9.996', realizedPnl: '3.334' });
  account.holdings.set(CONID + 1, { quantity: '1', cost: '0.004', realizedPnl: '3.334' });
  const parts = positionsOf(market, state, account);
  const value = valuationOf(market, costs, state, account);
  expect(parts.map(({ realizedPnl }) => realizedPnl.toString())).toEqual(['3.33', '3.33']);
  expect(value.realizedPnl.toString()).toBe('6.66');
  const [one, other] = parts.map(({ unrealizedPnl }) => unrealizedPnl);
  expect(value.unrealizedPnl.toString()).toBe(one?.plus(other ?? 0).toString());
});
