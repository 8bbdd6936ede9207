// The broker's state as the one poller reads it: the last whole snapshot of an account, and the mirror of its orders,
// executions and positions. Written every few seconds, so one statement does it all and leaves equal rows alone.
import { and, asc, eq, isNull, or, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Mode } from '../contracts/wire/names.js';
import type { BrokerTrouble } from '../domain/brokerSession/trouble.js';
import type { BrokerSnapshot, BrokerStateStore } from '../ports/stores.js';
import type { Database } from './connect.js';
import { brokerSnapshot, execution, orderIntent } from './schemaOrders.js';
import { sameMode, statement } from './statement.js';

const saveSnapshot = statement<{ saved: boolean }>(
  'broker_state_save',
  `with incoming as materialized (select $6::json as body), saved as (
     insert into broker_snapshot as old (mode, account_id, read_started_at, market_time, market_step, body)
     select $1, $2, $3, $4, $5, body from incoming
     on conflict (mode, account_id) do update set read_started_at = excluded.read_started_at,
       market_time = excluded.market_time, market_step = excluded.market_step, body = excluded.body
     where old.read_started_at < excluded.read_started_at
       -- Stored before the clock was set back: it would stand for as long as that.
       or old.read_started_at > now() + interval '2 seconds'
     returning 1
   ), orders as (
     insert into "order" as old (mode, account_id, broker_order_id, parent_broker_order_id, client_order_id, conid,
       symbol, side, type, time_in_force, quantity, filled_quantity, average_price, price, status, reason)
     select distinct on (o."brokerOrderId") $1, $2, o."brokerOrderId", o."parentBrokerOrderId", o."clientOrderId",
       o.conid, o.symbol, o.side, o.type, o."timeInForce", o.quantity, o."filledQuantity", o."averagePrice",
       o.price, o.status, o.reason
     from incoming, saved, json_to_recordset(body -> 'orders') as o ("brokerOrderId" text,
       "parentBrokerOrderId" text, "clientOrderId" text, conid text, symbol text, side text, type text,
       "timeInForce" text, quantity numeric, "filledQuantity" numeric, "averagePrice" numeric, price numeric,
       status text, reason text)
     on conflict (account_id, broker_order_id) do update set
       parent_broker_order_id = excluded.parent_broker_order_id, client_order_id = excluded.client_order_id,
       quantity = excluded.quantity, filled_quantity = excluded.filled_quantity,
       average_price = excluded.average_price, price = excluded.price, status = excluded.status,
       reason = excluded.reason, updated_at = now()
     where (old.parent_broker_order_id, old.client_order_id, old.quantity, old.filled_quantity, old.average_price,
         old.price, old.status, old.reason)
       is distinct from (excluded.parent_broker_order_id, excluded.client_order_id, excluded.quantity,
         excluded.filled_quantity, excluded.average_price, excluded.price, excluded.status, excluded.reason)
   ), executions as (
     insert into execution as old (mode, account_id, execution_id, broker_order_id, client_order_id, conid, symbol, side,
       quantity, price, commission, executed_at)
     select distinct on (e."executionId") $1, $2, e."executionId", e."brokerOrderId", e."clientOrderId", e.conid, e.symbol, e.side, e.quantity,
       e.price, e.commission, e.time
     from incoming, saved, json_to_recordset(body -> 'executions') as e ("executionId" text, "brokerOrderId" text,
       "clientOrderId" text, conid text, symbol text, side text, quantity numeric, price numeric,
       commission numeric, time timestamptz)
     on conflict (account_id, execution_id) do update set quantity = excluded.quantity, price = excluded.price,
       commission = case when excluded.commission = 0 then old.commission else excluded.commission end
     where (old.quantity, old.price) is distinct from (excluded.quantity, excluded.price)
       or (old.commission <> excluded.commission and excluded.commission <> 0)
   ), held as materialized (
     select distinct on (p.conid) p.*
     from incoming, saved, json_to_recordset(body -> 'positions') as p (conid text, symbol text, quantity numeric,
       "averageCost" numeric, "marketPrice" numeric)
   ), positions as (
     insert into position as old (mode, account_id, conid, symbol, quantity, average_cost, market_price)
     select $1, $2, conid, symbol, quantity, "averageCost", "marketPrice" from held
     on conflict (account_id, conid) do update set quantity = excluded.quantity,
       average_cost = excluded.average_cost, market_price = excluded.market_price, updated_at = now()
     where (old.quantity, old.average_cost, old.market_price)
       is distinct from (excluded.quantity, excluded.average_cost, excluded.market_price)
   ), closed as (
     delete from position using saved
     where mode = $1 and account_id = $2 and not exists (select from held where held.conid = position.conid)
   )
   select exists (select from saved) as saved`,
);

const glanceAt = statement<{ readStartedAt: string; marketStep: string; inFlight: boolean }>(
  'broker_state_glance',
  `select read_started_at as "readStartedAt", market_step as "marketStep", exists (
     select from order_intent i
     where i.account_id = $2 and i.is_open and i.mode = $1 and i.conid = $3 and i.state = 'SENT') as "inFlight"
   from broker_snapshot where mode = $1 and account_id = $2`,
);

