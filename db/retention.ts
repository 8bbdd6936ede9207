// What may be deleted, found in the database. Called by activities/retention.ts. Runs, orders, bars, decisions, risk facts and
// the audit are in no statement here: they are kept for ever.
import type { PoolClient } from 'pg';
import type { ExpiredObject, RetentionStore } from '../ports/retention.js';
import type { Database } from './connect.js';
import { namedObjectKeys } from './objectKeys.js';
import { statement } from './statement.js';
import { inTransaction } from './transaction.js';

/** Over for $1 days, with no order that lives. Of an open run it is false. */
const runIsOver = (days: string): string =>
  `coalesce(r.ended_at < now() - make_interval(days => ${days}), false)
   and not exists (select from order_intent i where i.run_id = r.id and i.is_open)`;

type Row = { readonly key: string; readonly bytes: string };

const notGone = `not exists (
  select from purged_object p where p.key = named.key and p.gone and p.purged_at >= max(named.written_at))`;

/** A replay of a model's answer needs its pictures, so they stay as long as the answer does: $2 days, for ever with 0. */
const expiredCharts = statement<Row>(
  'retention_charts',
  `with named as (
     select c.object_key as key, c.object_bytes as bytes, c.created_at as written_at, c.run_id from chart c
     union all
     select picture ->> 'key', 0, a.started_at, a.run_id
     from agent_conversation a, jsonb_array_elements(a.pictures) as picture
   )
   select named.key, max(named.bytes)::text as bytes from named join run r on r.id = named.run_id
   where $4::text[] is null or named.key = any($4)
   group by named.key
   having bool_and(${runIsOver('$1::integer')} and (
       not exists (select from agent_conversation a where a.run_id = r.id)
       or ($2::integer > 0 and r.ended_at < now() - make_interval(days => $2::integer))
     )) and ${notGone}
   order by max(r.ended_at) limit $3`,
);

const expiredAnswers = statement<Row>(
  'retention_answers',
  `with named as (
     select prompt_key as key, prompt_bytes as bytes, started_at as written_at, run_id from agent_conversation
     union all
     select answer_key, answer_bytes, started_at, run_id from agent_conversation where answer_key is not null
   )
   select named.key, max(named.bytes)::text as bytes from named join run r on r.id = named.run_id
   where $3::text[] is null or named.key = any($3)
   group by named.key having bool_and(${runIsOver('$1::integer')}) and ${notGone}
   order by max(r.ended_at) limit $2`,
);

const mark = statement(
  'retention_mark',
  `insert into purged_object (key, kind, bytes, gone) values ($1, $2, $3, $4)
   on conflict (key) do update set purged_at = now(), gone = excluded.gone, bytes = excluded.bytes`,
);

const before = `now() - make_interval(days => $1::integer)`;
const oldLogin = `coalesce(ended_at, expires_at) < ${before}`;
/** Told to everybody whom it concerned, or given up. */
const oldNews = `created_at < ${before} and fanned_out and not exists (
  select from notification_delivery d where d.notification_id = notification.id and d.state in ('pending', 'sending'))`;

/** Children before their parents. */
const oldRows: readonly { readonly table: string; readonly where: string }[] = [
  { table: 'access_attempt', where: `at < ${before}` },
  { table: 'refresh_token', where: `login_id in (select id from login where ${oldLogin})` },
  { table: 'login', where: oldLogin },
  {
    table: 'notification_delivery',
    where: `notification_id in (select id from notification where ${oldNews})`,
  },
  { table: 'notification', where: oldNews },
  { table: 'broker_session_event', where: `at < ${before}` },
];

async function deleteOldRows(
  client: PoolClient,
  days: number,
  dryRun: boolean,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { table, where } of oldRows) {
    const { rows } = dryRun
      ? await client.query<{ count: string }>(`select count(*) as count from ${table} where ${where}`, [days])
      : await client.query<{ count: string }>(
          `with gone as (delete from ${table} where ${where} returning 1) select count(*) as count from gone`,
          [days],
        );
    counts[table] = Number(rows[0]?.count);
  }
  return counts;
}

/** A scan of one table reads all of it, which takes longer than what a process asks otherwise. Milliseconds. */
const scanTimeoutMs = 300_000;

const read = ({ key, bytes }: Row): ExpiredObject => ({ key, bytes: Number(bytes) });

export const createRetentionStore = (db: Database): RetentionStore => ({
  expired: (kind, { chartDays, answerDays }, limit, among) =>
    db.guard(async () => {
      const rows =
        kind === 'chart'
          ? await expiredCharts(db.pool, [chartDays, answerDays, limit, among ?? null])
          : await expiredAnswers(db.pool, [answerDays, limit, among ?? null]);
      return rows.map(read);
    }),
  markPurged: (kind, { key, bytes }, gone) =>
    db.guard(async () => {
      await mark(db.pool, [key, kind, bytes, gone]);
    }),
  namedKeys: () =>
    inTransaction(db, async (client) => {
      await client.query(`set local statement_timeout = ${String(scanTimeoutMs)}`);
      return namedObjectKeys(client, scanTimeoutMs + 1000);
    }),
  deleteRows: (days, dryRun) => inTransaction(db, (client) => deleteOldRows(client, days, dryRun)),
});
