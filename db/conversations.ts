// Calls to models: reserved, settled, found again by content. Called by the model's analyst, the API and the CLI.
import { and, asc, desc, eq, notExists, or, sql } from 'drizzle-orm';
import type { Mode } from '../contracts/wire/names.js';
import type {
  BudgetCaps,
  CallResult,
  CallRow,
  ConversationStore,
  NewCall,
  Reservation,
  Spending,
} from '../ports/conversations.js';
import { KeelError } from '../ports/errors.js';
import type { Database } from './connect.js';
import { purgedObject } from './schemaRetention.js';
import { agentConversation as table } from './schemaConversations.js';
import { createSpending } from './spending.js';
import { columnsBut, statement } from './statement.js';

const reserve = statement<{ id: string; cap: keyof BudgetCaps | null; spent: string }>(
  'conversation_reserve',
  'select id, cap, spent from agent_conversation_reserve($1::jsonb, $2::numeric, $3::numeric, $4::numeric)',
);

/** A settled call stays as it is: a retry of the settling changes nothing. */
const settle = statement<{ id: string }>(
  'conversation_settle',
  `update agent_conversation set state = $2, outcome = $3, code = $4, message = $5, model_answered = $6,
     fingerprint = $7, response_id = $8, request_id = $9, finish_reason = $10, input_tokens = $11,
     cached_tokens = $12, output_tokens = $13, cost_usd = $14, answer_key = $15, answer_sha256 = $16,
     answer_bytes = $17, ms = $18, down = $19, ended_at = now()
   where id = $1 and state = 'reserved' returning id`,
);

type SpentRow = Record<'calls' | 'input' | 'output', number> & { readonly usd: string };

const spent = statement<SpentRow & { readonly period: 'day' | 'month' }>(
  'conversation_spent',
  `select period, count(a.id)::integer as calls, coalesce(sum(a.input_tokens), 0)::float8 as input,
     coalesce(sum(a.output_tokens), 0)::float8 as output,
     coalesce(sum(coalesce(a.cost_usd, a.reserved_usd)), 0)::text as usd
   from (values ('day'), ('month')) as p (period)
   left join agent_conversation a on a.mode = $1 and a.started_at >= date_trunc(p.period, now(), 'UTC')
   group by period`,
);

/** The call as the table's columns. */
const columnsOf = (mode: Mode, call: NewCall) => ({
  run_id: call.runId,
  mode,
  strategy_id: call.strategyId,
  purpose: call.purpose,
  turn: call.turn,
  content_key: call.contentKey,
  profile: call.profile,
  api: call.api,
  model_asked: call.modelAsked,
  prompts: call.prompts,
  prompt_key: call.prompt.key,
  prompt_sha256: call.prompt.sha256,
  prompt_bytes: call.prompt.bytes,
  input_sha256: call.inputSha256,
  pictures: call.pictures,
  parameters: call.parameters,
  numbers_only: call.numbersOnly,
  reserved_usd: call.reservedUsd,
  price_date: call.priceDate,
});

const settledValues = (id: string, result: CallResult): unknown[] => [
  id,
  result.state,
  result.outcome,
  result.code,
  result.message,
  result.modelAnswered,
  result.fingerprint,
  result.responseId,
  result.requestId,
  result.finishReason,
  result.inputTokens,
  result.cachedTokens,
  result.outputTokens,
  result.costUsd,
  result.answer?.key ?? null,
  result.answer?.sha256 ?? null,
  result.answer?.bytes ?? null,
  result.ms,
  result.down,
];

function read(row: Omit<typeof table.$inferSelect, 'mode'>): CallRow {
  const { promptKey, promptSha256, promptBytes, answerKey, answerSha256, answerBytes, ...rest } = row;
  return {
    ...rest,
    prompt: { key: promptKey, sha256: promptSha256, bytes: promptBytes },
    answer:
      answerKey === null || answerSha256 === null
        ? null
        : { key: answerKey, sha256: answerSha256, bytes: answerBytes ?? 0 },
  };
}

/** A reused answer: the same row again for another run, free. */
const reuseSql = statement<{ id: string }>(
  'conversation_reuse',
  `insert into agent_conversation
   select (jsonb_populate_record(a, $2::jsonb || jsonb_build_object('id', gen_random_uuid()::text, 'cached_from', a.id,
     'reserved_usd', 0, 'cost_usd', 0, 'started_at', now(), 'ended_at', now(), 'ms', 0))).*
   from agent_conversation a
   where a.id = $1 and not exists (
     select from agent_conversation b
     where b.run_id = $2::jsonb ->> 'run_id' and b.content_key = a.content_key and b.state = 'answered')
   returning id`,
);

export function createConversationStore(db: Database, mode: Mode): ConversationStore {
  const { orm, pool } = db;
  const byRun = orm
    .select(columnsBut(table, 'mode'))
    .from(table)
    .where(eq(table.runId, sql.placeholder('runId')))
    .orderBy(asc(table.startedAt), asc(table.id))
    .prepare('conversation_by_run');
  const answered = orm
    .select(columnsBut(table, 'mode'))
    .from(table)
    .where(
      and(
        eq(table.contentKey, sql.placeholder('contentKey')),
        eq(table.mode, mode),
        eq(table.state, 'answered'),
        or(eq(table.runId, sql.placeholder('runId')), eq(table.outcome, 'ok')),
        notExists(orm.select().from(purgedObject).where(eq(purgedObject.key, table.answerKey))),
      ),
    )
    .orderBy(desc(eq(table.runId, sql.placeholder('runId'))), asc(table.startedAt))
    .limit(1)
    .prepare('conversation_answered');
  return {
    reserve: (call, caps) =>
      db.guard(async (): Promise<Reservation> => {
        const values = [JSON.stringify(columnsOf(mode, call)), caps.run, caps.day, caps.month];
        const row = (await reserve(pool, values))[0];
        if (row === undefined) throw new KeelError('DATABASE_ERROR', 'the budget gave no answer');
        return row.cap === null
          ? { kind: 'reserved', id: row.id }
          : { kind: 'refused', cap: row.cap, limitUsd: caps[row.cap], spentUsd: row.spent };
      }),
    settle: (id, result) =>
      db.guard(async () => {
        await settle(pool, settledValues(id, result));
      }),
    answered: (contentKey, runId) =>
      db.guard(async () => (await answered.execute({ contentKey, runId })).map(read)[0] ?? null),
    reuse: (call, from) =>
      db.guard(async () => {
        await reuseSql(pool, [from.id, JSON.stringify(columnsOf(mode, call))]);
      }),
    spending: createSpending(db, mode),
    byRun: (runId) => db.guard(async () => (await byRun.execute({ runId })).map(read)),
    spent: () =>
      db.guard(async () => {
        const rows = await spent(pool, [mode]);
        const of = (period: 'day' | 'month'): Spending => {
          const row = rows.find((each) => each.period === period);
          return {
            calls: row?.calls ?? 0,
            inputTokens: row?.input ?? 0,
            outputTokens: row?.output ?? 0,
            usd: row?.usd ?? '0',
          };
        };
        return { mode, day: of('day'), month: of('month') };
      }),
  };
}
