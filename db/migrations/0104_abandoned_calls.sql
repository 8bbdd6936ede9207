-- Reserves a call's cost and stores the call, both or neither. Calls of one mode are weighed one after another, so that
-- two of them can not spend the same dollar. `call` has the table's columns as keys. What an earlier attempt
-- of the same step has left reserved is abandoned, whichever model was asked: the fallback's question has another content.
create or replace function agent_conversation_reserve(call jsonb, run_cap numeric, day_cap numeric, month_cap numeric)
returns table (id text, cap text, spent numeric) language plpgsql as $$
declare
  wanted agent_conversation := jsonb_populate_record(null::agent_conversation, call);
  of_run numeric;
  of_day numeric;
  of_month numeric;
begin
  perform pg_advisory_xact_lock(hashtextextended('model budget ' || wanted.mode, 0));
  update agent_conversation a set state = 'abandoned', cost_usd = a.reserved_usd, ended_at = now()
    where a.run_id = wanted.run_id and a.purpose = wanted.purpose and a.turn = wanted.turn and a.state = 'reserved';
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
