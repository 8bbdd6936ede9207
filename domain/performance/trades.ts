// Closed trades from executions, by average cost: what each sell order earned. Called by the KPI monitor.
import { money, notional, price, quantity, type Money } from '../money/decimal.js';

export interface TradeExecution {
  readonly brokerOrderId: string | null;
  readonly executionId: string;
  readonly conid: string;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  readonly price: string;
  readonly commission: string;
}

export interface ClosedTrades {
  readonly count: number;
  /** Trades that earned more than nothing, costs included. */
  readonly won: number;
  /** Sum of what all earned, costs included. */
  readonly result: Money;
}

interface Holding {
  readonly units: Money;
  /** Paid for them, commissions included. */
  readonly cost: Money;
}

const nothing: Holding = { units: money('0'), cost: money('0') };

/**
 * One trade is one sell order. Units that were not bought here (shorts, positions older than the records) have no cost
 * that is known, so a sell counts only for the units that its holding has.
 * @param executions oldest first
 */
export function closedTrades(executions: readonly TradeExecution[]): ClosedTrades {
  const holdings = new Map<string, Holding>();
  const results = new Map<string, Money>();
  for (const execution of executions) {
    const holding = holdings.get(execution.conid) ?? nothing;
    const units = money(quantity(execution.quantity));
    const value = notional(price(execution.price), quantity(execution.quantity));
    if (execution.side === 'BUY') {
      const cost = money(holding.cost.plus(value).plus(execution.commission));
      holdings.set(execution.conid, { units: money(holding.units.plus(units)), cost });
      continue;
    }
    if (holding.units.lte(0)) continue;
    const sold = units.gt(holding.units) ? holding.units : units;
    const costOfSold = money(holding.cost.times(sold).div(holding.units));
    const earned = value.times(sold).div(units).minus(execution.commission).minus(costOfSold);
    const trade = execution.brokerOrderId ?? execution.executionId;
    results.set(trade, money((results.get(trade) ?? money('0')).plus(earned)));
    holdings.set(execution.conid, {
      units: money(holding.units.minus(sold)),
      cost: money(holding.cost.minus(costOfSold)),
    });
  }
  const all = [...results.values()];
  return {
    count: all.length,
    won: all.filter((result) => result.gt(0)).length,
    result: money(all.reduce((sum, result) => money(sum.plus(result)), money('0'))),
  };
}
