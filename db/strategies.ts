// Strategies and their versions. Called by the API (create, list, read) and by the activity that opens a run.
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type { Strategy, StrategySettings } from '../contracts/wire/strategy.js';
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
     insert into strategy_version (strategy_id, version, mode, workflow_id, workflow_version, settings, created_by)
     select id, 1, $3, $4, $8, $5::jsonb, $6 from made
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $3, $6, 'strategy.create', id, jsonb_build_object('version', 1) from made
   )
   select created_at as "createdAt" from made`,
);

/** By compare-and-set on the version, so that of two who change a strategy at once one is told. */
const insertVersion = statement<{ stored: boolean }>(
  'strategy_add_version',
  `with moved as (
     update strategy set version = $2::integer + 1 where id = $1 and version = $2 and mode = $3 returning id, version
   ), stored as (
     insert into strategy_version (strategy_id, version, mode, workflow_id, workflow_version, settings, created_by)
     select id, version, $3, $4, $5, $6::jsonb, $7 from moved returning strategy_id
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $3, $7, 'strategy.version', id, jsonb_build_object('version', version, 'workflow', $4::text,
       'workflowVersion', $5::integer) from moved
   )
   select exists (select from stored) as stored`,
);

function explain(
  error: unknown,
  id: string,
  { workflowId, workflowVersion: version }: StrategySettings,
): unknown {
  const constraint = brokenConstraint(error);
  if (constraint === 'strategy_pkey') {
    return new KeelError('STRATEGY_EXISTS', `There is a strategy ${id} already. Choose another id.`, {
      facts: { strategyId: id },
      cause: error,
    });
  }
  if (constraint === 'strategy_version_workflow_id_fkey' || constraint === 'strategy_version_definition') {
    return new KeelError(
      'UNKNOWN_WORKFLOW',
      `There is no version ${String(version)} of a workflow definition ${workflowId}. Use one that exists, such as "standard".`,
      { facts: { strategyId: id, workflowId, version }, cause: error },
    );
  }
  return error;
}

type Stored = Omit<Strategy, 'settings'> & {
  readonly settings: StrategySettings;
  readonly workflowVersion: number;
};

/** The column tells the definition's version; settings from before there were versions do not. */
const settingsOf = ({
  settings,
  workflowVersion,
}: Pick<Stored, 'settings' | 'workflowVersion'>): StrategySettings => ({
  ...settings,
  workflowVersion,
});

const strategyOf = ({ workflowVersion, settings, ...rest }: Stored): Strategy => ({
  ...rest,
  settings: settingsOf({ settings, workflowVersion }),
});

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
    workflowVersion: strategyVersion.workflowVersion,
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
    .select({ settings: strategyVersion.settings, workflowVersion: strategyVersion.workflowVersion })
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
        const { workflowId, workflowVersion } = settings;
        const values = [
          id,
          name,
          mode,
          workflowId,
          JSON.stringify(settings),
          actor,
          ownerId,
          workflowVersion,
        ];
        const rows = await insertStrategy(db.pool, values).catch((error: unknown) => {
          throw explain(error, id, settings);
        });
        const createdAt = rows[0]?.createdAt ?? '';
        return { id, name, mode, active: true, version: 1, settings, createdAt, ownerId };
      }),
    addVersion: (id, { after, settings }, actor) =>
      db.guard(async () => {
        const { workflowId, workflowVersion } = settings;
        const values = [id, after, mode, workflowId, workflowVersion, JSON.stringify(settings), actor];
        const [answer] = await insertVersion(db.pool, values).catch((error: unknown) => {
          throw explain(error, id, settings);
        });
        const [now] = await byId.execute({ id });
        if (now === undefined) throw new KeelError('STRATEGY_NOT_FOUND', `There is no strategy ${id}.`);
        if (answer?.stored === true) return { ...strategyOf(now), version: after + 1, settings };
        throw new KeelError(
          'STRATEGY_CHANGED',
          `Strategy ${id} has version ${String(now.version)} by now, not ${String(after)}. Read it again, then change it.`,
          { facts: { strategyId: id, after, version: now.version } },
        );
      }),
    get: (id) =>
      db.guard(async () => {
        const [found] = await byId.execute({ id });
        return found === undefined ? null : strategyOf(found);
      }),
    version: (id, version) =>
      db.guard(async () => {
        const [found] = await oneVersion.execute({ id, version });
        return found === undefined ? null : settingsOf(found);
      }),
    list: () => db.guard(async () => (await all.execute()).map(strategyOf)),
  };
}
