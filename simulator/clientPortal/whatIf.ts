// The preview of an order: what it would cost and change, in the broker's texts with commas. Nothing is booked. Called by
// orders.ts.
import type { Money } from '../../domain/money/decimal.js';
import { money, notional, price, quantity } from '../../domain/money/decimal.js';
import { valuationOf } from '../exchange/accounts.js';
import { commissionOf } from '../exchange/costs.js';
import type { OrderDraft } from '../exchange/orders.js';
import { accountOf, holdingOf } from '../exchange/state.js';
import type { Portal } from './portal.js';

/** Whole dollars, or cents in full. */
const text = (amount: Money): string =>
  amount.toNumber().toLocaleString('en-US', {
    minimumFractionDigits: amount.isInteger() ? 0 : 2,
    maximumFractionDigits: 2,
  });

const change = (current: Money, by: Money): object => ({
  current: text(current),
  change: text(by),
  after: text(money(current.plus(by))),
});

/** @param refusal why the order would be refused; null when it would be taken */
export function previewOf(
  portal: Portal,
  account: string,
  draft: OrderDraft,
  refusal: string | null,
): object {
  const { engine, session } = portal;
  const { market, costs, state } = engine;
  const last = market.quote(draft.conid, state.now)?.last ?? 0;
  const units = quantity(draft.quantity);
  const amount = notional(price(draft.price ?? String(last)), units);
  const commission = commissionOf(draft.quantity, costs);
  const value = valuationOf(market, costs, state, accountOf(state, account));
  const held = money(holdingOf(accountOf(state, account), draft.conid).quantity);
  const nothing = money('0');
  return {
    amount: {
      amount: `${text(amount)} USD (${draft.quantity} Shares)`,
      commission: `${text(commission)} USD`,
      total: `${text(money(amount.plus(commission)))} USD`,
    },
    equity: change(value.netLiquidation, money(commission.negated())),
    // A cash account has no margin.
    initial: change(nothing, nothing),
    maintenance: change(nothing, nothing),
    position: change(held, money(draft.side === 'BUY' ? units : units.negated())),
    warn: session.streams.has(draft.conid)
      ? null
      : '21/You are trying to submit an order without having market data for this instrument. \nIB strongly recommends against this kind of blind trading which may result in \nerroneous or unexpected trades.',
    error: refusal,
  };
}
