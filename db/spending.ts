// What models have cost, by day, month, strategy, run or call. Called by conversations.ts.
import type { Mode } from '../contracts/wire/names.js';
import type { SpendingGroup, SpendingQuery, SpendingRow } from '../ports/conversations.js';
import type { Database } from './connect.js';
import { statement } from './statement.js';

/** What a group's key is, and which ids all of its calls share. */
const groups: Readonly<Record<SpendingGroup, { readonly key: string; readonly shared: readonly string[] }>> =
  {
    day: { key: "to_char(a.started_at at time zone 'UTC', 'YYYY-MM-DD')", shared: [] },
    month: { key: "to_char(a.started_at at time zone 'UTC', 'YYYY-MM')", shared: [] },
    strategy: { key: 'a.strategy_id', shared: ['strategy_id'] },
    run: { key: 'a.run_id', shared: ['strategy_id', 'run_id'] },
    call: { key: 'a.id', shared: ['strategy_id', 'run_id', 'purpose'] },
  };

function statementOf(by: SpendingGroup) {
  const { key, shared } = groups[by];
  const idOf = (column: string): string => (shared.includes(column) ? `min(a.${column})` : 'null::text');
  return statement<SpendingRow>(
    `spending_by_${by}`,
    `select ${key} as key, ${idOf('strategy_id')} as "strategyId", ${idOf('run_id')} as "runId",
       ${idOf('purpose')} as purpose,
       (count(*) filter (where a.cached_from is null and a.outcome is distinct from 'budget'))::integer as calls,
       (count(*) filter (where a.cached_from is not null))::integer as reused,
       (count(*) filter (where a.outcome = 'budget'))::integer as refused,
       (coalesce(sum(a.input_tokens) filter (where a.cached_from is null), 0))::double precision as "inputTokens",
       (coalesce(sum(a.output_tokens) filter (where a.cached_from is null), 0))::double precision as "outputTokens",
       sum(coalesce(a.cost_usd, a.reserved_usd))::text as usd,
       (coalesce(sum(a.reserved_usd) filter (where a.state = 'reserved'), 0))::text as "openUsd"
     from agent_conversation a join run r on r.id = a.run_id
     where a.mode = $1 and a.started_at >= ($2::date)::timestamp at time zone 'UTC'
       and ($3::uuid is null or r.owner_id = $3::uuid)
     group by 1 order by max(a.started_at) desc, 1 desc limit $4`,
  );
}

export function createSpending(
  db: Database,
  mode: Mode,
): (query: SpendingQuery) => Promise<readonly SpendingRow[]> {
  const statements = {
    day: statementOf('day'),
    month: statementOf('month'),
    strategy: statementOf('strategy'),
    run: statementOf('run'),
    call: statementOf('call'),
  };
  return ({ by, since, ownerId, limit }) =>
    db.guard(() => statements[by](db.pool, [mode, since, ownerId, limit]));
}
