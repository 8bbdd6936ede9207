// What the rules said beside a model, as Drizzle sees it. db/migrations is the truth: tests/db.test.ts compares every column.
import { doublePrecision, jsonb, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { RulesOpinion } from '../ports/rulesOpinions.js';
import { created, modeColumn } from './columns.js';

export const rulesOpinion = pgTable(
  'rules_opinion',
  {
    runId: text('run_id').notNull(),
    mode: modeColumn(),
    part: text('part').$type<RulesOpinion['part']>().notNull(),
    version: text('version').notNull(),
    score: doublePrecision('score'),
    action: text('action').$type<NonNullable<RulesOpinion['action']>>(),
    entry: numeric('entry'),
    stop: numeric('stop'),
    target: numeric('target'),
    reasons: jsonb('reasons').$type<readonly string[]>().notNull(),
    createdAt: created(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.part] })],
);
