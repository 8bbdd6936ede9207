// What models can do, as Drizzle sees it. db/migrations is the truth: tests/db.test.ts compares every column.
import { boolean, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, modeColumn } from './columns.js';

export const modelAbility = pgTable(
  'model_ability',
  {
    mode: modeColumn(),
    baseUrl: text('base_url').notNull(),
    model: text('model').notNull(),
    api: text('api').$type<'responses' | 'chat'>().notNull(),
    answers: boolean('answers').notNull(),
    schemaKept: boolean('schema_kept').notNull(),
    picturesSeen: boolean('pictures_seen').notNull(),
    found: text('found').notNull(),
    probedAt: instant('probed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.mode, table.baseUrl, table.model, table.api] })],
);
