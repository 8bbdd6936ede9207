// What the rules said beside a model. Called by the activities that analyse and decide, the API and the CLI.
import { asc, eq, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { RulesOpinionStore } from '../ports/rulesOpinions.js';
import type { Database } from './connect.js';
import { rulesOpinion as table } from './schemaRulesOpinions.js';
import { columnsBut, overwrite } from './statement.js';

export function createRulesOpinionStore(db: Database, mode: Mode): RulesOpinionStore {
  const { orm } = db;
  const byRun = orm
    .select(columnsBut(table, 'mode', 'createdAt'))
    .from(table)
    .where(eq(table.runId, sql.placeholder('runId')))
    .orderBy(asc(table.part))
    .prepare('rules_opinion_by_run');
  return {
    put: (opinion) =>
      db.guard(async () => {
        await orm
          .insert(table)
          .values({ ...opinion, mode })
          .onConflictDoUpdate({
            target: [table.runId, table.part],
            set: overwrite(table, ['runId', 'mode', 'part']),
          });
      }),
    byRun: (runId) => db.guard(() => byRun.execute({ runId })),
  };
}
