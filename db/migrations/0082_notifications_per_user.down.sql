drop function adopt_notifications(uuid);
create or replace function run_end_notification() returns trigger language plpgsql as $$
begin
  insert into notification (mode, key, event, title, body, facts)
  values (
    new.mode,
    'run/' || new.id,
    case new.outcome
      when 'UNPROTECTED' then 'run.unprotected'
      when 'SENT_NOT_FOUND_EXPIRED' then 'run.lost'
      when 'FAILED' then 'run.failed'
      else 'run.ended'
    end,
    new.outcome || ' ' || new.symbol || ' ' || new.strategy_id,
    coalesce(new.message, new.code, new.outcome),
    jsonb_build_object('runId', new.id, 'strategyId', new.strategy_id, 'symbol', new.symbol, 'session', new.session,
      'slot', new.slot, 'outcome', new.outcome, 'code', new.code)
  )
  on conflict do nothing;
  return new;
end $$;
alter table notification drop column owner_id;
