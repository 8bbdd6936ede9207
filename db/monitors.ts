// The last result of each monitor, and the account's figures over time. Written by the worker, read by the API.
import { and, asc, desc, eq, lt } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { EquityRow, EquityStore, MonitorRow, MonitorStore } from '../ports/monitors.js';
import type { Database } from './connect.js';
import { equitySnapshot, monitorResult } from './schemaMonitors.js';
import { execution } from './schemaOrders.js';
import { columnsBut, overwrite } from './statement.js';

export function createMonitorStore(db: Database, mode: Mode): MonitorStore {
  const columns = columnsBut(monitorResult, 'mode');
  const ofMode = eq(monitorResult.mode, mode);
  return {
    put: (row: MonitorRow) =>
      db.guard(async () => {
        await db.orm
          .insert(monitorResult)
          .values({ mode, ...row })
          .onConflictDoUpdate({
            target: [monitorResult.mode, monitorResult.name],
            set: overwrite(monitorResult, ['mode', 'name']),
          });
      }),
    get: (name) =>
      db.guard(async () => {
        const rows = await db.orm
          .select(columns)
          .from(monitorResult)
          .where(and(ofMode, eq(monitorResult.name, name)));
        return rows[0] ?? null;
      }),
    list: () =>
      db.guard(() =>
        db.orm.select(columns).from(monitorResult).where(ofMode).orderBy(asc(monitorResult.name)),
      ),
  };
}

export function createEquityStore(db: Database, mode: Mode): EquityStore {
  const columns = columnsBut(equitySnapshot, 'mode', 'at');
  const of = (accountId: string) =>
    and(eq(equitySnapshot.mode, mode), eq(equitySnapshot.accountId, accountId));
  const last = async (where: ReturnType<typeof of>): Promise<EquityRow | null> => {
    const rows = await db.orm
      .select(columns)
      .from(equitySnapshot)
      .where(where)
      .orderBy(desc(equitySnapshot.marketTime))
      .limit(1);
    return rows[0] ?? null;
  };
  return {
    put: (row) =>
      db.guard(async () => {
        const { mode: ofMode, accountId, marketTime } = equitySnapshot;
        await db.orm
          .insert(equitySnapshot)
          .values({ mode, ...row })
          .onConflictDoUpdate({
            target: [ofMode, accountId, marketTime],
            set: overwrite(equitySnapshot, ['mode', 'accountId', 'marketTime']),
          });
      }),
    latest: (accountId) => db.guard(() => last(of(accountId))),
    before: (accountId, marketTime) =>
      db.guard(() => last(and(of(accountId), lt(equitySnapshot.marketTime, marketTime)))),
    executions: (accountId) =>
      db.guard(async () => {
        const rows = await db.orm
          .select(columnsBut(execution, 'mode', 'accountId', 'firstSeenAt'))
          .from(execution)
          .where(and(eq(execution.mode, mode), eq(execution.accountId, accountId)))
          .orderBy(asc(execution.executedAt), asc(execution.executionId));
        return rows.map(({ executedAt, ...row }) => ({ ...row, time: executedAt }));
      }),
  };
}
