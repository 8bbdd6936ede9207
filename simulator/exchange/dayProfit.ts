// What an account has gained since the close before the session that is on, or was last: what is held at its prices, and what was
// bought and sold, commissions included. Used by the portfolio's profit and loss.
import type { Money, Quantity } from '../../domain/money/decimal.js';
import { money, notional, price, quantity, quantize } from '../../domain/money/decimal.js';
import { amountOf } from './costs.js';
import type { Market } from './market.js';
import { holdingOf } from './state.js';
import type { Account, ExchangeState, Execution } from './types.js';

type Listed = ExchangeState['executions'][number];

/** USD, to the cent. */
export function dayProfitOf(market: Market, state: ExchangeState, account: Account): Money {
  const own = state.executions.filter((execution) => execution.account === account.id);
  const conids = new Set([...account.holdings.keys(), ...own.map(({ conid }) => conid)]);
  const parts = [...conids].map((conid) => {
    const quote = market.quote(conid, state.now);
    if (quote === null) return money('0');
    const { last, bar, priorClose } = quote;
    const today = own.filter((execution) => execution.conid === conid && execution.at >= bar.time);
    const held = quantity(holdingOf(account, conid).quantity);
    const before = today.reduce((units, execution) => quantity(units.minus(unitsOf(execution))), held);
    const cash = today.reduce((sum, execution) => money(sum.plus(cashOf(execution, own))), money('0'));
    return money(
      valueOf(last, held)
        .minus(valueOf(priorClose ?? bar.open, before))
        .plus(cash),
    );
  });
  return money(
    quantize(
      parts.reduce((sum, part) => money(sum.plus(part)), money('0')),
      '0.01',
      'nearest',
    ),
  );
}

const valueOf = (at: number, units: Quantity): Money => notional(price(String(at)), units);

/** The id that a correction raises the last part of; any other execution's own. */
const firstIdOf = ({ executionId }: Listed): string => executionId.replace(/\.02$/, '.01');

/** What an execution added to the holding; a correction adds nothing to it. */
function unitsOf(execution: Listed): Quantity {
  const { side, quantity: units } = execution;
  if (firstIdOf(execution) !== execution.executionId) return quantity('0');
  return side === 'BUY' ? quantity(units) : quantity(quantity(units).negated());
}

/** What an execution brought in cash; of a correction what it differs by. */
function cashOf(execution: Listed, all: readonly Listed[]): Money {
  const brought = (one: Execution): Money => {
    const amount = amountOf(one.price, one.quantity, one.side);
    return one.side === 'BUY' ? money(amount.negated()) : amount;
  };
  const firstId = firstIdOf(execution);
  if (firstId === execution.executionId) return money(brought(execution).minus(execution.commission));
  const first = all.find(({ executionId }) => executionId === firstId);
  return first === undefined ? money('0') : money(brought(execution).minus(brought(first)));
}
