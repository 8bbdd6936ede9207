// The account's figures over time: equity, exposure, day result, win rate. Called by monitors.ts.
import type { MonitorResult } from '../contracts/wire/monitor.js';
import type { Calendar } from '../domain/market/calendarTypes.js';
import { money, notional, price, quantity } from '../domain/money/decimal.js';
import { closedTrades } from '../domain/performance/trades.js';
import type { EquityRow, EquityStore } from '../ports/monitors.js';
import type { BrokerSnapshot } from '../ports/stores.js';
import { freshSnapshot, type AccountDeps } from './monitorLooks.js';

export interface KpiDeps extends AccountDeps {
  readonly equity: EquityStore;
  readonly calendar: Calendar;
}

/** Shares are kept to six places. */
const places = 6;

/** @throws KeelError BROKER_STATE_STALE: figures of an account that is not read any more are not of now */
export async function lookAtKpis(deps: KpiDeps): Promise<MonitorResult> {
  const row = await figuresOf(deps, await freshSnapshot(deps));
  await deps.equity.put(row);
  const { dayResult, winRate, closedTrades: count } = row;
  return {
    status: 'ok',
    message: `kept the figures of ${row.marketTime}`,
    facts: { equity: row.equity, exposure: row.exposure, dayResult, winRate, closedTrades: count },
  };
}

async function figuresOf({ equity, calendar }: KpiDeps, snapshot: BrokerSnapshot): Promise<EquityRow> {
  const { account, accountId, marketTime, positions } = snapshot;
  const total = money(account.netLiquidation);
  const value = positions.reduce(
    (sum, position) =>
      money(sum.plus(notional(price(position.marketPrice), quantity(position.quantity)).abs())),
    money('0'),
  );
  const [before, executions] = await Promise.all([
    equity.before(accountId, dayBegins(calendar, marketTime)),
    equity.executions(accountId),
  ]);
  const trades = closedTrades(executions);
  return {
    accountId,
    marketTime,
    equity: total.toFixed(),
    cash: money(account.settledCash).toFixed(),
    exposure: total.lte(0) ? '0' : value.div(total).toFixed(places),
    dayResult: before === null ? null : total.minus(before.equity).toFixed(),
    winRate: trades.count === 0 ? null : money(String(trades.won)).div(trades.count).toFixed(places),
    closedTrades: trades.count,
  };
}

/** The open of the session that is on, or of the last one; where the calendar ends, the day in UTC. */
function dayBegins(calendar: Calendar, marketTime: string): string {
  try {
    return (calendar.openAt(marketTime) ?? calendar.lastClosed(marketTime)).open;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `${marketTime.slice(0, 10)}T00:00:00.000Z`;
  }
}
