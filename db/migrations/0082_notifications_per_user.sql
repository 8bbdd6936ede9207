-- Whom news is about: a run's owner hears of it, and every admin. Null: it is about the platform, which is the admins'.
alter table notification add owner_id uuid references keel_user (id);

create or replace function run_end_notification() returns trigger language plpgsql as $$
begin
  insert into notification (mode, key, event, title, body, facts, owner_id)
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
      'slot', new.slot, 'outcome', new.outcome, 'code', new.code),
    new.owner_id
  )
  on conflict do nothing;
  return new;
end $$;

-- Settings and deliveries were those of one person of the configuration. They become the admin's who has been there
-- longest; where there is none yet, the first one takes them over with what else nobody owned.
create function adopt_notifications(admin uuid) returns void language plpgsql as $$
begin
  delete from notification_setting s
  where s.user_id not in (select id::text from keel_user)
    and exists (select from notification_setting o where o.mode = s.mode
      and (o.user_id = admin::text
        or o.user_id not in (select id::text from keel_user) and (o.updated_at, o.user_id) > (s.updated_at, s.user_id)));
  update notification_setting set user_id = admin::text where user_id not in (select id::text from keel_user);
  update notification_delivery d set user_id = admin::text
  from (
    select key, row_number() over (partition by notification_id, channel order by key) as place
    from notification_delivery where user_id not in (select id::text from keel_user)
  ) stray
  -- He is told of each once, however many were told of it before.
  where d.key = stray.key and stray.place = 1 and not exists (
    select from notification_delivery o
    where o.notification_id = d.notification_id and o.channel = d.channel and o.user_id = admin::text);
end $$;

do $$
declare
  admin uuid;
begin
  select id into admin from keel_user where role = 'admin' and active order by created_at, id limit 1;
  if admin is not null then
    perform adopt_notifications(admin);
  end if;
end $$;
