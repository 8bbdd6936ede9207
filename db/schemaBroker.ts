// The owner of the broker's login and the shared limits of a gateway as Drizzle sees them; the statements are in
// brokerSession.ts and pacing.ts. db/migrations is the truth: tests/db.test.ts compares every column.
import { bigint, customType, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { instant, modeColumn } from './columns.js';

export const brokerSession = pgTable('broker_session', {
  mode: modeColumn(),
  login: text('login').notNull(),
  phase: text('phase').notNull(),
  reason: text('reason'),
  since: instant('since').notNull(),
  checkedAt: instant('checked_at').notNull(),
  state: jsonb('state').notNull(),
  watch: text('watch'),
});

export const brokerSessionEvent = pgTable('broker_session_event', {
  id: bigint('id', { mode: 'number' }).notNull(),
  at: instant('at').notNull(),
  mode: modeColumn(),
  login: text('login').notNull(),
  kind: text('kind').notNull(),
  reason: text('reason'),
});

export const brokerTrouble = pgTable('broker_trouble', {
  mode: modeColumn(),
  accountId: text('account_id').notNull(),
  at: instant('at').notNull(),
  code: text('code').notNull(),
  message: text('message').notNull(),
});

/** To the microsecond: turns are fractions of a second apart. */
const exactInstant = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp with time zone',
});

export const gatewayLimit = pgTable('gateway_limit', {
  gateway: text('gateway').notNull(),
  name: text('name').notNull(),
  freeAt: exactInstant('free_at').notNull(),
});
