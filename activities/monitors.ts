// One look of a monitor: does it, keeps what it found, and never lets a failed look pass for a good one. The looks
// themselves are in monitorLooks.ts and monitorKpis.ts. No look ever sends an order.
import type { LookName, MonitorInput, MonitorResult } from '../contracts/wire/monitor.js';
import type { MonitorRow, MonitorStore } from '../ports/monitors.js';
import type { Clock } from '../ports/clocks.js';
import { KeelError } from '../ports/errors.js';
import { failedInARow, keptOf } from './platformNews.js';
import { lookAtKpis, type KpiDeps } from './monitorKpis.js';
import {
  lookAtHealth,
  lookAtPortfolio,
  lookAtPrices,
  type HealthLookDeps,
  type PortfolioLookDeps,
  type PricesLookDeps,
} from './monitorLooks.js';
import { lookAtOrders, type OrdersLookDeps } from './monitorOrders.js';

export type MonitorDeps = PricesLookDeps &
  PortfolioLookDeps &
  OrdersLookDeps &
  KpiDeps &
  HealthLookDeps & {
    readonly monitors: Pick<MonitorStore, 'put' | 'get' | 'list'>;
    readonly clock: Clock;
    /** Deletes what is old: activities/retention.ts. */
    readonly lookAtRetention: () => Promise<MonitorResult>;
  };

export function createMonitorActivities(deps: MonitorDeps) {
  const looks: Record<LookName, () => Promise<MonitorResult>> = {
    prices: () => lookAtPrices(deps),
    portfolioSync: () => lookAtPortfolio(deps),
    reconciliation: () => lookAtOrders(deps),
    kpis: () => lookAtKpis(deps),
    health: () => lookAtHealth(deps),
    retention: () => deps.lookAtRetention(),
  };
  return {
    /** @throws DATABASE_AWAY when the result can not be kept: its age then tells; and what is a defect. */
    async lookOnce({ name }: MonitorInput): Promise<MonitorResult> {
      const begunAt = deps.clock.now();
      const result = await looks[name]().catch(async (error: unknown) => {
        if (!(error instanceof KeelError) && name === 'retention') {
          await tellOfRetention(deps, { message: defect, facts: { code: 'DEFECT' } }, deps.clock.now());
        }
        return withHistory(failed(error), await deps.monitors.get(name));
      });
      const now = deps.clock.now();
      await deps.monitors.put({ name, ...result, at: new Date(now).toISOString(), ms: now - begunAt });
      if (name === 'retention' && result.status === 'failed') await tellOfRetention(deps, result, now);
      return result;
    },
  };
}

const defect = 'It met an error that Keel does not know; the log of the worker tells which.';

/** Told: it looks once a day, and what it does not delete is missed by nobody until a disk is full. Once a day, by UTC. */
async function tellOfRetention(
  { notifications }: Pick<MonitorDeps, 'notifications'>,
  { message, facts }: Pick<MonitorResult, 'message' | 'facts'>,
  now: number,
): Promise<void> {
  const day = new Date(now).toISOString().slice(0, 10);
  await notifications.add({
    key: `retention/${day}`,
    event: 'retention.failed',
    title: 'What is old was not deleted',
    body: message,
    facts: { code: String(facts['code']) },
  });
}

/** A look that failed tells how many did in a row, and one at health forgets nothing of what was told. */
function withHistory(result: MonitorResult, before: MonitorRow | null): MonitorResult {
  const kept = before?.name === 'health' ? keptOf(before) : {};
  const count = result.status === 'failed' ? { failedInARow: failedInARow(before) } : {};
  return { ...result, facts: { ...kept, ...result.facts, ...count } };
}

/** A defect is no result: it stays an error of the activity. Beside a backup it is none's fault that nothing is deleted. */
function failed(error: unknown): MonitorResult {
  if (!(error instanceof KeelError)) throw error;
  if (error.code === 'LOCK_BUSY') {
    return { status: 'warning', message: error.message, facts: { code: error.code } };
  }
  return { status: 'failed', message: error.message, facts: { code: error.code } };
}
