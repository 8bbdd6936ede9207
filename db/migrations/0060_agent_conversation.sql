-- Every call to a model: what was asked, what was answered, what it cost. It is the budget's ledger too.
create table agent_conversation (
  id text primary key,
  run_id text not null references run (id),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  strategy_id text not null,
  purpose text not null check (purpose <> ''),
  turn integer not null check (turn >= 0),
  content_key text not null check (content_key ~ '^[0-9a-f]{64}$'),
  state text not null check (state in ('reserved', 'answered', 'failed', 'abandoned')),
  outcome text check (outcome in ('ok', 'refusal', 'length', 'content_filter', 'empty', 'invalid_json',
    'schema_invalid', 'timeout', 'budget')),
  code text,
  message text,
  profile text not null,
  api text not null check (api in ('responses', 'chat')),
  model_asked text not null,
  model_answered text,
  fingerprint text,
  response_id text,
  request_id text,
  finish_reason text,
  prompts jsonb not null,
  prompt_key text not null,
  prompt_sha256 text not null check (prompt_sha256 ~ '^[0-9a-f]{64}$'),
  prompt_bytes bigint not null check (prompt_bytes >= 0),
  input_sha256 text not null check (input_sha256 ~ '^[0-9a-f]{64}$'),
  pictures jsonb not null,
  parameters jsonb not null,
  numbers_only boolean not null,
  input_tokens integer check (input_tokens >= 0),
  cached_tokens integer check (cached_tokens >= 0),
  output_tokens integer check (output_tokens >= 0),
  reserved_usd numeric not null check (reserved_usd >= 0 and reserved_usd < 'Infinity'),
  cost_usd numeric check (cost_usd >= 0 and cost_usd < 'Infinity'),
  price_date text not null,
  answer_key text,
  answer_sha256 text check (answer_sha256 ~ '^[0-9a-f]{64}$'),
  answer_bytes bigint check (answer_bytes >= 0),
  cached_from text references agent_conversation (id),
  ms integer check (ms >= 0),
  started_at timestamptz(3) not null default now(),
  ended_at timestamptz(3)
);
create index agent_conversation_run on agent_conversation (run_id, started_at);
create index agent_conversation_content on agent_conversation (content_key) where state = 'answered';
create index agent_conversation_started on agent_conversation (mode, started_at);

-- Reserves a call's cost and stores the call, both or neither. Calls of one mode are weighed one after another, so that
-- two of them can not spend the same dollar. `call` has the table's columns as keys.
create function agent_conversation_reserve(call jsonb, run_cap numeric, day_cap numeric, month_cap numeric)
returns table (id text, cap text, spent numeric) language plpgsql as $$
declare
  wanted agent_conversation := jsonb_populate_record(null::agent_conversation, call);
  of_run numeric;
  of_day numeric;
  of_month numeric;
begin
  perform pg_advisory_xact_lock(hashtextextended('model budget ' || wanted.mode, 0));
  update agent_conversation a set state = 'abandoned', cost_usd = a.reserved_usd, ended_at = now()
    where a.run_id = wanted.run_id and a.content_key = wanted.content_key and a.state = 'reserved';
  select coalesce(sum(coalesce(a.cost_usd, a.reserved_usd)), 0) into of_run
    from agent_conversation a where a.run_id = wanted.run_id;
  select coalesce(sum(coalesce(a.cost_usd, a.reserved_usd)), 0),
      coalesce(sum(coalesce(a.cost_usd, a.reserved_usd))
        filter (where a.started_at >= date_trunc('day', now(), 'UTC')), 0)
    into of_month, of_day
    from agent_conversation a where a.mode = wanted.mode and a.started_at >= date_trunc('month', now(), 'UTC');
  id := gen_random_uuid()::text;
  cap := case
    when of_run + wanted.reserved_usd > run_cap then 'run'
    when of_day + wanted.reserved_usd > day_cap then 'day'
    when of_month + wanted.reserved_usd > month_cap then 'month'
  end;
  spent := case cap when 'run' then of_run when 'day' then of_day else of_month end;
  wanted.id := id;
  wanted.started_at := now();
  wanted.state := 'reserved';
  if cap is not null then
    -- Refused: kept too, so that people can see what the budget has stopped.
    wanted.state := 'failed';
    wanted.outcome := 'budget';
    wanted.cost_usd := 0;
    wanted.ended_at := now();
  end if;
  insert into agent_conversation select wanted.*;
  return next;
end $$;

-- The whole reading of a model, and what comes with its decision; null where rules read and decided.
alter table analysis add column reading jsonb;
alter table decision add column review jsonb;
