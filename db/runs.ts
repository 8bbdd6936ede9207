// Runs and their steps. Called by the activities that open and close a run, the API and the CLI.
import { and, asc, desc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';
import type { RunRow, RunStore } from '../ports/stores.js';
import type { Database } from './connect.js';
import { run, runStep } from './schema.js';
import { placeholders, sameMode, statement } from './statement.js';

/** The first end stands: ending an ended run changes nothing. */
const endRun = statement<{ known: boolean }>(
  'run_end',
  `with ended as (
     update run set status = $2, outcome = $3, code = $4, message = $5, waiting_for = null, ended_at = now()
     where id = $1 and ended_at is null returning id, mode
   ), stepped as (
     insert into run_step (run_id, position, mode, name, started_at, ms)
     select ended.id, step.position - 1, ended.mode, step.name, step."startedAt", step.ms
     from ended, rows from (json_to_recordset($6::json) as (name text, "startedAt" timestamptz, ms integer))
       with ordinality as step (name, "startedAt", ms, position)
   )
   select exists (select from run where id = $1) as known`,
);

const missing = (id: string): KeelError =>
  new KeelError('RUN_MISSING', `There is no run ${id} in the database.`, { facts: { runId: id } });

function queries(db: Database, mode: Mode) {
  const slot = () =>
    db.orm
      .select()
      .from(run)
      .where(
        and(
          eq(run.strategyId, sql.placeholder('strategyId')),
          eq(run.symbol, sql.placeholder('symbol')),
          eq(run.session, sql.placeholder('session')),
          eq(run.slot, sql.placeholder('slot')),
        ),
      );
  const given = placeholders(
    'id',
    'workflowId',
    'strategyId',
    'strategyVersion',
    'symbol',
    'session',
    'slot',
  );
  /** What the strategy's version says, which never changes. */
  const ofVersion = (column: 'workflow_id' | 'workflow_version') =>
    sql`(select ${sql.identifier(column)} from strategy_version
      where strategy_id = ${sql.placeholder('strategyId')} and version = ${sql.placeholder('strategyVersion')})`;
  return {
    insert: db.orm
      .insert(run)
      .values({
        mode,
        ...given,
        ownerId: sql`(select owner_id from strategy where id = ${sql.placeholder('strategyId')})`,
        definitionId: ofVersion('workflow_id'),
        definitionVersion: ofVersion('workflow_version'),
      })
      .onConflictDoNothing()
      .returning(getTableColumns(run))
      .prepare('run_insert'),
    bySlot: slot().prepare('run_by_slot'),
    byId: db.orm
      .select()
      .from(run)
      .where(eq(run.id, sql.placeholder('id')))
      .prepare('run_by_id'),
    byWorkflow: db.orm
      .select()
      .from(run)
      .where(eq(run.workflowId, sql.placeholder('id')))
      .prepare('run_by_workflow'),
    open: db.orm
      .select()
      .from(run)
      .where(isNull(run.endedAt))
      .orderBy(asc(run.startedAt))
      .prepare('run_open'),
    steps: db.orm
      .select({ name: runStep.name, startedAt: runStep.startedAt, ms: runStep.ms })
      .from(runStep)
      .where(eq(runStep.runId, sql.placeholder('id')))
      .orderBy(asc(runStep.position))
      .prepare('run_steps'),
    wait: db.orm
      .update(run)
      .set({
        waitingFor: sql`${sql.placeholder('waitingFor')}::timestamptz`,
        status: sql`case when ${sql.placeholder('waitingFor')}::timestamptz is null then 'running' else 'waiting' end`,
      })
      .where(and(eq(run.id, sql.placeholder('id')), isNull(run.endedAt)))
      .prepare('run_wait'),
  };
}

export function createRunStore(db: Database, mode: Mode): RunStore {
  const query = queries(db, mode);

  async function open(given: Parameters<RunStore['open']>[0]): Promise<RunRow> {
    sameMode(mode, given.mode);
    const [fresh] = await query.insert.execute({ ...given });
    if (fresh !== undefined) return fresh;
    const [existing] = await query.bySlot.execute({ ...given });
    if (existing?.workflowId === given.workflowId) return existing;
    const { strategyId, symbol, session, slot } = given;
    throw new KeelError(
      'RUN_EXISTS',
      `Strategy ${strategyId} has a run for ${symbol} in slot ${slot} of ${session} already` +
        ` (${existing?.workflowId ?? 'under another slot'}). A deliberate other run needs a slot of its own.`,
      { facts: { strategyId, symbol, session, slot, runId: existing?.id ?? null } },
    );
  }

  return {
    open: (given) => db.guard(() => open(given)),
    get: (id) => db.guard(async () => (await query.byId.execute({ id }))[0] ?? null),
    byWorkflowId: (id) => db.guard(async () => (await query.byWorkflow.execute({ id }))[0] ?? null),
    list: ({ strategyId, symbol, ownerId, limit }) =>
      db.guard(async () =>
        db.orm
          .select()
          .from(run)
          .where(
            and(
              strategyId === undefined ? undefined : eq(run.strategyId, strategyId),
              symbol === undefined ? undefined : eq(run.symbol, symbol),
              ownerId === undefined ? undefined : eq(run.ownerId, ownerId),
            ),
          )
          .orderBy(desc(run.session), desc(run.startedAt), asc(run.id))
          .limit(limit),
      ),
    listOpen: () => db.guard(() => query.open.execute()),
    steps: (id) => db.guard(() => query.steps.execute({ id })),
    setWaiting: (id, waitingFor) =>
      db.guard(async () => {
        await query.wait.execute({ id, waitingFor });
      }),
    end: (id, { status, outcome, code, message, steps }) =>
      db.guard(async () => {
        const values = [id, status, outcome, code, message, JSON.stringify(steps)];
        const [answer] = await endRun(db.pool, values);
        if (answer?.known !== true) throw missing(id);
      }),
  };
}
