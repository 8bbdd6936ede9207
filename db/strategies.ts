// Strategies and their versions. Called by the API (create, list, read) and by the activity that opens a run.
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { Strategy } from '../contracts/wire/strategy.js';
import { KeelError } from '../ports/errors.js';
import type { StrategyStore } from '../ports/stores.js';
import type { Database } from './connect.js';
import { brokenConstraint } from './errors.js';
import { strategy, strategyVersion } from './schema.js';
import { statement } from './statement.js';

const insertStrategy = statement<{ createdAt: string }>(
  'strategy_create',
  `with made as (
     insert into strategy (id, name, mode, version, owner_id) values ($1, $2, $3, 1, $7) returning id, created_at
   ), first_version as (
     insert into strategy_version (strategy_id, version, mode, workflow_id, settings, created_by)
     select id, 1, $3, $4, $5::jsonb, $6 from made
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $3, $6, 'strategy.create', id, jsonb_build_object('version', 1) from made
   )
   select created_at as "createdAt" from made`,
);

function explain(error: unknown, id: string, workflowId: string): unknown {
  const constraint = brokenConstraint(error);
  if (constraint === 'strategy_pkey') {
    return new KeelError('STRATEGY_EXISTS', `There is a strategy ${id} already. Choose another id.`, {
      facts: { strategyId: id },
      cause: error,
    });
  }
  if (constraint === 'strategy_version_workflow_id_fkey') {
    return new KeelError(
      'UNKNOWN_WORKFLOW',
      `There is no workflow definition ${workflowId}. Use one that exists, such as "standard".`,
      { facts: { strategyId: id, workflowId }, cause: error },
    );
  }
  return error;
}

export function createStrategyStore(db: Database, mode: Mode): StrategyStore {
  const columns = {
    id: strategy.id,
    name: strategy.name,
    mode: strategy.mode,
    active: strategy.active,
    version: strategy.version,
    settings: strategyVersion.settings,
    createdAt: strategy.createdAt,
    ownerId: strategy.ownerId,
  };
  const current = () =>
    db.orm
      .select(columns)
      .from(strategy)
      .innerJoin(
        strategyVersion,
        and(eq(strategyVersion.strategyId, strategy.id), eq(strategyVersion.version, strategy.version)),
      )
      .$dynamic();
  const byId = current()
    .where(eq(strategy.id, sql.placeholder('id')))
    .prepare('strategy_get');
  const all = current().orderBy(asc(strategy.createdAt), asc(strategy.id)).prepare('strategy_list');
  const oneVersion = db.orm
    .select({ settings: strategyVersion.settings })
    .from(strategyVersion)
    .where(
      and(
        eq(strategyVersion.strategyId, sql.placeholder('id')),
        eq(strategyVersion.version, sql.placeholder('version')),
      ),
    )
    .prepare('strategy_version');

  return {
    create: ({ id, name, settings, ownerId = null }, actor) =>
      db.guard(async (): Promise<Strategy> => {
        const values = [id, name, mode, settings.workflowId, JSON.stringify(settings), actor, ownerId];
        const rows = await insertStrategy(db.pool, values).catch((error: unknown) => {
          throw explain(error, id, settings.workflowId);
        });
        const createdAt = rows[0]?.createdAt ?? '';
        return { id, name, mode, active: true, version: 1, settings, createdAt, ownerId };
      }),
    get: (id) => db.guard(async () => (await byId.execute({ id }))[0] ?? null),
    version: (id, version) =>
      db.guard(async () => (await oneVersion.execute({ id, version }))[0]?.settings ?? null),
    list: () => db.guard(() => all.execute()),
  };
}
