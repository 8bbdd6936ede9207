// What the retention has deleted, as Drizzle sees it. db/migrations is the truth: tests/db.test.ts compares every column.
import { bigint, boolean, pgTable, text } from 'drizzle-orm/pg-core';
import type { PurgeKind } from '../ports/retention.js';
import { created } from './columns.js';

export const purgedObject = pgTable('purged_object', {
  key: text('key').primaryKey(),
  kind: text('kind').$type<PurgeKind>().notNull(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  purgedAt: created('purged_at'),
  gone: boolean('gone').notNull().default(false),
});
