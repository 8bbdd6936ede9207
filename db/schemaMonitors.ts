// The monitors' tables as Drizzle sees them. db/migrations is the truth: tests/db.test.ts compares every column.
import { integer, jsonb, numeric, pgTable, text } from 'drizzle-orm/pg-core';
import type { LookName, MonitorResult, MonitorStatus } from '../contracts/wire/monitor.js';
import { created, instant, modeColumn } from './columns.js';

export const monitorResult = pgTable('monitor_result', {
  mode: modeColumn(),
  name: text('name').$type<LookName>().notNull(),
  status: text('status').$type<MonitorStatus>().notNull(),
  message: text('message').notNull(),
  facts: jsonb('facts').$type<MonitorResult['facts']>().notNull(),
  at: instant('at').notNull(),
  ms: integer('ms').notNull(),
});

export const equitySnapshot = pgTable('equity_snapshot', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  marketTime: instant('market_time').notNull(),
  at: created('at'),
  equity: numeric('equity').notNull(),
  cash: numeric('cash').notNull(),
  exposure: numeric('exposure').notNull(),
  dayResult: numeric('day_result'),
  winRate: numeric('win_rate'),
  closedTrades: integer('closed_trades').notNull(),
});