const readDemand = statement<{ runs: boolean; orders: boolean }>(
  'broker_state_demand',
  `select exists (select from run where ended_at is null) as runs, exists (
     select from order_intent
     where account_id = $2 and is_open and mode = $1
       and (state in ('INTENT', 'SENT', 'ACKNOWLEDGED', 'UNKNOWN')
         or (state <> 'SENT_NOT_FOUND_EXPIRED' and legs = '[]'::jsonb))) as orders`,
);

const putTroubleRow = statement<never>(
  'broker_trouble_put',
  `insert into broker_trouble (mode, account_id, at, code, message) values ($1, $2, $3, $4, $5)
   on conflict (mode, account_id) do update set at = excluded.at, code = excluded.code, message = excluded.message`,
);

/** A read that began before another failed, and was stored after it, is the older word of the two. */
const getTrouble = statement<BrokerTrouble>(
  'broker_trouble_get',
  `select t.at, t.code, t.message from broker_trouble t
   where t.mode = $1 and ($2::text is null or t.account_id = $2) and not exists (
     select from broker_snapshot s
     where s.mode = t.mode and s.account_id = t.account_id and s.read_started_at > t.at)
   order by t.at desc limit 1`,
);

const newestRead = statement<{ at: string | null }>(
  'broker_state_newest',
  `select max(read_started_at) as at from broker_snapshot
   where mode = $1 and ($2::text is null or account_id = $2)`,
);

/** The last snapshot, on the pool or on one connection. */
export function createSnapshotQuery(orm: NodePgDatabase) {
  const latest = orm
    .select({ body: brokerSnapshot.body })
    .from(brokerSnapshot)
    .where(
      and(
        eq(brokerSnapshot.mode, sql.placeholder('mode')),
        eq(brokerSnapshot.accountId, sql.placeholder('accountId')),
      ),
    )
    .prepare('broker_state_latest');
  return async (mode: Mode, accountId: string): Promise<BrokerSnapshot | null> =>
    (await latest.execute({ mode, accountId }))[0]?.body ?? null;
}

/** Of the entry order only: by its client order id, or by its broker id where the broker left our id out. */
const executionsQuery = ({ orm }: Database) =>
  orm
    .select({
      executionId: execution.executionId,
      brokerOrderId: execution.brokerOrderId,
      clientOrderId: execution.clientOrderId,
      conid: execution.conid,
      symbol: execution.symbol,
      side: execution.side,
      quantity: execution.quantity,
      price: execution.price,
      commission: execution.commission,
      time: execution.executedAt,
    })
    .from(execution)
    .where(
      or(
        eq(execution.clientOrderId, sql.placeholder('clientOrderId')),
        and(
          isNull(execution.clientOrderId),
          eq(
            execution.brokerOrderId,
            orm
              .select({ brokerOrderId: orderIntent.brokerOrderId })
              .from(orderIntent)
              .where(
                and(
                  eq(orderIntent.clientOrderId, sql.placeholder('clientOrderId')),
                  eq(orderIntent.accountId, execution.accountId),
                ),
              ),
          ),
        ),
      ),
    )
    .orderBy(asc(execution.executedAt), asc(execution.executionId))
    .prepare('broker_state_executions');

export function createBrokerStateStore(db: Database, mode: Mode): BrokerStateStore {
  const snapshot = createSnapshotQuery(db.orm);
  const executions = executionsQuery(db);
  return {
    save: (read) =>
      db.guard(async () => {
        sameMode(mode, read.mode);
        const { accountId, readStartedAt, marketTime, marketStep } = read;
        const values = [mode, accountId, readStartedAt, marketTime, marketStep, JSON.stringify(read)];
        return (await saveSnapshot(db.pool, values))[0]?.saved === true;
      }),
    latest: (given, accountId) =>
      db.guard(async () => {
        sameMode(mode, given);
        return snapshot(given, accountId);
      }),
    glance: (given, accountId, conid) =>
      db.guard(async () => {
        sameMode(mode, given);
        const [row] = await glanceAt(db.pool, [mode, accountId, conid]);
        return row === undefined ? null : { ...row, marketStep: Number(row.marketStep) };
      }),
    demand: (given, accountId) =>
      db.guard(async () => {
        sameMode(mode, given);
        const [row] = await readDemand(db.pool, [mode, accountId]);
        return row ?? { runs: true, orders: true };
      }),
    putTrouble: (accountId, { at, code, message }) =>
      db.guard(async () => {
        await putTroubleRow(db.pool, [mode, accountId, at, code, message]);
      }),
    trouble: (accountId) =>
      db.guard(async () => {
        const [row] = await getTrouble(db.pool, [mode, accountId]);
        return row ?? null;
      }),
    lastReadAt: (accountId) =>
      db.guard(async () => (await newestRead(db.pool, [mode, accountId]))[0]?.at ?? null),
    executionsOf: (clientOrderId) => db.guard(() => executions.execute({ clientOrderId })),
  };
}
