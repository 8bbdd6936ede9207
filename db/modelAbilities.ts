// What models were found able to do. Called by `keel doctor --llm` and by the worker's analyst.
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { ModelAbilityStore } from '../ports/modelAbilities.js';
import type { Database } from './connect.js';
import { modelAbility as table } from './schemaAbilities.js';
import { columnsBut, overwrite } from './statement.js';

export function createModelAbilityStore(db: Database, mode: Mode): ModelAbilityStore {
  const { orm } = db;
  const of = orm
    .select(columnsBut(table, 'mode'))
    .from(table)
    .where(
      and(
        eq(table.mode, mode),
        eq(table.baseUrl, sql.placeholder('baseUrl')),
        eq(table.model, sql.placeholder('model')),
      ),
    )
    .orderBy(asc(table.api))
    .prepare('model_ability_of');
  const keys = ['mode', 'baseUrl', 'model', 'api'];
  return {
    put: (ability) =>
      db.guard(async () => {
        await orm
          .insert(table)
          .values({ ...ability, mode, probedAt: sql`now()` })
          .onConflictDoUpdate({
            target: [table.mode, table.baseUrl, table.model, table.api],
            set: overwrite(table, keys),
          });
      }),
    of: (baseUrl, model) => db.guard(() => of.execute({ baseUrl, model })),
  };
}
