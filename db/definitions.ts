// Workflow definitions and their versions, which never change. Called by the API, the activity that opens a run, and
// `keel verify`.
import { and, asc, eq, sql } from 'drizzle-orm';
import type { DefinitionVersion, StoredDefinition } from '../contracts/wire/definition.js';
import type { Mode } from '../contracts/wire/names.js';
import type { WorkflowDefinition } from '../domain/definition/definition.js';
import type { DefinitionStore } from '../ports/definitions.js';
import { KeelError } from '../ports/errors.js';
import type { Database } from './connect.js';
import { brokenConstraint } from './errors.js';
import { workflow, workflowVersion } from './schema.js';
import { statement } from './statement.js';

const insertDefinition = statement<{ id: string }>(
  'definition_create',
  `with made as (
     insert into workflow (id, name, version, owner_id) values ($1, $2, 1, $3) returning id
   ), first_version as (
     insert into workflow_version (workflow_id, version, steps, timeframes, analyst, gates, limits, created_by)
     select id, 1, $4::jsonb, $5::jsonb, $6, $7::jsonb, $8::jsonb, $9 from made
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $10, $9, 'workflow.create', id, jsonb_build_object('version', 1) from made
   )
   select id from made`,
);

/** The update locks the row, so that two at once get two versions. */
const insertVersion = statement<{ version: number }>(
  'definition_add_version',
  `with moved as (
     update workflow set version = version + 1 where id = $1 returning id, version
   ), stored as (
     insert into workflow_version (workflow_id, version, steps, timeframes, analyst, gates, limits, created_by)
     select id, version, $2::jsonb, $3::jsonb, $4, $5::jsonb, $6::jsonb, $7 from moved
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $8, $7, 'workflow.version', id, jsonb_build_object('version', version) from moved
   )
   select version from moved`,
);

const deleteDefinition = statement<{ id: string }>(
  'definition_remove',
  `with gone as (
     delete from workflow where id = $1 returning id
   ), noted as (
     insert into audit (mode, actor, action, subject, facts)
     select $3, $2, 'workflow.remove', id, '{}'::jsonb from gone
   )
   select id from gone`,
);

const contentsOf = ({ steps, timeframes, analyst, gates, limits }: WorkflowDefinition) => [
  JSON.stringify(steps),
  JSON.stringify(timeframes),
  analyst,
  JSON.stringify(gates),
  JSON.stringify(limits),
];

const missing = (id: string): KeelError =>
  new KeelError('WORKFLOW_NOT_FOUND', `There is no workflow definition ${id}.`, { facts: { id } });

function refused(error: unknown, id: string): unknown {
  const constraint = brokenConstraint(error);
  if (constraint === 'workflow_pkey') {
    const text = `There is a workflow definition ${id} already. Choose another id, or store a version of it.`;
    return new KeelError('WORKFLOW_EXISTS', text, { facts: { id }, cause: error });
  }
  if (constraint?.startsWith('strategy_version_') === true || constraint === 'run_definition') {
    const text = `Strategies or runs name a version of ${id}, so it stays.`;
    return new KeelError('WORKFLOW_IN_USE', text, { facts: { id }, cause: error });
  }
  return error;
}

const versionColumns = {
  id: workflowVersion.workflowId,
  version: workflowVersion.version,
  steps: workflowVersion.steps,
  timeframes: workflowVersion.timeframes,
  analyst: workflowVersion.analyst,
  gates: workflowVersion.gates,
  limits: workflowVersion.limits,
  createdBy: workflowVersion.createdBy,
  createdAt: workflowVersion.createdAt,
};

function queries(db: Database) {
  const current = () =>
    db.orm
      .select({ id: workflow.id, name: workflow.name, ownerId: workflow.ownerId, current: versionColumns })
      .from(workflow)
      .innerJoin(
        workflowVersion,
        and(eq(workflowVersion.workflowId, workflow.id), eq(workflowVersion.version, workflow.version)),
      )
      .$dynamic();
  const versions = () => db.orm.select(versionColumns).from(workflowVersion).$dynamic();
  const ofId = eq(workflowVersion.workflowId, sql.placeholder('id'));
  return {
    byId: current()
      .where(eq(workflow.id, sql.placeholder('id')))
      .prepare('definition_get'),
    all: current().orderBy(asc(workflow.createdAt), asc(workflow.id)).prepare('definition_list'),
    version: versions()
      .where(and(ofId, eq(workflowVersion.version, sql.placeholder('version'))))
      .prepare('definition_version'),
    versions: versions().where(ofId).orderBy(asc(workflowVersion.version)).prepare('definition_versions'),
  };
}

export function createDefinitionStore(db: Database, mode: Mode): DefinitionStore {
  const query = queries(db);
  const get = async (id: string): Promise<StoredDefinition | null> =>
    (await query.byId.execute({ id }))[0] ?? null;
  const version = async (id: string, number: number): Promise<DefinitionVersion | null> =>
    (await query.version.execute({ id, version: number }))[0] ?? null;
  const orMissing = <T>(found: T | null | undefined, id: string): T => {
    if (found === null || found === undefined) throw missing(id);
    return found;
  };
  return {
    create: ({ id, name, ownerId }, contents, actor) =>
      db.guard(async () => {
        const values = [id, name, ownerId, ...contentsOf(contents), actor, mode];
        await insertDefinition(db.pool, values).catch((error: unknown) => {
          throw refused(error, id);
        });
        return orMissing(await get(id), id);
      }),
    addVersion: (id, contents, actor) =>
      db.guard(async () => {
        const [made] = await insertVersion(db.pool, [id, ...contentsOf(contents), actor, mode]);
        return orMissing(await version(id, orMissing(made, id).version), id);
      }),
    remove: (id, actor) =>
      db.guard(async () => {
        const [gone] = await deleteDefinition(db.pool, [id, actor, mode]).catch((error: unknown) => {
          throw refused(error, id);
        });
        orMissing(gone, id);
      }),
    get: (id) => db.guard(() => get(id)),
    list: () => db.guard(() => query.all.execute()),
    version: (id, number) => db.guard(() => version(id, number)),
    versions: (id) => db.guard(() => query.versions.execute({ id })),
  };
}
